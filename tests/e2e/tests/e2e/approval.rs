//! The approval: what is asked, who may answer, what an answer does, and how often.

use crate::cycle::product;
use aws_sdk_sfn::types::ExecutionStatus;
use e2e::manifests::{self, application, module_test};
use e2e::{EAST, WEST, World};
use serde_json::{Value, json};
use std::time::Duration;

const APPROVE: [(&str, &str); 3] =
    [("approver", "Ada"), ("reason", "drill 7"), ("decision", "APPROVED")];
const REJECT: [(&str, &str); 3] =
    [("approver", "Bob"), ("reason", "not today"), ("decision", "REJECTED")];

/// Starts a product of one ModuleTest; gives the execution and its link.
pub async fn asked(world: &World, name: &str) -> (String, String) {
    let smoke = module_test("Smoke", json!({"Echo": "hello"}));
    let key = world.given(WEST, name, application(&[&[smoke]])).await;
    let arn = world.start(WEST, &key).await;
    let link = world.approval_link(&arn).await;
    (arn, link)
}

/// How often the token was answered.
pub fn answers(world: &World) -> usize {
    world.count("states:SendTaskSuccess") + world.count("states:SendTaskFailure")
}

pub async fn still_waits(world: &World, arn: &str) {
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(world.describe(arn).await.status, ExecutionStatus::Running);
    assert_eq!(answers(world), 0);
}

