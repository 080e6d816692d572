//! How long resources took in earlier runs of a product: one object beside its runs, for the
//! duration that an approver may expect.

use crate::names::PREFIX;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Seconds of the newest run that changed a resource.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Durations(BTreeMap<String, i64>);

impl Durations {
    /// The seconds of a resource in a phase, when an earlier run measured them.
    pub fn get(&self, phase: &str, resource_type: &str, resource_name: &str) -> Option<i64> {
        self.0.get(&name(phase, resource_type, resource_name)).copied()
    }

    /// Keeps what a run measured.
    pub fn set(&mut self, phase: &str, resource_type: &str, resource_name: &str, seconds: i64) {
        self.0.insert(name(phase, resource_type, resource_name), seconds);
    }
}

/// `dr-orchestration-artifacts/runs/<product>/durations.json`.
pub fn key(product: &str) -> String {
    format!("{PREFIX}runs/{product}/durations.json")
}

fn name(phase: &str, resource_type: &str, resource_name: &str) -> String {
    format!("{phase} {resource_type} {resource_name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_figure_counts() {
        let mut known = Durations::default();
        known.set("ACTIVATE", "T", "a", 5);
        known.set("ACTIVATE", "T", "a", 7);
        assert_eq!(known.get("ACTIVATE", "T", "a"), Some(7));
        assert_eq!(known.get("CLEANUP", "T", "a"), None);
        let text = serde_json::to_string(&known).unwrap();
        assert_eq!(serde_json::from_str::<Durations>(&text).unwrap(), known);
    }
}
