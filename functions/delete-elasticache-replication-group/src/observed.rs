//! What is wanted and what one look sees.

use crate::snapshot::Snapshot;
use shared_elasticache::{Datastore, Group, GroupArn, Seen};

/// The parameters, checked and typed.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The replication group to delete.
    pub stale: GroupArn,
    /// What serves now.
    pub primary: GroupArn,
    /// Whether a final snapshot is taken.
    pub final_snapshot: bool,
    /// Its name, when the manifest gives one.
    pub snapshot_name: Option<String>,
}

/// One look.
#[derive(Debug, Clone)]
pub struct Observed {
    /// The parameters.
    pub wanted: Wanted,
    /// The replication group to delete.
    pub group: Option<Group>,
    /// The global datastores that its Region knows; looked at only while it is there.
    pub datastores: Vec<Datastore>,
    /// What is expected to serve; looked at only while there is something to delete.
    pub primary: Option<Group>,
    /// The global datastore of what is expected to serve, when it is in one.
    pub at_primary: Option<Seen>,
    /// The snapshots of the Region that may be ours, oldest first.
    pub snapshots: Vec<Snapshot>,
}
