//! `CreateRDSReadReplica`: gives the database that serves a standby in another Region.

mod decide;
mod parameters;

use aws_sdk_rds::types::Tag;
use decide::{Create, Observed};
use parameters::Parameters;
use serde_json::Value;
use shared::coerce::Flag;
use shared::{
    ChangeClass, Clients, ControlPlane, Cx, Doing, Error, Nature, Phase, Resource, Result, Step,
};
use shared_rds::{deadline, describe, within};
use std::time::Duration;

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::result::Result<(), lambda_runtime::Error> {
    shared::main::<CreateRdsReadReplica>().await
}

/// Creates a cross-Region read replica.
///
/// **Reads:** the source in its Region and the instance of the replica's name
/// (`rds:DescribeDBInstances`).
/// **Changes:** `CreateDBInstanceReadReplica`, once.
/// **Done when:** the instance is `available`, its source is the wanted ARN and "read replication"
/// is `replicating`.
/// **Refuses when:** an instance of that name is no replica of the source (CLEANUP comes first);
/// the source is itself a replica, makes no automated backups, belongs to a cluster or is RDS
/// Custom; it is encrypted and no key is given, or the reverse; the key is in another Region; both
/// Regions are the same; an ARN names another place.
/// **Safe to repeat because:** an existing instance of that name is never touched, and RDS refuses
/// a second one.
struct CreateRdsReadReplica {
    at_source: aws_sdk_rds::Client,
    at_replica: aws_sdk_rds::Client,
    wanted: Observed,
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
    const TYPICAL: Duration = Duration::from_secs(45 * 60);
    const CLASS: ChangeClass = ChangeClass::Create;
    type Parameters = Parameters;
    type Observed = Observed;
    type Change = Create;

    async fn connect(clients: &Clients, p: &Parameters, cx: &Cx) -> Result<Self> {
        parameters::check(p)?;
        let (replica, source) = parameters::pair(p, clients.executing_region(), cx)?;
        Ok(Self {
            at_source: aws_sdk_rds::Client::new(&clients.region(&source.region)?),
            at_replica: aws_sdk_rds::Client::new(&clients.region(&replica.region)?),
            wanted: Observed {
                replica,
                source,
                has_key: p.kms_key_id.is_some(),
                found_source: None,
                found: None,
            },
        })
    }

    async fn observe(&self, _: &Parameters, _: &Cx) -> Result<Observed> {
        let mut o = self.wanted.clone();
        o.found = describe(&self.at_replica, &o.replica).await?;
        if o.found.is_none() {
            o.found_source = describe(&self.at_source, &o.source).await?;
        }
        Ok(o)
    }

    fn decide(_: &Parameters, o: &Observed, cx: &Cx) -> Step<Create> {
        decide::decide(o, cx)
    }

    async fn apply(&self, p: &Parameters, change: Create, _: &Cx) -> Result<Value> {
        self.create(p, &change).await.map_err(look_again)
    }

    fn timeout(p: &Parameters) -> Duration {
        deadline(p.timeout_minutes, Self::TIMEOUT)
    }

    fn outlook(_: &Parameters, o: &Observed, _: &Cx) -> Option<(ChangeClass, String)> {
        Some((Self::CLASS, decide::outlook(o)?))
    }

    fn creates(_: &Parameters, o: &Observed, _: &Cx) -> Vec<String> {
        vec![format!("rds:{}", o.replica)]
    }
}

impl CreateRdsReadReplica {
    async fn create(&self, p: &Parameters, change: &Create) -> Result<Value> {
        let flag = |f: &Option<Flag>| f.map(|f| f.0);
        let any = 0..=i64::from(i32::MAX);
        self.at_replica
            .create_db_instance_read_replica()
            .db_instance_identifier(&change.replica.id)
            .source_db_instance_identifier(change.source.to_string())
            .db_instance_class(&p.db_instance_class)
            .db_subnet_group_name(&p.db_subnet_group)
            .set_vpc_security_group_ids(Some(p.db_security_group.0.clone()))
            .set_kms_key_id(p.kms_key_id.clone())
            .set_multi_az(flag(&p.multi_az))
            .set_auto_minor_version_upgrade(flag(&p.auto_minor_version_upgrade))
            .set_copy_tags_to_snapshot(flag(&p.copy_tags_to_snapshot))
            .set_enable_iam_database_authentication(flag(&p.enable_iam_database_authentication))
            .set_port(within("Port", p.port, any.clone())?)
            .set_monitoring_interval(within(
                "MonitoringInterval",
                p.monitoring_interval,
                any.clone(),
            )?)
            .set_monitoring_role_arn(p.monitoring_role_arn.clone())
            .set_db_parameter_group_name(p.db_parameter_group_name.clone())
            .set_storage_type(p.storage_type.clone())
            .set_iops(within("Iops", p.iops, any.clone())?)
            .set_allocated_storage(within("AllocatedStorage", p.allocated_storage, any)?)
            .set_deletion_protection(flag(&p.deletion_protection))
            .set_enable_cloudwatch_logs_exports(
                p.enable_cloudwatch_logs_exports.clone().map(|l| l.0),
            )
            .set_tags(tags(p))
            .send()
            .await
            .doing(&format!("create replica {} in {}", change.replica.id, change.replica.region))?;
        Ok(Value::Null)
    }
}

fn tags(p: &Parameters) -> Option<Vec<Tag>> {
    let tag = |(k, v): (&String, &String)| Tag::builder().key(k).value(v).build();
    p.tags.as_ref().map(|tags| tags.iter().map(tag).collect())
}

/// An instance of that name has come up since the last look, perhaps by a call whose answer was
/// lost: the next look tells whether it is the wanted one.
fn look_again(error: Error) -> Error {
    match error.has_code("DBInstanceAlreadyExists") {
        true => error.nature(Nature::StateFault),
        false => error,
    }
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

    #[test]
    fn a_name_that_is_taken_is_looked_at_again() {
        let nature = |code: &str| look_again(shared::aws::from_code("x", code, "", 400)).nature;
        assert_eq!(nature("DBInstanceAlreadyExists"), Nature::StateFault);
        assert_eq!(nature("KMSKeyNotAccessibleFault"), Nature::Final);
    }
}
