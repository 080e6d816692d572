//! `PromoteRDSReadReplica`: makes a read replica a database of its own.

mod decide;

use decide::{Observed, Promote};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use shared::coerce::Int;
use shared::{ChangeClass, Clients, ControlPlane, Cx, Doing, Error, Phase, Resource, Result, Step};
use shared_metrics::{Lag, latest, replica_lag};
use shared_rds::{Arn, MINUTES, Place, deadline, describe, within};
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
    /// ARN of the same replica (despite the parameter's name): proves that the right instance is
    /// meant, and names its Region. Without it the replica is looked for in the executing Region.
    target_cluster_identifier: Option<String>,
    /// Days to keep automated backups afterwards, 0 to 35; the default of RDS is 1. A later replica
    /// needs more than 0.
    backup_retention_period: Option<Int>,
    /// Daily window for backups, UTC, for example 04:00-04:30.
    preferred_backup_window: Option<String>,
    /// Planned runs: promote only while the replica is at most so many seconds behind.
    max_lag_seconds: Option<Int>,
    /// Deadline of the attempt, minutes; default 60.
    timeout_minutes: Option<Int>,
}

/// Promotes a read replica, in its own Region and without a call to its source's.
///
/// **Reads:** the instance (`rds:DescribeDBInstances`) and `ReplicaLag`
/// (`cloudwatch:GetMetricData`).
/// **Changes:** `PromoteReadReplica`, once. It cannot be taken back.
/// **Done when:** the instance has no source, is `available` and has no retention of backups
/// pending, in two looks in a row. The status alone proves nothing: it is `available` before and
/// after, and for a moment in between.
/// **Refuses when:** the ARN names another instance, Region, account or partition; the instance is
/// in the run's `primary_region`, which is where the run starts from; it belongs to a cluster or is
/// RDS Custom.
/// **Safe to repeat because:** a standalone instance is never promoted, and RDS refuses a second
/// promotion while the first one runs.
struct PromoteRdsReadReplica {
    rds: aws_sdk_rds::Client,
    cloudwatch: aws_sdk_cloudwatch::Client,
    wanted: Observed,
}

impl Resource for PromoteRdsReadReplica {
    const TYPE: &'static str = "PromoteRDSReadReplica";
    const PHASES: &'static [Phase] = &[Phase::Activate];
    const READS: &'static [&'static str] = &["rds:DescribeDBInstances", "cloudwatch:GetMetricData"];
    const WRITES: &'static [&'static str] = &["rds:PromoteReadReplica"];
    const CONTROL_PLANE: ControlPlane = ControlPlane::Regional;
    const TIMEOUT: Duration = Duration::from_secs(60 * 60);
    const TYPICAL: Duration = Duration::from_secs(10 * 60);
    const CLASS: ChangeClass = ChangeClass::DataLoss;
    type Parameters = Parameters;
    type Observed = Observed;
    type Change = Promote;

    async fn connect(clients: &Clients, p: &Parameters, cx: &Cx) -> Result<Self> {
        check(p)?;
        let arn = target(p, clients.executing_region(), cx)?;
        let config = clients.region(&arn.region)?;
        Ok(Self {
            rds: aws_sdk_rds::Client::new(&config),
            cloudwatch: aws_sdk_cloudwatch::Client::new(&config),
            wanted: Observed {
                arn,
                proven: p.target_cluster_identifier.is_some(),
                max_lag_s: p.max_lag_seconds.map(|s| s.0),
                instance: None,
                lag: Lag::Unknown("not a replica".into()),
            },
        })
    }

    async fn observe(&self, _: &Parameters, cx: &Cx) -> Result<Observed> {
        let mut o = self.wanted.clone();
        o.instance = describe(&self.rds, &o.arn).await?;
        if o.instance.as_ref().is_some_and(|i| i.source.is_some()) && !cx.changed() {
            o.lag = latest(&self.cloudwatch, &replica_lag(&o.arn.id)).await;
        }
        Ok(o)
    }

    fn decide(_: &Parameters, o: &Observed, cx: &Cx) -> Step<Promote> {
        decide::decide(o, cx)
    }

    async fn apply(&self, p: &Parameters, change: Promote, _: &Cx) -> Result<Value> {
        self.rds
            .promote_read_replica()
            .db_instance_identifier(&change.id)
            .set_backup_retention_period(retention(p)?)
            .set_preferred_backup_window(p.preferred_backup_window.clone())
            .send()
            .await
            .doing(&format!("promote {} in {}", change.id, self.wanted.arn.region))?;
        Ok(json!({"lagSeconds": change.lag.seconds()}))
    }

    fn timeout(p: &Parameters) -> Duration {
        deadline(p.timeout_minutes, Self::TIMEOUT)
    }

    fn steady(_: &Parameters) -> u32 {
        2
    }

    fn outlook(_: &Parameters, o: &Observed, cx: &Cx) -> Option<(ChangeClass, String)> {
        Some((Self::CLASS, decide::outlook(o, cx)?))
    }
}

