//! `DeleteElastiCacheReplicationGroup`: removes the old primary of a global datastore, after its
//! final snapshot, while the new one serves.

mod decide;
mod guards;
mod observed;
mod parameters;
mod snapshot;

use decide::Change;
use observed::{Observed, Wanted};
use parameters::Parameters;
use serde_json::{Value, json};
use shared::{
    ChangeClass, Clients, ControlPlane, Cx, Doing, Error, Nature, Phase, Resource, Result, Step,
};
use shared_elasticache::{Group, Seen, deadline, describe_group, list_datastores, look_at};
use std::time::Duration;

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::result::Result<(), lambda_runtime::Error> {
    shared::main::<DeleteElastiCacheReplicationGroup>().await
}

/// Deletes a replication group that no longer serves.
///
/// **Reads:** the group and the expected primary in their Regions
/// (`elasticache:DescribeReplicationGroups`), the global datastores that both Regions know
/// (`elasticache:DescribeGlobalReplicationGroups`), the snapshots of the group's Region
/// (`elasticache:DescribeSnapshots`).
/// **Changes:** `DeleteReplicationGroup`, once, with a final snapshot
/// (`elasticache:CreateSnapshot`).
/// **Done when:** the group does not exist and its final snapshot is `available`.
/// **Refuses when:** the expected primary is missing, not available, a secondary, another engine,
/// in the same Region, or the group to delete; the Region is the run's `primary_region`; the group
/// is a member of a global datastore, by its own word or by that of any global datastore; it can
/// give no final snapshot without consent to go without; the given snapshot name is taken.
/// **Safe to repeat because:** what is being deleted is only awaited, ElastiCache refuses a second
/// deletion, and the snapshot's name carries the group's observed time of creation, which no later
/// group of that id shares.
struct DeleteElastiCacheReplicationGroup {
    at_stale: aws_sdk_elasticache::Client,
    at_primary: aws_sdk_elasticache::Client,
    wanted: Wanted,
}

impl Resource for DeleteElastiCacheReplicationGroup {
    const TYPE: &'static str = "DeleteElastiCacheReplicationGroup";
    const PHASES: &'static [Phase] = &[Phase::Cleanup];
    const READS: &'static [&'static str] = &[
        "elasticache:DescribeReplicationGroups",
        "elasticache:DescribeGlobalReplicationGroups",
        "elasticache:DescribeSnapshots",
    ];
    const WRITES: &'static [&'static str] =
        &["elasticache:DeleteReplicationGroup", "elasticache:CreateSnapshot"];
    const CONTROL_PLANE: ControlPlane = ControlPlane::Regional;
    const TIMEOUT: Duration = Duration::from_secs(2 * 60 * 60);
    const TYPICAL: Duration = Duration::from_secs(15 * 60);
    const CLASS: ChangeClass = ChangeClass::Destructive;
    type Parameters = Parameters;
    type Observed = Observed;
    type Change = Change;

    async fn connect(clients: &Clients, p: &Parameters, cx: &Cx) -> Result<Self> {
        let wanted = parameters::wanted(p, cx)?;
        Ok(Self {
            at_stale: aws_sdk_elasticache::Client::new(&clients.region(&wanted.stale.region)?),
            at_primary: aws_sdk_elasticache::Client::new(&clients.region(&wanted.primary.region)?),
            wanted,
        })
    }

    async fn observe(&self, _: &Parameters, _: &Cx) -> Result<Observed> {
        let wanted = self.wanted.clone();
        let group = describe_group(&self.at_stale, &wanted.stale).await?;
        let snapshots = match wanted.final_snapshot {
            true => snapshot::list(&self.at_stale, &wanted.stale.region).await?,
            false => vec![],
        };
        if group.is_none() {
            let (datastores, primary, at_primary) = (vec![], None, None);
            return Ok(Observed { wanted, group, datastores, primary, at_primary, snapshots });
        }
        let datastores = list_datastores(&self.at_stale).await?;
        // Last, so that nothing lies between the proof and the act.
        let primary = describe_group(&self.at_primary, &wanted.primary).await?;
        let at_primary = self.datastore_of(primary.as_ref()).await?;
        Ok(Observed { wanted, group, datastores, primary, at_primary, snapshots })
    }

    fn decide(_: &Parameters, o: &Observed, cx: &Cx) -> Step<Change> {
        decide::decide(o, cx)
    }

    async fn apply(&self, _: &Parameters, change: Change, _: &Cx) -> Result<Value> {
        let Change { id, snapshot } = change;
        self.at_stale
            .delete_replication_group()
            .replication_group_id(&id)
            .retain_primary_cluster(false)
            .set_final_snapshot_identifier(snapshot.clone())
            .send()
            .await
            .doing(&format!("delete {}", self.wanted.stale.label()))
            .map_err(look_again)?;
        Ok(json!({ "snapshot": snapshot }))
    }

    fn timeout(p: &Parameters) -> Duration {
        deadline(p.timeout_minutes, Self::TIMEOUT)
    }

    fn outlook(_: &Parameters, o: &Observed, cx: &Cx) -> Option<(ChangeClass, String)> {
        Some((Self::CLASS, decide::outlook(o, cx)?))
    }
}

impl DeleteElastiCacheReplicationGroup {
    async fn datastore_of(&self, primary: Option<&Group>) -> Result<Option<Seen>> {
        match primary.and_then(|g| g.global.as_ref()) {
            Some(membership) => Ok(Some(look_at(&self.at_primary, &membership.datastore).await?)),
            None => Ok(None),
        }
    }
}

/// The group is gone since the last look, or the snapshot's name is taken, perhaps by a call whose
/// answer was lost: the next look tells.
fn look_again(error: Error) -> Error {
    match error.code.as_deref() {
        Some("ReplicationGroupNotFoundFault" | "SnapshotAlreadyExistsFault") => {
            error.nature(Nature::StateFault)
        }
        Some("SnapshotFeatureNotSupportedFault") => error.next(
            "Its node type has no snapshots: set FinalSnapshot to \"False\" if its data may go.",
        ),
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_schema_is_what_the_type_says() {
        let committed =
            include_str!("../../../samples/schema/DeleteElastiCacheReplicationGroup.schema.json");
        let said = shared::describe::describe::<DeleteElastiCacheReplicationGroup>();
        assert_eq!(serde_json::from_str::<Value>(committed).unwrap(), said);
    }

    #[test]
    fn what_a_lost_call_left_is_looked_at_again() {
        let after = |code: &str| look_again(shared::aws::from_code("x", code, "", 400));
        assert_eq!(after("ReplicationGroupNotFoundFault").nature, Nature::StateFault);
        assert_eq!(after("SnapshotAlreadyExistsFault").nature, Nature::StateFault);
        assert_eq!(after("InvalidReplicationGroupState").nature, Nature::StateFault);
        assert_eq!(after("SnapshotQuotaExceededFault").nature, Nature::Final);
        assert!(after("SnapshotFeatureNotSupportedFault").next_step.contains("FinalSnapshot"));
    }
}
