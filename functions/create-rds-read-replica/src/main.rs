//! `CreateRDSReadReplica`: makes the old primary's Region follow the new primary again.

mod decide;

use decide::{Create, Observed, decide};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use shared::coerce::{Flag, Int, List};
use shared::{ChangeClass, Clients, ControlPlane, Cx, Doing, Error, Phase, Resource, Result, Step};
use shared_rds::{Arn, describe, id_of};
use std::time::Duration;

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::result::Result<(), lambda_runtime::Error> {
    shared::main::<CreateRdsReadReplica>().await
}

/// Parameters of CreateRDSReadReplica.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Parameters {
    /// Identifier of the replica to create.
    #[serde(rename = "RDSInstanceIdentifier")]
    rds_instance_identifier: String,
    /// Region to create it in; default: the executing Region.
    region: Option<String>,
    /// Identifier, or ARN, of the instance that serves.
    #[serde(rename = "SourceRDSInstanceIdentifier")]
    source_rds_instance_identifier: String,
    /// Region of the instance that serves.
    source_region: String,
    /// Instance class of the replica.
    #[serde(rename = "DBInstanceClass")]
    db_instance_class: String,
    /// DB subnet group in the replica's Region.
    #[serde(rename = "DBSubnetGroup")]
    db_subnet_group: String,
    /// Security groups in the replica's Region.
    #[serde(rename = "DBSecurityGroup")]
    db_security_group: List,
    /// KMS key of the replica's Region; required when the source is encrypted.
    kms_key_id: Option<String>,
    /// A standby in a second Availability Zone.
    #[serde(rename = "MultiAZ")]
    multi_az: Option<Flag>,
    /// Minor version upgrades in the maintenance window.
    auto_minor_version_upgrade: Option<Flag>,
    /// Snapshots inherit the tags.
    copy_tags_to_snapshot: Option<Flag>,
    /// IAM database authentication.
    #[serde(rename = "EnableIAMDatabaseAuthentication")]
    enable_iam_database_authentication: Option<Flag>,
    /// Port; default: the source's.
    port: Option<Int>,
    /// Enhanced monitoring, seconds: 0, 1, 5, 10, 15, 30 or 60.
    monitoring_interval: Option<Int>,
    /// Role for enhanced monitoring; required when the interval is not 0.
    monitoring_role_arn: Option<String>,
    /// Parameter group; default in another Region: the engine's default group, not the source's.
    #[serde(rename = "DBParameterGroupName")]
    db_parameter_group_name: Option<String>,
    /// Storage type, for example gp3.
    storage_type: Option<String>,
    /// Provisioned IOPS.
    iops: Option<Int>,
    /// Storage, GiB.
    allocated_storage: Option<Int>,
    /// Deletion protection of the replica.
    deletion_protection: Option<Flag>,
    /// Log types to export to CloudWatch Logs.
    enable_cloudwatch_logs_exports: Option<List>,
    /// Deadline of the attempt, minutes; default 360.
    timeout_minutes: Option<Int>,
}

/// Creates a cross-Region read replica.
///
/// **Reads:** the source in its Region and the instance of the replica's name (`rds:DescribeDBInstances`).
/// **Changes:** `CreateDBInstanceReadReplica`, once.
/// **Done when:** the instance is `available`, its source is the wanted ARN and "read replication" is
/// `replicating`.
/// **Refuses when:** an instance of that name is no replica of the source (CLEANUP comes first); the
/// source is itself a replica or makes no automated backups; it is encrypted and no key is given; both
/// Regions are the same.
/// **Safe to repeat because:** an existing instance of that name is never touched, and RDS refuses a
/// second one.
struct CreateRdsReadReplica {
    reads_source: aws_sdk_rds::Client,
    target: aws_sdk_rds::Client,
    source: Arn,
    id: String,
    region: String,
}