fn retention(p: &Parameters) -> Result<Option<i32>> {
    within("BackupRetentionPeriod", p.backup_retention_period, 0..=35)
}

/// What needs no call: a plan finds it before the approval.
fn check(p: &Parameters) -> Result<()> {
    retention(p)?;
    within("MaxLagSeconds", p.max_lag_seconds, 0..=i64::from(i32::MAX))?;
    within("TimeoutMinutes", p.timeout_minutes, MINUTES)?;
    match p.preferred_backup_window.as_deref() {
        Some(window) if !is_window(window) => Err(Error::invalid_parameters(format!(
            "parameters.PreferredBackupWindow: \"{window}\" is not a window like 04:00-04:30"
        ))),
        _ => Ok(()),
    }
}

/// `hh:mm-hh:mm`.
fn is_window(text: &str) -> bool {
    let below = |t: &str, max: u8| t.len() == 2 && t.parse().is_ok_and(|n: u8| n < max);
    let time = |t: &str| t.split_once(':').is_some_and(|(h, m)| below(h, 24) && below(m, 60));
    text.split_once('-').is_some_and(|(from, to)| time(from) && time(to))
}

/// The instance that is meant. Its Region comes from the ARN; the run's `primary_region` serves
/// before the run, so that a replica to promote is never there.
fn target(p: &Parameters, executing_region: &str, cx: &Cx) -> Result<Arn> {
    let arn = p.target_cluster_identifier.as_deref();
    let arn = arn.map(|a| Arn::parse("TargetClusterIdentifier", a)).transpose()?;
    let place = Place {
        partition: cx.partition.clone(),
        region: arn.as_ref().map_or(executing_region, |a| &a.region).to_owned(),
        account: cx.account.clone(),
    };
    let meant = place.instance("RDSInstanceIdentifier", &p.rds_instance_identifier)?;
    if let Some(arn) = &arn {
        place.must_hold("TargetClusterIdentifier", arn)?;
        same(&meant, arn)?;
    }
    match cx.context.primary_region.as_deref() {
        Some(primary) if primary == meant.region => Err(in_the_primary(&meant)),
        _ => Ok(meant),
    }
}

fn same(meant: &Arn, arn: &Arn) -> Result<()> {
    if meant == arn {
        return Ok(());
    }
    Err(Error::refused(format!(
        "parameters.RDSInstanceIdentifier is {}, but TargetClusterIdentifier is the ARN of {}",
        meant.id, arn.id
    ))
    .next("Make both name the replica that is to take over."))
}

