//! DeleteAuroraCluster, and AuroraMySQL in CLEANUP.

use super::{Guard, hold};
use crate::matrix::aurora::{delete_stale, remove_instances};
use crate::matrix::case::Case;
use crate::matrix::clusters;
use e2e::{EAST, WEST, World};
use serde_json::json;

/// The snapshot is part of AWS's deletion, which then does not happen.
async fn snapshot_fails(world: &World) {
    let body = json!({"region": EAST, "cluster": "ledger-east", "next_snapshot": "failed"});
    world.control.post("rds", &body);
}

async fn broken(world: &World) {
    let body = json!({"region": WEST, "cluster": "ledger-west", "status": "failed"});
    world.control.post("rds", &body);
}

async fn protected(world: &World) {
    let modify = world.rds(EAST).modify_db_cluster().db_cluster_identifier("ledger-east");
    let modify = modify.deletion_protection(true).apply_immediately(true);
    modify.send().await.expect("modify-db-cluster");
    tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
}

fn of_deletion() -> Vec<Guard> {
    let elsewhere = "arn:aws:rds:us-west-2:999999999999:cluster:ledger-west";
    let missing = "arn:aws:rds:us-west-2:123456789012:cluster:never-made";
    let here = "arn:aws:rds:us-east-1:123456789012:cluster:another";
    let other = "arn:aws:rds:us-west-2:123456789012:cluster:ledger-east";
    vec![
        Guard {
            primary: Some(EAST),
            ..Guard::new("the Region that serves", json!({}), &["primary_region"])
        },
        Guard::new(
            "the current writer",
            json!({"DBClusterIdentifier": "ledger-west", "ClusterRegion": WEST}),
            &["us-west-2"],
        ),
        Guard::new(
            "writer in the same Region",
            json!({"ExpectedWriterArn": here}),
            &["another Region"],
        ),
        Guard::new("another account", json!({"ExpectedWriterArn": elsewhere}), &["999999999999"]),
        Guard::new("the sole copy", json!({"ExpectedWriterArn": missing}), &["does not exist"]),
        Guard::new("the ARN names another", json!({"DBClusterIdentifier": other}), &["us-west-2"]),
        Guard {
            spoil: |w| Box::pin(snapshot_fails(w)),
            error: "Dr.Failed",
            before: &[
                "rds:ModifyDBCluster",
                "rds:RemoveFromGlobalCluster",
                "rds:DeleteDBInstance",
                "rds:DeleteDBCluster",
            ],
            ..Guard::new("the final snapshot fails", json!({}), &["was not deleted", "snapshot"])
        },
        Guard::of_world("the writer has failed", |w| Box::pin(broken(w)), &["failed"]),
        Guard {
            spoil: |w| Box::pin(protected(w)),
            ..Guard::new(
                "protection without consent",
                json!({"DisableDeletionProtection": "False"}),
                &["deletion protection", "DisableDeletionProtection"],
            )
        },
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_aurora_cluster_that_may_be_needed_stays() {
    hold(delete_stale(), of_deletion()).await;
}

/// While the expected writer is a secondary of the cluster to delete, or the cluster is its standby.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_aurora_cluster_of_a_live_global_database_stays() {
    let serving = Case { seed: |w| Box::pin(clusters::pair(w)), ..delete_stale() };
    hold(serving, vec![Guard::new("it is the writer", json!({}), &["ledger-west"])]).await;
    let following = Case { seed: |w| Box::pin(clusters::switched(w)), ..delete_stale() };
    let guard = Guard::new("it is the standby", json!({}), &["AllowDeleteHealthySecondary"]);
    hold(following, vec![guard]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn instances_of_the_aurora_writer_stay() {
    let west = json!({"DBClusterIdentifier": "ledger-west", "Region": WEST,
                      "DBInstanceIdentifier": "ledger-west-1"});
    let elsewhere = "arn:aws:rds:us-east-1:999999999999:cluster:ledger-east";
    let guards = vec![
        Guard::new("the current writer", west, &["primary_region"]),
        Guard::new("another account", json!({"DBClusterIdentifier": elsewhere}), &["999999999999"]),
        Guard {
            primary: Some(EAST),
            ..Guard::new("the Region that serves", json!({}), &["primary_region"])
        },
        Guard::new("another global", json!({"GlobalClusterIdentifier": "other"}), &["other"]),
    ];
    hold(remove_instances(), guards).await;
    let not_switched = Case { seed: |w| Box::pin(clusters::pair(w)), ..remove_instances() };
    hold(not_switched, vec![Guard::new("still the writer", json!({}), &["ACTIVATE"])]).await;
}
