//! `FailoverElastiCacheCluster`: makes a secondary the primary of its global datastore.

mod decide;
mod detach;
mod observed;
mod parameters;
mod role;

use observed::{Change, DETACH, FAILOVER, Observed, Wanted};
use parameters::Parameters;
use serde_json::{Value, json};
use shared::{
    ChangeClass, Clients, ControlPlane, Cx, Doing, Error, Nature, Phase, Resource, Result, Step,
};
use shared_elasticache::{GroupArn, Role, deadline, describe_group, look_at};
use shared_metrics::{Lag, global_datastore_lag, latest};
use std::time::Duration;

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::result::Result<(), lambda_runtime::Error> {
    shared::main::<FailoverElastiCacheCluster>().await
}

/// Makes a replication group the primary of its global datastore, from its own Region and without a
/// call to the old primary's.
///
/// **Reads:** the target (`elasticache:DescribeReplicationGroups`), the global datastore
/// (`elasticache:DescribeGlobalReplicationGroups`), `GlobalDatastoreReplicationLag`
/// (`cloudwatch:GetMetricData`).
/// **Changes:** `FailoverGlobalReplicationGroup`; in an unplanned run with `OnUnavailable`
/// DISASSOCIATE, when that is not possible, `DisassociateGlobalReplicationGroup` of the target.
/// **Done when:** the target's role is primary, the target and the global datastore are
/// `available`, in two looks in a row; in an unplanned run the target's own word for its role is
/// enough where the global datastore does not answer, and two minutes after the failover also where
/// it is not `available`. Detached: the target is `available` and no member of any global
/// datastore.
/// **Refuses when:** the target is a member of another global datastore or standalone; it is in the
/// run's `primary_region`; an ARN names another place; detaching lacks consent. It fails when
/// somebody else has made another group the primary.
/// **Safe to repeat because:** a target that is the primary is never touched, AWS refuses a second
/// failover while the first one runs, and an accepted one is not sent again.
///
/// Not documented, and so assumed neither way: whether AWS accepts a failover while the primary's
/// Region is lost, and whether it waits for what is not replicated yet. The step is right in both
/// cases of the first; for the second it counts as `data-loss`.
struct FailoverElastiCacheCluster {
    elasticache: aws_sdk_elasticache::Client,
    cloudwatch: aws_sdk_cloudwatch::Client,
    wanted: Wanted,
}

impl Resource for FailoverElastiCacheCluster {
    const TYPE: &'static str = "FailoverElastiCacheCluster";
    const PHASES: &'static [Phase] = &[Phase::Activate, Phase::Replicate];
    const READS: &'static [&'static str] = &[
        "elasticache:DescribeReplicationGroups",
        "elasticache:DescribeGlobalReplicationGroups",
        "cloudwatch:GetMetricData",
    ];
    const WRITES: &'static [&'static str] = &[
        "elasticache:FailoverGlobalReplicationGroup",
        "elasticache:DisassociateGlobalReplicationGroup",
    ];
    const CONTROL_PLANE: ControlPlane = ControlPlane::Regional;
    const TIMEOUT: Duration = Duration::from_secs(20 * 60);
    const TYPICAL: Duration = Duration::from_secs(2 * 60);
    const CLASS: ChangeClass = ChangeClass::DataLoss;
    type Parameters = Parameters;
    type Observed = Observed;
    type Change = Change;

    async fn connect(clients: &Clients, p: &Parameters, cx: &Cx) -> Result<Self> {
        let wanted = parameters::wanted(p, cx)?;
        let config = clients.region(&wanted.target.region)?;
        Ok(Self {
            elasticache: aws_sdk_elasticache::Client::new(&config),
            cloudwatch: aws_sdk_cloudwatch::Client::new(&config),
            wanted,
        })
    }

    async fn observe(&self, _: &Parameters, cx: &Cx) -> Result<Observed> {
        let wanted = self.wanted.clone();
        let group = describe_group(&self.elasticache, &wanted.target).await?;
        let sent = cx.act(FAILOVER).is_some_and(|a| a.certain) || cx.act(DETACH).is_some();
        let lag = match group.as_ref().filter(|g| g.role() != Some(Role::Primary) && !sent) {
            Some(g) if g.global.is_some() => {
                latest(&self.cloudwatch, &global_datastore_lag(&wanted.target.id, &g.nodes)).await
            }
            _ => Lag::Unknown("no longer asked for".into()),
        };
        let datastore = look_at(&self.elasticache, &wanted.datastore).await?;
        Ok(Observed { wanted, group, datastore, lag })
    }

    fn decide(_: &Parameters, o: &Observed, cx: &Cx) -> Step<Change> {
        decide::decide(o, cx)
    }

    async fn apply(&self, _: &Parameters, change: Change, cx: &Cx) -> Result<Value> {
        match change {
            Change::Failover { datastore, target, from, lag } => {
                self.fail_over(&datastore, &target).await.map_err(look_again)?;
                Ok(json!({"from": from, "lagSeconds": known(&lag, cx)}))
            }
            Change::Detach { datastore, target, lag } => {
                self.detach(&datastore, &target).await.map_err(look_again)?;
                Ok(json!({"lagSeconds": known(&lag, cx)}))
            }
        }
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

impl FailoverElastiCacheCluster {
    async fn fail_over(&self, datastore: &str, target: &GroupArn) -> Result<()> {
        // PrimaryRegion and PrimaryReplicationGroupId are the new primary's.
        self.elasticache
            .failover_global_replication_group()
            .global_replication_group_id(datastore)
            .primary_region(&target.region)
            .primary_replication_group_id(&target.id)
            .send()
            .await
            .doing(&format!("make {} the primary of {datastore}", target.label()))
            .map(drop)
    }

    async fn detach(&self, datastore: &str, target: &GroupArn) -> Result<()> {
        self.elasticache
            .disassociate_global_replication_group()
            .global_replication_group_id(datastore)
            .replication_group_id(&target.id)
            .replication_group_region(&target.region)
            .send()
            .await
            .doing(&format!("detach {} from {datastore}", target.label()))
            .map(drop)
    }
}

/// A role or a membership may have changed between the look and the call, perhaps by an earlier call
/// of ours: ElastiCache then calls the parameters wrong. The next look tells.
fn look_again(error: Error) -> Error {
    match error.code.as_deref() {
        Some("InvalidParameterValue") => error.nature(Nature::StateFault),
        _ => error,
    }
}

/// The lag before the change. After a lost answer the one that was measured before it still counts.
fn known(lag: &Lag, cx: &Cx) -> Option<f64> {
    let before = |call| cx.act(call).and_then(|a| a.result["lagSeconds"].as_f64());
    lag.seconds().or_else(|| before(FAILOVER)).or_else(|| before(DETACH))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changed_between_look_and_call_is_looked_at_again() {
        let nature = |code: &str| look_again(shared::aws::from_code("x", code, "", 400)).nature;
        assert_eq!(nature("InvalidParameterValue"), Nature::StateFault);
        assert_eq!(nature("InvalidGlobalReplicationGroupState"), Nature::StateFault);
        assert_eq!(nature("InvalidParameterCombination"), Nature::Final);
    }

    #[test]
    fn the_committed_schema_is_what_the_type_says() {
        let committed =
            include_str!("../../../samples/schema/FailoverElastiCacheCluster.schema.json");
        let said = shared::describe::describe::<FailoverElastiCacheCluster>();
        assert_eq!(serde_json::from_str::<Value>(committed).unwrap(), said);
    }
}
