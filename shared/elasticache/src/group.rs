//! One look at a replication group.

use crate::names::GroupArn;
use crate::status::{Health, Role, group_health, role};
use aws_sdk_elasticache::Client;
use aws_sdk_elasticache::primitives::DateTime;
use aws_sdk_elasticache::types::{AutomaticFailoverStatus, ReplicationGroup};
use shared::{Doing, Error, Result, must_be};

/// What a replication group says of its global datastore.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// The full id of the global datastore.
    pub datastore: String,
    /// Its role in it; None for a word that is neither.
    pub role: Option<Role>,
}

/// What `DescribeReplicationGroups` says of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its ARN.
    pub arn: GroupArn,
    /// Status word. It says nothing about roles.
    pub status: String,
    /// `redis`, `valkey`; of old groups perhaps nothing.
    pub engine: String,
    /// The global datastore that it is a member of; None: standalone.
    pub global: Option<Membership>,
    /// Seconds since 1970; id, Region and this together are unique for ever. Old groups have none.
    pub created_at: Option<i64>,
    /// Its nodes.
    pub nodes: Vec<String>,
    /// Whether it has shards (cluster mode).
    pub sharded: bool,
    /// Whether a replica takes over inside of the Region.
    pub fails_over: bool,
}

impl Group {
    /// What its status promises.
    pub fn health(&self) -> Health {
        group_health(&self.status)
    }

    /// Its role in its global datastore, as it tells it itself.
    pub fn role(&self) -> Option<Role> {
        self.global.as_ref().and_then(|g| g.role)
    }

    /// An available standalone group of two nodes, for tests of decisions.
    #[doc(hidden)]
    pub fn sample(arn: &str) -> Result<Self> {
        let arn = GroupArn::parse("sample", arn)?;
        Ok(Self {
            status: "available".into(),
            engine: "redis".into(),
            global: None,
            created_at: Some(1_700_000_000),
            nodes: vec![format!("{}-001", arn.id), format!("{}-002", arn.id)],
            sharded: false,
            fails_over: true,
            arn,
        })
    }

    /// The same group as a member of a global datastore, for tests of decisions.
    #[doc(hidden)]
    #[must_use]
    pub fn member_of(mut self, datastore: &str, role: Role) -> Self {
        self.global = Some(Membership { datastore: datastore.to_owned(), role: Some(role) });
        self
    }
}

/// The group of exactly this ARN, or None when there is none of that id. `client` calls the ARN's
/// Region.
///
/// # Errors
/// As the service says; `Dr.Refused` when what it shows is another group.
pub async fn describe_group(client: &Client, arn: &GroupArn) -> Result<Option<Group>> {
    let what = format!("describe replication group {} in {}", arn.id, arn.region);
    let answer = client
        .describe_replication_groups()
        .replication_group_id(&arn.id)
        .send()
        .await
        .doing(&what);
    let found = match answer {
        Err(error) if error.is_not_found() => return Ok(None),
        other => other?.replication_groups().first().map(|g| read(arn, g)).transpose()?,
    };
    if let Some(group) = &found {
        must_be(arn, &group.arn, "ElastiCache")?;
    }
    Ok(found)
}

fn read(asked: &GroupArn, g: &ReplicationGroup) -> Result<Group> {
    // Without an ARN in the answer the id must do: the client decides Region and account.
    let arn = match g.arn() {
        Some(arn) => GroupArn::parse("ARN", arn)
            .map_err(|_| Error::internal(format!("ElastiCache shows an ARN like {arn}")))?,
        None => asked.clone(),
    };
    Ok(Group {
        arn,
        status: g.status().unwrap_or("unknown").to_owned(),
        engine: g.engine().unwrap_or_default().to_owned(),
        global: g.global_replication_group_info().and_then(|info| {
            let datastore = info.global_replication_group_id().filter(|id| !id.is_empty())?;
            let role = info.global_replication_group_member_role().and_then(role);
            Some(Membership { datastore: datastore.to_ascii_lowercase(), role })
        }),
        created_at: g.replication_group_create_time().map(DateTime::secs),
        nodes: g.member_clusters().to_vec(),
        sharded: g.cluster_enabled().unwrap_or(false),
        fails_over: matches!(
            g.automatic_failover(),
            Some(AutomaticFailoverStatus::Enabled | AutomaticFailoverStatus::Enabling)
        ),
    })
}

#[cfg(test)]
#[path = "group_tests.rs"]
mod tests;
