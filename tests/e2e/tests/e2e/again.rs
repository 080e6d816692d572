//! Starting the same manifest again is resume: after success, after a kill, after a stop.

use crate::cycle::{instances, product};
use aws_sdk_sfn::types::ExecutionStatus;
use e2e::{EAST, WEST, World};
use serde_json::json;

/// What the manifests of the sample call whatever the state: opaque by definition.
const OPAQUE: &str = "lambda:Invoke";

fn changes_but_opaque(world: &World) -> Vec<String> {
    world.changes().into_iter().filter(|a| a != OPAQUE).collect()
}

/// Runs it again and asserts that nothing was changed and that every resource says so.
async fn nothing_happens_again(world: &World, region: &str, phase: &str) {
    world.control.clear_calls();
    let ended = world.run(region, &product(phase)).await.succeeded();
    assert_eq!(changes_but_opaque(world), Vec::<String>::new(), "{phase}");
    let report = world.report("sampleproduct", &ended.arn).await;
    for resource in report["resources"].as_array().unwrap() {
        assert_eq!(resource["status"], "DONE", "{resource}");
        let opaque = resource["resourceType"] == "InvokeLambda";
        assert_eq!(resource["changed"], opaque, "{resource}");
    }
    let mails = world.control.mails();
    let mail = mails.last().unwrap();
    assert!(mail.body.contains("already done"), "{}", mail.body);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phase_that_succeeded_changes_nothing_when_it_is_started_again() {
    let world = World::new();
    for (region, phase) in
        [(WEST, "INSTANTIATE"), (WEST, "ACTIVATE"), (EAST, "CLEANUP"), (WEST, "REPLICATE")]
    {
        world.run(region, &product(phase)).await.succeeded();
        nothing_happens_again(&world, region, phase).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_is_stopped_midway_is_finished_by_the_next_start() {
    let world = World::new();
    world.run(WEST, &product("INSTANTIATE")).await.succeeded();
    world.control.post("timings", &json!({"rds.promote": 12}));
    let first = world.start(WEST, &product("ACTIVATE")).await;
    world.approve(&first).await;
    while world.count("rds:PromoteReadReplica") == 0 {
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    world.sfn(WEST).stop_execution().execution_arn(&first).send().await.unwrap();
    assert_eq!(world.describe(&first).await.status, ExecutionStatus::Aborted);

    world.forget_holder(WEST, "sampleproduct").await;
    world.run(WEST, &product("ACTIVATE")).await.succeeded();
    assert_eq!(world.count("rds:PromoteReadReplica"), 1);
    let west = instances(&world, WEST).await;
    assert_eq!(west["orders-db-dr"], ("available".into(), String::new()));
    let report = world.report("sampleproduct", &first).await;
    assert_eq!(report["outcome"], "ABORTED");
}