impl Resource for CreateRdsReadReplica {
    const TYPE: &'static str = "CreateRDSReadReplica";
    const PHASES: &'static [Phase] = &[Phase::Instantiate, Phase::Replicate];
    const READS: &'static [&'static str] = &["rds:DescribeDBInstances"];
    const WRITES: &'static [&'static str] = &[
        "rds:CreateDBInstanceReadReplica",
        "rds:AddTagsToResource",
        "kms:CreateGrant",
        "kms:DescribeKey",
        "iam:PassRole",
    ];
    const CONTROL_PLANE: ControlPlane = ControlPlane::Regional;
    const TIMEOUT: Duration = Duration::from_secs(6 * 60 * 60);
    const CLASS: ChangeClass = ChangeClass::Create;
    type Parameters = Parameters;
    type Observed = Observed;
    type Change = Create;

    async fn connect(clients: &Clients, p: &Parameters, _: &Cx) -> Result<Self> {
        let region = p.region.clone().unwrap_or_else(|| clients.executing_region().to_owned());
        if region == p.source_region {
            return Err(Error::refused(format!(
                "the replica and its source would both be in {region}; a standby needs another Region"
            ))
            .next("Set Region to the Region that is to become the standby."));
        }
        if p.monitoring_interval.is_some_and(|i| i.0 > 0) && p.monitoring_role_arn.is_none() {
            let text = "parameters.MonitoringRoleArn is missing: MonitoringInterval is not 0";
            return Err(Error::invalid_parameters(text));
        }
        let account = clients.account();
        let id = id_of("RDSInstanceIdentifier", &p.rds_instance_identifier, &region, account)?;
        let source_text = &p.source_rds_instance_identifier;
        let source = id_of("SourceRDSInstanceIdentifier", source_text, &p.source_region, account)?;
        Ok(Self {
            reads_source: aws_sdk_rds::Client::new(&clients.region(&p.source_region)?),
            target: aws_sdk_rds::Client::new(&clients.region(&region)?),
            source: Arn {
                partition: clients.partition().to_owned(),
                region: p.source_region.clone(),
                account: account.to_owned(),
                id: source,
            },
            id,
            region,
        })
    }

    async fn observe(&self, p: &Parameters, _: &Cx) -> Result<Observed> {
        Ok(Observed {
            id: self.id.clone(),
            region: self.region.clone(),
            wanted: self.source.clone(),
            has_key: p.kms_key_id.is_some(),
            source: describe(&self.reads_source, &self.source.id, &self.source.region).await?,
            own: describe(&self.target, &self.id, &self.region).await?,
        })
    }

    fn decide(_: &Parameters, o: &Observed, cx: &Cx) -> Step<Create> {
        decide(o, cx)
    }

    async fn apply(&self, p: &Parameters, _: Create, _: &Cx) -> Result<Value> {
        let flag = |f: &Option<Flag>| f.map(|f| f.0);
        self.target
            .create_db_instance_read_replica()
            .db_instance_identifier(&self.id)
            .source_db_instance_identifier(self.source.to_string())
            .db_instance_class(&p.db_instance_class)
            .db_subnet_group_name(&p.db_subnet_group)
            .set_vpc_security_group_ids(Some(p.db_security_group.0.clone()))
            .set_kms_key_id(p.kms_key_id.clone())
            .set_multi_az(flag(&p.multi_az))
            .set_auto_minor_version_upgrade(flag(&p.auto_minor_version_upgrade))
            .set_copy_tags_to_snapshot(flag(&p.copy_tags_to_snapshot))
            .set_enable_iam_database_authentication(flag(&p.enable_iam_database_authentication))
            .set_port(number("Port", p.port)?)
            .set_monitoring_interval(number("MonitoringInterval", p.monitoring_interval)?)
            .set_monitoring_role_arn(p.monitoring_role_arn.clone())
            .set_db_parameter_group_name(p.db_parameter_group_name.clone())
            .set_storage_type(p.storage_type.clone())
            .set_iops(number("Iops", p.iops)?)
            .set_allocated_storage(number("AllocatedStorage", p.allocated_storage)?)
            .set_deletion_protection(flag(&p.deletion_protection))
            .set_enable_cloudwatch_logs_exports(
                p.enable_cloudwatch_logs_exports.clone().map(|l| l.0),
            )
            .send()
            .await
            .doing(&format!("create the replica {} in {}", self.id, self.region))?;
        Ok(Value::Null)
    }

    fn timeout(p: &Parameters) -> Duration {
        p.timeout_minutes.map_or(Self::TIMEOUT, |m| Duration::from_secs(m.0.unsigned_abs() * 60))
    }

    fn creates(_: &Parameters, o: &Observed, _: &Cx) -> Vec<String> {
        let own = Arn { region: o.region.clone(), id: o.id.clone(), ..o.wanted.clone() };
        vec![format!("rds:{own}")]
    }
}

fn number(name: &str, value: Option<Int>) -> Result<Option<i32>> {
    let number = value.map(|v| i32::try_from(v.0)).transpose();
    number.map_err(|_| Error::invalid_parameters(format!("parameters.{name} is too large")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_schema_is_what_the_type_says() {
        let committed = include_str!("../../../samples/schema/CreateRDSReadReplica.schema.json");
        let said = shared::describe::describe::<CreateRdsReadReplica>();
        assert_eq!(serde_json::from_str::<Value>(committed).unwrap(), said);
    }
}
