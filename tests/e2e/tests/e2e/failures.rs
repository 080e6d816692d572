//! Failures: where they end, what is told, and that nothing secret is told with them.

use crate::cycle::product;
use crate::secrets::everything;
use aws_sdk_sfn::types::ExecutionStatus;
use e2e::manifests::{application, module_test, product as product_manifest};
use e2e::{WEST, World};
use serde_json::{Value, json};
use std::time::Duration;

const FAILS: &str =
    "Dr.Failed: the test failed, as its parameter Outcome asked. Set Outcome to DONE.";

fn words(values: &Value, field: &str) -> Vec<String> {
    let values = values.as_array().unwrap().iter();
    values.map(|v| v[field].as_str().unwrap_or_default().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn siblings_of_a_failed_resource_finish_and_no_later_layer_starts() {
    let world = World::new();
    let fails = |name: &str| module_test(name, json!({"Outcome": "FAIL"}));
    let first = application(&[
        &[fails("First"), module_test("Sibling", json!({"Sleep": 4})), fails("Second")],
        &[module_test("Later", json!({}))],
    ]);
    world.upload(WEST, "failing-app1.json", first).await;
    let beside = application(&[&[module_test("Beside", json!({"Sleep": 4}))]]);
    world.upload(WEST, "failing-app2.json", beside).await;
    let last = application(&[&[module_test("Last", json!({}))]]);
    world.upload(WEST, "failing-app3.json", last).await;
    let layers: [&[&str]; 2] =
        [&["failing-app1.json", "failing-app2.json"], &["failing-app3.json"]];
    let manifest = product_manifest("failing", "ACTIVATE", WEST, &layers);
    let key = world.upload(WEST, "failing.json", manifest).await;

    let ended = world.run(WEST, &key).await;
    let wanted =
        ["First", "Second"].map(|n| format!("failing-app1, layer 1, ModuleTest {n}: {FAILS}"));
    assert_eq!(ended.lines(), wanted);
    ended.clone().failed("Dr.AppLayerFailed");

    let report = world.report("failing", &ended.arn).await;
    assert_eq!(report["outcome"], "FAILED");
    assert_eq!(report["lines"], json!(wanted));
    let names = words(&report["resources"], "resourceName");
    assert_eq!(names, ["First", "Sibling", "Second", "Later", "Beside", "Last"]);
    let statuses = words(&report["resources"], "status");
    assert_eq!(statuses, ["FAILED", "DONE", "FAILED", "NOT_STARTED", "DONE", "NOT_STARTED"]);
    let seconds = |n: usize| report["resources"][n]["seconds"].as_i64();
    assert!(seconds(0).is_some() && seconds(1) >= Some(3) && seconds(4) >= Some(3), "{report}");
    assert_eq!((seconds(3), seconds(5)), (None, None));
    let started: Vec<_> = world.keys(WEST, "runs/failing/").await;
    let journals = started.iter().filter(|k| k.contains("/journal/failing-")).count();
    assert_eq!(journals, 4, "{started:?}");

    let mail = world.mails_about(&ended.arn, 2).await.pop().unwrap();
    let body = mail.body.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(mail.subject.contains("ACTIVATE of failing in us-west-2: FAILED"), "{}", mail.subject);
    for wanted in
        [wanted[0].as_str(), &wanted[1], "NEXT STEP", "start-execution", &key, "not started"]
    {
        assert!(body.contains(wanted), "{wanted} in\n{}", mail.body);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_run_is_reported_by_the_event() {
    let world = World::new();
    let slow = application(&[&[module_test("Slow", json!({"Sleep": 300}))]]);
    let key = world.given(WEST, "stop-me", slow).await;
    let arn = world.start(WEST, &key).await;
    world.approve(&arn).await;
    let journal = "/journal/stop-me-app1-0-0.json";
    while !world.keys(WEST, "runs/stop-me/").await.iter().any(|k| k.ends_with(journal)) {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let stop = world.sfn(WEST).stop_execution().execution_arn(&arn);
    stop.error("Drill.Over").cause("we have seen enough").send().await.unwrap();

    let report = world.report("stop-me", &arn).await;
    assert_eq!(report["outcome"], "ABORTED");
    let line = report["lines"][0].as_str().unwrap();
    assert!(
        line.contains("was stopped by somebody") && line.contains("we have seen enough"),
        "{line}"
    );
    assert_eq!(report["resources"][0]["status"], "RUNNING");
    assert_eq!(report["approval"]["approver"], "Ada Approver");
    let mails = world.mails_about(&arn, 2).await;
    assert_eq!(mails.len(), 2);
    assert!(mails[1].subject.contains("ABORTED"), "{}", mails[1].subject);
    assert_eq!(world.describe(&arn).await.status, ExecutionStatus::Aborted);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phase_started_directly_is_checked_planned_and_run() {
    let world = World::new();
    let payload =
        application(&[&[module_test("One", json!({}))], &[module_test("Two", json!({}))]]);
    let input = json!({"StatePayload": payload, "product": "direct-product"});
    let arn = world.start_machine(WEST, "ACTIVATE", input).await;
    let ended = world.wait(&arn, 60).await.succeeded();
    let folder = format!("runs/direct-product/{}/", ended.name());
    let keys = world.keys(WEST, &folder).await;
    let count = |part: &str| keys.iter().filter(|k| k.contains(part)).count();
    assert_eq!((count("/plan/"), count("/journal/")), (2, 2), "{keys:?}");
    assert!(world.control.mails().iter().all(|m| !m.subject.contains("Approve")));
    let report = world.report("direct-product", &arn).await;
    assert_eq!((&report["outcome"], &report["action"]), (&json!("SUCCEEDED"), &json!("ACTIVATE")));
    let mails = world.mails_about(&arn, 1).await;
    assert!(mails[0].subject.contains("SUCCEEDED"), "{}", mails[0].subject);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_direct_start_is_refused_by_name_and_reported() {
    let world = World::new();
    let of = |resource: Value| json!({"StatePayload": [{"layer": 1, "resources": [resource]}]});
    let delete = json!({"resourceType": "DeleteRDSInstance", "resourceName": "Old",
        "parameters": {"RDSInstanceIdentifier": "orders-db"}});
    let missing = module_test("Needs", json!({"ResolveTokens": ["!Import nothing-here"]}));
    let cases = [
        (
            of(delete),
            "Dr.InvalidManifest",
            "DeleteRDSInstance is not legal in ACTIVATE, only in CLEANUP",
        ),
        (
            of(module_test("A", json!({"Ehco": 1}))),
            "Dr.InvalidParameters",
            "Did you mean \"Echo\"?",
        ),
        (json!({}), "Dr.InvalidManifest", "the key \"StatePayload\" is missing"),
        (json!({"StatePayload": {}}), "Dr.InvalidManifest", "must be a list of at least one layer"),
        (json!({"StatePaylod": []}), "Dr.InvalidManifest", "Did you mean \"StatePayload\"?"),
        (of(missing), "Dr.PlanFailed", "\"export:nothing-here\" does not exist"),
    ];
    let mut started = Vec::new();
    for (input, error, says) in cases {
        started.push((world.start_machine(WEST, "ACTIVATE", input).await, error, says));
    }
    for (arn, error, says) in &started {
        let cause = world.wait(arn, 60).await.failed(error);
        assert!(cause.contains(says), "{says} in {cause}");
    }
    // The first of them has a payload, so the event's report counts it to the product "direct".
    let report = world.report("direct", &started[0].0).await;
    assert_eq!(report["errorType"], "Dr.InvalidManifest");
    assert!(report["lines"][0].as_str().unwrap().contains("DeleteRDSInstance"), "{report}");
    assert_eq!(world.changes(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_dashboards_exist_and_show_what_the_rule_wrote() {
    let world = World::new();
    let arn = world.start(WEST, &product("INSTANTIATE")).await;
    world.reject(&arn).await;
    let ended = world.wait(&arn, 60).await;
    ended.clone().failed("Dr.Rejected");

    let dashboards = world.cloudwatch(WEST).list_dashboards().send().await.unwrap();
    let names: Vec<_> =
        dashboards.dashboard_entries().iter().filter_map(|d| d.dashboard_name()).collect();
    let group = "/dr-orchestrator/status-changes";
    for name in ["sampleproduct-Troubleshooting-Dashboard", "DR-Orchestrator-Dashboard"] {
        let name =
            names.iter().find(|n| n.starts_with(name)).unwrap_or_else(|| panic!("{names:?}"));
        let dashboard = world.cloudwatch(WEST).get_dashboard().dashboard_name(*name);
        let body = dashboard.send().await.unwrap().dashboard_body.unwrap();
        serde_json::from_str::<Value>(&body).unwrap();
        for wanted in
            [group, "detail.stateMachineArn", "detail.name", "detail.status", "detail.cause"]
        {
            assert!(body.contains(wanted), "{name}: {wanted} in {body}");
        }
    }
    let event = event_of(&world, group, &arn).await;
    let machine = "arn:aws:states:us-west-2:123456789012:stateMachine:aws-dr-orchestrator-stepfunction-product-orchestrator";
    let detail = &event["detail"];
    assert_eq!(detail["stateMachineArn"], machine);
    assert_eq!(detail["name"], ended.name());
    assert_eq!(detail["status"], "FAILED");
    assert_eq!(detail["cause"], ended.cause);
}

/// The event of an execution in the log group; it is delivered in the background.
async fn event_of(world: &World, group: &str, arn: &str) -> Value {
    for _ in 0..50 {
        let events = world.control.log_group(WEST, group);
        let mut events = events.iter().filter_map(|e| serde_json::from_str::<Value>(e).ok());
        if let Some(event) = events.find(|e| e["detail"]["executionArn"] == arn) {
            return event;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    panic!("no event of {arn} in {group}: {:?}", world.control.log_group(WEST, group));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_that_a_token_reads_is_told_nowhere() {
    let world = World::new();
    // Quotes and a backslash: a value is escaped on its way into JSON.
    let marks = ["sesame-4711", "tulip-0815"];
    let secret = format!("{}\" \\ {}", marks[0], marks[1]);
    let put = world.ssm(WEST).put_parameter().name("/e2e/secret").value(&secret);
    put.r#type(aws_sdk_ssm::types::ParameterType::SecureString).send().await.unwrap();
    let token = "resolve:ssm:/e2e/secret";
    let uses = module_test("Uses", json!({"Echo": token, "ResolveTokens": [token], "Sleep": 1}));
    let fails = module_test("Fails", json!({"Echo": token, "Outcome": "FAIL"}));
    let misuses = module_test("Misuses", json!({"Sleep": token, "Echo": {"deep": [token]}}));
    let misread = module_test("Misread", json!({"Outcome": token}));
    let good = world.given(WEST, "secret-good", application(&[&[uses]])).await;
    world.run(WEST, &good).await.succeeded();
    let failing = world.given(WEST, "secret-fails", application(&[&[fails]])).await;
    world.run(WEST, &failing).await.failed("Dr.AppLayerFailed");
    let bad = world.given(WEST, "secret-bad", application(&[&[misuses, misread]])).await;
    let arn = world.start(WEST, &bad).await;
    world.wait(&arn, 60).await;

    let all = everything(&world, WEST).await;
    assert!(all.len() > 50, "{}", all.len());
    let shown = all.iter().any(|(_, text)| text.contains("echo") && text.contains("********"));
    assert!(shown, "the secret was used nowhere");
    for mark in marks {
        let leaks: Vec<_> = all.iter().filter(|(_, text)| text.contains(mark)).collect();
        assert!(leaks.is_empty(), "{mark}: {leaks:#?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_resource_that_never_ends_is_ended_by_its_deadline() {
    let world = World::new();
    let never = module_test("Never", json!({"Outcome": "TIMEOUT", "TimeoutMinutes": 1}));
    let key = world.given(WEST, "never", application(&[&[never]])).await;
    let ended = world.run(WEST, &key).await;
    let lines = ended.lines();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(
        lines[0]
            .starts_with("never-app1, layer 1, ModuleTest Never: Dr.TimedOut: gave up after 1 min"),
        "{lines:?}"
    );
    let resource = &world.report("never", &ended.arn).await["resources"][0];
    assert_eq!(resource["status"], "FAILED");
    assert!((55..=75).contains(&resource["seconds"].as_i64().unwrap()), "{resource}");
}
