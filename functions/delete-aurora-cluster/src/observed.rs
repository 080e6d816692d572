//! What is wanted and what one look sees.

use shared_rds::{Arn, Cluster, Global, Instance, Snapshot};

/// The parameters, checked and typed.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The cluster to delete.
    pub stale: Arn,
    /// What serves now.
    pub writer: Arn,
    /// The only global cluster that it may be removed from, when the manifest names one.
    pub global: Option<String>,
    /// Whether a final snapshot is taken.
    pub final_snapshot: bool,
    /// Its name, when the manifest gives one.
    pub snapshot_name: Option<String>,
    /// Whether point-of-failure snapshots are copied before they go with the cluster.
    pub copy_point_of_failure: bool,
    /// Consent to lift deletion protection.
    pub may_lift_protection: bool,
    /// Whether the empty global cluster goes too.
    pub delete_global: bool,
    /// Consent to delete the standby of what serves.
    pub may_delete_standby: bool,
    /// Replicas that may lose their source.
    pub allowed_replicas: Vec<String>,
}

/// One look.
#[derive(Debug, Clone)]
pub struct Observed {
    /// The parameters.
    pub wanted: Wanted,
    /// The cluster to delete.
    pub stale: Option<Cluster>,
    /// Its instances.
    pub instances: Vec<Instance>,
    /// Snapshots of a cluster of that identifier, manual and automated, oldest first.
    pub snapshots: Vec<Snapshot>,
    /// All global clusters, as the Region to delete in knows them.
    pub here: Vec<Global>,
    /// The same, as the Region that serves knows them.
    pub there: Vec<Global>,
    /// Instances of what is expected to serve.
    pub writer_instances: Vec<Instance>,
    /// What is expected to serve; looked at last, and only while there is something to delete.
    pub writer: Option<Cluster>,
}

impl Observed {
    /// A look that has found nothing yet.
    pub fn nothing(wanted: Wanted) -> Self {
        Self {
            wanted,
            stale: None,
            instances: vec![],
            snapshots: vec![],
            here: vec![],
            there: vec![],
            writer_instances: vec![],
            writer: None,
        }
    }
}
