//! Parameters, and what can be said of them without a call.

use crate::capacity::{Capacity, range};
use crate::observed::Wanted;
use schemars::JsonSchema;
use serde::Deserialize;
use shared::coerce::{Flag, Int, List};
use shared::{Cx, Error, Result};
use shared_rds::{Arn, MINUTES, Place, identifier, region, within};
use std::collections::{BTreeMap, BTreeSet};

/// Parameters of CreateAuroraSecondaryDBCluster.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct Parameters {
    /// Global cluster; created when it does not exist, with the source as its primary.
    pub global_cluster_identifier: String,
    /// ARN of the cluster that serves.
    #[serde(rename = "SourceDBClusterIdentifier")]
    pub source_db_cluster_identifier: String,
    /// Region of the cluster that serves; the one that its ARN names.
    pub source_region: String,
    /// Region to build the secondary in.
    pub cluster_region: String,
    /// Identifier of the secondary.
    #[serde(rename = "DBClusterName")]
    pub db_cluster_name: String,
    /// ARN that the secondary is to have: must name ClusterRegion and DBClusterName.
    #[serde(rename = "DBClusterIdentifier")]
    pub db_cluster_identifier: String,
    /// Identifiers of the secondary's instances.
    #[serde(rename = "DBInstanceIdentifier")]
    pub db_instance_identifier: List,
    /// Class of the instances; db.serverless needs the serverless capacities.
    #[serde(rename = "DBInstanceClass")]
    pub db_instance_class: String,
    /// aurora-mysql or aurora-postgresql: the source's.
    pub engine: String,
    /// Version that is expected. The source's is taken; a difference is a warning.
    pub engine_version: Option<String>,
    /// DB subnet group in ClusterRegion.
    #[serde(rename = "DBSubnetGroupName")]
    pub db_subnet_group_name: String,
    /// VPC security groups in ClusterRegion.
    pub vpc_security_group_ids: List,
    /// KMS key of ClusterRegion; required when the source is encrypted, wrong when it is not.
    pub kms_key_id: Option<String>,
    /// Port; default: the engine's.
    pub port: Option<Int>,
    /// Days to keep automated backups, 1 to 35; the default of RDS is 1.
    pub backup_retention_period: Option<Int>,
    /// Enhanced monitoring of the instances, seconds: 0, 1, 5, 10, 15, 30 or 60.
    pub monitoring_interval: Option<Int>,
    /// Role for enhanced monitoring; required when the interval is not 0.
    pub monitoring_role_arn: Option<String>,
    /// Storage encryption: as the source's, or left out.
    pub storage_encrypted: Option<Flag>,
    /// IAM database authentication.
    #[serde(rename = "EnableIAMDatabaseAuthentication")]
    pub enable_iam_database_authentication: Option<Flag>,
    /// Deletion protection of the cluster; instances of Aurora have none of their own.
    pub deletion_protection: Option<Flag>,
    /// Snapshots inherit the tags.
    pub copy_tags_to_snapshot: Option<Flag>,
    /// Minor version upgrades of the instances in the maintenance window.
    pub auto_minor_version_upgrade: Option<Flag>,
    /// Cluster parameter group; default: the engine's default group, not the source's.
    #[serde(rename = "DBClusterParameterGroupName")]
    pub db_cluster_parameter_group_name: Option<String>,
    /// Parameter group of the instances; default: the engine's default group.
    #[serde(rename = "DBParameterGroupName")]
    pub db_parameter_group_name: Option<String>,
    /// Log types to export to CloudWatch Logs.
    pub enable_cloudwatch_logs_exports: Option<List>,
    /// Least capacity of db.serverless instances, Aurora capacity units in steps of 0.5.
    #[serde(rename = "ServerlessV2MinCapacity")]
    pub serverless_v2_min_capacity: Option<Capacity>,
    /// Greatest capacity of db.serverless instances.
    #[serde(rename = "ServerlessV2MaxCapacity")]
    pub serverless_v2_max_capacity: Option<Capacity>,
    /// aurora or aurora-iopt1.
    pub storage_type: Option<String>,
    /// Let the secondary forward writes to the primary.
    pub enable_global_write_forwarding: Option<Flag>,
    /// Tags of the cluster and its instances; they inherit none.
    pub tags: Option<BTreeMap<String, String>>,
    /// Deadline of the attempt, minutes; default 360.
    pub timeout_minutes: Option<Int>,
}

const INTERVALS: [i64; 7] = [0, 1, 5, 10, 15, 30, 60];
const ENGINES: [&str; 2] = ["aurora-mysql", "aurora-postgresql"];

/// What is wanted, checked.
///
/// # Errors
/// `Dr.InvalidParameters` for malformed values, all in one message; `Dr.Refused` for names of other
/// places.
pub fn wanted(p: &Parameters, cx: &Cx) -> Result<Wanted> {
    values(p)?;
    let place = |region: String| Place {
        partition: cx.partition.clone(),
        region,
        account: cx.account.clone(),
    };
    let here = place(region("ClusterRegion", &p.cluster_region)?);
    let there = place(region("SourceRegion", &p.source_region)?);
    apart(&here, &there)?;
    key_is_in(&here.region, p.kms_key_id.as_deref())?;
    let source = there.cluster("SourceDBClusterIdentifier", &p.source_db_cluster_identifier)?;
    Ok(Wanted {
        global: p.global_cluster_identifier.to_ascii_lowercase(),
        source,
        cluster: cluster(p, &here)?,
        instances: instances(p, &here)?,
        engine: p.engine.clone(),
        version: p.engine_version.clone(),
        encrypted: p.storage_encrypted.map(|f| f.0),
        has_key: p.kms_key_id.is_some(),
        serverless: p.db_instance_class == "db.serverless",
        capacity: range(p.serverless_v2_min_capacity, p.serverless_v2_max_capacity)?.is_some(),
    })
}

