//! One look at a DB cluster and its instances.

use crate::arn::Arn;
use crate::instance::{Instance, all};
use crate::status::{Health, health};
use aws_sdk_rds::Client;
use aws_sdk_rds::types::{DbCluster, Filter};
use shared::{Doing, Error, Result, must_be};

/// An instance in a cluster, as the cluster tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterMember {
    /// DBInstanceIdentifier.
    pub id: String,
    /// `IsClusterWriter`. All instances of the secondary of a global cluster are readers, by the
    /// Aurora guide; whether the API says so of its first one too is not documented: nothing may
    /// depend on it.
    pub writer: bool,
}

/// What `DescribeDBClusters` says of a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// Its ARN.
    pub arn: Arn,
    /// Status word. It says nothing about roles.
    pub status: String,
    /// `aurora-mysql`, `aurora-postgresql`.
    pub engine: String,
    /// Full version.
    pub engine_version: String,
    /// DbClusterResourceId: unique for ever, unlike the identifier.
    pub resource_id: String,
    /// The global cluster that it is a member of.
    pub global: Option<String>,
    /// ReplicationSourceIdentifier: what it replicates from, an ARN or an identifier. RDS may say so
    /// of the secondary of a global cluster too.
    pub source: Option<String>,
    /// ReadReplicaIdentifiers: what replicates from it outside of a global cluster.
    pub replicas: Vec<String>,
    /// Its instances.
    pub members: Vec<ClusterMember>,
    /// Deletion protection.
    pub protected: bool,
    /// Storage encryption.
    pub encrypted: bool,
    /// Whether it has a capacity range for `db.serverless` instances.
    pub serverless: bool,
    /// Days that automated backups are kept.
    pub retention_days: i32,
}

impl Cluster {
    /// What its status promises.
    pub fn health(&self) -> Health {
        health(&self.status)
    }

    /// The instance that writes. Of a secondary perhaps None.
    pub fn writer(&self) -> Option<&ClusterMember> {
        self.members.iter().find(|m| m.writer)
    }

    /// An available cluster with one instance and no global cluster, for tests of decisions.
    #[doc(hidden)]
    pub fn sample(arn: &str) -> Result<Self> {
        let arn = Arn::parse_cluster("sample", arn)?;
        Ok(Self {
            status: "available".into(),
            engine: "aurora-mysql".into(),
            engine_version: "8.0.mysql_aurora.3.05.2".into(),
            resource_id: "cluster-ABC123".into(),
            global: None,
            source: None,
            replicas: vec![],
            members: vec![ClusterMember { id: format!("{}-1", arn.id), writer: true }],
            protected: false,
            encrypted: false,
            serverless: false,
            retention_days: 7,
            arn,
        })
    }
}

/// The cluster of exactly this ARN, or None when there is none of that identifier. `client` calls
/// the ARN's Region.
///
/// # Errors
/// As the service says; `Dr.Refused` when what it shows is another cluster.
pub async fn describe_cluster(client: &Client, arn: &Arn) -> Result<Option<Cluster>> {
    let what = format!("describe DB cluster {} in {}", arn.id, arn.region);
    let answer =
        client.describe_db_clusters().db_cluster_identifier(&arn.id).send().await.doing(&what);
    let found = match answer {
        Err(error) if error.is_not_found() => return Ok(None),
        other => other?.db_clusters().first().map(read).transpose()?,
    };
    if let Some(cluster) = &found {
        must_be(arn, &cluster.arn, "RDS")?;
    }
    Ok(found)
}

/// The instances of a cluster, in the order of their names; none when the cluster does not exist.
///
/// # Errors
/// As the service says.
pub async fn instances_of(client: &Client, cluster: &Arn) -> Result<Vec<Instance>> {
    let filter = Filter::builder().name("db-cluster-id").values(&cluster.id).build();
    let what = format!("list the instances of {} in {}", cluster.id, cluster.region);
    match all(client, filter, &what).await {
        Err(error) if error.is_not_found() => Ok(vec![]),
        other => other,
    }
}

fn read(c: &DbCluster) -> Result<Cluster> {
    let arn = Arn::parse_cluster("DBClusterArn", c.db_cluster_arn().unwrap_or_default())
        .map_err(|e| Error::internal(format!("RDS answered with an ARN that is none: {e}")))?;
    let text = |t: Option<&str>| t.unwrap_or_default().to_owned();
    let members = c.db_cluster_members().iter().map(|m| ClusterMember {
        id: text(m.db_instance_identifier()),
        writer: m.is_cluster_writer().unwrap_or(false),
    });
    Ok(Cluster {
        arn,
        status: c.status().unwrap_or("unknown").to_owned(),
        engine: text(c.engine()),
        engine_version: text(c.engine_version()),
        resource_id: text(c.db_cluster_resource_id()),
        global: c.global_cluster_identifier().filter(|g| !g.is_empty()).map(str::to_owned),
        source: c.replication_source_identifier().filter(|s| !s.is_empty()).map(str::to_owned),
        replicas: c.read_replica_identifiers().to_vec(),
        members: members.collect(),
        protected: c.deletion_protection().unwrap_or(false),
        encrypted: c.storage_encrypted().unwrap_or(false),
        serverless: c.serverless_v2_scaling_configuration().is_some(),
        retention_days: c.backup_retention_period().unwrap_or(0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_rds::types::DbClusterMember;

    #[test]
    fn a_description_is_read_with_its_members() {
        let member = |id: &str, writer: bool| {
            DbClusterMember::builder().db_instance_identifier(id).is_cluster_writer(writer).build()
        };
        let shown = DbCluster::builder()
            .db_cluster_arn("arn:aws:rds:us-west-2:123456789012:cluster:orders")
            .global_cluster_identifier("")
            .db_cluster_members(member("a", false))
            .db_cluster_members(member("b", true))
            .build();
        let cluster = read(&shown).unwrap();
        assert_eq!(cluster.global, None, "an empty name is none");
        assert_eq!(cluster.writer().unwrap().id, "b");
        assert_eq!(cluster.health(), Health::Moving, "a status that is missing promises nothing");
        let error = read(&DbCluster::builder().build()).unwrap_err();
        assert_eq!(error.error_type, shared::ErrorType::Internal);
        assert!(error.message.starts_with("RDS answered with an ARN that is none"), "{error}");
    }
}
