//! What is wanted, what one look sees, and the changes.

use shared::{ChangeClass, Classified};
use shared_elasticache::{Group, GroupArn, Seen, Side};
use shared_metrics::Lag;

/// The parameters, checked and typed.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Full id of the global datastore.
    pub datastore: String,
    /// What is to become its primary.
    pub target: GroupArn,
    /// `OnUnavailable` is DISASSOCIATE.
    pub detach: bool,
    /// `MaxLagSeconds`.
    pub max_lag_s: Option<i64>,
    /// What a direct start did not agree to.
    pub warning: Option<String>,
}

/// One look, at the target's Region alone.
#[derive(Debug, Clone)]
pub struct Observed {
    /// The parameters.
    pub wanted: Wanted,
    /// The target.
    pub group: Option<Group>,
    /// The global datastore.
    pub datastore: Seen,
    /// How far the target is behind, before the failover.
    pub lag: Lag,
}

impl Observed {
    /// The target as the global datastore lists it.
    pub fn side(&self) -> Option<&Side> {
        self.datastore.there().and_then(|d| d.side(&self.wanted.target))
    }

    /// The primary as the global datastore lists it.
    pub fn primary(&self) -> Option<&Side> {
        self.datastore.there().and_then(|d| d.primary())
    }
}

/// The changes: the second one only when the first one is not possible.
#[derive(Debug, PartialEq)]
pub enum Change {
    /// FailoverGlobalReplicationGroup.
    Failover {
        /// The global datastore.
        datastore: String,
        /// Its new primary.
        target: GroupArn,
        /// Its primary until now, as far as known.
        from: Option<String>,
        /// How far the target is behind.
        lag: Lag,
    },
    /// DisassociateGlobalReplicationGroup.
    Detach {
        /// The global datastore.
        datastore: String,
        /// What becomes a cluster of its own.
        target: GroupArn,
        /// How far the target is behind.
        lag: Lag,
    },
}

/// The call that moves the role.
pub const FAILOVER: &str = "FailoverGlobalReplicationGroup";
/// The call that makes the target a cluster of its own.
pub const DETACH: &str = "DisassociateGlobalReplicationGroup";

impl Classified for Change {
    fn name(&self) -> &'static str {
        match self {
            Self::Failover { .. } => FAILOVER,
            Self::Detach { .. } => DETACH,
        }
    }
    fn class(&self) -> ChangeClass {
        // Replication is asynchronous, and nothing says that a failover waits for it.
        ChangeClass::DataLoss
    }
    fn expected_loss(&self) -> Option<f64> {
        match self {
            Self::Failover { lag, .. } | Self::Detach { lag, .. } => lag.seconds(),
        }
    }
    fn summary(&self) -> String {
        match self {
            Self::Failover { datastore, target, from, lag } => {
                let from = from.as_deref().unwrap_or("unknown");
                format!(
                    "make {} the primary of {datastore} (until now {from}): {lag}",
                    target.label()
                )
            }
            Self::Detach { datastore, target, lag } => format!(
                "detach {} from {datastore}, standalone and writable from then on: {lag}; \
                 irreversible",
                target.label()
            ),
        }
    }
}
