//! What people skipped in earlier runs of a product: shown in each plan until the resource is done.

use crate::names::PREFIX;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Who skipped a resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Skip {
    /// Name of the run.
    pub run: String,
    /// RFC 3339.
    pub at: String,
    /// A name as typed, or an ARN.
    pub approver: String,
    /// As typed.
    pub reason: String,
}

/// By phase, type and name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skips(BTreeMap<String, Skip>);

impl Skips {
    /// The newest skip of a resource in a phase, unless a later run has done it.
    pub fn get(&self, phase: &str, resource_type: &str, resource_name: &str) -> Option<&Skip> {
        self.0.get(&name(phase, resource_type, resource_name))
    }

    /// Keeps a skip.
    pub fn set(&mut self, phase: &str, resource_type: &str, resource_name: &str, skip: Skip) {
        self.0.insert(name(phase, resource_type, resource_name), skip);
    }

    /// Forgets it: the resource is done.
    pub fn done(&mut self, phase: &str, resource_type: &str, resource_name: &str) {
        self.0.remove(&name(phase, resource_type, resource_name));
    }
}

/// `dr-orchestration-artifacts/runs/<product>/skipped.json`.
pub fn key(product: &str) -> String {
    format!("{PREFIX}runs/{product}/skipped.json")
}

fn name(phase: &str, resource_type: &str, resource_name: &str) -> String {
    format!("{phase} {resource_type} {resource_name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_skip_is_known_until_it_is_done() {
        let skip =
            Skip { run: "r".into(), at: "t".into(), approver: "a".into(), reason: "b".into() };
        let mut skips = Skips::default();
        skips.set("ACTIVATE", "T", "n", skip.clone());
        let text = serde_json::to_string(&skips).unwrap();
        assert_eq!(
            serde_json::from_str::<Skips>(&text).unwrap().get("ACTIVATE", "T", "n"),
            Some(&skip)
        );
        skips.done("CLEANUP", "T", "n");
        assert!(skips.get("ACTIVATE", "T", "n").is_some());
        skips.done("ACTIVATE", "T", "n");
        assert_eq!(skips, Skips::default());
    }
}
