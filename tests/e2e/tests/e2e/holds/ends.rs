//! Skip, abort, and what ends a hold without anybody.

use super::*;
use aws_sdk_sfn::types::ExecutionStatus;

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
