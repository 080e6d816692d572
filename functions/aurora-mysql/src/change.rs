//! One instance more, one instance less.

use shared::{ChangeClass, Classified};
use shared_rds::Arn;

/// One call.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// INSTANTIATE.
    Add {
        /// The instance.
        instance: Arn,
        /// The cluster that it joins.
        cluster: String,
        /// The engine as the cluster has it.
        engine: String,
        /// Its class.
        class: String,
    },
    /// CLEANUP.
    Remove {
        /// The instance.
        instance: Arn,
        /// The cluster that stays.
        cluster: String,
    },
}

impl Change {
    fn instance(&self) -> &Arn {
        match self {
            Self::Add { instance, .. } | Self::Remove { instance, .. } => instance,
        }
    }
}

impl Classified for Change {
    fn name(&self) -> &'static str {
        match self {
            Self::Add { .. } => "CreateDBInstance",
            Self::Remove { .. } => "DeleteDBInstance",
        }
    }
    fn key(&self) -> String {
        format!("{} {}", self.name(), self.instance().id)
    }
    fn class(&self) -> ChangeClass {
        match self {
            Self::Add { .. } => ChangeClass::Create,
            Self::Remove { .. } => ChangeClass::Destructive,
        }
    }
    fn summary(&self) -> String {
        match self {
            Self::Add { instance, cluster, class, .. } => {
                let Arn { id, region, .. } = instance;
                format!("create instance {id} ({class}) in {cluster} in {region}")
            }
            Self::Remove { instance, cluster } => {
                let Arn { id, region, .. } = instance;
                format!("delete instance {id} of {cluster} in {region}; the cluster stays")
            }
        }
    }
}