fn in_the_primary(meant: &Arn) -> Error {
    Error::refused(format!(
        "{} would be promoted in {}, which is primary_region: the Region that serves before the \
         run",
        meant.id, meant.region
    ))
    .next("Start the manifest in the other Region, or correct primary_region.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::ErrorType;
    use shared::progress::sample_cx;

    const ARN: &str = "arn:aws:rds:us-west-2:123456789012:db:orders-dr";

    fn parameters(value: Value) -> Parameters {
        serde_json::from_value(value).unwrap()
    }

    fn target_of(value: Value, executing_region: &str) -> Result<Arn> {
        target(&parameters(value), executing_region, &sample_cx(Phase::Activate))
    }

    #[test]
    fn the_committed_schema_is_what_the_type_says() {
        let committed = include_str!("../../../samples/schema/PromoteRDSReadReplica.schema.json");
        let said = shared::describe::describe::<PromoteRdsReadReplica>();
        assert_eq!(serde_json::from_str::<Value>(committed).unwrap(), said);
    }

    #[test]
    fn the_arn_gives_the_region_and_its_absence_means_the_executing_one() {
        let both = json!({"RDSInstanceIdentifier": "orders-dr", "TargetClusterIdentifier": ARN});
        assert_eq!(target_of(both, "eu-west-1").unwrap().to_string(), ARN);
        let id = json!({"RDSInstanceIdentifier": "Orders-DR"});
        assert_eq!(target_of(id, "us-west-2").unwrap().to_string(), ARN);
    }

    #[test]
    fn another_instance_account_partition_or_region_is_refused() {
        let wrong = |id: &str, arn: &str| {
            let p = json!({"RDSInstanceIdentifier": id, "TargetClusterIdentifier": arn});
            target_of(p, "us-west-2").unwrap_err().error_type
        };
        assert_eq!(wrong("orders", ARN), ErrorType::Refused);
        let east = "arn:aws:rds:us-east-1:123456789012:db:orders-dr";
        assert_eq!(wrong(east, ARN), ErrorType::Refused);
        assert_eq!(wrong("orders-dr", &ARN.replace("aws:rds", "aws-cn:rds")), ErrorType::Refused);
        assert_eq!(
            wrong("orders-dr", &ARN.replace("123456789012", "999999999999")),
            ErrorType::Refused
        );
        assert_eq!(wrong("orders-dr", "orders-dr"), ErrorType::InvalidParameters);
        assert_eq!(
            wrong("orders-dr", &ARN.replace(":db:", ":cluster:")),
            ErrorType::InvalidParameters
        );
    }

    #[test]
    fn nothing_is_promoted_in_the_region_that_serves_before_the_run() {
        let error = target_of(json!({"RDSInstanceIdentifier": "orders"}), "us-east-1").unwrap_err();
        assert_eq!(error.error_type, ErrorType::Refused);
        assert!(error.message.contains("primary_region"), "{}", error.message);
    }

    #[test]
    fn numbers_and_windows_are_checked_before_any_call() {
        let checked = |name: &str, value: Value| {
            check(&parameters(json!({"RDSInstanceIdentifier": "a", name: value})))
        };
        assert!(checked("BackupRetentionPeriod", json!("7")).is_ok());
        assert!(checked("PreferredBackupWindow", json!("23:30-00:30")).is_ok());
        for (name, wrong) in [
            ("BackupRetentionPeriod", json!(36)),
            ("MaxLagSeconds", json!(-1)),
            ("TimeoutMinutes", json!(0)),
            ("PreferredBackupWindow", json!("4-5")),
            ("PreferredBackupWindow", json!("24:00-04:30")),
        ] {
            assert!(checked(name, wrong.clone()).is_err(), "{name} {wrong}");
        }
    }

    #[test]
    fn one_look_that_finds_it_promoted_is_not_believed() {
        let p = parameters(json!({"RDSInstanceIdentifier": "a"}));
        assert_eq!(PromoteRdsReadReplica::steady(&p), 2);
    }

    #[test]
    fn unknown_parameters_are_errors() {
        let typo = json!({"RDSInstanceIdentifier": "a", "MaxLagSecond": 1});
        assert!(serde_json::from_value::<Parameters>(typo).is_err());
    }
}
