//! `DeleteRDSInstance`: removes the old primary, after its final snapshot, while the new one
//! serves.

mod decide;
mod guards;
mod observed;
mod parameters;
mod snapshot;

use decide::Change;
use observed::Observed;
use parameters::Parameters;
use serde_json::{Value, json};
use shared::{
    ChangeClass, Clients, ControlPlane, Cx, Doing, Error, Nature, Phase, Resource, Result, Step,
};
use shared_rds::{deadline, describe, snapshots_of};
use std::time::Duration;

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::result::Result<(), lambda_runtime::Error> {
    shared::main::<DeleteRdsInstance>().await
}

/// Deletes a DB instance that no longer serves.
///
/// **Reads:** the expected writer in its Region and the instance (`rds:DescribeDBInstances`), the
/// final snapshot (`rds:DescribeDBSnapshots`).
/// **Changes:** `ModifyDBInstance` (deletion protection off, only with consent),
/// `DeleteDBInstance`.
/// **Done when:** the instance does not exist and its final snapshot is `available`.
/// **Refuses when:** the expected writer is missing, not available, itself a replica, another
/// engine, in the same Region, or the instance to delete; the Region is the run's `primary_region`;
/// the instance is still somebody's replica, or a member of a cluster; it has replicas that
/// `AllowReplicas` does not name; it is protected without consent to lift that; it can give no
/// final snapshot without consent to go without; the given snapshot name is taken.
/// **Safe to repeat because:** what is being deleted is only awaited, RDS refuses a second
/// deletion, and the snapshot's name carries the observed DbiResourceId, which no later instance
/// shares.
struct DeleteRdsInstance {
    at_stale: aws_sdk_rds::Client,
    at_writer: aws_sdk_rds::Client,
    wanted: observed::Wanted,
}

impl Resource for DeleteRdsInstance {
    const TYPE: &'static str = "DeleteRDSInstance";
    const PHASES: &'static [Phase] = &[Phase::Cleanup, Phase::Replicate];
    const READS: &'static [&'static str] = &["rds:DescribeDBInstances", "rds:DescribeDBSnapshots"];
    const WRITES: &'static [&'static str] = &[
        "rds:ModifyDBInstance",
        "rds:DeleteDBInstance",
        "rds:CreateDBSnapshot",
        "rds:AddTagsToResource",
    ];
    const CONTROL_PLANE: ControlPlane = ControlPlane::Regional;
    const TIMEOUT: Duration = Duration::from_secs(3 * 60 * 60);
    const TYPICAL: Duration = Duration::from_secs(15 * 60);
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
        let instance = describe(&self.at_stale, &wanted.stale).await?;
        let snapshots = match wanted.final_snapshot {
            true => snapshots_of(&self.at_stale, &wanted.stale).await?,
            false => vec![],
        };
        // Last, so that nothing lies between the proof and the act.
        let writer = match &instance {
            Some(_) => describe(&self.at_writer, &wanted.writer).await?,
            None => None,
        };
        Ok(Observed { wanted, instance, writer, snapshots })
    }

    fn decide(_: &Parameters, o: &Observed, cx: &Cx) -> Step<Change> {
        decide::decide(o, cx)
    }

    async fn apply(&self, p: &Parameters, change: Change, _: &Cx) -> Result<Value> {
        match change {
            Change::LiftProtection { id } => self.lift_protection(&id).await,
            Change::Delete { id, snapshot } => self.delete(p, &id, snapshot).await,
        }
        .map_err(look_again)
    }

    fn timeout(p: &Parameters) -> Duration {
        deadline(p.timeout_minutes, Self::TIMEOUT)
    }

    fn outlook(_: &Parameters, o: &Observed, _: &Cx) -> Option<(ChangeClass, String)> {
        Some((Self::CLASS, decide::outlook(o)?))
    }
}

impl DeleteRdsInstance {
    async fn lift_protection(&self, id: &str) -> Result<Value> {
        self.at_stale
            .modify_db_instance()
            .db_instance_identifier(id)
            .deletion_protection(false)
            .apply_immediately(false)
            .send()
            .await
            .doing(&format!("lift the deletion protection of {id}"))?;
        Ok(Value::Null)
    }

    async fn delete(&self, p: &Parameters, id: &str, snapshot: Option<String>) -> Result<Value> {
        self.at_stale
            .delete_db_instance()
            .db_instance_identifier(id)
            .skip_final_snapshot(snapshot.is_none())
            .set_final_db_snapshot_identifier(snapshot.clone())
            .delete_automated_backups(p.delete_automated_backups.unwrap_or_default().0)
            .send()
            .await
            .doing(&format!("delete {id} in {}", self.wanted.stale.region))?;
        Ok(json!({ "snapshot": snapshot }))
    }
}

/// The instance is gone since the last look, or the snapshot's name is taken, perhaps by a call
/// whose answer was lost: the next look tells.
fn look_again(error: Error) -> Error {
    match error.code.as_deref() {
        Some("DBInstanceNotFound" | "DBSnapshotAlreadyExists") => error
            .nature(Nature::StateFault)
            .next("If another instance's snapshot has that name, give FinalSnapshotIdentifier."),
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_schema_is_what_the_type_says() {
        let committed = include_str!("../../../samples/schema/DeleteRDSInstance.schema.json");
        let said = shared::describe::describe::<DeleteRdsInstance>();
        assert_eq!(serde_json::from_str::<Value>(committed).unwrap(), said);
    }

    #[test]
    fn what_a_lost_call_left_is_looked_at_again() {
        let nature = |code: &str| look_again(shared::aws::from_code("x", code, "", 400)).nature;
        assert_eq!(nature("DBInstanceNotFound"), Nature::StateFault);
        assert_eq!(nature("DBSnapshotAlreadyExists"), Nature::StateFault);
        assert_eq!(nature("SnapshotQuotaExceeded"), Nature::Final);
    }
}
