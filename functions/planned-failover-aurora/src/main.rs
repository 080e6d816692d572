//! `PlannedFailoverAurora`: a healthy secondary of an Aurora global database becomes the primary,
//! without data loss.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use shared::coerce::Int;
use shared::{ChangeClass, Clients, ControlPlane, Cx, Phase, Resource, Result, Step};
use shared_aurora_failover::global_identifier;
use shared_aurora_failover::switchover::{self, Change, Observed, Switchover, Wanted};
use shared_rds::{Arn, MINUTES, Place, deadline, within};
use std::time::Duration;

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::result::Result<(), lambda_runtime::Error> {
    shared::main::<PlannedFailoverAurora>().await
}

/// Parameters of PlannedFailoverAurora.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Parameters {
    /// Identifier of the global cluster.
    global_cluster_identifier: String,
    /// ARN of the secondary that is to become the primary, or its identifier in the executing
    /// Region.
    #[serde(rename = "DBClusterIdentifier")]
    db_cluster_identifier: String,
    /// Begin only while the secondary is at most so many seconds behind; default 60. When it is
    /// given, a lag that is not known is waited for too.
    max_lag_seconds: Option<Int>,
    /// Deadline of the attempt, minutes; default 30.
    timeout_minutes: Option<Int>,
}

/// Switches an Aurora global database over.
///
/// **Reads:** the global cluster, the secondary and its instances in the secondary's Region, the
/// other members in theirs before the call, `AuroraGlobalDBRPOLag` of the secondary
/// (`rds:DescribeGlobalClusters`, `rds:DescribeDBClusters`, `rds:DescribeDBInstances`,
/// `cloudwatch:GetMetricData`).
/// **Changes:** `SwitchoverGlobalCluster` at the present primary's Region. Never a call that
/// may lose data.
/// **Done when:** the global cluster lists the secondary as its writer, no FailoverState shows, the
/// cluster and its writer instance are `available`.
/// **Refuses when:** the run is unplanned; the secondary is in the run's `primary_region`, is no
/// member of that global cluster, or has another minor version than any other member.
/// **Safe to repeat because:** a cluster that is the writer already is left alone, what AWS is doing
/// is awaited, a switchover that AWS cancelled is not sent again by itself, and RDS refuses a second
/// one while the first one runs.
struct PlannedFailoverAurora {
    switchover: Switchover,
}

const DEFAULT_MAX_LAG_S: i64 = 60;

impl Resource for PlannedFailoverAurora {
    const TYPE: &'static str = "PlannedFailoverAurora";
    const PHASES: &'static [Phase] = &[Phase::Activate, Phase::Replicate];
    const READS: &'static [&'static str] = &switchover::READS;
    const WRITES: &'static [&'static str] = &switchover::WRITES;
    const CONTROL_PLANE: ControlPlane = ControlPlane::Regional;
    const TIMEOUT: Duration = Duration::from_secs(30 * 60);
    const TYPICAL: Duration = Duration::from_secs(5 * 60);
    const CLASS: ChangeClass = ChangeClass::Traffic;
    type Parameters = Parameters;
    type Observed = Observed;
    type Change = Change;

    async fn connect(clients: &Clients, p: &Parameters, cx: &Cx) -> Result<Self> {
        let wanted = wanted(p, clients.executing_region(), cx)?;
        Ok(Self { switchover: Switchover::connect(clients, wanted, cx)? })
    }

    async fn observe(&self, _: &Parameters, cx: &Cx) -> Result<Observed> {
        self.switchover.observe(cx).await
    }

    fn decide(_: &Parameters, o: &Observed, cx: &Cx) -> Step<Change> {
        switchover::decide(o, cx)
    }

    async fn apply(&self, _: &Parameters, change: Change, _: &Cx) -> Result<Value> {
        self.switchover.apply(&change).await
    }

    fn timeout(p: &Parameters) -> Duration {
        deadline(p.timeout_minutes, Self::TIMEOUT)
    }

    fn signs(o: &Observed) -> Vec<&'static str> {
        o.target.signs()
    }

    fn outlook(_: &Parameters, o: &Observed, cx: &Cx) -> Option<(ChangeClass, String)> {
        Some((Self::CLASS, switchover::outlook(o, cx)?))
    }
}

