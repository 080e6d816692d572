//! DeleteElastiCacheReplicationGroup, and DisassociateElastiCache in CLEANUP.

use super::{Guard, hold};
use crate::matrix::caches;
use crate::matrix::case::Case;
use crate::matrix::elasticache::{delete, leave_in_cleanup};
use e2e::{EAST, WEST, World};
use serde_json::json;

async fn broken(world: &World) {
    let body = json!({"region": WEST, "id": "sessions-dr", "status": "create-failed"});
    world.control.post("elasticache", &body);
}

/// The snapshot is part of AWS's deletion, which then does not happen.
async fn snapshot_fails(world: &World) {
    let body = json!({"region": EAST, "id": "sessions", "next_snapshot": "failed"});
    world.control.post("elasticache", &body);
}

fn of_deletion() -> Vec<Guard> {
    let elsewhere = "arn:aws:elasticache:us-west-2:999999999999:replicationgroup:sessions-dr";
    let other = "arn:aws:elasticache:us-west-2:123456789012:replicationgroup:sessions";
    vec![
        Guard {
            primary: Some(EAST),
            ..Guard::new("the Region that serves", json!({}), &["primary_region"])
        },
        Guard::new(
            "the current primary",
            json!({"ReplicationGroupId": "sessions-dr", "Region": WEST}),
            &["us-west-2", "another Region"],
        ),
        Guard::new(
            "primary in the same Region",
            json!({"ExpectedPrimaryRegion": EAST}),
            &["another Region"],
        ),
        Guard::new(
            "another account",
            json!({"ExpectedPrimaryReplicationGroupId": elsewhere}),
            &["999999999999"],
        ),
        Guard::new(
            "the sole copy",
            json!({"ExpectedPrimaryReplicationGroupId": "never-made"}),
            &["does not exist", "last copy"],
        ),
        Guard::new("the ARN names another", json!({"ReplicationGroupId": other}), &["us-west-2"]),
        Guard {
            spoil: |w| Box::pin(snapshot_fails(w)),
            error: "Dr.Failed",
            before: &["elasticache:DeleteReplicationGroup"],
            ..Guard::new("the final snapshot fails", json!({}), &["snapshot"])
        },
        Guard::of_world(
            "the primary is broken",
            |w| Box::pin(broken(w)),
            &["create-failed", "last good copy"],
        ),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_cache_that_may_be_needed_stays() {
    hold(delete(), of_deletion()).await;
}

/// Before the old primary has left its global datastore, whichever side is the primary.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_member_of_a_global_datastore_is_not_deleted() {
    let serving = Case { seed: |w| Box::pin(caches::pair(w)), ..delete() };
    let guard =
        Guard::new("the primary of a datastore", json!({}), &["is a secondary of", "ACTIVATE"]);
    hold(serving, vec![guard]).await;
    let following = Case { seed: |w| Box::pin(caches::switched(w)), ..delete() };
    let guard = Guard::new(
        "a secondary of it",
        json!({}),
        &["still a secondary", "DisassociateElastiCache"],
    );
    hold(following, vec![guard]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_serves_does_not_leave_its_datastore_in_cleanup() {
    let west = json!({"ReplicationGroupId": "sessions-dr", "ReplicationGroupRegion": WEST});
    let elsewhere = "arn:aws:elasticache:us-east-1:999999999999:replicationgroup:sessions";
    let other = "arn:aws:elasticache:us-west-2:123456789012:replicationgroup:sessions";
    let guards = vec![
        Guard::new("the current primary", west, &["sessions-dr"]),
        Guard::new("another account", json!({"ReplicationGroupId": elsewhere}), &["999999999999"]),
        Guard::new("the ARN names another", json!({"ReplicationGroupId": other}), &["us-west-2"]),
        Guard {
            primary: Some(EAST),
            ..Guard::new("the Region that serves", json!({}), &["primary_region"])
        },
        Guard::new(
            "another datastore",
            json!({"GlobalReplicationGroupId": "ldgnf-other"}),
            &["ldgnf-other"],
        ),
    ];
    hold(leave_in_cleanup(), guards).await;
    let not_switched = Case { seed: |w| Box::pin(caches::pair(w)), ..leave_in_cleanup() };
    let guard = Guard::new("still the primary", json!({}), &["primary"]);
    hold(not_switched, vec![guard]).await;
}
