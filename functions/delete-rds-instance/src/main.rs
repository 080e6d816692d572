//! `DeleteRDSInstance`: removes the old primary, after its final snapshot, while the new one serves.

mod decide;
mod guards;
mod observed;
mod snapshot;

use decide::{Change, decide};
use observed::{Observed, Wanted};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use shared::coerce::{Flag, Int, List};
use shared::{ChangeClass, Clients, ControlPlane, Cx, Doing, Error, Phase, Resource, Result, Step};
use shared_rds::{Arn, account_of, describe, id_of};
use std::time::Duration;

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::result::Result<(), lambda_runtime::Error> {
    shared::main::<DeleteRdsInstance>().await
}

/// Parameters of DeleteRDSInstance.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Parameters {
    /// Identifier, or ARN, of the instance to delete.
    #[serde(rename = "RDSInstanceIdentifier")]
    rds_instance_identifier: String,
    /// Region of the instance to delete.
    region: String,
    /// ARN of the instance that serves now, in the other Region. Nothing is deleted unless it is
    /// observed to be available and standalone immediately before.
    expected_writer_arn: String,
    /// Take a final snapshot and wait until it is available; default true.
    final_snapshot: Option<Flag>,
    /// Name of the final snapshot; default: dr-final-<identifier>-<DbiResourceId>.
    final_snapshot_identifier: Option<String>,
    /// Lift deletion protection when it is on; default false.
    disable_deletion_protection: Option<Flag>,
    /// Also delete the automated backups; default false.
    delete_automated_backups: Option<Flag>,
    /// Read replicas (identifiers or ARNs) that may lose their source.
    allow_replicas: Option<List>,
    /// Deadline of the attempt, minutes; default 180.
    timeout_minutes: Option<Int>,
}

/// Deletes a DB instance that no longer serves.
///
/// **Reads:** the expected writer in its Region and the instance (`rds:DescribeDBInstances`), the final
/// snapshot (`rds:DescribeDBSnapshots`).
/// **Changes:** `ModifyDBInstance` (deletion protection off, only with consent), `DeleteDBInstance`.
/// **Done when:** the instance does not exist and its final snapshot is `available`.
/// **Refuses when:** the expected writer is missing, not available, itself a replica, or the instance to
/// delete; the instance is still somebody's replica; it has replicas that `AllowReplicas` does not name;
/// it is protected without consent to lift that; it can give no final snapshot without consent to go
/// without.
/// **Safe to repeat because:** the snapshot's name carries the observed DbiResourceId, a deleted
/// instance is never looked for under another id, and RDS refuses a second deletion.
struct DeleteRdsInstance {
    old: aws_sdk_rds::Client,
    new: aws_sdk_rds::Client,
    wanted: Wanted,
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
    const CLASS: ChangeClass = ChangeClass::Destructive;
    type Parameters = Parameters;
    type Observed = Observed;
    type Change = Change;

    async fn connect(clients: &Clients, p: &Parameters, _: &Cx) -> Result<Self> {
        let account = clients.account();
        let id = id_of("RDSInstanceIdentifier", &p.rds_instance_identifier, &p.region, account)?;
        let writer = Arn::parse("ExpectedWriterArn", &p.expected_writer_arn)?;
        account_of("ExpectedWriterArn", &writer, account)?;
        if writer.region == p.region {
            return Err(Error::refused(format!(
                "parameters.ExpectedWriterArn is in {}, the Region of the instance to delete: the \
                 database that serves must be in the other Region",
                p.region
            )));
        }
        Ok(Self {
            old: aws_sdk_rds::Client::new(&clients.region(&p.region)?),
            new: aws_sdk_rds::Client::new(&clients.region(&writer.region)?),
            wanted: wanted(p, id, writer),
        })
    }

    async fn observe(&self, _: &Parameters, _: &Cx) -> Result<Observed> {
        let wanted = self.wanted.clone();
        let instance = describe(&self.old, &wanted.id, &wanted.region).await?;
        let writer = describe(&self.new, &wanted.writer.id, &wanted.writer.region).await?;
        let snapshots = match wanted.final_snapshot {
            true => snapshot::of(&self.old, &wanted.id, &wanted.region).await?,
            false => vec![],
        };
        Ok(Observed { wanted, instance, writer, snapshots })
    }

    fn decide(_: &Parameters, o: &Observed, cx: &Cx) -> Step<Change> {
        decide(o, cx)
    }

    async fn apply(&self, p: &Parameters, change: Change, _: &Cx) -> Result<Value> {
        match change {
            Change::LiftProtection { .. } => self.lift_protection().await,
            Change::Delete { snapshot, .. } => self.delete(p, snapshot).await,
        }
    }

    fn timeout(p: &Parameters) -> Duration {
        p.timeout_minutes.map_or(Self::TIMEOUT, |m| Duration::from_secs(m.0.unsigned_abs() * 60))
    }

    fn outlook(_: &Parameters, o: &Observed, _: &Cx) -> Option<(ChangeClass, String)> {
        let instance = o.instance.as_ref()?;
        Some((ChangeClass::Destructive, decide::outlook(o, instance)))
    }
}

impl DeleteRdsInstance {
    async fn lift_protection(&self) -> Result<Value> {
        let Wanted { id, region, .. } = &self.wanted;
        self.old
            .modify_db_instance()
            .db_instance_identifier(id)
            .deletion_protection(false)
            .apply_immediately(true)
            .send()
            .await
            .doing(&format!("lift the deletion protection of {id} in {region}"))?;
        Ok(Value::Null)
    }

    async fn delete(&self, p: &Parameters, snapshot: Option<String>) -> Result<Value> {
        let Wanted { id, region, .. } = &self.wanted;
        self.old
            .delete_db_instance()
            .db_instance_identifier(id)
            .skip_final_snapshot(snapshot.is_none())
            .set_final_db_snapshot_identifier(snapshot.clone())
            .delete_automated_backups(p.delete_automated_backups.unwrap_or_default().0)
            .send()
            .await
            .doing(&format!("delete {id} in {region}"))?;
        Ok(json!({ "snapshot": snapshot }))
    }
}

fn wanted(p: &Parameters, id: String, writer: Arn) -> Wanted {
    Wanted {
        id,
        region: p.region.clone(),
        writer,
        final_snapshot: p.final_snapshot.is_none_or(|f| f.0),
        snapshot_name: p.final_snapshot_identifier.as_ref().map(|n| n.to_lowercase()),
        may_lift_protection: p.disable_deletion_protection.unwrap_or_default().0,
        allowed_replicas: p.allow_replicas.clone().unwrap_or_default().0,
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
}
