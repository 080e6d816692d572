//! What is wanted and what one look sees.

use shared_rds::{Arn, Instance, Snapshot};

/// The parameters, checked and typed.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The instance to delete.
    pub stale: Arn,
    /// What serves now.
    pub writer: Arn,
    /// Whether a final snapshot is taken.
    pub final_snapshot: bool,
    /// Its name, when the manifest gives one.
    pub snapshot_name: Option<String>,
    /// Consent to lift deletion protection.
    pub may_lift_protection: bool,
    /// Replicas that may lose their source.
    pub allowed_replicas: Vec<String>,
}

/// One look.
#[derive(Debug, Clone)]
pub struct Observed {
    /// The parameters.
    pub wanted: Wanted,
    /// The instance to delete.
    pub instance: Option<Instance>,
    /// What is expected to serve; looked at only while there is something to delete.
    pub writer: Option<Instance>,
    /// Snapshots of an instance of that identifier, manual and automated, oldest first.
    pub snapshots: Vec<Snapshot>,
}