/// Values by themselves: everything that is wrong with them in one message.
fn values(p: &Parameters) -> Result<()> {
    let ports = 1150..=65535;
    let checks = [
        within("Port", p.port, ports).map(drop),
        within("BackupRetentionPeriod", p.backup_retention_period, 1..=35).map(drop),
        within("TimeoutMinutes", p.timeout_minutes, MINUTES).map(drop),
        range(p.serverless_v2_min_capacity, p.serverless_v2_max_capacity).map(drop),
        monitoring(p),
        words(p),
        global(&p.global_cluster_identifier),
    ];
    let wrong: Vec<String> =
        checks.into_iter().filter_map(Result::err).map(|e| e.message).collect();
    match wrong.is_empty() {
        true => Ok(()),
        false => Err(Error::invalid_parameters(wrong.join("; "))),
    }
}

fn monitoring(p: &Parameters) -> Result<()> {
    let interval = p.monitoring_interval.map_or(0, |i| i.0);
    let wrong = if !INTERVALS.contains(&interval) {
        "parameters.MonitoringInterval must be 0, 1, 5, 10, 15, 30 or 60"
    } else if interval != 0 && p.monitoring_role_arn.is_none() {
        "parameters.MonitoringRoleArn is missing: MonitoringInterval is not 0"
    } else if interval == 0 && p.monitoring_role_arn.is_some() {
        "parameters.MonitoringInterval must not be 0 when MonitoringRoleArn is given"
    } else {
        return Ok(());
    };
    Err(Error::invalid_parameters(wrong))
}

fn words(p: &Parameters) -> Result<()> {
    if !ENGINES.contains(&p.engine.as_str()) {
        let text =
            format!("parameters.Engine is \"{}\", not aurora-mysql or aurora-postgresql", p.engine);
        return Err(Error::invalid_parameters(text));
    }
    match p.storage_type.as_deref() {
        None | Some("aurora" | "aurora-iopt1") => Ok(()),
        Some(other) => Err(Error::invalid_parameters(format!(
            "parameters.StorageType is \"{other}\", not aurora or aurora-iopt1"
        ))),
    }
}

/// RDS keeps the names of global clusters in lower case.
fn global(id: &str) -> Result<()> {
    let legal = id.len() <= 255
        && id.starts_with(|c: char| c.is_ascii_alphabetic())
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-:._".contains(&b));
    match legal {
        true => Ok(()),
        false => Err(Error::invalid_parameters(format!(
            "parameters.GlobalClusterIdentifier: \"{id}\" is not the identifier of a global cluster"
        ))),
    }
}

fn apart(here: &Place, there: &Place) -> Result<()> {
    if here.region != there.region {
        return Ok(());
    }
    Err(Error::refused(format!(
        "the secondary and its source would both be in {}; a standby needs another Region",
        here.region
    ))
    .next("Set ClusterRegion to the Region that is to become the standby."))
}

/// Name and ARN say the same cluster.
fn cluster(p: &Parameters, here: &Place) -> Result<Arn> {
    let named = here.cluster_arn(identifier("DBClusterName", &p.db_cluster_name, 63)?);
    let arn = here.cluster("DBClusterIdentifier", &p.db_cluster_identifier)?;
    if arn == named {
        return Ok(named);
    }
    Err(Error::refused(format!(
        "parameters.DBClusterIdentifier names {}, parameters.DBClusterName {}",
        arn.id, named.id
    ))
    .next("Let both name the secondary that is to be created."))
}

fn instances(p: &Parameters, here: &Place) -> Result<Vec<Arn>> {
    let mut seen = BTreeSet::new();
    let named = p.db_instance_identifier.0.iter().map(|id| {
        let arn = here.instance("DBInstanceIdentifier", id)?;
        match seen.insert(arn.id.clone()) {
            true => Ok(arn),
            false => Err(Error::invalid_parameters(format!(
                "parameters.DBInstanceIdentifier names {} twice",
                arn.id
            ))),
        }
    });
    named.collect()
}

/// A key's ARN names its Region; ids and aliases mean the Region that is called.
fn key_is_in(region: &str, key: Option<&str>) -> Result<()> {
    let Some(arn) = key.filter(|k| k.starts_with("arn:")) else { return Ok(()) };
    let parts: Vec<&str> = arn.split(':').collect();
    match parts.as_slice() {
        ["arn", _, "kms", of, _, _] if *of == region => Ok(()),
        ["arn", _, "kms", of, _, _] => Err(Error::refused(format!(
            "parameters.KmsKeyId is a key in {of}, but the secondary is to be in {region}"
        ))
        .next("Give a key of ClusterRegion: keys do not leave theirs.")),
        _ => {
            let text =
                format!("parameters.KmsKeyId: \"{arn}\" is not the ARN of a KMS key or alias");
            Err(Error::invalid_parameters(text))
        }
    }
}

#[cfg(test)]
#[path = "parameters_tests.rs"]
mod tests;
