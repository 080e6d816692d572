//! One look at an Aurora global cluster: who writes, who follows, and what is going on.

use crate::arn::Arn;
use aws_sdk_rds::Client;
use aws_sdk_rds::types::{FailoverState, GlobalCluster, GlobalClusterMember as Shown};
use shared::{Doing, Error, Result};

/// A cluster in a global cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GlobalMember {
    /// The cluster.
    pub arn: Arn,
    /// `IsWriter`: whether it is the primary.
    pub writer: bool,
    /// `connected`, `pending-resync`.
    pub synchronization: Option<String>,
}

/// A switchover or failover that is going on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failover {
    /// `pending`, `switching-over`, `failing-over`, `cancelling`. The SDK's enumeration lacks the
    /// second one: only the text is to be compared.
    pub status: String,
    /// ARN of the cluster that gives the role away.
    pub from: String,
    /// ARN of the cluster that takes it.
    pub to: String,
    /// True of a failover, false of a switchover.
    pub data_loss_allowed: bool,
}

/// What `DescribeGlobalClusters` says of a global cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Global {
    /// GlobalClusterIdentifier.
    pub id: String,
    /// Status word.
    pub status: String,
    /// `aurora-mysql`, `aurora-postgresql`; of an empty global cluster perhaps nothing.
    pub engine: String,
    /// Full version.
    pub engine_version: String,
    /// Deletion protection.
    pub protected: bool,
    /// Storage encryption.
    pub encrypted: bool,
    /// Its clusters.
    pub members: Vec<GlobalMember>,
    /// What is going on; None: nothing that shows.
    pub failover: Option<Failover>,
}

impl Global {
    /// The primary.
    pub fn writer(&self) -> Option<&GlobalMember> {
        self.members.iter().find(|m| m.writer)
    }

    /// The entry of a cluster.
    pub fn member(&self, arn: &Arn) -> Option<&GlobalMember> {
        self.members.iter().find(|m| m.arn == *arn)
    }

    /// Whether the cluster is the primary.
    pub fn is_writer(&self, arn: &Arn) -> bool {
        self.member(arn).is_some_and(|m| m.writer)
    }

    /// An available global cluster of this primary and these secondaries, for tests of decisions.
    #[doc(hidden)]
    pub fn sample(writer: &str, others: &[&str]) -> Result<Self> {
        let member = |arn: &str, writer| {
            let arn = Arn::parse_cluster("sample", arn)?;
            Ok(GlobalMember { arn, writer, synchronization: Some("connected".into()) })
        };
        let mut members = vec![member(writer, true)?];
        members.extend(others.iter().map(|o| member(o, false)).collect::<Result<Vec<_>>>()?);
        Ok(Self {
            id: "orders-global".into(),
            status: "available".into(),
            engine: "aurora-mysql".into(),
            engine_version: "8.0.mysql_aurora.3.05.2".into(),
            protected: false,
            encrypted: false,
            members,
            failover: None,
        })
    }
}

impl Failover {
    /// Whether this cluster takes the role.
    pub fn is_to(&self, arn: &Arn) -> bool {
        self.to.eq_ignore_ascii_case(&arn.to_string())
    }
}

/// What a plan calls a secondary of this global cluster: named by who creates one and by who waits
/// for one.
pub fn secondary_of(global: &str) -> String {
    format!("rds:secondary-of:{global}")
}

/// The global cluster of this identifier as the Region of `client` knows it, or None when there is
/// none.
///
/// # Errors
/// As the service says; `Dr.Internal` when a member has no ARN that can be read.
pub async fn describe_global(client: &Client, id: &str) -> Result<Option<Global>> {
    let what = format!("describe global cluster {id}");
    let answer =
        client.describe_global_clusters().global_cluster_identifier(id).send().await.doing(&what);
    match answer {
        Err(error) if error.is_not_found() => Ok(None),
        other => other?.global_clusters().first().map(read).transpose(),
    }
}

/// All global clusters of the account that the Region of `client` knows, in the order of their
/// names. For who must not miss a membership that a cluster itself does not tell.
///
/// # Errors
/// As [`describe_global`].
pub async fn list_globals(client: &Client) -> Result<Vec<Global>> {
    let mut pages = client.describe_global_clusters().into_paginator().items().send();
    let mut found = Vec::new();
    while let Some(global) = pages.next().await {
        found.push(read(&global.doing("list the global clusters")?)?);
    }
    found.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(found)
}

fn read(g: &GlobalCluster) -> Result<Global> {
    let text = |t: Option<&str>| t.unwrap_or_default().to_owned();
    Ok(Global {
        id: text(g.global_cluster_identifier()),
        status: g.status().unwrap_or("unknown").to_owned(),
        engine: text(g.engine()),
        engine_version: text(g.engine_version()),
        protected: g.deletion_protection().unwrap_or(false),
        encrypted: g.storage_encrypted().unwrap_or(false),
        members: g.global_cluster_members().iter().map(member).collect::<Result<_>>()?,
        failover: g.failover_state().map(failover),
    })
}

fn member(m: &Shown) -> Result<GlobalMember> {
    let arn = Arn::parse_cluster("DBClusterArn", m.db_cluster_arn().unwrap_or_default())
        .map_err(|e| Error::internal(format!("RDS answered with an ARN that is none: {e}")))?;
    Ok(GlobalMember {
        arn,
        writer: m.is_writer().unwrap_or(false),
        synchronization: m.synchronization_status().map(|s| s.as_str().to_owned()),
    })
}

fn failover(f: &FailoverState) -> Failover {
    Failover {
        status: f.status().map_or("unknown", |s| s.as_str()).to_owned(),
        from: f.from_db_cluster_arn().unwrap_or_default().to_owned(),
        to: f.to_db_cluster_arn().unwrap_or_default().to_owned(),
        data_loss_allowed: f.is_data_loss_allowed().unwrap_or(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_rds::types::FailoverStatus;

    const EAST: &str = "arn:aws:rds:us-east-1:123456789012:cluster:orders";
    const WEST: &str = "arn:aws:rds:us-west-2:123456789012:cluster:orders-dr";

    #[test]
    fn roles_and_a_failover_with_a_word_that_the_sdk_does_not_know_are_read() {
        let of = |arn: &str, writer| Shown::builder().db_cluster_arn(arn).is_writer(writer).build();
        let state = FailoverState::builder()
            .status(FailoverStatus::from("switching-over"))
            .to_db_cluster_arn(WEST)
            .build();
        let shown = GlobalCluster::builder()
            .global_cluster_identifier("g")
            .global_cluster_members(of(WEST, false))
            .global_cluster_members(of(EAST, true))
            .failover_state(state)
            .build();
        let global = read(&shown).unwrap();
        let arn = |text: &str| Arn::parse_cluster("P", text).unwrap();
        assert_eq!(global.writer().unwrap().arn, arn(EAST));
        assert!(global.is_writer(&arn(EAST)) && !global.is_writer(&arn(WEST)));
        let failover = global.failover.unwrap();
        assert_eq!(failover.status, "switching-over");
        assert!(failover.is_to(&arn(WEST)) && !failover.is_to(&arn(EAST)));
        assert!(!failover.data_loss_allowed);
    }

    #[test]
    fn a_member_whose_arn_is_none_is_not_guessed_at() {
        let member = Shown::builder().db_cluster_arn("orders").build();
        let shown = GlobalCluster::builder().global_cluster_members(member).build();
        let error = read(&shown).unwrap_err();
        assert_eq!(error.error_type, shared::ErrorType::Internal);
        assert!(error.message.contains("an ARN that is none") && error.message.contains("orders"));
    }
}
