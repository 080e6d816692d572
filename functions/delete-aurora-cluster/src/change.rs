//! The changes, in their order.

use shared::{ChangeClass, Classified};

/// One call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// CopyDBClusterSnapshot: saves what only a system snapshot holds.
    Copy {
        /// The system snapshot.
        source: String,
        /// The manual copy.
        copy: String,
    },
    /// ModifyDBCluster.
    LiftProtection {
        /// The cluster.
        id: String,
    },
    /// RemoveFromGlobalCluster.
    Detach {
        /// ARN of the cluster.
        arn: String,
        /// What it is removed from.
        global: String,
    },
    /// DeleteDBInstance, without a snapshot: the snapshots of Aurora are the cluster's.
    DeleteInstance {
        /// The instance.
        id: String,
    },
    /// DeleteDBCluster.
    Delete {
        /// The cluster.
        id: String,
        /// The final snapshot; None: it goes without one.
        snapshot: Option<String>,
    },
    /// DeleteGlobalCluster.
    DeleteGlobal {
        /// The global cluster, empty.
        id: String,
    },
}

/// The call that takes the final snapshot.
pub const DELETE: &str = "DeleteDBCluster";

impl Classified for Change {
    fn name(&self) -> &'static str {
        match self {
            Self::Copy { .. } => "CopyDBClusterSnapshot",
            Self::LiftProtection { .. } => "ModifyDBCluster",
            Self::Detach { .. } => "RemoveFromGlobalCluster",
            Self::DeleteInstance { .. } => "DeleteDBInstance",
            Self::Delete { .. } => DELETE,
            Self::DeleteGlobal { .. } => "DeleteGlobalCluster",
        }
    }

    fn key(&self) -> String {
        match self {
            Self::Copy { copy: thing, .. } | Self::DeleteInstance { id: thing } => {
                format!("{} {thing}", self.name())
            }
            _ => self.name().to_owned(),
        }
    }

    fn class(&self) -> ChangeClass {
        match self {
            Self::Copy { .. } => ChangeClass::Create,
            // Lifting the protection is the first half of a deletion, never an end in itself, and a
            // cluster that has left its global cluster cannot return.
            _ => ChangeClass::Destructive,
        }
    }

    fn summary(&self) -> String {
        match self {
            Self::Copy { source, copy } => format!("copies {source} to {copy}"),
            Self::LiftProtection { id } => format!("lifts the deletion protection of {id}"),
            Self::Detach { arn, global } => {
                let id = arn.rsplit(':').next().unwrap_or(arn);
                format!("removes {id} from global cluster {global}")
            }
            Self::DeleteInstance { id } => format!("deletes instance {id}"),
            Self::Delete { id, snapshot: Some(s) } => {
                format!("deletes cluster {id} after final snapshot {s}")
            }
            Self::Delete { id, snapshot: None } => {
                format!("deletes cluster {id} WITHOUT a final snapshot")
            }
            Self::DeleteGlobal { id } => format!("deletes the empty global cluster {id}"),
        }
    }
}
