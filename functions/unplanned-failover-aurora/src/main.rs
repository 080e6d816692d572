//! `UnPlannedFailoverAurora`: a secondary of an Aurora global database takes over while the
//! primary's Region is lost.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use shared::coerce::{Flag, Int};
use shared::{ChangeClass, Clients, ControlPlane, Cx, Phase, Resource, Result, Step};
use shared_aurora_failover::failover::{self, Change, Mode, Observed, Takeover, Wanted};
use shared_aurora_failover::global_identifier;
use shared_rds::{MINUTES, Place, deadline, region, within};
use std::time::Duration;

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::result::Result<(), lambda_runtime::Error> {
    shared::main::<UnPlannedFailoverAurora>().await
}

/// Parameters of UnPlannedFailoverAurora.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Parameters {
    /// Identifier of the global cluster.
    global_cluster_identifier: String,
    /// ARN of the secondary that is to take over, or its identifier in ClusterRegion.
    #[serde(rename = "DBClusterIdentifier")]
    db_cluster_identifier: String,
    /// Region of that secondary.
    cluster_region: String,
    /// DETACH (default), MANAGED or AUTO.
    mode: Option<ModeName>,
    /// Consent: writes that the old primary had not replicated are lost.
    accept_data_loss: Option<Flag>,
    /// DETACH and AUTO: consent that the applications cannot write to the old primary any more,
    /// which nothing else prevents when its Region is back.
    fence_acknowledged: Option<Flag>,
    /// Deadline of the attempt, minutes; default 30.
    timeout_minutes: Option<Int>,
}

/// How the secondary takes over.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema, PartialEq)]
#[serde(rename_all = "UPPERCASE")]
enum ModeName {
    /// It leaves the global cluster and becomes a database of its own. Works with any version; the
    /// global cluster has to be rebuilt.
    Detach,
    /// AWS makes it the primary; the old one is added again as a secondary when it is back. Needs
    /// equal minor versions.
    Managed,
    /// MANAGED where AWS can do it, else DETACH.
    Auto,
}

/// Promotes a secondary, by calls to its own Region alone.
///
/// **Reads:** the secondary, its instances, what its Region knows of the global cluster, and
/// `AuroraGlobalDBRPOLag` (`rds:DescribeDBClusters`, `rds:DescribeDBInstances`,
/// `rds:DescribeGlobalClusters`, `cloudwatch:GetMetricData`).
/// **Changes:** MANAGED: `FailoverGlobalCluster` with AllowDataLoss. DETACH:
/// `RemoveFromGlobalCluster`. One of them, once.
/// **Done when:** MANAGED: the global cluster lists the secondary as its writer and no FailoverState
/// shows. DETACH: the cluster names no global cluster. In both, cluster and writer instance are
/// `available` in two looks in a row; the old Region is not waited for.
/// **Refuses when:** consent is missing (a direct start: warns); the secondary is in the run's
/// `primary_region`, or of another global cluster; MANAGED between different versions. The present
/// writer is never detached. While the global cluster's metadata does not answer, nothing is sent
/// unless the run is unplanned, names another Region as the one that served, and the cluster shows
/// readers alone: a primary has a writer. AUTO does not detach once MANAGED was asked for.
/// **Safe to repeat because:** a writer, and a cluster that is standalone already, are left alone;
/// what AWS is doing is awaited; a failover that AWS cancelled is not sent again by itself. A call
/// whose answer was lost is sent again while nothing shows of it: RDS refuses the second one.
struct UnPlannedFailoverAurora {
    takeover: Takeover,
}

impl Resource for UnPlannedFailoverAurora {
    const TYPE: &'static str = "UnPlannedFailoverAurora";
    const PHASES: &'static [Phase] = &[Phase::Activate];
    const READS: &'static [&'static str] = &failover::READS;
    const WRITES: &'static [&'static str] = &failover::WRITES;
    const CONTROL_PLANE: ControlPlane = ControlPlane::Regional;
    const TIMEOUT: Duration = Duration::from_secs(30 * 60);
    const TYPICAL: Duration = Duration::from_secs(5 * 60);
    const CLASS: ChangeClass = ChangeClass::DataLoss;
    type Parameters = Parameters;
    type Observed = Observed;
    type Change = Change;

    async fn connect(clients: &Clients, p: &Parameters, cx: &Cx) -> Result<Self> {
        Ok(Self { takeover: Takeover::connect(clients, wanted(p, cx)?, cx)? })
    }

    async fn observe(&self, _: &Parameters, cx: &Cx) -> Result<Observed> {
        self.takeover.observe(cx).await
    }

    fn decide(_: &Parameters, o: &Observed, cx: &Cx) -> Step<Change> {
        failover::decide(o, cx)
    }

    async fn apply(&self, _: &Parameters, change: Change, _: &Cx) -> Result<Value> {
        self.takeover.apply(&change).await
    }

    fn timeout(p: &Parameters) -> Duration {
        deadline(p.timeout_minutes, Self::TIMEOUT)
    }

    fn signs(o: &Observed) -> Vec<&'static str> {
        o.target.signs()
    }

    /// A detached cluster may be shown without its global cluster before it begins to be promoted.
    fn steady(_: &Parameters) -> u32 {
        2
    }

    fn outlook(_: &Parameters, o: &Observed, cx: &Cx) -> Option<(ChangeClass, String)> {
        Some((Self::CLASS, failover::outlook(o, cx)?))
    }
}

