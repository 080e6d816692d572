//! Parameters, and what can be said of them without a call.

use schemars::JsonSchema;
use serde::Deserialize;
use shared::coerce::{Flag, Int, List};
use shared::{Cx, Error, Result};
use shared_rds::{Arn, MINUTES, Place, region, within};
use std::collections::BTreeMap;

/// Parameters of CreateRDSReadReplica.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct Parameters {
    /// Identifier of the replica to create.
    #[serde(rename = "RDSInstanceIdentifier")]
    pub rds_instance_identifier: String,
    /// Region to create it in; default: the executing Region.
    pub region: Option<String>,
    /// Identifier, or ARN, of the instance that serves.
    #[serde(rename = "SourceRDSInstanceIdentifier")]
    pub source_rds_instance_identifier: String,
    /// Region of the instance that serves.
    pub source_region: String,
    /// Instance class of the replica.
    #[serde(rename = "DBInstanceClass")]
    pub db_instance_class: String,
    /// DB subnet group in the replica's Region.
    #[serde(rename = "DBSubnetGroup")]
    pub db_subnet_group: String,
    /// VPC security groups in the replica's Region.
    #[serde(rename = "DBSecurityGroup")]
    pub db_security_group: List,
    /// KMS key of the replica's Region; required when the source is encrypted, wrong when it is
    /// not.
    pub kms_key_id: Option<String>,
    /// A standby in a second Availability Zone.
    #[serde(rename = "MultiAZ")]
    pub multi_az: Option<Flag>,
    /// Minor version upgrades in the maintenance window.
    pub auto_minor_version_upgrade: Option<Flag>,
    /// Snapshots inherit the tags.
    pub copy_tags_to_snapshot: Option<Flag>,
    /// IAM database authentication.
    #[serde(rename = "EnableIAMDatabaseAuthentication")]
    pub enable_iam_database_authentication: Option<Flag>,
    /// Port; default: the source's.
    pub port: Option<Int>,
    /// Enhanced monitoring, seconds: 0, 1, 5, 10, 15, 30 or 60.
    pub monitoring_interval: Option<Int>,
    /// Role for enhanced monitoring; required when the interval is not 0.
    pub monitoring_role_arn: Option<String>,
    /// Parameter group; default in another Region: the engine's default group, not the source's.
    #[serde(rename = "DBParameterGroupName")]
    pub db_parameter_group_name: Option<String>,
    /// Storage type, for example gp3.
    pub storage_type: Option<String>,
    /// Provisioned IOPS.
    pub iops: Option<Int>,
    /// Storage, GiB.
    pub allocated_storage: Option<Int>,
    /// Deletion protection of the replica.
    pub deletion_protection: Option<Flag>,
    /// Log types to export to CloudWatch Logs.
    pub enable_cloudwatch_logs_exports: Option<List>,
    /// Tags of the replica; it inherits none.
    pub tags: Option<BTreeMap<String, String>>,
    /// Deadline of the attempt, minutes; default 360.
    pub timeout_minutes: Option<Int>,
}

const INTERVALS: [i64; 7] = [0, 1, 5, 10, 15, 30, 60];

