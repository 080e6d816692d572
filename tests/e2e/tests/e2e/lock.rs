//! One run per product: the lock is taken, told, given back, taken over, and read before it hurts.

use aws_sdk_sfn::types::ExecutionStatus;
use e2e::manifests::{application, module_test, resource};
use e2e::raw::{ADMINISTRATOR, To};
use e2e::{EAST, Ended, WEST, World};
use serde_json::{Value, json};
use std::time::Duration;

fn quick() -> Value {
    application(&[&[module_test("Quick", json!({}))]])
}

async fn lock(world: &World, product: &str) -> Value {
    world.object(WEST, &shared::lock::key(product)).await.unwrap_or_default()
}

/// The execution has ended or asks for approval.
async fn settled(world: &World, arn: &str) -> Ended {
    for _ in 0..200 {
        let now = world.describe(arn).await;
        let name = now.name().to_owned();
        let mails = world.control.mails();
        let asked = mails.iter().any(|m| m.subject.contains("Approve") && m.body.contains(&name));
        if asked || now.status != ExecutionStatus::Running {
            return now;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    panic!("{arn} neither ends nor asks\n{}", world.trouble());
}

/// The cause of a start that found the lock taken.
fn locked(ended: &Ended) -> String {
    assert_eq!(ended.error, "Dr.Locked", "{}", ended.cause);
    ended.lines().join(" ")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_starts_at_the_same_moment_exactly_one_runs() {
    let world = World::new();
    let key = world.given(WEST, "twice", quick()).await;
    let (one, other) = tokio::join!(world.start(WEST, &key), world.start(WEST, &key));
    let (one, other) = tokio::join!(settled(&world, &one), settled(&world, &other));
    let (runs, refused) = match one.status == ExecutionStatus::Running {
        true => (one, other),
        false => (other, one),
    };
    assert_eq!(runs.status, ExecutionStatus::Running);
    let why = locked(&refused);
    for wanted in [runs.name(), "console.aws.amazon.com", &runs.arn] {
        assert!(why.contains(wanted), "{wanted}: {why}");
    }
    let next = world.report("twice", &refused.arn).await["nextStep"].to_string();
    assert!(next.contains("stop-execution") && next.contains(&runs.arn), "{next}");
    assert_eq!(lock(&world, "twice").await["execution"], runs.arn, "the refused one took nothing");
    world.approve(&runs.arn).await;
    world.wait(&runs.arn, 60).await.succeeded();
    let after = lock(&world, "twice").await;
    assert_eq!((&after["state"], &after["outcome"]), (&json!("released"), &json!("SUCCEEDED")));
    world.run(WEST, &key).await.succeeded();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn twenty_products_run_side_by_side() {
    let world = World::new();
    let names: Vec<String> = (0..20).map(|n| format!("side-{n}")).collect();
    let mut starts = Vec::new();
    for name in &names {
        let key = world.given(WEST, name, quick()).await;
        starts.push(key);
    }
    let starts = starts.iter().map(|key| world.start(WEST, key));
    let mut arns = Vec::new();
    for start in starts {
        arns.push(start.await);
    }
    for arn in &arns {
        world.approve(arn).await;
    }
    for arn in &arns {
        world.wait(arn, 120).await.succeeded();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_run_keeps_its_lock_until_nothing_of_it_can_act_and_its_link_is_closed() {
    let world = World::new();
    let key = world.given(WEST, "stopped", quick()).await;
    let first = world.start(WEST, &key).await;
    let link = world.approval_link(&first).await;
    world.sfn(WEST).stop_execution().execution_arn(&first).send().await.unwrap();
    let report = world.report("stopped", &first).await;
    assert_eq!(report["outcome"], "ABORTED", "{report}");

    let second = world.start(WEST, &key).await;
    let why = locked(&settled(&world, &second).await);
    assert!(why.contains("ended a moment ago"), "{why}");
    let next = world.report("stopped", &second).await["nextStep"].to_string();
    assert!(next.contains("Start again in 1"), "{next}");
    let held = lock(&world, "stopped").await;
    assert_eq!(held["execution"], first);
    assert!(held["aborted"].as_str().unwrap().contains("a redrive is refused"), "{held}");
    nothing_of_it_begins(&world, &first).await;

    let (status, page) = closed(&world, &link).await;
    assert!(status == 410 && page.contains("no longer open"), "{status} {page}");
    world.forget_holder(WEST, "stopped").await;
    let third = world.start(WEST, &key).await;
    world.approve(&third).await;
    world.wait(&third, 60).await.succeeded();
    let mails = world.mails_about(&third, 1).await;
    let body = mails[0].body.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(body.contains("taken over"), "{body}");
}

/// What a redrive of the stopped run would start: its phase and its resources, with its context.
async fn nothing_of_it_begins(world: &World, run: &str) {
    let run = world.object(WEST, &format!("{}run.json", folder("stopped", run))).await.unwrap();
    let phase = json!({"mode": "EXECUTE", "file": run["files"][0], "context": run["context"]});
    let ended = world.start_machine(WEST, "ACTIVATE", phase).await;
    let why = locked(&world.wait(&ended, 60).await);
    assert!(why.contains("or was aborted"), "{why}");
    let resource = json!({
        "mode": "EXECUTE", "phase": "ACTIVATE", "resourceType": "ModuleTest", "resourceName": "x",
        "parameters": {}, "accountId": null, "context": run["context"],
        "function": "aws-dr-orchestrator-module-test",
    });
    let ended = world.start_machine(WEST, "resource", resource).await;
    let ended = world.wait(&ended, 60).await;
    assert_eq!(ended.error, "Dr.Aborted", "{}", ended.cause);
}

/// The event of the stop reaches the reporter a moment later.
async fn closed(world: &World, link: &str) -> (u16, String) {
    for _ in 0..50 {
        let (status, page) = world.control.open(link);
        if status != 200 {
            return (status, page);
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    world.control.open(link)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_are_kept_until_the_product_succeeds() {
    let world = World::new();
    let fails = application(&[&[module_test("Fails", json!({"Outcome": "FAIL"}))]]);
    let key = world.given(WEST, "roots", fails).await;
    let first = world.run(WEST, &key).await;
    first.clone().failed("Dr.AppLayerFailed");
    assert_eq!(lock(&world, "roots").await["outcome"], "FAILED");
    let key = world.given(WEST, "roots", quick()).await;
    world.run(WEST, &key).await.succeeded();
    assert_eq!(lock(&world, "roots").await["root"], first.name(), "a restart continues");
    let third = world.run(WEST, &key).await.succeeded();
    assert_eq!(lock(&world, "roots").await["root"], third.name(), "a success ends it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn direct_starts_hold_the_lock_and_forged_contexts_do_not() {
    let world = World::new();
    let slow = application(&[&[module_test("Slow", json!({"Sleep": 6}))]]);
    let input = json!({"product": "breakglass", "StatePayload": slow});
    let first = world.start_machine(WEST, "ACTIVATE", input.clone()).await;
    for _ in 0..100 {
        if lock(&world, "breakglass").await["execution"] == first {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let second = world.start_machine(WEST, "ACTIVATE", input).await;
    let why = locked(&world.wait(&second, 60).await);
    assert!(why.contains(first.rsplit(':').next().unwrap()), "{why}");
    world.wait(&first, 60).await.succeeded();
    let after = lock(&world, "breakglass").await;
    assert_eq!(after["state"], "released", "{after}");

    // The input that the ended run's own machine would give: nobody holds the lock for it.
    let run = world.object(WEST, &format!("{}run.json", folder("breakglass", &first))).await;
    let run = run.unwrap();
    let forged = json!({"mode": "EXECUTE", "file": run["files"][0], "context": run["context"]});
    let ended = world.start_machine(WEST, "ACTIVATE", forged).await;
    let why = locked(&world.wait(&ended, 60).await);
    assert!(why.contains("does not hold the lock"), "{why}");
}

/// A direct start whose plan is blocked ends by itself; its lock comes back with the event.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_that_comes_back_a_moment_after_the_end_is_waited_for() {
    let world = World::new();
    let rule = json!({"Name": "aws-dr-orchestrator-status-changes"});
    let events = To { service: "events", region: WEST, key: ADMINISTRATOR };
    world.control.json(events, "AWSEvents.DisableRule", &rule).done();
    let held = blocked(&world).await;
    world.control.clear_calls();
    let second = world.start_machine(WEST, "ACTIVATE", direct(quick())).await;
    looked_twice(&world).await;
    assert_eq!(lock(&world, "event").await, held, "nobody has taken it");
    let given_back =
        json!({"state": "released", "outcome": "FAILED", "releasedAt": "2026-01-01T00:00:00Z"});
    let mut released = held.clone();
    released.as_object_mut().unwrap().extend(given_back.as_object().unwrap().clone());
    world.put(WEST, &shared::lock::key("event"), released).await;
    world.wait(&second, 60).await.succeeded();

    // It does not come back: the rule of taking over holds.
    let held = blocked(&world).await;
    let refused = world.start_machine(WEST, "ACTIVATE", direct(quick())).await;
    let why = locked(&world.wait(&refused, 60).await);
    assert!(why.contains("ended a moment ago"), "{why}");
    assert_eq!(lock(&world, "event").await, held);
}

/// The start has found the holder ended, waited, and looked once more.
async fn looked_twice(world: &World) {
    for _ in 0..100 {
        let calls = world.control.calls();
        let own = calls.iter().filter(|c| c.function().ends_with("manifest-loader"));
        if own.filter(|c| c.action() == "states:DescribeExecution").count() >= 2 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("nobody looks at the holder again\n{}", world.trouble());
}

fn direct(application: Value) -> Value {
    json!({"product": "event", "StatePayload": application})
}

/// The lock that a blocked run leaves.
async fn blocked(world: &World) -> Value {
    let check = json!({"GlobalClusterIdentifier": "none", "MaxLagSeconds": 5});
    let blocked = application(&[&[resource("AuroraGlobalLagCheck", "Blocked", check)]]);
    let arn = world.start_machine(WEST, "ACTIVATE", direct(blocked)).await;
    world.wait(&arn, 60).await.failed("Dr.PlanFailed");
    let held = lock(world, "event").await;
    assert_eq!((&held["state"], &held["execution"]), (&json!("held"), &json!(arn)));
    held
}

fn folder(product: &str, arn: &str) -> String {
    shared::names::run_folder(product, arn.rsplit(':').next().unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_planned_run_looks_into_the_other_region() {
    let world = World::new();
    let east = world.given(EAST, "both", quick()).await;
    let there = world.start(EAST, &east).await;
    world.approval_link(&there).await;
    world.upload(WEST, "both-app1.json", quick()).await;
    let mut product = e2e::manifests::product("both", "ACTIVATE", WEST, &[&["both-app1.json"]]);
    product["primary_region"] = json!(EAST);
    product["secondary_region"] = json!(WEST);
    let key = world.upload(WEST, "both.json", product.clone()).await;
    let here = world.start(WEST, &key).await;
    let why = locked(&world.wait(&here, 60).await);
    assert!(why.contains("under way in us-east-1"), "{why}");
    // An unplanned one asks nothing of the Region that it takes for lost.
    product["unplanned"] = json!(true);
    let key = world.upload(WEST, "both.json", product).await;
    world.run(WEST, &key).await.succeeded();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dry_run_needs_nobody_and_leaves_nothing_changed() {
    let world = World::new();
    let key = world.given(WEST, "dry", quick()).await;
    let asking = world.start(WEST, &key).await;
    world.approval_link(&asking).await;
    let (mails, held) = (world.control.mails().len(), lock(&world, "dry").await);

    let input = json!({"productmanifestpath": key, "planOnly": true});
    let arn = world.start_machine(WEST, "product-orchestrator", input).await;
    world.wait(&arn, 60).await.succeeded();
    let report = world.report("dry", &arn).await;
    assert_eq!((&report["outcome"], &report["planOnly"]), (&json!("PLANNED"), &json!(true)));
    let journal = format!("{}journal/", folder("dry", &arn));
    let journal = journal.trim_start_matches("dr-orchestration-artifacts/");
    assert_eq!(world.keys(WEST, journal).await, Vec::<String>::new());

    let check = json!({"GlobalClusterIdentifier": "none", "MaxLagSeconds": 5});
    let blocked = application(&[&[resource("AuroraGlobalLagCheck", "Blocked", check)]]);
    world.upload(WEST, "dry-app1.json", blocked).await;
    let input = json!({"productmanifestpath": key, "planOnly": true});
    let arn = world.start_machine(WEST, "product-orchestrator", input).await;
    let ended = world.wait(&arn, 60).await;
    ended.failed("Dr.PlanFailed");
    assert_eq!(world.report("dry", &arn).await["planOnly"], true);
    assert_eq!(world.control.mails().len(), mails, "a scheduled dry run mails nobody");
    assert_eq!(lock(&world, "dry").await, held, "and takes no lock");
}
