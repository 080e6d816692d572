//! `DeleteAuroraCluster`: removes the old primary's cluster, after its final snapshot, while the new
//! one serves.

mod change;
mod decide;
mod globals;
mod gone;
mod guards;
mod observed;
mod parameters;
#[cfg(test)]
mod samples;
mod snapshot;
mod state;

use change::Change;
use observed::{Observed, Wanted};
use parameters::Parameters;
use serde_json::{Value, json};
use shared::{
    ChangeClass, Clients, ControlPlane, Cx, Doing, Error, Nature, Phase, Resource, Result, Step,
};
use shared_rds::{deadline, describe_cluster, instances_of, list_globals, snapshots_of};
use std::time::Duration;

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::result::Result<(), lambda_runtime::Error> {
    shared::main::<DeleteAuroraCluster>().await
}

/// Deletes an Aurora cluster that no longer serves, with its instances.
///
/// **Reads:** the cluster, its instances and its snapshots; all global clusters as both Regions know
/// them; the expected writer and its instances, last (`rds:DescribeDBClusters`,
/// `rds:DescribeDBInstances`, `rds:DescribeDBClusterSnapshots`, `rds:DescribeGlobalClusters`).
/// **Changes:** one call between two looks, in this order: `CopyDBClusterSnapshot` (point-of-failure
/// snapshots), `ModifyDBCluster` (deletion protection off, only with consent),
/// `RemoveFromGlobalCluster`, `DeleteDBInstance` for each instance, readers first,
/// `DeleteDBCluster`, and `DeleteGlobalCluster` only when asked.
/// **Done when:** the cluster does not exist, its final snapshot is `available`, and the global
/// cluster that was to go does not exist.
/// **Refuses when:** the expected writer is missing, not available, without an available writer
/// instance, a secondary or a replica, another engine, in the same Region, or the cluster to delete;
/// the Region is the run's `primary_region`; the cluster is the writer of a global cluster with other
/// members, or the standby of the one that serves (without consent), or a member of another global
/// cluster than the named one; it has replicas that `AllowReplicas` does not name; it is protected
/// without consent to lift that; the given snapshot name is taken; the global cluster that is to go
/// has other members or protection.
/// **Safe to repeat because:** each look decides anew what is left, what is being deleted is only
/// awaited, RDS refuses a second deletion, and the snapshot's name carries the observed
/// DbClusterResourceId, which no later cluster shares.
///
/// How fresh the metadata of global clusters is in each Region is not documented: while the two
/// Regions differ, or any change of roles shows, nothing is done.
struct DeleteAuroraCluster {
    at_stale: aws_sdk_rds::Client,
    at_writer: aws_sdk_rds::Client,
    wanted: Wanted,
}

impl Resource for DeleteAuroraCluster {
    const TYPE: &'static str = "DeleteAuroraCluster";
    const PHASES: &'static [Phase] = &[Phase::Cleanup, Phase::Replicate];
    const READS: &'static [&'static str] = &[
        "rds:DescribeDBClusters",
        "rds:DescribeDBInstances",
        "rds:DescribeDBClusterSnapshots",
        "rds:DescribeGlobalClusters",
    ];
    const WRITES: &'static [&'static str] = &[
        "rds:CopyDBClusterSnapshot",
        "rds:ModifyDBCluster",
        "rds:RemoveFromGlobalCluster",
        "rds:DeleteDBInstance",
        "rds:DeleteDBCluster",
        "rds:CreateDBClusterSnapshot",
        "rds:DeleteGlobalCluster",
        "rds:AddTagsToResource",
        "kms:CreateGrant",
        "kms:DescribeKey",
    ];
    const CONTROL_PLANE: ControlPlane = ControlPlane::Regional;
    const TIMEOUT: Duration = Duration::from_secs(3 * 60 * 60);
    const TYPICAL: Duration = Duration::from_secs(25 * 60);
    const CLASS: ChangeClass = ChangeClass::Destructive;
    type Parameters = Parameters;
    type Observed = Observed;
    type Change = Change;

    async fn connect(clients: &Clients, p: &Parameters, cx: &Cx) -> Result<Self> {
        let wanted = parameters::wanted(p, cx)?;
        Ok(Self {
            at_stale: aws_sdk_rds::Client::new(&clients.region(&wanted.stale.region)?),
            at_writer: aws_sdk_rds::Client::new(&clients.region(&wanted.writer.region)?),
            wanted,
        })
    }

    async fn observe(&self, _: &Parameters, _: &Cx) -> Result<Observed> {
        let wanted = self.wanted.clone();
        let stale = describe_cluster(&self.at_stale, &wanted.stale).await?;
        let instances = match &stale {
            Some(_) => self.instances().await?,
            None => vec![],
        };
        let snapshots = match wanted.final_snapshot || wanted.copy_point_of_failure {
            true => snapshots_of(&self.at_stale, &wanted.stale).await?,
            false => vec![],
        };
        let seen = Observed { stale, instances, snapshots, ..Observed::nothing(wanted) };
        // Last, so that nothing lies between the proof and the act.
        match seen.stale.is_some() || seen.wanted.delete_global {
            true => self.surviving_side(seen).await,
            false => Ok(seen),
        }
    }

    fn decide(_: &Parameters, o: &Observed, cx: &Cx) -> Step<Change> {
        decide::decide(o, cx)
    }

    async fn apply(&self, p: &Parameters, change: Change, _: &Cx) -> Result<Value> {
        match change {
            Change::Copy { source, copy } => self.copy(&source, &copy).await,
            Change::LiftProtection { id } => self.lift_protection(&id).await,
            Change::Detach { arn, global } => self.detach(&arn, &global).await,
            Change::DeleteInstance { id } => self.delete_instance(&id).await,
            Change::Delete { id, snapshot } => self.delete(p, &id, snapshot).await,
            Change::DeleteGlobal { id } => self.delete_global(&id).await,
        }
        .map_err(look_again)
    }

    fn timeout(p: &Parameters) -> Duration {
        deadline(p.timeout_minutes, Self::TIMEOUT)
    }

    fn outlook(_: &Parameters, o: &Observed, cx: &Cx) -> Option<(ChangeClass, String)> {
        Some((Self::CLASS, decide::outlook(o, cx)?))
    }
}

