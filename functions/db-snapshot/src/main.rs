//! `DBSnapshot`: takes or copies a snapshot and waits until it is available.

mod change;
mod decide;
mod observed;
mod parameters;

use change::Change;
use observed::{Database, Observed, Source, Wanted};
use parameters::Parameters;
use serde_json::Value;
use shared::{
    ChangeClass, Classified, Clients, ControlPlane, Cx, Doing, Error, Nature, Phase, Resource,
    Result, Step,
};
use shared_rds::{
    Arn, Kind, Snapshot, deadline, describe, describe_cluster, describe_snapshot,
    point_of_failure_copy, snapshots_of,
};
use std::time::Duration;

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::result::Result<(), lambda_runtime::Error> {
    shared::main::<DbSnapshot>().await
}

/// Takes a snapshot of a DB instance or DB cluster, or copies one, also to another Region.
///
/// **Reads:** the source in its Region (`rds:DescribeDBInstances`, `rds:DescribeDBClusters`,
/// `rds:DescribeDBSnapshots`, `rds:DescribeDBClusterSnapshots`), the snapshot in its own.
/// **Changes:** one of `CreateDBSnapshot`, `CreateDBClusterSnapshot`, `CopyDBSnapshot`,
/// `CopyDBClusterSnapshot`, once. It deletes nothing.
/// **Done when:** the snapshot is `available`; or, of `COPY_POINT_OF_FAILURE`, when RDS has none,
/// which the result says loudly.
/// **Refuses when:** a snapshot of the name exists and is of something else; an encrypted snapshot
/// goes to another Region without a key, or an unencrypted cluster snapshot is given one; the
/// instance is a member of a cluster; an ARN names another place.
/// **Safe to repeat because:** the name stays the same within an exercise, a snapshot of it is looked
/// for first, and RDS refuses a second one of that name.
///
/// Between two GovCloud Regions RDS may ask for a `PreSignedUrl` to copy an encrypted snapshot; this
/// step sends none.
struct DbSnapshot {
    at_source: aws_sdk_rds::Client,
    at_target: aws_sdk_rds::Client,
    wanted: Wanted,
}

impl Resource for DbSnapshot {
    const TYPE: &'static str = "DBSnapshot";
    const PHASES: &'static [Phase] = &Phase::ALL;
    const READS: &'static [&'static str] = &[
        "rds:DescribeDBClusters",
        "rds:DescribeDBInstances",
        "rds:DescribeDBClusterSnapshots",
        "rds:DescribeDBSnapshots",
    ];
    const WRITES: &'static [&'static str] = &[
        "rds:CreateDBClusterSnapshot",
        "rds:CreateDBSnapshot",
        "rds:CopyDBClusterSnapshot",
        "rds:CopyDBSnapshot",
        "rds:AddTagsToResource",
        "kms:CreateGrant",
        "kms:DescribeKey",
    ];
    const CONTROL_PLANE: ControlPlane = ControlPlane::Regional;
    const TIMEOUT: Duration = Duration::from_secs(6 * 60 * 60);
    const TYPICAL: Duration = Duration::from_secs(20 * 60);
    const CLASS: ChangeClass = ChangeClass::Create;
    type Parameters = Parameters;
    type Observed = Observed;
    type Change = Change;

    async fn connect(clients: &Clients, p: &Parameters, cx: &Cx) -> Result<Self> {
        let wanted = parameters::wanted(p, cx, clients.executing_region())?;
        Ok(Self {
            at_source: aws_sdk_rds::Client::new(&clients.region(&wanted.from)?),
            at_target: aws_sdk_rds::Client::new(&clients.region(&wanted.to)?),
            wanted,
        })
    }

    async fn observe(&self, _: &Parameters, _: &Cx) -> Result<Observed> {
        let wanted = self.wanted.clone();
        let (database, source) = self.source().await?;
        let derived = || source.as_ref().map(|s| point_of_failure_copy(&s.name));
        let name = wanted.name.clone().or_else(derived);
        let taken = match &name {
            Some(name) => describe_snapshot(&self.at_target, wanted.kind, name).await?,
            None => None,
        };
        let earlier = match (&wanted.source, &source) {
            (Source::PointOfFailure(old), None) => self.earlier(old).await?,
            _ => None,
        };
        Ok(Observed { wanted, database, source, name, taken, earlier })
    }

    fn decide(_: &Parameters, o: &Observed, cx: &Cx) -> Step<Change> {
        decide::decide(o, cx)
    }

    async fn apply(&self, _: &Parameters, change: Change, _: &Cx) -> Result<Value> {
        let doing = change.summary();
        match &change {
            Change::Create { kind, of, name } => self.create(*kind, of, name, &doing).await,
            Change::Copy { kind, source, name, .. } => self.copy(*kind, source, name, &doing).await,
        }
        .map_err(look_again)?;
        Ok(Value::Null)
    }

    fn timeout(p: &Parameters) -> Duration {
        deadline(p.timeout_minutes, Self::TIMEOUT)
    }

    fn outlook(_: &Parameters, o: &Observed, cx: &Cx) -> Option<(ChangeClass, String)> {
        Some((Self::CLASS, decide::outlook(o, cx)?))
    }

    fn creates(_: &Parameters, o: &Observed, _: &Cx) -> Vec<String> {
        o.name.iter().map(|name| format!("rds:{}{name}", o.wanted.arn_prefix)).collect()
    }
}

