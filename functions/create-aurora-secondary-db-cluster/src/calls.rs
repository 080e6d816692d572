//! The three calls. Whatever a secondary takes from its primary is not sent: user, password, name
//! of the database.

use crate::capacity::range;
use crate::change::{Change, NewCluster};
use crate::parameters::Parameters;
use aws_sdk_rds::Client;
use aws_sdk_rds::types::{ServerlessV2ScalingConfiguration, Tag};
use serde_json::Value;
use shared::coerce::{Flag, Int};
use shared::{Doing, Error, Nature, Result};
use shared_rds::{Arn, within};

/// Makes the change. `at` calls the Region that it belongs to.
///
/// # Errors
/// As the service says.
pub async fn create(at: &Client, p: &Parameters, change: &Change) -> Result<Value> {
    let sent = match change {
        Change::Global { id, source } => global(at, id, source).await,
        Change::Cluster(new) => cluster(at, p, new).await,
        Change::Instance { instance, cluster, engine } => {
            self::instance(at, p, instance, cluster, engine).await
        }
    };
    sent.map(|()| Value::Null).map_err(look_again)
}

/// Engine, version and encryption are the source's: RDS refuses them beside a source.
async fn global(at: &Client, id: &str, source: &Arn) -> Result<()> {
    at.create_global_cluster()
        .global_cluster_identifier(id)
        .source_db_cluster_identifier(source.to_string())
        .send()
        .await
        .map(drop)
        .doing(&format!("create global cluster {id} in {}", source.region))
}

async fn cluster(at: &Client, p: &Parameters, new: &NewCluster) -> Result<()> {
    let NewCluster { cluster, global, engine, version, encrypted } = new;
    at.create_db_cluster()
        .db_cluster_identifier(&cluster.id)
        .global_cluster_identifier(global)
        .engine(engine)
        .engine_version(version)
        .db_subnet_group_name(&p.db_subnet_group_name)
        .set_vpc_security_group_ids(Some(p.vpc_security_group_ids.0.clone()))
        .set_storage_encrypted(encrypted.then_some(true))
        .set_kms_key_id(p.kms_key_id.clone())
        .set_port(any("Port", p.port)?)
        .set_backup_retention_period(any("BackupRetentionPeriod", p.backup_retention_period)?)
        .set_enable_iam_database_authentication(flag(p.enable_iam_database_authentication))
        .set_deletion_protection(flag(p.deletion_protection))
        .set_copy_tags_to_snapshot(flag(p.copy_tags_to_snapshot))
        .set_db_cluster_parameter_group_name(p.db_cluster_parameter_group_name.clone())
        .set_enable_cloudwatch_logs_exports(p.enable_cloudwatch_logs_exports.clone().map(|l| l.0))
        .set_serverless_v2_scaling_configuration(scaling(p)?)
        .set_storage_type(p.storage_type.clone())
        .set_enable_global_write_forwarding(flag(p.enable_global_write_forwarding))
        .set_tags(tags(p))
        .send()
        .await
        .map(drop)
        .doing(&format!("create cluster {} in {}", cluster.id, cluster.region))
}

/// Deletion protection, encryption, backups and networks are the cluster's.
async fn instance(
    at: &Client,
    p: &Parameters,
    instance: &Arn,
    cluster: &str,
    engine: &str,
) -> Result<()> {
    at.create_db_instance()
        .db_instance_identifier(&instance.id)
        .db_cluster_identifier(cluster)
        .engine(engine)
        .db_instance_class(&p.db_instance_class)
        .set_auto_minor_version_upgrade(flag(p.auto_minor_version_upgrade))
        .set_monitoring_interval(any("MonitoringInterval", p.monitoring_interval)?)
        .set_monitoring_role_arn(p.monitoring_role_arn.clone())
        .set_db_parameter_group_name(p.db_parameter_group_name.clone())
        .set_tags(tags(p))
        .send()
        .await
        .map(drop)
        .doing(&format!("create instance {} in {}", instance.id, instance.region))
}

fn flag(value: Option<Flag>) -> Option<bool> {
    value.map(|f| f.0)
}

/// Its range was checked with the parameters.
fn any(parameter: &str, value: Option<Int>) -> Result<Option<i32>> {
    within(parameter, value, 0..=i64::from(i32::MAX))
}

fn scaling(p: &Parameters) -> Result<Option<ServerlessV2ScalingConfiguration>> {
    let range = range(p.serverless_v2_min_capacity, p.serverless_v2_max_capacity)?;
    Ok(range.map(|(min, max)| {
        ServerlessV2ScalingConfiguration::builder().min_capacity(min).max_capacity(max).build()
    }))
}

fn tags(p: &Parameters) -> Option<Vec<Tag>> {
    let tag = |(k, v): (&String, &String)| Tag::builder().key(k).value(v).build();
    p.tags.as_ref().map(|tags| tags.iter().map(tag).collect())
}

/// A thing of that name has come up since the last look, perhaps by a call whose answer was lost:
/// the next look tells whether it is the wanted one. Capacity comes back in its own time, and a new
/// global cluster shows in the other Region in its own: both until the deadline.
fn look_again(error: Error) -> Error {
    match error.code.as_deref() {
        Some(
            "GlobalClusterAlreadyExistsFault"
            | "DBClusterAlreadyExistsFault"
            | "DBInstanceAlreadyExists",
        ) => error.nature(Nature::StateFault),
        Some(
            "GlobalClusterNotFoundFault"
            | "InsufficientDBInstanceCapacity"
            | "InsufficientDBClusterCapacityFault"
            | "InsufficientStorageClusterCapacity",
        ) => error.nature(Nature::Throttled),
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taken_names_are_looked_at_again_and_capacity_is_waited_for() {
        for (code, wanted) in [
            ("GlobalClusterAlreadyExistsFault", Nature::StateFault),
            ("DBClusterAlreadyExistsFault", Nature::StateFault),
            ("DBInstanceAlreadyExists", Nature::StateFault),
            ("InvalidDBClusterStateFault", Nature::StateFault),
            ("GlobalClusterNotFoundFault", Nature::Throttled),
            ("InsufficientDBInstanceCapacity", Nature::Throttled),
            ("InsufficientStorageClusterCapacity", Nature::Throttled),
            ("KMSKeyNotAccessibleFault", Nature::Final),
            ("DBSubnetGroupDoesNotCoverEnoughAZs", Nature::Final),
            ("DBClusterQuotaExceededFault", Nature::Final),
            ("InvalidSubnet", Nature::Final),
        ] {
            let said = look_again(shared::aws::from_code("x", code, "", 400));
            assert_eq!(said.nature, wanted, "{code}");
        }
    }
}
