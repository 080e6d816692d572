//! Throttling, 5xx, lost answers: transient trouble costs time, never the run.

use crate::cycle::{instances, product};
use e2e::{EAST, WEST, World};
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_action_throttled_once_and_failed_once_does_not_stop_a_phase() {
    let world = World::new();
    for (region, phase) in
        [(WEST, "INSTANTIATE"), (WEST, "ACTIVATE"), (EAST, "CLEANUP"), (WEST, "REPLICATE")]
    {
        world.control.clear_faults();
        world.control.clear_calls();
        for kind in ["throttle", "5xx"] {
            world.control.fault(json!({
                "service": "*", "action": "*", "kind": kind, "times": 1, "each": true
            }));
        }
        world.run(region, &product(phase)).await.succeeded();
        let results: Vec<_> =
            world.control.calls().iter().map(|c| c.text("result").to_owned()).collect();
        for kind in ["throttled", "5xx"] {
            let hit = results.iter().filter(|r| *r == kind).count();
            assert!(hit >= 5, "{phase}: only {hit} calls were {kind}: {results:?}");
        }
    }
    let east = instances(&world, EAST).await;
    assert!(east["orders-db"].1.ends_with(":db:orders-db-dr"), "{east:?}");
}

/// The calls that must not be made twice, each hit by one fault of this kind in its phase.
async fn no_call_is_made_twice_after(kind: &str) {
    let world = World::new();
    world.run(WEST, &product("INSTANTIATE")).await.succeeded();
    for (region, phase, action) in [
        (WEST, "ACTIVATE", "PromoteReadReplica"),
        (EAST, "CLEANUP", "DeleteDBInstance"),
        (WEST, "REPLICATE", "CreateDBInstanceReadReplica"),
    ] {
        world.control.clear_calls();
        world.control.clear_faults();
        world.control.fault(json!({"service": "rds", "action": action, "kind": kind, "times": 1}));
        world.run(region, &product(phase)).await.succeeded();
        assert_eq!(world.count(&format!("rds:{action}")), 1, "{kind}, {phase}");
        assert_eq!(world.control.get("faults")["faults"][0]["fired"], 1, "{kind}, {phase}");
    }
    let east = instances(&world, EAST).await;
    assert!(east["orders-db"].1.ends_with(":db:orders-db-dr"), "{east:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_is_lost_after_the_call_succeeded_repeats_nothing() {
    no_call_is_made_twice_after("drop").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_function_that_is_killed_after_its_call_neither_promotes_nor_deletes_twice() {
    no_call_is_made_twice_after("kill").await;
}