/// What is wanted, checked.
fn wanted(p: &Parameters, executing_region: &str, cx: &Cx) -> Result<Wanted> {
    within("MaxLagSeconds", p.max_lag_seconds, 0..=i64::from(i32::MAX))?;
    within("TimeoutMinutes", p.timeout_minutes, MINUTES)?;
    Ok(Wanted {
        global: global_identifier(&p.global_cluster_identifier)?,
        target: target(&p.db_cluster_identifier, executing_region, cx)?,
        max_lag_s: p.max_lag_seconds.map_or(DEFAULT_MAX_LAG_S, |s| s.0),
        lag_must_be_known: p.max_lag_seconds.is_some(),
    })
}

/// An ARN names its Region; an identifier means the executing one.
fn target(name: &str, executing_region: &str, cx: &Cx) -> Result<Arn> {
    let region = match name.starts_with("arn:") {
        true => Arn::parse_cluster("DBClusterIdentifier", name)?.region,
        false => executing_region.to_owned(),
    };
    let (partition, account) = (cx.partition.clone(), cx.account.clone());
    Place { partition, region, account }.cluster("DBClusterIdentifier", name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use shared::ErrorType;
    use shared::progress::sample_cx;

    const WEST: &str = "arn:aws:rds:us-west-2:123456789012:cluster:orders-dr";

    fn wanted_of(change: Value) -> Result<Wanted> {
        let mut all =
            json!({"GlobalClusterIdentifier": "Orders-Global", "DBClusterIdentifier": WEST});
        for (name, value) in change.as_object().unwrap() {
            all[name] = value.clone();
        }
        let p: Parameters = serde_json::from_value(all).unwrap();
        wanted(&p, "us-west-2", &sample_cx(Phase::Activate))
    }

    #[test]
    fn the_committed_schema_is_what_the_type_says() {
        let committed = include_str!("../../../samples/schema/PlannedFailoverAurora.schema.json");
        let said = shared::describe::describe::<PlannedFailoverAurora>();
        assert_eq!(serde_json::from_str::<Value>(committed).unwrap(), said);
    }

    #[test]
    fn names_are_read_as_arn_or_identifier() {
        let by_arn = wanted_of(json!({})).unwrap();
        assert_eq!((by_arn.global.as_str(), by_arn.max_lag_s), ("orders-global", 60));
        assert!(!by_arn.lag_must_be_known);
        let by_id = wanted_of(json!({"DBClusterIdentifier": "orders-dr"})).unwrap();
        assert_eq!(by_id.target, by_arn.target);
        let limited = wanted_of(json!({"MaxLagSeconds": "5"})).unwrap();
        assert!(limited.lag_must_be_known && limited.max_lag_s == 5);
    }

    #[test]
    fn other_accounts_and_malformed_values_are_refused_by_name() {
        let error = |change| wanted_of(change).unwrap_err();
        let stranger = json!({"DBClusterIdentifier": WEST.replace("123456789012", "999999999999")});
        assert_eq!(error(stranger).error_type, ErrorType::Refused);
        let instance = json!({"DBClusterIdentifier": WEST.replace(":cluster:", ":db:")});
        assert!(error(instance).message.contains("DBClusterIdentifier"));
        assert!(error(json!({"GlobalClusterIdentifier": "1x"})).message.contains("Global"));
        assert!(error(json!({"MaxLagSeconds": -1})).message.contains("MaxLagSeconds"));
        assert!(error(json!({"TimeoutMinutes": 0})).message.contains("TimeoutMinutes"));
    }
}