/// The open approval with its task token, as the bucket holds it.
pub async fn pending(world: &World, link: &str) -> Value {
    let id = link.split("id=").nth(1).unwrap();
    let key = format!("dr-orchestration-artifacts/pending/{id}.json");
    world.object(WEST, &key).await.expect("the open approval")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_a_post_acts_and_only_once() {
    let world = World::new();
    let (arn, link) = asked(&world, "once").await;
    for _ in 0..3 {
        let (status, page) = world.control.open(&link);
        assert_eq!(status, 200);
        assert!(page.contains("Approve ACTIVATE of once in us-west-2?"), "{page}");
        assert_eq!(world.control.head(&link), (200, 0));
    }
    assert_eq!(world.control.put(&link), 405);
    still_waits(&world, &arn).await;

    let (status, page) = world.control.submit(&link, &APPROVE);
    assert_eq!(status, 200, "{page}");
    assert!(page.contains("You approved ACTIVATE of once in us-west-2"), "{page}");
    for form in [APPROVE, REJECT] {
        let (status, page) = world.control.submit(&link, &form);
        assert_eq!(status, 409, "{page}");
        assert!(page.contains("This link was used before. Nothing was changed now."), "{page}");
        assert!(page.contains("Ada") && !page.contains("Bob"), "{page}");
    }
    assert_eq!(world.control.open(&link).0, 409);
    world.wait(&arn, 60).await.succeeded();
    assert_eq!(world.control.submit(&link, &REJECT).0, 409);
    assert_eq!(answers(&world), 1);

    let approval = &world.report("once", &arn).await["approval"];
    let told =
        [&approval["decision"], &approval["approver"], &approval["reason"], &approval["via"]];
    assert_eq!(told, ["APPROVED", "Ada", "drill 7", "link"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn links_that_nobody_was_sent_lead_to_a_clear_page_and_nowhere_else() {
    let world = World::new();
    let (arn, link) = asked(&world, "tampered").await;
    let (page, id) = link.split_once("id=").unwrap();
    let flipped = format!("{}{}", if id.starts_with('0') { '1' } else { '0' }, &id[1..]);
    let other = "0a".repeat(32);
    let long = "a".repeat(6000);
    let ids = [
        (flipped.as_str(), 404),
        (other.as_str(), 404),
        (&id[..63], 400),
        (&id.to_uppercase(), 400),
        ("", 400),
        ("..%2F..%2Fruns%2Ftampered", 400),
        ("%00%ff%fe", 400),
        ("%3Cscript%3Ealert(1)%3C/script%3E", 400),
        (&format!("{id}&id={id}"), 400),
        (long.as_str(), 400),
    ];
    for (id, wanted) in ids {
        let link = format!("{page}id={id}");
        for (status, text) in [world.control.open(&link), world.control.submit(&link, &APPROVE)] {
            assert_eq!(status, wanted, "{id}: {text}");
            assert!(text.contains("<h1>") && text.contains("mail"), "{id}: {text}");
            assert!(!text.contains("<script"), "{text}");
        }
    }
    assert_eq!(world.control.open(page.trim_end_matches('?')).0, 400);
    still_waits(&world, &arn).await;
    world.control.submit(&link, &REJECT);
    world.wait(&arn, 60).await.failed("Dr.Rejected");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_incomplete_form_is_no_answer_and_comes_back_with_what_was_typed() {
    let world = World::new();
    let (arn, link) = asked(&world, "incomplete").await;
    let evil = "<b>\"Ann\" & 'Bo'</b>";
    let forms: [&[(&str, &str)]; 4] = [
        &[],
        &[("approver", evil), ("reason", ""), ("decision", "APPROVED")],
        &[("approver", evil), ("reason", "r"), ("decision", "MAYBE")],
        &[("approver", "  "), ("reason", evil), ("decision", "REJECTED")],
    ];
    for form in forms {
        let (status, page) = world.control.submit(&link, form);
        assert_eq!(status, 400, "{page}");
        assert!(page.contains("Nothing was sent"), "{page}");
        assert!(!page.contains("<b>"), "{page}");
        let typed = form.iter().any(|(_, value)| *value == evil);
        let kept = "&lt;b&gt;&quot;Ann&quot; &amp; &#39;Bo&#39;&lt;/b&gt;";
        assert_eq!(page.contains(kept), typed, "{page}");
    }
    still_waits(&world, &arn).await;
    let (status, page) = world
        .control
        .submit(&link, &[("approver", evil), ("reason", evil), ("decision", "REJECTED")]);
    assert_eq!(status, 200, "{page}");
    assert!(!page.contains("<b>") && page.contains("&lt;b&gt;"), "{page}");
    world.wait(&arn, 60).await.failed("Dr.Rejected");
    assert_eq!(world.report("incomplete", &arn).await["approval"]["approver"], evil);
}

/// Starts the move of a database, which may lose data; gives the execution and its link.
async fn asked_to_lose(world: &World, name: &str) -> (String, String) {
    let layers: [&[&str]; 1] = [&["sampleproduct-app1-ACTIVATE.json"]];
    let mut manifest = manifests::product(name, "ACTIVATE", WEST, &layers);
    manifest["primary_region"] = json!(EAST);
    manifest["unplanned"] = json!(true);
    let key = world.upload(WEST, &format!("{name}.json"), manifest).await;
    let arn = world.start(WEST, &key).await;
    let link = world.approval_link(&arn).await;
    (arn, link)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_may_lose_data_is_approved_only_with_product_and_region_typed() {
    let world = World::new();
    let (arn, link) = asked_to_lose(&world, "typed").await;
    assert_eq!(world.confirmation(&link), "typed us-west-2");
    for wrong in [None, Some(""), Some("typed"), Some("Typed us-west-2"), Some("typed us-east-1")] {
        let form: Vec<_> =
            APPROVE.into_iter().chain(wrong.map(|typed| ("confirmation", typed))).collect();
        let (status, page) = world.control.submit(&link, &form);
        assert_eq!(status, 400, "{page}");
        assert!(page.contains("type the product and the Region exactly"), "{page}");
        assert!(page.contains("value=\"Ada\"") && page.contains(">drill 7<"), "{page}");
        let kept = format!("name=\"confirmation\" value=\"{}\"", wrong.unwrap_or_default());
        assert!(page.contains(&kept), "{page}");
    }
    still_waits(&world, &arn).await;
    assert_eq!(pending(&world, &link).await["answer"], Value::Null);
    let right: Vec<_> =
        APPROVE.into_iter().chain([("confirmation", " typed us-west-2 ")]).collect();
    let (status, page) = world.control.submit(&link, &right);
    assert_eq!(status, 200, "{page}");
    world.wait(&arn, 120).await.succeeded();
    assert_eq!(answers(&world), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rejected_run_fails_with_who_and_why_and_has_changed_nothing() {
    let world = World::new();
    let arn = world.start(WEST, &product("INSTANTIATE")).await;
    let link = world.approval_link(&arn).await;
    let (status, page) = world.control.submit(&link, &REJECT);
    assert_eq!(status, 200, "{page}");
    let cause = world.wait(&arn, 60).await.failed("Dr.Rejected");
    assert!(cause.contains("Bob rejected the run: not today"), "{cause}");

    let report = world.report("sampleproduct", &arn).await;
    assert_eq!(report["outcome"], "REJECTED");
    let approval = &report["approval"];
    let told = [&approval["decision"], &approval["approver"], &approval["reason"]];
    assert_eq!(told, ["REJECTED", "Bob", "not today"]);
    assert!(report["nextStep"].as_str().unwrap().starts_with("Nothing was changed."));
    for resource in report["resources"].as_array().unwrap() {
        assert_eq!(resource["status"], "NOT_STARTED", "{resource}");
    }
    let mail = world.mails_about(&arn, 2).await.pop().unwrap();
    assert!(mail.subject.contains("REJECTED"), "{}", mail.subject);
    assert!(mail.body.contains("Bob") && mail.body.contains("not today"), "{}", mail.body);
    assert_eq!(world.changes(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_answers_within_the_minute_and_nothing_is_changed() {
    let world = World::new();
    let smoke = application(&[&[module_test("Smoke", json!({}))]]);
    world.upload(WEST, "nobody-app1.json", smoke).await;
    let mut manifest = manifests::product("nobody", "ACTIVATE", WEST, &[&["nobody-app1.json"]]);
    manifest["approval"]["timeout_minutes"] = json!(1);
    let key = world.upload(WEST, "nobody.json", manifest).await;
    let arn = world.start(WEST, &key).await;
    let link = world.approval_link(&arn).await;
    let ended = world.wait(&arn, 90).await;
    let cause = ended.failed("Dr.ApprovalTimedOut");
    assert!(cause.contains("nobody answered the approval request within 60 seconds"), "{cause}");

    let (status, page) = world.control.submit(&link, &APPROVE);
    assert_eq!(status, 410, "{page}");
    assert!(page.contains("<h1>This request has expired</h1>"), "{page}");
    assert_eq!(world.control.open(&link).0, 410);
    assert_eq!(answers(&world), 0);
    let report = world.report("nobody", &arn).await;
    assert_eq!(report["outcome"], "APPROVAL_TIMED_OUT");
    assert_eq!(report["approval"], Value::Null);
    let mail = world.mails_about(&arn, 2).await.pop().unwrap();
    assert!(mail.subject.contains("APPROVAL TIMED OUT after 1 min"), "{}", mail.subject);
    assert_eq!(world.changes(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_for_a_run_that_was_stopped_is_told_that_it_is_no_longer_open() {
    let world = World::new();
    let (arn, link) = asked(&world, "stopped").await;
    world.sfn(WEST).stop_execution().execution_arn(&arn).send().await.unwrap();
    let (status, page) = world.control.submit(&link, &APPROVE);
    assert_eq!(status, 410, "{page}");
    assert!(page.contains("<h1>This request is no longer open</h1>"), "{page}");
    assert!(page.contains("No answer to this one counts"), "{page}");
    assert_eq!(answers(&world), 0);
    assert_eq!(world.describe(&arn).await.status, ExecutionStatus::Aborted);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_mail_tells_what_is_approved_and_never_the_task_token() {
    let world = World::new();
    // The database alone: the service of the sample needs its INSTANTIATE first.
    let layers: [&[&str]; 1] = [&["sampleproduct-app1-ACTIVATE.json"]];
    let mut manifest = manifests::product("move", "ACTIVATE", WEST, &layers);
    manifest["primary_region"] = json!(EAST);
    manifest["unplanned"] = json!(true);
    let key = world.upload(WEST, "move.json", manifest).await;
    let arn = world.start(WEST, &key).await;
    let link = world.approval_link(&arn).await;
    let mail = world.mails_about(&arn, 1).await.remove(0);
    let name = arn.rsplit(':').next().unwrap();
    let plan = format!("dr-orchestration-artifacts/runs/move/{name}/plan.json");
    let digest = world.object(WEST, &plan).await.unwrap()["digest"].as_str().unwrap().to_owned();
    assert_eq!(mail.subject, "[DR] Approve ACTIVATE of move in us-west-2?");
    for wanted in [
        "Product       move",
        "Action        ACTIVATE",
        "us-west-2 (account 123456789012)",
        &digest,
        "DESTROYS OR MAY LOSE DATA",
        "!! DATA-LOSS",
        "PromoteRDSReadReplica Orders database",
        "WHAT WILL HAPPEN, IN THIS ORDER",
        "unplanned: us-east-1 is taken for lost",
    ] {
        assert!(mail.body.contains(wanted), "{wanted} in\n{}", mail.body);
    }
    assert_eq!(mail.body.matches("http").count(), 1, "{}", mail.body);

    let token = pending(&world, &link).await["taskToken"].as_str().unwrap().to_owned();
    assert!(token.len() > 20);
    let (_, page) = world.control.open(&link);
    let command = format!("--name /dr-orchestrator/approvals/move/{name} \\\n");
    assert!(mail.body.contains(&command) && page.contains(&command), "{}", mail.body);
    let (_, thanks) = world.control.submit(&link, &REJECT);
    let logs = ["approval-request", "approval-callback"].map(|f| world.control.log(f).join("\n"));
    for text in [&mail.subject, &mail.body, &page, &thanks, &logs[0], &logs[1]] {
        assert!(!text.contains(&token), "{text}");
    }
    assert!(logs.iter().all(|log| !log.is_empty()));
    world.wait(&arn, 60).await.failed("Dr.Rejected");
}
