//! One look at a DB instance.

use crate::arn::Arn;
use crate::status::{Health, health};
use aws_sdk_rds::Client;
use aws_sdk_rds::types::DbInstance;
use shared::{Doing, Error, Result};

/// What `DescribeDBInstances` says of an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// Its ARN.
    pub arn: Arn,
    /// Status word.
    pub status: String,
    /// `mysql`, `aurora-mysql`, ...
    pub engine: String,
    /// DbiResourceId: unique for ever, unlike the identifier.
    pub resource_id: String,
    /// What it replicates from: an ARN (other Region), an identifier (same Region) or a cluster's ARN.
    pub source: Option<String>,
    /// Its own read replicas: ARNs (other Regions) or identifiers.
    pub replicas: Vec<String>,
    /// Status of "read replication": `replicating`, `error`, `stopped`, `terminated`.
    pub replication: Option<String>,
    /// Days that automated backups are kept; 0: none are made.
    pub retention_days: i32,
    /// Whether a modification waits to be applied.
    pub pending: bool,
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

    /// Whether it serves on its own: available and nobody's replica.
    pub fn serves(&self) -> bool {
        self.health() == Health::Available && self.source.is_none()
    }

    /// An available standalone MySQL instance, for tests of decisions.
    #[doc(hidden)]
    pub fn sample(arn: &str) -> Result<Self> {
        Ok(Self {
            arn: Arn::parse("sample", arn)?,
            status: "available".into(),
            engine: "mysql".into(),
            resource_id: "db-ABC123".into(),
            source: None,
            replicas: vec![],
            replication: None,
            retention_days: 7,
            pending: false,
            protected: false,
            encrypted: false,
        })
    }
}

/// The instance, or None when there is none of that identifier.
///
/// # Errors
/// As the service says.
pub async fn describe(client: &Client, id: &str, region: &str) -> Result<Option<Instance>> {
    let what = format!("describe DB instance {id} in {region}");
    let answer =
        client.describe_db_instances().db_instance_identifier(id).send().await.doing(&what);
    match answer {
        Err(error) if error.is_not_found() => Ok(None),
        other => other?.db_instances().first().map(read).transpose(),
    }
}

fn read(i: &DbInstance) -> Result<Instance> {
    let arn = Arn::parse("DBInstanceArn", i.db_instance_arn().unwrap_or_default())
        .map_err(|e| Error::internal(format!("RDS answered an ARN that is none: {e}")))?;
    let source = i.read_replica_source_db_instance_identifier();
    let replication = i.status_infos().iter().find(|s| s.status_type() == Some("read replication"));
    Ok(Instance {
        arn,
        status: i.db_instance_status().unwrap_or("unknown").to_owned(),
        engine: i.engine().unwrap_or_default().to_owned(),
        resource_id: i.dbi_resource_id().unwrap_or_default().to_owned(),
        source: source.or(i.read_replica_source_db_cluster_identifier()).map(str::to_owned),
        replicas: i.read_replica_db_instance_identifiers().to_vec(),
        replication: replication.and_then(|s| s.status()).map(str::to_owned),
        retention_days: i.backup_retention_period().unwrap_or(0),
        pending: i
            .pending_modified_values()
            .is_some_and(|p| *p != aws_sdk_rds::types::PendingModifiedValues::builder().build()),
        protected: i.deletion_protection().unwrap_or(false),
        encrypted: i.storage_encrypted().unwrap_or(false),
    })
}
