//! RDS DB instances.

use crate::matrix::case::Case;
use crate::matrix::seed::{SUBNETS, instance, replica, settled};
use crate::matrix::snapshots;
use e2e::{EAST, WEST, World};
use serde_json::{Value, json};

const OLD: &str = "arn:aws:rds:us-east-1:123456789012:db:ledger";
const NEW: &str = "arn:aws:rds:us-west-2:123456789012:db:ledger-dr";

/// All of them.
pub fn cases() -> Vec<Case> {
    let planned = promote("promote, planned");
    let dark = Case { unplanned: true, dark: true, ..promote("promote, unplanned") };
    [vec![planned, dark, create(), delete()], snapshots::of_instances()].concat()
}

/// A primary in the east with its replica in the west.
pub async fn pair(world: &World) {
    instance(world, EAST, "ledger").await;
    replica(world, WEST, "ledger-dr", OLD).await;
}

/// After a failover: the promoted replica serves, the old primary is left.
pub async fn promoted(world: &World) {
    pair(world).await;
    let promote = world.rds(WEST).promote_read_replica().db_instance_identifier("ledger-dr");
    promote.backup_retention_period(7).send().await.expect("promote-read-replica");
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    settled(world).await;
}

/// After CLEANUP: the promoted replica alone.
async fn alone(world: &World) {
    instance(world, WEST, "ledger-dr").await;
}

pub fn promote(name: &'static str) -> Case {
    let kind = "PromoteRDSReadReplica";
    Case {
        parameters: json!({
            "RDSInstanceIdentifier": "ledger-dr",
            "TargetClusterIdentifier": NEW,
            "BackupRetentionPeriod": "7",
        }),
        proof: vec![
            ("/us-west-2/instances/ledger-dr/source", Value::Null),
            ("/us-west-2/instances/ledger-dr/status", json!("available")),
            ("/us-west-2/instances/ledger-dr/retention", json!(7)),
        ],
        late: Some("rds.promote"),
        ..Case::new(name, kind, "promote-rds-read-replica", |w| Box::pin(pair(w)))
    }
}

pub fn create() -> Case {
    let kind = "CreateRDSReadReplica";
    Case {
        phase: "REPLICATE",
        primary: WEST,
        parameters: json!({
            "RDSInstanceIdentifier": "ledger",
            "Region": EAST,
            "SourceRDSInstanceIdentifier": "ledger-dr",
            "SourceRegion": WEST,
            "DBInstanceClass": "db.t4g.medium",
            "DBSubnetGroup": SUBNETS,
            "DBSecurityGroup": "resolve:ssm:/sampleproduct/peer/security-group",
        }),
        proof: vec![
            ("/us-east-1/instances/ledger/source", json!(NEW)),
            ("/us-east-1/instances/ledger/status", json!("available")),
            ("/us-east-1/instances/ledger/replication/0", json!("replicating")),
        ],
        late: Some("rds.create"),
        ..Case::new("create replica", kind, "create-rds-read-replica", |w| Box::pin(alone(w)))
    }
}

/// DeleteRDSInstance in CLEANUP, of a protected instance.
pub fn delete() -> Case {
    let kind = "DeleteRDSInstance";
    Case {
        phase: "CLEANUP",
        region: EAST,
        primary: WEST,
        parameters: json!({
            "RDSInstanceIdentifier": "ledger",
            "Region": EAST,
            "ExpectedWriterArn": NEW,
            "DisableDeletionProtection": "True",
        }),
        proof: vec![("/us-east-1/instances/ledger", Value::Null)],
        late: Some("rds.delete"),
        repeatable: &["rds:ModifyDBInstance"],
        ..Case::new("delete old primary", kind, "delete-rds-instance", |w| Box::pin(protected(w)))
    }
}

async fn protected(world: &World) {
    promoted(world).await;
    let modify = world.rds(EAST).modify_db_instance().db_instance_identifier("ledger");
    modify.deletion_protection(true).apply_immediately(true).send().await.expect("modify");
    tokio::time::sleep(std::time::Duration::from_millis(1200)).await;
    settled(world).await;
}
