//! Who runs what, where: the context that every request carries.

use crate::resource::ChangeClass;
use serde::{Deserialize, Serialize};

/// The four phases of the life cycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Phase {
    /// Build what the standby lacks.
    Instantiate,
    /// Make the standby the primary.
    Activate,
    /// Remove what is stale in the old primary.
    Cleanup,
    /// Make the old primary the new standby.
    Replicate,
}

impl Phase {
    /// All four, in the order of the life cycle.
    pub const ALL: [Self; 4] = [Self::Instantiate, Self::Activate, Self::Cleanup, Self::Replicate];

    /// The name in manifests and machine names, for example `ACTIVATE`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Instantiate => "INSTANTIATE",
            Self::Activate => "ACTIVATE",
            Self::Cleanup => "CLEANUP",
            Self::Replicate => "REPLICATE",
        }
    }
}

impl std::fmt::Display for Phase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// PLAN looks and decides; EXECUTE also acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Mode {
    /// Reads only, with credentials that cannot change anything.
    Plan,
    /// Acts until the wanted state is observed.
    Execute,
}

/// The run, and the place of a resource in it. Run-level contexts have null in `app` to `siblings`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Context {
    /// Product name; `direct` for a direct start without one.
    pub product: String,
    /// Application name.
    pub app: Option<String>,
    /// Short name of the application manifest, unique within the run.
    pub file: Option<String>,
    /// Zero-based position of the layer in the file.
    pub layer: Option<u32>,
    /// Zero-based position of the resource in the layer.
    pub index: Option<u32>,
    /// Number of resources in the layer.
    pub siblings: Option<u32>,
    /// ARN of the product execution, or of the phase execution of a direct start.
    pub execution: String,
    /// What idempotency keys derive from.
    pub root: String,
    /// Start of the run, RFC 3339.
    pub started_at: String,
    /// The executing Region.
    pub region: String,
    /// The Region that serves before the run.
    pub primary_region: Option<String>,
    /// The other Region.
    pub secondary_region: Option<String>,
    /// Whether the old Region must be assumed unreachable.
    pub unplanned: bool,
    /// Change classes that were approved for this resource.
    #[serde(default)]
    pub approved: Vec<ChangeClass>,
    /// Whether somebody started the phase itself, without a product manifest and an approval.
    #[serde(default)]
    pub direct: bool,
    /// How long a failed resource waits for somebody's decision, seconds; 0: it fails at once.
    #[serde(default)]
    pub hold_seconds: i64,
    /// The parameter that answers the run's questions; a held resource has its own below it.
    #[serde(default)]
    pub answers: String,
    /// The run's folder in the bucket, with a slash at its end.
    pub folder: String,
}

impl Context {
    /// The Region that an unplanned run must not call: the old primary, while it is lost.
    /// In CLEANUP and REPLICATE it is back by definition.
    pub fn lost_region(&self, phase: Phase) -> Option<&str> {
        let lost = self.unplanned && matches!(phase, Phase::Instantiate | Phase::Activate);
        self.primary_region.as_deref().filter(|_| lost)
    }

    /// `<file>-<layer>-<index>`: the name of this resource's plan entry and journal.
    pub fn position(&self) -> String {
        let file = self.file.as_deref().unwrap_or("run");
        format!("{file}-{}-{}", self.layer.unwrap_or(0), self.index.unwrap_or(0))
    }

    /// The bucket key of this resource's plan entry.
    pub fn plan_key(&self) -> String {
        format!("{}plan/{}.json", self.folder, self.position())
    }

    /// The bucket key of this resource's journal.
    pub fn journal_key(&self) -> String {
        format!("{}journal/{}.json", self.folder, self.position())
    }

    /// The same run-level context, placed at an application manifest.
    pub fn at_file(&self, app: &str, file: &str) -> Self {
        Self { app: Some(app.to_owned()), file: Some(file.to_owned()), ..self.clone() }
    }
}

pub(crate) fn sample() -> Context {
    Context {
        product: "shop".into(),
        app: Some("app1".into()),
        file: Some("shop-app1".into()),
        layer: Some(0),
        index: Some(2),
        siblings: Some(3),
        execution: "arn:aws:states:us-west-2:123456789012:execution:m:run-1".into(),
        root: "run-1".into(),
        started_at: "2026-01-01T00:00:00Z".into(),
        region: "us-west-2".into(),
        primary_region: Some("us-east-1".into()),
        secondary_region: Some("us-west-2".into()),
        unplanned: true,
        approved: vec![ChangeClass::Destructive],
        direct: false,
        hold_seconds: 0,
        answers: "/dr-orchestrator/approvals/shop/run-1".into(),
        folder: "dr-orchestration-artifacts/runs/shop/run-1/".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_unplanned_failover_has_a_lost_region() {
        let mut context = sample();
        assert_eq!(context.lost_region(Phase::Activate), Some("us-east-1"));
        assert_eq!(context.lost_region(Phase::Cleanup), None);
        context.unplanned = false;
        assert_eq!(context.lost_region(Phase::Activate), None);
    }

    #[test]
    fn keys_lie_in_the_runs_folder() {
        let key = sample().plan_key();
        assert_eq!(key, "dr-orchestration-artifacts/runs/shop/run-1/plan/shop-app1-0-2.json");
    }
}