/// What the looks need.
impl DbSnapshot {
    async fn source(&self) -> Result<(Option<Database>, Option<Snapshot>)> {
        let (client, kind) = (&self.at_source, self.wanted.kind);
        Ok(match &self.wanted.source {
            Source::Database(arn) if kind == Kind::Cluster => {
                (describe_cluster(client, arn).await?.map(Database::from), None)
            }
            Source::Database(arn) => (describe(client, arn).await?.map(Database::from), None),
            Source::Snapshot { name, .. } => (None, describe_snapshot(client, kind, name).await?),
            Source::PointOfFailure(arn) => {
                let mut all = snapshots_of(client, arn).await?;
                all.retain(Snapshot::is_point_of_failure);
                (None, all.pop())
            }
        })
    }

    /// A copy that an earlier attempt made before the system snapshot ended.
    async fn earlier(&self, old: &Arn) -> Result<Option<Snapshot>> {
        let here = Arn { region: self.wanted.to.clone(), ..old.clone() };
        let mut all = snapshots_of(&self.at_target, &here).await?;
        all.retain(Snapshot::is_copy_of_point_of_failure);
        Ok(all.pop())
    }
}

/// The calls.
impl DbSnapshot {
    async fn create(&self, kind: Kind, of: &str, name: &str, doing: &str) -> Result<()> {
        let client = &self.at_source;
        match kind {
            Kind::Cluster => client
                .create_db_cluster_snapshot()
                .db_cluster_identifier(of)
                .db_cluster_snapshot_identifier(name)
                .send()
                .await
                .doing(doing)
                .map(|_| ()),
            Kind::Db => client
                .create_db_snapshot()
                .db_instance_identifier(of)
                .db_snapshot_identifier(name)
                .send()
                .await
                .doing(doing)
                .map(|_| ()),
        }
    }

    async fn copy(&self, kind: Kind, source: &str, name: &str, doing: &str) -> Result<()> {
        let (client, wanted) = (&self.at_target, &self.wanted);
        match kind {
            Kind::Cluster => client
                .copy_db_cluster_snapshot()
                .source_db_cluster_snapshot_identifier(source)
                .target_db_cluster_snapshot_identifier(name)
                .set_kms_key_id(wanted.kms_key.clone())
                .copy_tags(wanted.copy_tags)
                .send()
                .await
                .doing(doing)
                .map(|_| ()),
            Kind::Db => client
                .copy_db_snapshot()
                .source_db_snapshot_identifier(source)
                .target_db_snapshot_identifier(name)
                .set_kms_key_id(wanted.kms_key.clone())
                .copy_tags(wanted.copy_tags)
                .send()
                .await
                .doing(doing)
                .map(|_| ()),
        }
    }
}

/// The source is gone since the last look, or the snapshot's name is taken, perhaps by a call whose
/// answer was lost: the next look tells.
fn look_again(error: Error) -> Error {
    let taken = ["DBClusterSnapshotAlreadyExistsFault", "DBSnapshotAlreadyExists"]
        .map(Some)
        .contains(&error.code.as_deref());
    if taken || error.is_not_found() {
        return error.nature(Nature::StateFault);
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_schema_is_what_the_type_says() {
        let committed = include_str!("../../../samples/schema/DBSnapshot.schema.json");
        let said = shared::describe::describe::<DbSnapshot>();
        assert_eq!(serde_json::from_str::<Value>(committed).unwrap(), said);
    }

    #[test]
    fn what_a_lost_call_left_is_looked_at_again() {
        let nature = |code: &str| look_again(shared::aws::from_code("x", code, "", 400)).nature;
        for code in [
            "DBClusterSnapshotAlreadyExistsFault",
            "DBSnapshotAlreadyExists",
            "DBSnapshotNotFound",
            "InvalidDBClusterStateFault",
        ] {
            assert_eq!(nature(code), Nature::StateFault, "{code}");
        }
        assert_eq!(nature("SnapshotQuotaExceeded"), Nature::Final);
        assert_eq!(nature("KMSKeyNotAccessibleFault"), Nature::Final);
    }
}
