//! `AuroraMySQL`: the instances of a secondary cluster over the life cycle, and the failover to it.

mod add;
mod change;
mod instances;
mod mode;
mod observed;
mod parameters;
mod remove;
#[cfg(test)]
mod samples;
mod work;

use mode::ModeName;
use parameters::Parameters;
use serde_json::Value;
use shared::{ChangeClass, Clients, ControlPlane, Cx, Phase, Resource, Result, Step};
use shared_rds::deadline;
use std::time::Duration;
use work::{Act, Look, Work};

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::result::Result<(), lambda_runtime::Error> {
    shared::main::<AuroraMySql>().await
}

/// Adds the instances that a secondary lacks, fails over to it, removes instances again.
///
/// **Reads:** INSTANTIATE and CLEANUP: the cluster and the instances of the listed names in the
/// cluster's Region, in CLEANUP also the global cluster (`rds:DescribeDBClusters`,
/// `rds:DescribeDBInstances`, `rds:DescribeGlobalClusters`). ACTIVATE: the same and the lag
/// (`cloudwatch:GetMetricData`); a switchover also the present primary in its Region.
/// **Changes:** INSTANTIATE: `CreateDBInstance` for each that is missing. ACTIVATE:
/// `SwitchoverGlobalCluster`, or by `FailoverMode` `FailoverGlobalCluster` (MANAGED) or
/// `RemoveFromGlobalCluster` (DETACH). CLEANUP: `DeleteDBInstance` for each, readers first; the
/// cluster and its volume stay.
/// **Done when:** INSTANTIATE: all listed instances are `available` and the cluster lists them.
/// ACTIVATE: the cluster is the primary, or after DETACH standalone, and its writer is `available`.
/// CLEANUP: none of the listed instances exists.
/// **Refuses when:** the cluster is no member of the named global cluster; an instance of a listed
/// name is another cluster's; `db.serverless` has no capacity range. In ACTIVATE: a switchover in an
/// unplanned run, another way without its consents, a cluster in `primary_region`. In CLEANUP:
/// the cluster is the primary or standalone, no other primary shows, or it is in `primary_region`.
/// **Safe to repeat because:** each look decides anew which instances are missing or left and who
/// writes; no failover is sent twice.
struct AuroraMySql(Work);

impl Resource for AuroraMySql {
    const TYPE: &'static str = "AuroraMySQL";
    const PHASES: &'static [Phase] = &[Phase::Instantiate, Phase::Activate, Phase::Cleanup];
    const READS: &'static [&'static str] = &[
        "rds:DescribeDBClusters",
        "rds:DescribeDBInstances",
        "rds:DescribeGlobalClusters",
        "cloudwatch:GetMetricData",
    ];
    const WRITES: &'static [&'static str] = &[
        "rds:CreateDBInstance",
        "rds:SwitchoverGlobalCluster",
        "rds:FailoverGlobalCluster",
        "rds:RemoveFromGlobalCluster",
        "rds:DeleteDBInstance",
    ];
    const CONTROL_PLANE: ControlPlane = ControlPlane::Regional;
    const TIMEOUT: Duration = Duration::from_secs(60 * 60);
    const TYPICAL: Duration = Duration::from_secs(15 * 60);
    const CLASS: ChangeClass = ChangeClass::Destructive;
    type Parameters = Parameters;
    type Observed = Look;
    type Change = Act;

    async fn connect(clients: &Clients, p: &Parameters, cx: &Cx) -> Result<Self> {
        Work::connect(clients, p, cx).map(Self)
    }

    async fn observe(&self, _: &Parameters, cx: &Cx) -> Result<Look> {
        self.0.observe(cx).await
    }

    fn decide(_: &Parameters, look: &Look, cx: &Cx) -> Step<Act> {
        work::decide(look, cx)
    }

    async fn apply(&self, p: &Parameters, act: Act, _: &Cx) -> Result<Value> {
        self.0.apply(p, &act).await
    }

    fn timeout(p: &Parameters) -> Duration {
        deadline(p.timeout_minutes, Self::TIMEOUT)
    }

    fn signs(look: &Look) -> Vec<&'static str> {
        work::signs(look)
    }

    /// A detached cluster may be shown without its global cluster before it begins to be promoted.
    fn steady(p: &Parameters) -> u32 {
        match p.failover_mode {
            Some(ModeName::Managed | ModeName::Detach) => 2,
            Some(ModeName::Switchover) | None => 1,
        }
    }

    fn outlook(_: &Parameters, look: &Look, cx: &Cx) -> Option<(ChangeClass, String)> {
        work::outlook(look, cx)
    }

    fn creates(_: &Parameters, look: &Look, cx: &Cx) -> Vec<String> {
        work::creates(look, cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_schema_is_what_the_type_says() {
        let committed = include_str!("../../../samples/schema/AuroraMySQL.schema.json");
        let said = shared::describe::describe::<AuroraMySql>();
        assert_eq!(serde_json::from_str::<Value>(committed).unwrap(), said);
    }

    #[test]
    fn it_may_do_what_its_failovers_do() {
        use shared_aurora_failover::{failover, switchover};
        let all = [&failover::WRITES[..], &switchover::WRITES[..]].concat();
        assert!(all.iter().all(|a| AuroraMySql::WRITES.contains(a)));
        let all = [&failover::READS[..], &switchover::READS[..]].concat();
        assert!(all.iter().all(|a| AuroraMySql::READS.contains(a)));
    }
}
