//! Holds: a resource that fails asks people, and what each decision does to the run.

use crate::cycle::product;
use crate::permissions::missing::{put, take_away};
use aws_sdk_sfn::types::ExecutionStatus;
use e2e::manifests::{self, application, module_test};
use e2e::{Mail, WEST, World};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// A product whose failures ask; its one application has these layers.
async fn held(world: &World, name: &str, layers: &[&[Value]]) -> (String, String) {
    held_as(world, name, layers, json!({"timeout_minutes": 10})).await
}

/// The same with what the manifest says of the approval. Gives manifest key and execution.
async fn held_as(
    world: &World,
    name: &str,
    layers: &[&[Value]],
    approval: Value,
) -> (String, String) {
    let file = format!("{name}-app1.json");
    let file_key = world.upload(WEST, &file, application(layers)).await;
    let mut manifest = manifests::product(name, "ACTIVATE", WEST, &[&[&file]]);
    manifest["onFailure"] = json!("hold");
    manifest["approval"] = approval;
    let key = world.upload(WEST, &format!("{name}.json"), manifest).await;
    (file_key, world.start(WEST, &key).await)
}

fn fails(name: &str) -> Value {
    module_test(name, json!({"Outcome": "FAIL"}))
}

/// The mail that asks about a resource: the `n`th one, counted from 1.
async fn question(world: &World, name: &str, n: usize) -> Mail {
    let end = Instant::now() + Duration::from_secs(90);
    loop {
        let mut mails = world.control.mails();
        mails.retain(|m| m.subject.contains("HELD") && first_line(m).contains(name));
        if mails.len() >= n {
            return mails.swap_remove(n - 1);
        }
        assert!(Instant::now() < end, "no question {n} about {name}\n{}", world.trouble());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

fn first_line(mail: &Mail) -> &str {
    mail.body.lines().next().unwrap_or_default()
}

fn link(mail: &Mail) -> String {
    mail.body.lines().find(|l| l.starts_with("http")).expect("a link").to_owned()
}

/// Presses a button with everything that the page asks for.
fn press(world: &World, link: &str, decision: &str) {
    let typed = world.confirmation(link);
    let form = [
        ("approver", "Ada"),
        ("reason", "drill 7"),
        ("confirmation", typed.as_str()),
        ("decision", decision),
    ];
    let (status, page) = world.control.submit(link, &form);
    assert_eq!(status, 200, "{page}");
}

fn statuses(report: &Value) -> Vec<&str> {
    let all = report["resources"].as_array().unwrap().iter();
    all.map(|r| r["status"].as_str().unwrap()).collect()
}

fn decisions(report: &Value) -> Vec<&str> {
    let all = report["decisions"].as_array().unwrap().iter();
    all.filter_map(|d| d["decision"].as_str()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_retry_reads_the_manifest_again_and_tells_its_digest() {
    let world = World::new();
    let layers: [&[Value]; 2] =
        [&[fails("Wrong"), module_test("Sibling", json!({}))], &[module_test("Later", json!({}))]];
    let (file, arn) = held(&world, "retried", &layers).await;
    world.approve(&arn).await;
    let mail = question(&world, "Wrong", 1).await;
    assert!(mail.subject.contains("HELD: ACTIVATE of retried in us-west-2"), "{}", mail.subject);
    let first = link(&mail);
    let (status, page) = world.control.open(&first);
    assert!(status == 200 && page.contains("Dr.Failed") && !page.contains("What Retry will do"));

    let shown = world.watch(&arn);
    assert!(shown.contains("? HELD") && shown.contains("Somebody must decide until"), "{shown}");

    // Unchanged: what was approved is tried again at once, and fails again.
    press(&world, &first, "RETRY");
    let second = link(&question(&world, "Wrong", 2).await);
    assert_eq!(world.control.submit(&first, &[("decision", "SKIP")]).0, 409, "used up");

    // Corrected: nobody has seen that.
    let corrected = module_test("Wrong", json!({"Outcome": "DONE", "Echo": "corrected"}));
    let layers: [&[Value]; 2] =
        [&[corrected, module_test("Sibling", json!({}))], &[module_test("Later", json!({}))]];
    let text = application(&layers).to_string();
    world.upload(WEST, file.rsplit('/').next().unwrap(), application(&layers)).await;
    press(&world, &second, "RETRY");
    let mail = question(&world, "Wrong", 3).await;
    for wanted in ["something else of this resource", "WHAT RETRY WILL DO", "already done"] {
        assert!(mail.body.contains(wanted), "{wanted} in {}", mail.body);
    }
    press(&world, &link(&mail), "RETRY");

    world.wait(&arn, 120).await.succeeded();
    let report = world.report("retried", &arn).await;
    assert_eq!(statuses(&report), ["DONE", "DONE", "DONE"]);
    assert_eq!(decisions(&report), ["RETRY", "RETRY", "RETRY"]);
    let read = report["decisions"].as_array().unwrap().iter();
    let read: Vec<_> = read.filter(|d| d["event"] == "replanned").collect();
    assert_eq!(read.len(), 2, "{read:?}");
    assert_eq!((&read[0]["changed"], &read[1]["changed"]), (&json!(false), &json!(true)));
    assert_eq!(read[1]["sha256"], json!(shared::names::sha256(text.as_bytes())));
    let mails = world.mails_about(&arn, 5).await;
    let body = &mails.last().unwrap().body;
    assert!(body.contains("DECISIONS ABOUT WHAT FAILED") && body.contains("for people"), "{body}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_that_nobody_has_seen_is_asked_with_its_class_before_it_is_made() {
    let world = World::new();
    world.run(WEST, &product("INSTANTIATE")).await.succeeded();
    let whole = take_away(&world, "rds:PromoteReadReplica");
    let arn = world.start(WEST, &product("ACTIVATE")).await;
    world.approve(&arn).await;
    let mail = question(&world, "Orders database", 1).await;
    assert!(mail.body.contains("Dr.AccessDenied"), "{}", mail.body);
    put(&world, &whole);
    let first = link(&mail);
    assert_eq!(world.confirmation(&first), "", "nothing is approved by it");
    let (_, stale) = mail.body.split_once("  aws ssm").expect("the command");
    let (stale, _) = stale.split_once("\n\n").expect("its end");
    let stale = format!("aws ssm{}", stale.replace("<your reason>", "late"));

    let name = "sampleproduct-app1-ACTIVATE.json";
    let key = format!("{}{name}", manifests::FILES);
    let mut changed = world.object(WEST, &key).await.unwrap();
    changed[0]["resources"][0]["parameters"]["BackupRetentionPeriod"] = json!(3);
    world.upload(WEST, name, changed).await;
    press(&world, &first, "RETRY");
    let mail = question(&world, "Orders database", 2).await;
    for text in ["with this new plan?", "DATA-LOSS", "something else of this resource", &key] {
        let body = mail.body.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(body.contains(text), "{text} in {body}");
    }
    // The command of the first mail answers the first question, never the second one.
    let ann = world.user("ann");
    world.type_as(&ann, &stale);
    tokio::time::sleep(Duration::from_secs(2)).await;
    let asked = link(&mail);
    assert_eq!((world.control.open(&asked).0, world.count("rds:PromoteReadReplica")), (200, 0));
    let form = [("approver", "Ada"), ("reason", "drill"), ("decision", "RETRY")];
    let (status, page) = world.control.submit(&asked, &form);
    assert!(status == 400 && page.contains("To press Retry, type"), "{page}");
    assert_eq!(world.count("rds:PromoteReadReplica"), 0);
    press(&world, &asked, "RETRY");
    world.wait(&arn, 120).await.succeeded();
    assert_eq!(world.count("rds:PromoteReadReplica"), 1);
    let all = world.rds(WEST).describe_db_instances().send().await.unwrap();
    let orders =
        all.db_instances().iter().find(|i| i.db_instance_identifier() == Some("orders-db-dr"));
    assert_eq!(orders.unwrap().backup_retention_period(), Some(3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_skip_goes_on_and_is_shown_ever_after() {
    let world = World::new();
    let layers: [&[Value]; 2] = [&[fails("Optional")], &[module_test("Later", json!({}))]];
    let (_, arn) = held(&world, "skipped", &layers).await;
    world.approve(&arn).await;
    press(&world, &link(&question(&world, "Optional", 1).await), "SKIP");
    world.wait(&arn, 60).await.succeeded();
    let shown = world.watch(&arn);
    assert!(shown.contains("SKIPPED") && shown.contains("skipped by Ada: drill 7"), "{shown}");
    let report = world.report("skipped", &arn).await;
    assert_eq!(statuses(&report), ["SKIPPED", "DONE"]);
    let mails = world.mails_about(&arn, 3).await;
    let last = mails.last().unwrap();
    assert!(last.subject.contains("SUCCEEDED, 1 SKIPPED"), "{}", last.subject);
    assert!(last.body.contains("start-execution"), "how to make up for it: {}", last.body);
    assert_eq!(report["recoverySeconds"], Value::Null);
    let lock = "dr-orchestration-artifacts/locks/skipped.json";
    assert_eq!(world.object(WEST, lock).await.unwrap()["outcome"], "SKIPPED");

    let key = "dr-orchestration-artifacts/manifest-files/skipped.json";
    let again = world.start(WEST, key).await;
    let approval = world.approval_link(&again).await;
    let (_, page) = world.control.open(&approval);
    assert!(page.contains("ModuleTest Optional was skipped in the ACTIVATE run"), "{page}");
    world.reject(&again).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_abort_ends_one_resource_and_an_abort_of_the_run_all_that_wait() {
    let world = World::new();
    let slow = module_test("Slow", json!({"Sleep": 8}));
    let layers: [&[Value]; 2] =
        [&[fails("One"), fails("Two"), fails("Three"), slow], &[module_test("Later", json!({}))]];
    let (_, arn) = held(&world, "aborted", &layers).await;
    world.approve(&arn).await;
    for name in ["One", "Two", "Three"] {
        question(&world, name, 1).await;
    }
    let mails = world.control.mails();
    let last = mails.iter().rfind(|m| m.subject.contains("HELD")).unwrap();
    assert_eq!(
        last.body.matches("failed: retry, skip or abort? (until").count(),
        2,
        "{}",
        last.body
    );

    press(&world, &link(&question(&world, "One", 1).await), "ABORT");
    tokio::time::sleep(Duration::from_secs(1)).await;
    let two = link(&question(&world, "Two", 1).await);
    assert_eq!(world.control.open(&two).0, 200, "the others still wait");
    press(&world, &two, "ABORT_RUN");

    let ended = world.wait(&arn, 60).await;
    let lines = ended.lines();
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(lines[0].contains("Aborted by Ada: drill 7."), "{}", lines[0]);
    assert!(lines[1].contains("The run was aborted by Ada: drill 7."), "{}", lines[1]);
    assert!(lines[2].contains("the run was aborted: Ada (link): drill 7"), "{}", lines[2]);
    ended.failed("Dr.AppLayerFailed");
    let report = world.report("aborted", &arn).await;
    assert_eq!(statuses(&report), ["FAILED", "FAILED", "FAILED", "DONE", "NOT_STARTED"]);
    let three = link(&question(&world, "Three", 1).await);
    assert_eq!(world.control.submit(&three, &[("decision", "RETRY")]).0, 409);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_begins_any_more_in_a_run_that_is_aborted() {
    let world = World::new();
    let file = |n: u32| format!("noMore-app{n}.json").to_lowercase();
    let first = application(&[&[fails("Broken")]]);
    world.upload(WEST, &file(1), first).await;
    let second = application(&[
        &[module_test("Slow", json!({"Sleep": 12}))],
        &[module_test("Next", json!({}))],
    ]);
    world.upload(WEST, &file(2), second).await;
    let mut manifest = manifests::product("nomore", "ACTIVATE", WEST, &[&[&file(1), &file(2)]]);
    manifest["onFailure"] = json!("hold");
    let key = world.upload(WEST, "nomore.json", manifest).await;
    let arn = world.start(WEST, &key).await;
    world.approve(&arn).await;
    press(&world, &link(&question(&world, "Broken", 1).await), "ABORT_RUN");
    let ended = world.wait(&arn, 90).await;
    let lines = ended.lines().join("\n");
    assert!(
        lines.contains("Next: Dr.Aborted: nothing begins here any more: the run was aborted: Ada"),
        "{lines}"
    );
    let report = world.report("nomore", &arn).await;
    assert_eq!(statuses(&report), ["FAILED", "DONE", "FAILED"]);

    // The next start takes the product again and resumes.
    world.upload(WEST, &file(1), application(&[&[module_test("Broken", json!({}))]])).await;
    world.run(WEST, &key).await.succeeded();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_decides() {
    let world = World::new();
    let layers: [&[Value]; 1] = [&[fails("Lonely")]];
    let approval = json!({"timeout_minutes": 10, "hold_timeout_minutes": 1});
    let (_, arn) = held_as(&world, "lonely", &layers, approval).await;
    world.approve(&arn).await;
    let asked = link(&question(&world, "Lonely", 1).await);
    let ended = world.wait(&arn, 100).await;
    assert!(ended.lines()[0].contains("Nobody decided in time."), "{:?}", ended.lines());
    let report = world.report("lonely", &arn).await;
    assert_eq!(decisions(&report), ["NONE"]);
    assert!(report["waitedSeconds"].as_i64() >= Some(60), "{report}");
    assert!(report["resources"][0]["seconds"].as_i64() < Some(30), "counted apart: {report}");
    let (status, page) = world.control.submit(&asked, &[("decision", "RETRY")]);
    assert!(status == 410 && page.contains("the resource has failed"), "{page}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_run_leaves_no_open_question() {
    let world = World::new();
    let layers: [&[Value]; 1] = [&[fails("Held")]];
    let (_, arn) = held(&world, "stopped-hold", &layers).await;
    world.approve(&arn).await;
    let asked = link(&question(&world, "Held", 1).await);
    world.sfn(WEST).stop_execution().execution_arn(&arn).send().await.unwrap();
    let report = world.report("stopped-hold", &arn).await;
    assert_eq!(report["outcome"], "ABORTED");
    for _ in 0..50 {
        if world.control.open(&asked).0 == 410 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    panic!("{}", world.control.open(&asked).1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn iam_identities_decide_by_the_command_and_the_rule_of_two_holds() {
    let world = World::new();
    let (ann, bob) = (world.user("ann"), world.user("bob"));
    let layers: [&[Value]; 2] = [&[fails("Guarded")], &[module_test("Later", json!({}))]];
    let approval = json!({"timeout_minutes": 10, "required": 2});
    let (_, arn) = held_as(&world, "two-hold", &layers, approval).await;
    world.approval_link(&arn).await;
    world.answer_as(&ann, "two-hold", &arn, "APPROVE drill").await;
    world.answer_as(&bob, "two-hold", &arn, "APPROVE seen").await;
    let mail = question(&world, "Guarded", 1).await;
    let asked = link(&mail);
    let form = [("approver", "Eve"), ("reason", "forged"), ("decision", "SKIP")];
    let (status, page) = world.control.submit(&asked, &form);
    assert!(status == 400 && page.contains("Skip needs more than a link"), "{page}");
    let (_, command) = mail.body.split_once("  aws ssm").expect("the command");
    let (command, _) = command.split_once("\n\n").expect("its end");
    let skip = |why: &str| format!("aws ssm{}", command.replace("RETRY <your reason>", why));
    world.type_as(&ann, &skip("SKIP not needed today"));
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(world.describe(&arn).await.status, ExecutionStatus::Running);
    world.type_as(&bob, &skip("SKIP agreed"));
    world.wait(&arn, 60).await.succeeded();
    let report = world.report("two-hold", &arn).await;
    assert_eq!(statuses(&report), ["SKIPPED", "DONE"]);
    let decided = &report["decisions"][0];
    assert_eq!(decided["approver"], json!(format!("{} and {}", ann.arn, bob.arn)));
    assert_eq!(decided["via"], "iam");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_manifest_that_became_wrong_is_told_and_nothing_is_tried() {
    let world = World::new();
    let layers: [&[Value]; 1] = [&[fails("Wrong")]];
    let (file, arn) = held(&world, "wronger", &layers).await;
    world.approve(&arn).await;
    let name = file.rsplit('/').next().unwrap().to_owned();
    let wrong: [(Value, &str); 3] = [
        (application(&[&[module_test("Other", json!({}))]]), "has no ModuleTest"),
        (application(&[&[module_test("Wrong", json!({"Outcom": "DONE"}))]]), "Outcom"),
        (json!("no manifest"), "wronger-app1.json"),
    ];
    for (n, (text, told)) in wrong.into_iter().enumerate() {
        world.upload(WEST, &name, text).await;
        press(&world, &link(&question(&world, "Wrong", n + 1).await), "RETRY");
        let mail = question(&world, "Wrong", n + 2).await;
        let body = mail.body.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(body.contains("cannot be used") && body.contains(told), "{body}");
        assert!(!mail.body.contains("WHAT RETRY WILL DO"), "{}", mail.body);
    }
    press(&world, &link(&question(&world, "Wrong", 4).await), "ABORT");
    world.wait(&arn, 60).await.failed("Dr.AppLayerFailed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_manifest_that_is_changed_after_the_approval_does_not_change_what_runs() {
    let world = World::new();
    let asked = module_test("Asked", json!({"Echo": "approved"}));
    let key = world.given(WEST, "swapped", application(&[&[asked]])).await;
    let arn = world.start(WEST, &key).await;
    world.approval_link(&arn).await;
    let other = application(&[&[fails("Swapped"), fails("Asked")]]);
    world.upload(WEST, "swapped-app1.json", other).await;
    world.approve(&arn).await;
    world.wait(&arn, 60).await.succeeded();
    let report = world.report("swapped", &arn).await;
    let names: Vec<_> = report["resources"].as_array().unwrap().iter().collect();
    assert!(names.len() == 1 && names[0]["resourceName"] == "Asked", "{names:?}");
}