/// Values by themselves.
///
/// # Errors
/// `Dr.InvalidParameters`.
pub fn check(p: &Parameters) -> Result<()> {
    within("Port", p.port, 1150..=65535)?;
    within("Iops", p.iops, 1..=i64::from(i32::MAX))?;
    within("AllocatedStorage", p.allocated_storage, 1..=i64::from(i32::MAX))?;
    within("TimeoutMinutes", p.timeout_minutes, MINUTES)?;
    monitoring(p)
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

/// The replica and its source.
///
/// # Errors
/// `Dr.InvalidParameters` for malformed names, `Dr.Refused` for names of other places.
pub fn pair(p: &Parameters, executing_region: &str, cx: &Cx) -> Result<(Arn, Arn)> {
    let here =
        p.region.as_deref().map_or(Ok(executing_region.to_owned()), |r| region("Region", r))?;
    let there = region("SourceRegion", &p.source_region)?;
    if here == there {
        return Err(Error::refused(format!(
            "the replica and its source would both be in {here}; a standby needs another Region"
        ))
        .next("Set Region to the Region that is to become the standby."));
    }
    let place = |region: String| Place {
        partition: cx.partition.clone(),
        region,
        account: cx.account.clone(),
    };
    key_is_in(&here, p.kms_key_id.as_deref())?;
    let replica = place(here).instance("RDSInstanceIdentifier", &p.rds_instance_identifier)?;
    let source = &p.source_rds_instance_identifier;
    Ok((replica, place(there).instance("SourceRDSInstanceIdentifier", source)?))
}

/// A key's ARN names its Region; ids and aliases mean the Region that is called.
fn key_is_in(region: &str, key: Option<&str>) -> Result<()> {
    let Some(arn) = key.filter(|k| k.starts_with("arn:")) else { return Ok(()) };
    let parts: Vec<&str> = arn.split(':').collect();
    match parts.as_slice() {
        ["arn", _, "kms", of, _, _] if *of == region => Ok(()),
        ["arn", _, "kms", of, _, _] => Err(Error::refused(format!(
            "parameters.KmsKeyId is a key in {of}, but the replica is to be in {region}"
        ))
        .next("Give a key of the replica's Region: keys do not leave theirs.")),
        _ => {
            let text =
                format!("parameters.KmsKeyId: \"{arn}\" is not the ARN of a KMS key or alias");
            Err(Error::invalid_parameters(text))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use shared::progress::sample_cx;
    use shared::{ErrorType, Phase};

    fn parameters(change: Value) -> Parameters {
        let mut all = json!({
            "RDSInstanceIdentifier": "orders", "Region": "us-east-1",
            "SourceRDSInstanceIdentifier": "orders-dr", "SourceRegion": "us-west-2",
            "DBInstanceClass": "db.t4g.medium", "DBSubnetGroup": "g",
            "DBSecurityGroup": "sg-1,sg-2",
        });
        for (name, value) in change.as_object().unwrap() {
            all[name] = value.clone();
        }
        serde_json::from_value(all).unwrap()
    }

    fn pair_of(change: Value) -> Result<(Arn, Arn)> {
        pair(&parameters(change), "us-west-2", &sample_cx(Phase::Replicate))
    }

    #[test]
    fn the_replica_is_built_in_region_and_its_source_named_by_arn() {
        let (replica, source) = pair_of(json!({})).unwrap();
        assert_eq!(replica.to_string(), "arn:aws:rds:us-east-1:123456789012:db:orders");
        assert_eq!(source.to_string(), "arn:aws:rds:us-west-2:123456789012:db:orders-dr");
        let arn = json!({"SourceRDSInstanceIdentifier": source.to_string()});
        assert_eq!(pair_of(arn).unwrap().1, source);
    }

    #[test]
    fn both_in_one_region_or_named_elsewhere_is_refused() {
        let wrong = |change: Value| pair_of(change).unwrap_err().error_type;
        assert_eq!(wrong(json!({"Region": "us-west-2"})), ErrorType::Refused);
        let east = "arn:aws:rds:us-east-1:123456789012:db:orders-dr";
        assert_eq!(wrong(json!({"SourceRDSInstanceIdentifier": east})), ErrorType::Refused);
        let foreign = "arn:aws:rds:us-west-2:999999999999:db:orders-dr";
        assert_eq!(wrong(json!({"SourceRDSInstanceIdentifier": foreign})), ErrorType::Refused);
        for malformed in [
            json!({"SourceRegion": "Oregon"}),
            json!({"Region": "Virginia"}),
            json!({"RDSInstanceIdentifier": "1orders"}),
        ] {
            assert_eq!(wrong(malformed.clone()), ErrorType::InvalidParameters, "{malformed}");
        }
    }

    #[test]
    fn a_key_of_another_region_is_refused() {
        let key = |of: &str| json!({"KmsKeyId": format!("arn:aws:kms:{of}:123456789012:key/a-b")});
        assert!(pair_of(key("us-east-1")).is_ok());
        assert_eq!(pair_of(key("us-west-2")).unwrap_err().error_type, ErrorType::Refused);
        assert!(pair_of(json!({"KmsKeyId": "alias/orders"})).is_ok());
        let other = json!({"KmsKeyId": "arn:aws:s3:::bucket"});
        assert_eq!(pair_of(other).unwrap_err().error_type, ErrorType::InvalidParameters);
    }

    #[test]
    fn numbers_are_checked_before_any_call() {
        assert!(check(&parameters(json!({"Port": "3306", "MonitoringInterval": 0}))).is_ok());
        let monitored = json!({"MonitoringInterval": 60, "MonitoringRoleArn": "arn"});
        assert!(check(&parameters(monitored)).is_ok());
        for wrong in [
            json!({"Port": 22}),
            json!({"MonitoringInterval": 7}),
            json!({"MonitoringInterval": 60}),
            json!({"MonitoringRoleArn": "arn"}),
            json!({"AllocatedStorage": 0}),
            json!({"Iops": 0}),
            json!({"TimeoutMinutes": -5}),
        ] {
            assert!(check(&parameters(wrong.clone())).is_err(), "{wrong}");
        }
    }

    #[test]
    fn values_are_read_as_people_write_them() {
        let p = parameters(json!({
            "MultiAZ": "False", "AutoMinorVersionUpgrade": "No", "CopyTagsToSnapshot": "0",
            "EnableIAMDatabaseAuthentication": "false", "DeletionProtection": false,
            "Tags": {"team": "orders"},
        }));
        for flag in [
            p.multi_az,
            p.auto_minor_version_upgrade,
            p.copy_tags_to_snapshot,
            p.enable_iam_database_authentication,
            p.deletion_protection,
        ] {
            assert_eq!(flag, Some(Flag(false)), "text that says no is not taken for a yes");
        }
        assert_eq!(p.db_security_group.0, ["sg-1", "sg-2"]);
        assert_eq!(p.tags.unwrap()["team"], "orders");
    }
}