/// What is wanted, checked.
fn wanted(p: &Parameters, cx: &Cx) -> Result<Wanted> {
    within("TimeoutMinutes", p.timeout_minutes, MINUTES)?;
    let mode = match p.mode.unwrap_or(ModeName::Detach) {
        ModeName::Detach => Mode::Detach,
        ModeName::Managed => Mode::Managed,
        ModeName::Auto => Mode::Auto,
    };
    let place = Place {
        partition: cx.partition.clone(),
        region: region("ClusterRegion", &p.cluster_region)?,
        account: cx.account.clone(),
    };
    Ok(Wanted {
        global: global_identifier(&p.global_cluster_identifier)?,
        target: place.cluster("DBClusterIdentifier", &p.db_cluster_identifier)?,
        mode,
        warnings: consents(p, mode, cx)?,
    })
}

fn consents(p: &Parameters, mode: Mode, cx: &Cx) -> Result<Vec<String>> {
    let loss = "what the old primary had not replicated is lost";
    let fence = "nothing keeps applications from writing to the old primary";
    let mut warnings = vec![cx.consent("AcceptDataLoss", p.accept_data_loss, loss)?];
    if mode != Mode::Managed {
        warnings.push(cx.consent("FenceAcknowledged", p.fence_acknowledged, fence)?);
    }
    Ok(warnings.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use shared::ErrorType;
    use shared::progress::sample_cx;

    const WEST: &str = "arn:aws:rds:us-west-2:123456789012:cluster:orders-dr";

    fn parameters(change: Value) -> Parameters {
        let mut all = json!({
            "GlobalClusterIdentifier": "orders-global", "DBClusterIdentifier": WEST,
            "ClusterRegion": "us-west-2", "AcceptDataLoss": "True", "FenceAcknowledged": "True",
        });
        for (name, value) in change.as_object().unwrap() {
            all[name] = value.clone();
        }
        all.as_object_mut().unwrap().retain(|_, v| !v.is_null());
        serde_json::from_value(all).unwrap()
    }

    fn wanted_of(change: Value) -> Result<Wanted> {
        wanted(&parameters(change), &sample_cx(Phase::Activate))
    }

    #[test]
    fn the_committed_schema_is_what_the_type_says() {
        let committed = include_str!("../../../samples/schema/UnPlannedFailoverAurora.schema.json");
        let said = shared::describe::describe::<UnPlannedFailoverAurora>();
        assert_eq!(serde_json::from_str::<Value>(committed).unwrap(), said);
    }

    #[test]
    fn the_documented_meaning_is_detach() {
        assert_eq!(wanted_of(json!({})).unwrap().mode, Mode::Detach);
        assert_eq!(wanted_of(json!({"Mode": "MANAGED"})).unwrap().mode, Mode::Managed);
        assert_eq!(wanted_of(json!({"Mode": "AUTO"})).unwrap().mode, Mode::Auto);
    }

    #[test]
    fn without_consent_a_products_run_is_refused() {
        for (missing, mode) in [
            ("AcceptDataLoss", "DETACH"),
            ("AcceptDataLoss", "MANAGED"),
            ("FenceAcknowledged", "DETACH"),
            ("FenceAcknowledged", "AUTO"),
        ] {
            let error = wanted_of(json!({missing: null, "Mode": mode})).unwrap_err();
            assert_eq!(error.error_type, ErrorType::Refused);
            assert!(error.message.contains(missing), "{}", error.message);
        }
        assert!(wanted_of(json!({"FenceAcknowledged": null, "Mode": "MANAGED"})).is_ok());
    }

    #[test]
    fn a_payload_of_the_databases_framework_runs_with_warnings() {
        let mut cx = sample_cx(Phase::Activate);
        cx.context.direct = true;
        let p = parameters(json!({"AcceptDataLoss": null, "FenceAcknowledged": null}));
        assert_eq!(wanted(&p, &cx).unwrap().warnings.len(), 2);
    }

    #[test]
    fn region_and_account_of_the_arn_must_agree() {
        let error = |change| wanted_of(change).unwrap_err();
        assert_eq!(error(json!({"ClusterRegion": "us-east-1"})).error_type, ErrorType::Refused);
        let stranger = json!({"DBClusterIdentifier": WEST.replace("123456789012", "999999999999")});
        assert_eq!(error(stranger).error_type, ErrorType::Refused);
        assert!(error(json!({"ClusterRegion": "Oregon"})).message.contains("ClusterRegion"));
        assert!(wanted_of(json!({"DBClusterIdentifier": "orders-dr"})).is_ok());
    }

    #[test]
    fn malformed_values_are_named() {
        for (name, value) in
            [("TimeoutMinutes", json!(0)), ("GlobalClusterIdentifier", json!("1orders"))]
        {
            let error = wanted_of(json!({name: value})).unwrap_err();
            assert_eq!(error.error_type, ErrorType::InvalidParameters);
            assert!(error.message.contains(name), "{error}");
        }
    }
}
