//! What is wanted and what one look sees.

use shared_rds::{Arn, Cluster, Health, Instance, Kind, Snapshot, health, remedy};

/// Where the data comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A database: a new snapshot is taken of it.
    Database(Arn),
    /// A snapshot: it is copied.
    Snapshot {
        /// Its identifier; that of an automated one begins with `rds:`.
        name: String,
        /// Its ARN.
        arn: String,
    },
    /// The newest snapshot that RDS took of this cluster in an unplanned failover: it is copied.
    PointOfFailure(Arn),
}

/// The parameters, checked and typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Of clusters or of instances.
    pub kind: Kind,
    /// What is saved.
    pub source: Source,
    /// Region of the source.
    pub from: String,
    /// Region of the snapshot.
    pub to: String,
    /// Name of the snapshot; None: it follows from the point-of-failure snapshot.
    pub name: Option<String>,
    /// What the ARNs of snapshots in the target's Region begin with.
    pub arn_prefix: String,
    /// Key for the copy.
    pub kms_key: Option<String>,
    /// Whether the copy takes the tags over.
    pub copy_tags: bool,
    /// Start of the run, seconds since 1970.
    pub started: i64,
}

/// The database that a snapshot is taken of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Database {
    /// Its identifier.
    pub id: String,
    /// Its status.
    pub status: String,
    /// DbiResourceId or DbClusterResourceId.
    pub resource_id: String,
    /// Why its snapshots are those of a cluster, if so.
    pub member: Option<String>,
}

impl Database {
    /// What its status promises.
    pub fn health(&self) -> Health {
        health(&self.status)
    }

    /// What an operator does about it.
    pub fn remedy(&self) -> &'static str {
        remedy(&self.status)
    }
}

impl From<Cluster> for Database {
    fn from(c: Cluster) -> Self {
        Self { id: c.arn.id, status: c.status, resource_id: c.resource_id, member: None }
    }
}

impl From<Instance> for Database {
    fn from(i: Instance) -> Self {
        let id = &i.arn.id;
        let member = i.cluster.as_ref().map(|c| format!("{id} is a member of cluster {c}"));
        Self { id: i.arn.id, status: i.status, resource_id: i.resource_id, member }
    }
}

/// One look.
#[derive(Debug, Clone)]
pub struct Observed {
    /// The parameters.
    pub wanted: Wanted,
    /// The database, where one is saved.
    pub database: Option<Database>,
    /// The snapshot to copy, where one is copied.
    pub source: Option<Snapshot>,
    /// Name of the snapshot, once it is known.
    pub name: Option<String>,
    /// The snapshot of that name.
    pub taken: Option<Snapshot>,
    /// The newest copy of a point-of-failure snapshot of that cluster, of whatever failover.
    pub earlier: Option<Snapshot>,
}
