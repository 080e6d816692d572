//! What the RDS resource types share: names of DB instances and clusters, one look at them, and what their
//! status words mean.

mod arn;
mod cluster;
mod global;
mod instance;
mod limits;
mod snapshot;
mod status;

pub use arn::{Arn, Kind, Place, identifier, region};
pub use cluster::{Cluster, ClusterMember, describe_cluster, instances_of};
pub use global::{Failover, Global, GlobalMember, describe_global, list_globals, secondary_of};
pub use instance::{Instance, describe};
pub use limits::{MINUTES, deadline, within};
pub use snapshot::{
    POINT_OF_FAILURE, Snapshot, describe_snapshot, point_of_failure_copy, snapshot_name,
    snapshots_of,
};
pub use status::{Health, health, remedy};