/// What the looks need.
impl DeleteAuroraCluster {
    async fn instances(&self) -> Result<Vec<shared_rds::Instance>> {
        let mut all = instances_of(&self.at_stale, &self.wanted.stale).await?;
        // The filter is the service's; that no instance of another cluster is touched is ours.
        all.retain(|i| i.cluster.as_deref() == Some(self.wanted.stale.id.as_str()));
        Ok(all)
    }

    async fn surviving_side(&self, seen: Observed) -> Result<Observed> {
        let writer = &self.wanted.writer;
        Ok(Observed {
            here: list_globals(&self.at_stale).await?,
            there: list_globals(&self.at_writer).await?,
            writer_instances: instances_of(&self.at_writer, writer).await?,
            writer: describe_cluster(&self.at_writer, writer).await?,
            ..seen
        })
    }
}

/// The calls.
impl DeleteAuroraCluster {
    async fn copy(&self, source: &str, copy: &str) -> Result<Value> {
        self.at_stale
            .copy_db_cluster_snapshot()
            .source_db_cluster_snapshot_identifier(source)
            .target_db_cluster_snapshot_identifier(copy)
            .send()
            .await
            .doing(&format!("copy {source} to {copy}"))?;
        Ok(Value::Null)
    }

    async fn lift_protection(&self, id: &str) -> Result<Value> {
        self.at_stale
            .modify_db_cluster()
            .db_cluster_identifier(id)
            .deletion_protection(false)
            .apply_immediately(true)
            .send()
            .await
            .doing(&format!("lift the deletion protection of {id}"))?;
        Ok(Value::Null)
    }

    async fn detach(&self, arn: &str, global: &str) -> Result<Value> {
        self.at_stale
            .remove_from_global_cluster()
            .global_cluster_identifier(global)
            .db_cluster_identifier(arn)
            .send()
            .await
            .doing(&format!("remove {arn} from global cluster {global}"))?;
        Ok(Value::Null)
    }

    async fn delete_instance(&self, id: &str) -> Result<Value> {
        self.at_stale
            .delete_db_instance()
            .db_instance_identifier(id)
            .skip_final_snapshot(true)
            .send()
            .await
            .doing(&format!("delete instance {id} in {}", self.wanted.stale.region))?;
        Ok(Value::Null)
    }

    async fn delete(&self, p: &Parameters, id: &str, snapshot: Option<String>) -> Result<Value> {
        self.at_stale
            .delete_db_cluster()
            .db_cluster_identifier(id)
            .skip_final_snapshot(snapshot.is_none())
            .set_final_db_snapshot_identifier(snapshot.clone())
            .delete_automated_backups(p.delete_automated_backups.unwrap_or_default().0)
            .send()
            .await
            .doing(&format!("delete cluster {id} in {}", self.wanted.stale.region))?;
        Ok(json!({ "snapshot": snapshot }))
    }

    async fn delete_global(&self, id: &str) -> Result<Value> {
        self.at_stale
            .delete_global_cluster()
            .global_cluster_identifier(id)
            .send()
            .await
            .doing(&format!("delete global cluster {id}"))?;
        Ok(Value::Null)
    }
}

/// Something is gone since the last look, or a snapshot's name is taken, perhaps by a call whose
/// answer was lost: the next look tells.
fn look_again(error: Error) -> Error {
    match error.code.as_deref() {
        Some("DBClusterSnapshotAlreadyExistsFault") => error
            .nature(Nature::StateFault)
            .next("If another cluster's snapshot has that name, give FinalSnapshotIdentifier."),
        _ if error.is_not_found() => error.nature(Nature::StateFault),
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_schema_is_what_the_type_says() {
        let committed = include_str!("../../../samples/schema/DeleteAuroraCluster.schema.json");
        let said = shared::describe::describe::<DeleteAuroraCluster>();
        assert_eq!(serde_json::from_str::<Value>(committed).unwrap(), said);
    }

    #[test]
    fn what_a_lost_call_left_is_looked_at_again() {
        let nature = |code: &str| look_again(shared::aws::from_code("x", code, "", 400)).nature;
        for code in [
            "DBClusterNotFoundFault",
            "DBInstanceNotFound",
            "GlobalClusterNotFoundFault",
            "DBClusterSnapshotNotFoundFault",
            "DBClusterSnapshotAlreadyExistsFault",
            "InvalidDBClusterStateFault",
        ] {
            assert_eq!(nature(code), Nature::StateFault, "{code}");
        }
        assert_eq!(nature("SnapshotQuotaExceeded"), Nature::Final);
        assert_eq!(nature("InvalidParameterCombination"), Nature::Final);
    }
}
