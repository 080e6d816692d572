//! What people skipped in earlier runs of a product: shown in each plan until the resource is done.

use crate::names::PREFIX;
use serde::{Deserialize, Serialize};

/// Who skipped a resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Skip {
    /// The phase.
    pub phase: String,
    /// Short name of the manifest: the same name may stand in several.
    pub file: String,
    /// The type.
    pub resource_type: String,
    /// The name.
    pub resource_name: String,
    /// Name of the run.
    pub run: String,
    /// RFC 3339.
    pub at: String,
    /// A name as typed, or an ARN.
    pub approver: String,
    /// As typed.
    pub reason: String,
}

impl Skip {
    fn is_of(&self, other: &Self) -> bool {
        let of = |s: &Self| {
            (s.phase.clone(), s.file.clone(), s.resource_type.clone(), s.resource_name.clone())
        };
        of(self) == of(other)
    }
}

/// The newest skip of each resource, unless a later run has done it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skips(Vec<Skip>);

impl Skips {
    /// All of them, of every phase.
    pub fn all(&self) -> impl Iterator<Item = &Skip> {
        self.0.iter()
    }

    /// Keeps a skip.
    pub fn set(&mut self, skip: Skip) {
        self.done(&skip);
        self.0.push(skip);
    }

    /// Forgets it: the resource is done.
    pub fn done(&mut self, resource: &Skip) {
        self.0.retain(|known| !known.is_of(resource));
    }
}

/// `dr-orchestration-artifacts/runs/<product>/skipped.json`.
pub fn key(product: &str) -> String {
    format!("{PREFIX}runs/{product}/skipped.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skip(phase: &str, file: &str) -> Skip {
        let text = || "t".to_owned();
        Skip {
            phase: phase.into(),
            file: file.into(),
            resource_type: text(),
            resource_name: text(),
            run: text(),
            at: text(),
            approver: text(),
            reason: text(),
        }
    }

    #[test]
    fn a_skip_is_known_until_it_is_done() {
        let mut skips = Skips::default();
        skips.set(skip("ACTIVATE", "a"));
        skips.set(Skip { run: "newer".into(), ..skip("ACTIVATE", "a") });
        let text = serde_json::to_string(&skips).unwrap();
        let read: Skips = serde_json::from_str(&text).unwrap();
        assert_eq!(read.all().map(|s| s.run.as_str()).collect::<Vec<_>>(), ["newer"]);
        skips.done(&skip("CLEANUP", "a"));
        skips.done(&skip("ACTIVATE", "b"));
        assert_eq!(skips.all().count(), 1);
        skips.done(&skip("ACTIVATE", "a"));
        assert_eq!(skips, Skips::default());
    }
}
