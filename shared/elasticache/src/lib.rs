//! What the ElastiCache resource types share: names, words of status, one look at a replication
//! group and one at a global datastore.

mod datastore;
mod group;
mod limits;
mod names;
mod status;

pub use datastore::{Datastore, Seen, Side, list_datastores, look_at};
pub use group::{Group, Membership, describe_group};
pub use limits::{MINUTES, deadline, within};
pub use names::{GroupArn, Place, identifier, region, suffix};
pub use status::{Health, Role, datastore_health, group_health, group_remedy, role};
