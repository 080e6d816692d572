//! `AuroraMySQL`: the instances of a secondary cluster over the life cycle, and its failover.

mod add;
mod change;
mod observed;
mod parameters;
mod remove;
#[cfg(test)]
mod samples;

use change::Change;
use observed::{Observed, Wanted};
use parameters::Parameters;
use serde_json::Value;
use shared::{
    ChangeClass, Clients, ControlPlane, Cx, Doing, Error, Nature, Phase, Resource, Result, Step,
};
use shared_rds::{Arn, deadline, describe, describe_cluster, describe_global, within};
use std::time::Duration;

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::result::Result<(), lambda_runtime::Error> {
    shared::main::<AuroraMySql>().await
}

/// Adds the instances that a secondary lacks, and removes them again.
///
/// **Reads:** the cluster and the instances of the listed names in the cluster's Region; in CLEANUP
/// also the global cluster (`rds:DescribeDBClusters`, `rds:DescribeDBInstances`,
/// `rds:DescribeGlobalClusters`).
/// **Changes:** INSTANTIATE: `CreateDBInstance` for each that is missing. CLEANUP:
/// `DeleteDBInstance` for each, readers first; the cluster and its volume stay. ACTIVATE: nothing
/// yet.
/// **Done when:** INSTANTIATE: all listed instances are `available` and the cluster lists them.
/// CLEANUP: none of them exists.
/// **Refuses when:** the cluster is no member of the named global cluster; an instance of a listed
/// name is another cluster's; `db.serverless` has no capacity range; in CLEANUP: the cluster is the
/// primary or standalone, no other primary shows, or the Region is the run's `primary_region`.
/// **Safe to repeat because:** each look decides anew which instances are missing or left; those
/// that exist are no error in INSTANTIATE, and those that do not are none in CLEANUP.
struct AuroraMySql {
    rds: aws_sdk_rds::Client,
    wanted: Wanted,
}

impl Resource for AuroraMySql {
    const TYPE: &'static str = "AuroraMySQL";
    const PHASES: &'static [Phase] = &[Phase::Instantiate, Phase::Activate, Phase::Cleanup];
    const READS: &'static [&'static str] =
        &["rds:DescribeDBClusters", "rds:DescribeDBInstances", "rds:DescribeGlobalClusters"];
    const WRITES: &'static [&'static str] = &["rds:CreateDBInstance", "rds:DeleteDBInstance"];
    const CONTROL_PLANE: ControlPlane = ControlPlane::Regional;
    const TIMEOUT: Duration = Duration::from_secs(60 * 60);
    const CLASS: ChangeClass = ChangeClass::Destructive;
    type Parameters = Parameters;
    type Observed = Observed;
    type Change = Change;

    async fn connect(clients: &Clients, p: &Parameters, cx: &Cx) -> Result<Self> {
        if cx.phase == Phase::Activate {
            return Err(Error::refused("AuroraMySQL does not fail over")
                .next("Use PlannedFailoverAurora or UnPlannedFailoverAurora in ACTIVATE."));
        }
        let wanted = parameters::wanted(p, clients.executing_region(), cx)?;
        let rds = aws_sdk_rds::Client::new(&clients.region(&wanted.cluster.region)?);
        Ok(Self { rds, wanted })
    }

    async fn observe(&self, _: &Parameters, cx: &Cx) -> Result<Observed> {
        let wanted = self.wanted.clone();
        let mut instances = Vec::with_capacity(wanted.instances.len());
        for instance in &wanted.instances {
            instances.push(describe(&self.rds, instance).await?);
        }
        let cluster = describe_cluster(&self.rds, &wanted.cluster).await?;
        // Last, so that nothing lies between the proof and the act.
        let global = match cx.phase {
            Phase::Cleanup => describe_global(&self.rds, &wanted.global).await?,
            _ => None,
        };
        Ok(Observed { wanted, cluster, global, instances })
    }

    fn decide(_: &Parameters, o: &Observed, cx: &Cx) -> Step<Change> {
        match cx.phase {
            Phase::Cleanup => remove::decide(o, cx),
            _ => add::decide(o, cx),
        }
    }

    async fn apply(&self, p: &Parameters, change: Change, _: &Cx) -> Result<Value> {
        let sent = match &change {
            Change::Add { instance, cluster, engine, class } => {
                self.add(p, instance, cluster, engine, class).await
            }
            Change::Remove { instance, .. } => self.remove(instance).await,
        };
        sent.map(|()| Value::Null).map_err(look_again)
    }

    fn timeout(p: &Parameters) -> Duration {
        deadline(p.timeout_minutes, Self::TIMEOUT)
    }

    fn outlook(_: &Parameters, o: &Observed, cx: &Cx) -> Option<(ChangeClass, String)> {
        match cx.phase {
            Phase::Cleanup => Some((ChangeClass::Destructive, remove::outlook(o, cx)?)),
            _ => Some((ChangeClass::Create, add::outlook(o, cx)?)),
        }
    }

    fn creates(_: &Parameters, o: &Observed, cx: &Cx) -> Vec<String> {
        match cx.phase {
            Phase::Instantiate => o.wanted.instances.iter().map(|i| format!("rds:{i}")).collect(),
            _ => vec![],
        }
    }
}

impl AuroraMySql {
    async fn add(
        &self,
        p: &Parameters,
        instance: &Arn,
        cluster: &str,
        engine: &str,
        class: &str,
    ) -> Result<()> {
        self.rds
            .create_db_instance()
            .db_instance_identifier(&instance.id)
            .db_cluster_identifier(cluster)
            .engine(engine)
            .db_instance_class(class)
            .set_promotion_tier(within("PromotionTier", p.promotion_tier, 0..=15)?)
            .send()
            .await
            .map(drop)
            .doing(&format!("create instance {} in {}", instance.id, instance.region))
    }

    /// Without a final snapshot: an instance of Aurora has no storage of its own. The data, its
    /// snapshots and its automated backups are the cluster's, and the cluster stays.
    async fn remove(&self, instance: &Arn) -> Result<()> {
        self.rds
            .delete_db_instance()
            .db_instance_identifier(&instance.id)
            .skip_final_snapshot(true)
            .send()
            .await
            .map(drop)
            .doing(&format!("delete instance {} in {}", instance.id, instance.region))
    }
}

/// An instance has come up or gone since the last look, perhaps by a call whose answer was lost: the
/// next look tells. Capacity comes back in its own time, until the deadline.
fn look_again(error: Error) -> Error {
    match error.code.as_deref() {
        Some("DBInstanceAlreadyExists" | "DBInstanceNotFound") => error.nature(Nature::StateFault),
        Some("InsufficientDBInstanceCapacity") => error.nature(Nature::Throttled),
        _ => error,
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
    fn what_a_lost_call_left_is_looked_at_again_and_capacity_is_waited_for() {
        let nature = |code: &str| look_again(shared::aws::from_code("x", code, "", 400)).nature;
        assert_eq!(nature("DBInstanceAlreadyExists"), Nature::StateFault);
        assert_eq!(nature("DBInstanceNotFound"), Nature::StateFault);
        assert_eq!(nature("InsufficientDBInstanceCapacity"), Nature::Throttled);
        assert_eq!(nature("InstanceQuotaExceeded"), Nature::Final);
    }
}
