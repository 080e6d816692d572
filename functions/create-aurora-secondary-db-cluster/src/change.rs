//! The changes, in the order in which they are made.

use shared::{ChangeClass, Classified};
use shared_rds::Arn;

/// One call.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// In the source's Region: only there the source can become a primary.
    Global {
        /// The global cluster.
        id: String,
        /// Its primary.
        source: Arn,
    },
    /// In the secondary's Region.
    Cluster(NewCluster),
    /// In the secondary's Region.
    Instance {
        /// The instance.
        instance: Arn,
        /// The cluster that it joins.
        cluster: String,
        /// The engine as the cluster has it.
        engine: String,
    },
}

/// The secondary, and what it takes from its source.
#[derive(Debug, Clone, PartialEq)]
pub struct NewCluster {
    /// The secondary.
    pub cluster: Arn,
    /// The global cluster that it joins.
    pub global: String,
    /// The engine as the source has it.
    pub engine: String,
    /// The version as the source has it.
    pub version: String,
    /// Whether its storage is encrypted.
    pub encrypted: bool,
}

/// The name of the call that makes the cluster.
pub const CREATE_CLUSTER: &str = "CreateDBCluster";

impl Classified for Change {
    fn name(&self) -> &'static str {
        match self {
            Self::Global { .. } => "CreateGlobalCluster",
            Self::Cluster(_) => CREATE_CLUSTER,
            Self::Instance { .. } => "CreateDBInstance",
        }
    }
    fn key(&self) -> String {
        match self {
            Self::Instance { instance, .. } => format!("{} {}", self.name(), instance.id),
            Self::Global { .. } | Self::Cluster(_) => self.name().to_owned(),
        }
    }
    fn class(&self) -> ChangeClass {
        ChangeClass::Create
    }
    fn summary(&self) -> String {
        match self {
            Self::Global { id, source } => {
                format!("create global cluster {id} of {} in {}", source.id, source.region)
            }
            Self::Cluster(NewCluster { cluster, global, version, .. }) => {
                let Arn { id, region, .. } = cluster;
                format!("create secondary cluster {id} of {global} in {region} ({version})")
            }
            Self::Instance { instance, cluster, .. } => {
                format!("create instance {} in {cluster}", instance.id)
            }
        }
    }
}
