//! DeleteRDSInstance.

use super::{Guard, hold};
use crate::matrix::rds::{delete, pair};
use e2e::{EAST, WEST, World};
use serde_json::json;
use std::time::Duration;

fn guards() -> Vec<Guard> {
    let elsewhere = "arn:aws:rds:us-west-2:999999999999:db:ledger-dr";
    let missing = "arn:aws:rds:us-west-2:123456789012:db:never-made";
    let here = "arn:aws:rds:us-east-1:123456789012:db:orders-db";
    let other = "arn:aws:rds:us-west-2:123456789012:db:ledger";
    vec![
        Guard {
            primary: Some(EAST),
            ..Guard::new("the Region that serves", json!({}), &["primary_region"])
        },
        Guard::new(
            "the current writer",
            json!({"RDSInstanceIdentifier": "ledger-dr", "Region": WEST}),
            &["us-west-2"],
        ),
        Guard::new(
            "writer in the same Region",
            json!({"ExpectedWriterArn": here}),
            &["another Region"],
        ),
        Guard::new("another account", json!({"ExpectedWriterArn": elsewhere}), &["999999999999"]),
        Guard::new(
            "the sole copy",
            json!({"ExpectedWriterArn": missing}),
            &["does not exist", "last copy"],
        ),
        Guard::new(
            "the ARN names another",
            json!({"RDSInstanceIdentifier": other}),
            &["us-west-2"],
        ),
        Guard::new(
            "protection without consent",
            json!({"DisableDeletionProtection": "False"}),
            &["deletion protection", "DisableDeletionProtection"],
        ),
        Guard::of_world(
            "the writer has failed",
            |w| Box::pin(broken(w)),
            &["failed", "last good copy"],
        ),
        Guard {
            spoil: |w| Box::pin(snapshot_fails(w)),
            error: "Dr.Failed",
            before: &["rds:ModifyDBInstance", "rds:DeleteDBInstance"],
            ..Guard::new("the final snapshot fails", json!({}), &["was not deleted", "snapshot"])
        },
        Guard::of_world(
            "still a replica of it",
            |w| Box::pin(replicated(w)),
            &["read replicas", "ledger-copy"],
        ),
    ]
}

/// The snapshot is part of AWS's deletion, which then does not happen.
async fn snapshot_fails(world: &World) {
    let body = json!({"region": EAST, "id": "ledger", "next_snapshot": "failed"});
    world.control.post("rds", &body);
}

async fn broken(world: &World) {
    world.control.post("rds", &json!({"region": WEST, "id": "ledger-dr", "status": "failed"}));
}

/// Another replica hangs on the old primary.
async fn replicated(world: &World) {
    let create = world.rds(WEST).create_db_instance_read_replica();
    let source = "arn:aws:rds:us-east-1:123456789012:db:ledger";
    let create = create.db_instance_identifier("ledger-copy").source_db_instance_identifier(source);
    create.db_instance_class("db.t4g.medium").send().await.expect("a replica");
    tokio::time::sleep(Duration::from_secs(1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_rds_instance_that_may_be_needed_stays() {
    hold(delete(), guards()).await;
}

/// Nobody has promoted the replica: it is no writer, and its source must stay.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_rds_instance_stays_while_the_expected_writer_is_its_replica() {
    let before = crate::matrix::case::Case { seed: |w| Box::pin(pair(w)), ..delete() };
    let guard = Guard::new("not promoted", json!({}), &["still a replica", "ACTIVATE"]);
    hold(before, vec![guard]).await;
}
