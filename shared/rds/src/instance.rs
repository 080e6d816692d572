//! One look at a DB instance.

use crate::arn::Arn;
use crate::status::{Health, health};
use aws_sdk_rds::Client;
use aws_sdk_rds::types::{DbInstance, Filter};
use shared::{Doing, Error, Result, must_be};

/// What `DescribeDBInstances` says of an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// Its ARN.
    pub arn: Arn,
    /// Status word.
    pub status: String,
    /// `mysql`, `aurora-mysql`, ...
    pub engine: String,
    /// The cluster that it is a member of.
    pub cluster: Option<String>,
    /// DbiResourceId: unique for ever, unlike the identifier.
    pub resource_id: String,
    /// What it replicates from: an ARN (other Region), an identifier (same Region) or a cluster.
    pub source: Option<String>,
    /// Its own read replicas: ARNs (other Regions) or identifiers.
    pub replicas: Vec<String>,
    /// Status of "read replication": `replicating`, `error`, `stopped`, `terminated`.
    pub replication: Option<String>,
    /// Days that automated backups are kept; 0: none are made.
    pub retention_days: i32,
    /// Whether another retention waits to be applied.
    pub retention_pending: bool,
    /// Whether it has a standby in a second Availability Zone.
    pub multi_az: bool,
    /// Deletion protection.
    pub protected: bool,
    /// Storage encryption.
    pub encrypted: bool,
}

impl Instance {
    /// What its status promises.
    pub fn health(&self) -> Health {
        health(&self.status)
    }

    /// Why the calls for single DB instances do not apply to it, if so.
    pub fn foreign_kind(&self) -> Option<String> {
        if self.cluster.is_some() || self.engine.starts_with("aurora") {
            return Some(format!("{} is a member of a cluster ({})", self.arn.id, self.engine));
        }
        let custom = self.engine.starts_with("custom-");
        custom.then(|| format!("{} is an RDS Custom instance ({})", self.arn.id, self.engine))
    }

    /// An available standalone MySQL instance, for tests of decisions.
    #[doc(hidden)]
    pub fn sample(arn: &str) -> Result<Self> {
        Ok(Self {
            arn: Arn::parse("sample", arn)?,
            status: "available".into(),
            engine: "mysql".into(),
            cluster: None,
            resource_id: "db-ABC123".into(),
            source: None,
            replicas: vec![],
            replication: None,
            retention_days: 7,
            retention_pending: false,
            multi_az: true,
            protected: false,
            encrypted: false,
        })
    }
}

/// The instance of exactly this ARN, or None when there is none of that identifier. `client` calls
/// the ARN's Region.
///
/// # Errors
/// As the service says; `Dr.Refused` when what it shows is another instance.
pub async fn describe(client: &Client, arn: &Arn) -> Result<Option<Instance>> {
    let what = format!("describe DB instance {} in {}", arn.id, arn.region);
    let answer =
        client.describe_db_instances().db_instance_identifier(&arn.id).send().await.doing(&what);
    let found = match answer {
        Err(error) if error.is_not_found() => return Ok(None),
        other => other?.db_instances().first().map(read).transpose()?,
    };
    if let Some(instance) = &found {
        must_be(arn, &instance.arn, "RDS")?;
    }
    Ok(found)
}

/// All instances that a filter finds, in the order of their names.
pub(crate) async fn all(client: &Client, filter: Filter, what: &str) -> Result<Vec<Instance>> {
    let mut pages = client.describe_db_instances().filters(filter).into_paginator().items().send();
    let mut found = Vec::new();
    while let Some(instance) = pages.next().await {
        found.push(read(&instance.doing(what)?)?);
    }
    found.sort_by(|a, b| a.arn.id.cmp(&b.arn.id));
    Ok(found)
}

fn read(i: &DbInstance) -> Result<Instance> {
    let arn = Arn::parse("DBInstanceArn", i.db_instance_arn().unwrap_or_default())
        .map_err(|e| Error::internal(format!("RDS answered with an ARN that is none: {e}")))?;
    let source = i.read_replica_source_db_instance_identifier().filter(|s| !s.is_empty());
    let replication = i.status_infos().iter().find(|s| s.status_type() == Some("read replication"));
    let pending = i.pending_modified_values();
    Ok(Instance {
        arn,
        status: i.db_instance_status().unwrap_or("unknown").to_owned(),
        engine: i.engine().unwrap_or_default().to_owned(),
        cluster: i.db_cluster_identifier().map(str::to_owned),
        resource_id: i.dbi_resource_id().unwrap_or_default().to_owned(),
        source: source.or(i.read_replica_source_db_cluster_identifier()).map(str::to_owned),
        replicas: i.read_replica_db_instance_identifiers().to_vec(),
        replication: replication.and_then(|s| s.status()).map(str::to_owned),
        retention_days: i.backup_retention_period().unwrap_or(0),
        retention_pending: pending.is_some_and(|p| p.backup_retention_period().is_some()),
        multi_az: i.multi_az().unwrap_or(false),
        protected: i.deletion_protection().unwrap_or(false),
        encrypted: i.storage_encrypted().unwrap_or(false),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_rds::types::{DbInstanceStatusInfo, PendingModifiedValues};

    const ARN: &str = "arn:aws:rds:us-west-2:123456789012:db:orders";

    #[test]
    fn a_description_is_read_with_its_relations() {
        let status = DbInstanceStatusInfo::builder()
            .status_type("read replication")
            .status("replicating")
            .build();
        let shown = DbInstance::builder()
            .db_instance_arn(ARN)
            .db_instance_status("available")
            .read_replica_source_db_cluster_identifier("a-cluster")
            .status_infos(status)
            .pending_modified_values(PendingModifiedValues::builder().iops(1000).build())
            .build();
        let instance = read(&shown).unwrap();
        assert_eq!(instance.source.as_deref(), Some("a-cluster"));
        assert_eq!(instance.replication.as_deref(), Some("replicating"));
        assert!(!instance.retention_pending, "a change that waits for its window is no promotion");
        let error = read(&DbInstance::builder().build()).unwrap_err();
        assert_eq!(error.error_type, shared::ErrorType::Internal);
        assert!(error.message.starts_with("RDS answered with an ARN that is none"), "{error}");
    }

    #[test]
    fn members_of_clusters_and_custom_instances_are_foreign() {
        let kind = |engine: &str, cluster: Option<&str>| {
            let sample = Instance::sample(ARN).unwrap();
            Instance { engine: engine.into(), cluster: cluster.map(str::to_owned), ..sample }
                .foreign_kind()
        };
        assert_eq!(kind("mysql", None), None);
        assert!(kind("docdb", Some("c")).is_some());
        assert!(kind("aurora-postgresql", None).is_some());
        assert!(kind("custom-oracle-ee", None).is_some());
    }
}
