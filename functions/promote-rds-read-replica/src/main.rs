//! `PromoteRDSReadReplica`: makes a read replica a database of its own.

mod decide;
mod lag;

use decide::{Observed, Promote, decide};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use shared::coerce::Int;
use shared::{ChangeClass, Clients, ControlPlane, Cx, Doing, Error, Phase, Resource, Result, Step};
use shared_rds::{Arn, account_of, describe, id_of};
use std::time::Duration;

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::result::Result<(), lambda_runtime::Error> {
    shared::main::<PromoteRdsReadReplica>().await
}

/// Parameters of PromoteRDSReadReplica.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Parameters {
    /// Identifier of the replica to promote.
    #[serde(rename = "RDSInstanceIdentifier")]
    rds_instance_identifier: String,
    /// ARN of the same replica (despite its name): proves that the right instance is meant, and names
    /// its Region. Without it the replica is looked for in the executing Region.
    target_cluster_identifier: Option<String>,
    /// Days to keep automated backups afterwards, 0-35; RDS's default is 1. A later replica needs more than 0.
    backup_retention_period: Option<Int>,
    /// Daily window for backups, UTC, for example 04:00-04:30.
    preferred_backup_window: Option<String>,
    /// Planned runs: promote only when the replica is at most so many seconds behind.
    max_lag_seconds: Option<Int>,
    /// Deadline of the attempt, minutes; default 60.
    timeout_minutes: Option<Int>,
}

/// Promotes a read replica, in its own Region and without a call to its source's.
///
/// **Reads:** the instance (`rds:DescribeDBInstances`) and `ReplicaLag` (`cloudwatch:GetMetricData`).
/// **Changes:** `PromoteReadReplica`, once. It cannot be taken back.
/// **Done when:** the instance has no source any more, is `available` and has no pending modification,
/// seen twice in a row when this run promoted it. The status alone proves nothing: it is `available`
/// before and after.
/// **Refuses when:** the ARN names another instance, Region or account; the engine is Aurora.
/// **Safe to repeat because:** a standalone instance is never promoted, and RDS refuses a second
/// promotion while the first one runs.
struct PromoteRdsReadReplica {
    rds: aws_sdk_rds::Client,
    cloudwatch: aws_sdk_cloudwatch::Client,
    region: String,
    id: String,
}

impl Resource for PromoteRdsReadReplica {
    const TYPE: &'static str = "PromoteRDSReadReplica";
    const PHASES: &'static [Phase] = &[Phase::Activate];
    const READS: &'static [&'static str] = &["rds:DescribeDBInstances", "cloudwatch:GetMetricData"];
    const WRITES: &'static [&'static str] = &["rds:PromoteReadReplica"];
    const CONTROL_PLANE: ControlPlane = ControlPlane::Regional;
    const TIMEOUT: Duration = Duration::from_secs(60 * 60);
    const CLASS: ChangeClass = ChangeClass::DataLoss;
    type Parameters = Parameters;
    type Observed = Observed;
    type Change = Promote;

    async fn connect(clients: &Clients, p: &Parameters, _: &Cx) -> Result<Self> {
        let arn = p.target_cluster_identifier.as_deref();
        let arn = arn.map(|a| Arn::parse("TargetClusterIdentifier", a)).transpose()?;
        let region = arn
            .as_ref()
            .map_or_else(|| clients.executing_region().to_owned(), |a| a.region.clone());
        let id =
            id_of("RDSInstanceIdentifier", &p.rds_instance_identifier, &region, clients.account())?;
        if let Some(arn) = &arn {
            same_instance(arn, &id, clients.account())?;
        }
        if p.backup_retention_period.is_some_and(|d| !(0..=35).contains(&d.0)) {
            return Err(Error::invalid_parameters(
                "parameters.BackupRetentionPeriod must be 0 to 35",
            ));
        }
        let config = clients.region(&region)?;
        let (rds, cloudwatch) =
            (aws_sdk_rds::Client::new(&config), aws_sdk_cloudwatch::Client::new(&config));
        Ok(Self { rds, cloudwatch, region, id })
    }

    async fn observe(&self, _: &Parameters, cx: &Cx) -> Result<Observed> {
        let mut instance = describe(&self.rds, &self.id, &self.region).await?;
        if cx.changed() && instance.as_ref().is_some_and(shared_rds::Instance::serves) {
            // RDS reboots a promoted instance: it can look ready for a moment before.
            tokio::time::sleep(Duration::from_secs(1)).await;
            instance = describe(&self.rds, &self.id, &self.region).await?;
        }
        let replica = instance.as_ref().is_some_and(|i| i.source.is_some()) && !cx.changed();
        let lag_s = if replica { lag::latest(&self.cloudwatch, &self.id).await } else { None };
        Ok(Observed { id: self.id.clone(), region: self.region.clone(), instance, lag_s })
    }

    fn decide(p: &Parameters, o: &Observed, cx: &Cx) -> Step<Promote> {
        decide(p.max_lag_seconds.map(|s| s.0), o, cx)
    }

    async fn apply(&self, p: &Parameters, change: Promote, _: &Cx) -> Result<Value> {
        let days = p.backup_retention_period.map(|d| i32::try_from(d.0)).transpose();
        let days =
            days.map_err(|_| Error::invalid_parameters("parameters.BackupRetentionPeriod"))?;
        self.rds
            .promote_read_replica()
            .db_instance_identifier(&self.id)
            .set_backup_retention_period(days)
            .set_preferred_backup_window(p.preferred_backup_window.clone())
            .send()
            .await
            .doing(&format!("promote {} in {}", self.id, self.region))?;
        Ok(json!({"lagSeconds": change.lag_s}))
    }

    fn timeout(p: &Parameters) -> Duration {
        p.timeout_minutes.map_or(Self::TIMEOUT, |m| Duration::from_secs(m.0.unsigned_abs() * 60))
    }
}

fn same_instance(arn: &Arn, id: &str, account: &str) -> Result<()> {
    account_of("TargetClusterIdentifier", arn, account)?;
    if arn.id == id {
        return Ok(());
    }
    Err(Error::refused(format!(
        "parameters.RDSInstanceIdentifier is {id}, but TargetClusterIdentifier is the ARN of {}",
        arn.id
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_schema_is_what_the_type_says() {
        let committed = include_str!("../../../samples/schema/PromoteRDSReadReplica.schema.json");
        let said = shared::describe::describe::<PromoteRdsReadReplica>();
        assert_eq!(serde_json::from_str::<Value>(committed).unwrap(), said);
    }

    #[test]
    fn the_arn_must_be_the_instances_own() {
        let arn = Arn::parse("P", "arn:aws:rds:us-west-2:123456789012:db:orders").unwrap();
        assert!(same_instance(&arn, "orders", "123456789012").is_ok());
        assert!(same_instance(&arn, "other", "123456789012").is_err());
        assert!(same_instance(&arn, "orders", "999999999999").is_err());
    }
}
