//! One look at a global datastore, which the API calls a global replication group.

use crate::names::GroupArn;
use crate::status::{Health, Role, datastore_health, role};
use aws_sdk_elasticache::Client;
use aws_sdk_elasticache::types::{GlobalReplicationGroup, GlobalReplicationGroupMember};
use shared::{Doing, Result};

/// A replication group in a global datastore.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Side {
    /// ReplicationGroupId.
    pub id: String,
    /// Its Region.
    pub region: String,
    /// Its role; None for a word that is neither.
    pub role: Option<Role>,
    /// `associated`, or a word on the way there or away from there.
    pub status: String,
}

impl Side {
    /// Whether this is that group. The account is the global datastore's.
    pub fn is(&self, arn: &GroupArn) -> bool {
        self.id.eq_ignore_ascii_case(&arn.id) && self.region == arn.region
    }

    /// Whether its membership is complete.
    pub fn is_associated(&self) -> bool {
        self.status.eq_ignore_ascii_case("associated")
    }

    /// `orders in us-west-2`.
    pub fn label(&self) -> String {
        format!("{} in {}", self.id, self.region)
    }
}

/// What `DescribeGlobalReplicationGroups` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Datastore {
    /// The full id, with the prefix of the Region that it was made in.
    pub id: String,
    /// Status word. It says nothing about roles.
    pub status: String,
    /// Its replication groups.
    pub sides: Vec<Side>,
}

impl Datastore {
    /// What its status promises.
    pub fn health(&self) -> Health {
        datastore_health(&self.status)
    }

    /// The primary.
    pub fn primary(&self) -> Option<&Side> {
        self.sides.iter().find(|s| s.role == Some(Role::Primary))
    }

    /// The entry of a group.
    pub fn side(&self, arn: &GroupArn) -> Option<&Side> {
        self.sides.iter().find(|s| s.is(arn))
    }

    /// The members that are not its primary.
    pub fn followers(&self) -> Vec<&Side> {
        self.sides.iter().filter(|s| s.role != Some(Role::Primary)).collect()
    }

    /// An available global datastore `ldgnf-orders`, for tests of decisions.
    #[doc(hidden)]
    pub fn sample(primary: &str, secondaries: &[&str]) -> Result<Self> {
        let side = |arn: &str, role| {
            let arn = GroupArn::parse("sample", arn)?;
            let status = "associated".to_owned();
            Ok(Side { id: arn.id, region: arn.region, role: Some(role), status })
        };
        let mut sides = vec![side(primary, Role::Primary)?];
        for arn in secondaries {
            sides.push(side(arn, Role::Secondary)?);
        }
        Ok(Self { id: "ldgnf-orders".into(), status: "available".into(), sides })
    }
}

/// What a look at a global datastore brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// It is there.
    There(Datastore),
    /// The Region knows none of that id. A Region without a member may never know it.
    Absent,
    /// No answer: while its primary's Region is lost, nobody knows whether there is one.
    Silent(String),
}

impl Seen {
    /// The global datastore, where one answered.
    pub fn there(&self) -> Option<&Datastore> {
        match self {
            Self::There(datastore) => Some(datastore),
            _ => None,
        }
    }
}

/// The global datastore of this full id as the Region of `client` knows it. A missing answer is an
/// observation, too: what the replication group says of itself may be enough.
///
/// # Errors
/// As the service says, except for transient ones.
pub async fn look_at(client: &Client, id: &str) -> Result<Seen> {
    let answer = client
        .describe_global_replication_groups()
        .global_replication_group_id(id)
        .show_member_info(true)
        .send()
        .await
        .doing(&format!("describe global datastore {id}"));
    match answer {
        Ok(answer) => Ok(answer
            .global_replication_groups()
            .first()
            .map_or(Seen::Absent, |g| Seen::There(read(g)))),
        Err(error) if error.is_not_found() => Ok(Seen::Absent),
        Err(error) if error.is_transient() => Ok(Seen::Silent(error.message)),
        Err(error) => Err(error),
    }
}

/// All global datastores that the Region of `client` knows. For who must not miss a membership that
/// a replication group itself does not tell.
///
/// # Errors
/// As the service says.
pub async fn list_datastores(client: &Client) -> Result<Vec<Datastore>> {
    let asked = client.describe_global_replication_groups().show_member_info(true);
    let mut pages = asked.into_paginator().items().send();
    let mut all = Vec::new();
    while let Some(found) = pages.next().await {
        all.push(read(&found.doing("list the global datastores")?));
    }
    Ok(all)
}

fn read(g: &GlobalReplicationGroup) -> Datastore {
    Datastore {
        id: g.global_replication_group_id().unwrap_or_default().to_ascii_lowercase(),
        status: g.status().unwrap_or("unknown").to_owned(),
        sides: g.members().iter().map(side).collect(),
    }
}

fn side(m: &GlobalReplicationGroupMember) -> Side {
    Side {
        id: m.replication_group_id().unwrap_or_default().to_ascii_lowercase(),
        region: m.replication_group_region().unwrap_or_default().to_owned(),
        role: m.role().and_then(role),
        status: m.status().unwrap_or("unknown").to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EAST: &str = "arn:aws:elasticache:us-east-1:123456789012:replicationgroup:orders";
    const WEST: &str = "arn:aws:elasticache:us-west-2:123456789012:replicationgroup:orders-dr";

    #[test]
    fn members_and_roles_are_read_in_any_case() {
        let member = GlobalReplicationGroupMember::builder()
            .replication_group_id("orders-DR")
            .replication_group_region("us-west-2")
            .role("Secondary")
            .status("Associated");
        let shown = GlobalReplicationGroup::builder()
            .global_replication_group_id("ldgnf-orders")
            .status("Available")
            .members(member.build())
            .build();
        let datastore = read(&shown);
        let side = datastore.side(&GroupArn::parse("P", WEST).unwrap()).unwrap();
        assert_eq!(side.role, Some(Role::Secondary));
        assert!(side.is_associated() && datastore.primary().is_none());
        assert_eq!(datastore.health(), Health::Available);
    }

    #[test]
    fn namesakes_in_other_regions_are_others() {
        let datastore = Datastore::sample(EAST, &[WEST]).unwrap();
        let namesake = GroupArn::parse("P", &EAST.replace("us-east-1", "eu-west-1")).unwrap();
        assert_eq!(datastore.side(&namesake), None);
        assert_eq!(datastore.primary().unwrap().label(), "orders in us-east-1");
        assert_eq!(datastore.followers().len(), 1);
        assert_eq!(Seen::Absent.there(), None);
    }
}
