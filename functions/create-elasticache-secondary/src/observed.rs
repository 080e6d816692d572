//! What is wanted, what one look sees, and the changes.

use shared::{ChangeClass, Classified};
use shared_elasticache::{Datastore, Group, GroupArn};

/// Where the id of the global datastore is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Parameter Store name.
    pub name: String,
    /// Regions in which a run may execute, and resolve it.
    pub regions: Vec<String>,
}

/// The parameters, checked and typed.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Id of the global datastore without a prefix.
    pub suffix: String,
    /// The full id that the manifest names; perhaps an old one.
    pub named: Option<String>,
    /// What serves.
    pub source: GroupArn,
    /// The secondary.
    pub target: GroupArn,
    /// `NumCacheClusters`.
    pub nodes: Option<i64>,
    /// `ReplicasPerNodeGroup`.
    pub replicas: Option<i64>,
    /// `MultiAZEnabled`.
    pub multi_az: bool,
    /// Where the id is written.
    pub output: Option<Output>,
}

/// One look.
#[derive(Debug, Clone)]
pub struct Observed {
    /// The parameters.
    pub wanted: Wanted,
    /// What serves.
    pub source: Option<Group>,
    /// What has the secondary's name.
    pub target: Option<Group>,
    /// The global datastore that lists the source, as the source's Region knows it.
    pub datastore: Option<Datastore>,
    /// What the output parameter holds, by Region; as far as there is one.
    pub outputs: Vec<(String, Option<String>)>,
}

/// The changes, in order.
#[derive(Debug, PartialEq)]
pub enum Change {
    /// CreateGlobalReplicationGroup.
    Global {
        /// Its id without the prefix that AWS chooses.
        suffix: String,
        /// Its primary.
        source: GroupArn,
    },
    /// PutParameter.
    Put {
        /// Parameter Store name.
        name: String,
        /// The Region.
        region: String,
        /// The full id of the global datastore.
        value: String,
    },
    /// CreateReplicationGroup.
    Join {
        /// The full id of the global datastore.
        datastore: String,
        /// The secondary.
        target: GroupArn,
        /// Whether a replica takes over inside of its Region; None: AWS's choice.
        fails_over: Option<bool>,
    },
}

/// The call that makes a global datastore.
pub const GLOBAL: &str = "CreateGlobalReplicationGroup";
/// The call that makes the secondary.
pub const JOIN: &str = "CreateReplicationGroup";

impl Classified for Change {
    fn name(&self) -> &'static str {
        match self {
            Self::Global { .. } => GLOBAL,
            Self::Put { .. } => "PutParameter",
            Self::Join { .. } => JOIN,
        }
    }
    fn key(&self) -> String {
        match self {
            Self::Put { region, .. } => format!("PutParameter {region}"),
            _ => self.name().to_owned(),
        }
    }
    fn class(&self) -> ChangeClass {
        match self {
            Self::Put { .. } => ChangeClass::Modify,
            _ => ChangeClass::Create,
        }
    }
    fn summary(&self) -> String {
        match self {
            Self::Global { suffix, source } => {
                format!(
                    "create global datastore ...-{suffix} with {} as its primary",
                    source.label()
                )
            }
            Self::Put { name, region, value } => format!("write {value} to {name} in {region}"),
            Self::Join { datastore, target, .. } => {
                format!("create {} as a secondary of {datastore}", target.label())
            }
        }
    }
}
