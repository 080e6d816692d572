//! Answers by IAM identities: a parameter that a person writes, and who AWS says wrote it.

use crate::approval::{answers, pending, still_waits};
use e2e::manifests::{self, application, module_test};
use e2e::{Person, WEST, World};
use serde_json::{Value, json};
use std::time::Duration;

const APPROVE: [(&str, &str); 3] =
    [("approver", "Eve"), ("reason", "forged"), ("decision", "APPROVED")];

/// Starts a product of one ModuleTest whose manifest asks this of an approval.
async fn asked(world: &World, name: &str, approval: Value) -> String {
    let smoke = application(&[&[module_test("Smoke", json!({"Echo": "hello"}))]]);
    let file = format!("{name}-app1.json");
    world.upload(WEST, &file, smoke).await;
    let mut manifest = manifests::product(name, "ACTIVATE", WEST, &[&[&file]]);
    manifest["approval"] = approval;
    let key = world.upload(WEST, &format!("{name}.json"), manifest).await;
    world.start(WEST, &key).await
}

/// Waits until approval-iam has told this of the run.
async fn logged(world: &World, words: &str) {
    for _ in 0..100 {
        if world.control.log("approval-iam").iter().any(|line| line.contains(words)) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    panic!("{words} is not in {:#?}", world.control.log("approval-iam"));
}

fn name_of(arn: &str) -> &str {
    arn.rsplit(':').next().unwrap_or_default()
}

async fn answer(world: &World, person: &Person, product: &str, arn: &str, value: &str) {
    world.answer_as(person, product, arn, value).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_parameter_approves_with_the_identity_that_aws_tells() {
    let world = World::new();
    let ann = world.user("ann");
    let arn = asked(&world, "byparameter", json!({"timeout_minutes": 10})).await;
    let link = world.approval_link(&arn).await;
    answer(&world, &ann, "byparameter", &arn, "Yes, go").await;
    logged(&world, "neither with APPROVE nor with REJECT").await;
    still_waits(&world, &arn).await;
    answer(&world, &ann, "byparameter", &arn, "APPROVE drill 7").await;
    world.wait(&arn, 60).await.succeeded();
    assert_eq!(answers(&world), 1);
    assert_eq!(world.control.submit(&link, &APPROVE).0, 409);
    answer(&world, &ann, "byparameter", &arn, "REJECT too late").await;
    logged(&world, "the request has an answer already").await;
    let approval = &world.report("byparameter", &arn).await["approval"];
    let told =
        [&approval["decision"], &approval["approver"], &approval["reason"], &approval["via"]];
    assert_eq!(told, ["APPROVED", ann.arn.as_str(), "drill 7", "iam"]);
    let token = pending(&world, &link).await["taskToken"].as_str().unwrap().to_owned();
    let id = link.split("id=").nth(1).unwrap();
    let log = world.control.log("approval-iam").join("\n");
    assert!(!log.contains(&token) && !log.contains(id), "{log}");
    let calls = world.control.calls();
    let denied: Vec<_> = calls.iter().filter(|c| c.0["iam"] == "denied").collect();
    assert!(denied.is_empty(), "{denied:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_identities_approve_and_neither_the_same_one_twice_nor_a_link() {
    let world = World::new();
    let (ann, bob) = (world.user("ann"), world.user("bob"));
    let arn = asked(&world, "two", json!({"not_starter": true})).await;
    let link = world.approval_link(&arn).await;
    let (status, page) = world.control.open(&link);
    assert!(status == 200 && page.contains("A link cannot approve this run"), "{page}");
    assert!(page.contains("2 different IAM identities") && !page.contains("APPROVED"), "{page}");
    let (status, page) = world.control.submit(&link, &APPROVE);
    assert!(status == 400 && page.contains("cannot be approved with a link"), "{page}");
    for reason in ["APPROVE drill", "APPROVE drill again"] {
        answer(&world, &ann, "two", &arn, reason).await;
    }
    logged(&world, "1 of 2 approvals").await;
    let told = world.count_answers(WEST, "two", name_of(&arn)).await;
    assert_eq!(told["status"], "COUNTED", "{told}");
    still_waits(&world, &arn).await;
    let open = pending(&world, &link).await;
    assert_eq!((open["approvals"].as_array().unwrap().len(), &open["answer"]), (1, &Value::Null));
    let (_, page) = world.control.open(&link);
    assert!(page.contains("Approved so far by") && page.contains(&ann.arn), "{page}");

    answer(&world, &bob, "two", &arn, "APPROVE seen").await;
    world.wait(&arn, 60).await.succeeded();
    assert_eq!(answers(&world), 1);
    let approval = &world.report("two", &arn).await["approval"];
    assert_eq!(approval["approver"], format!("{} and {}", ann.arn, bob.arn));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_a_named_approver_approves_and_anybody_rejects() {
    let world = World::new();
    let (ann, bob) = (world.user("ann"), world.user("bob"));
    let approval = json!({"timeout_minutes": 10, "approvers": [ann.arn]});
    let arn = asked(&world, "named", approval).await;
    let link = world.approval_link(&arn).await;
    assert_eq!(world.control.submit(&link, &APPROVE).0, 400);
    answer(&world, &bob, "named", &arn, "APPROVE let me").await;
    logged(&world, "user/bob is not one of the approvers in the manifest").await;
    still_waits(&world, &arn).await;
    answer(&world, &bob, "named", &arn, "REJECT wrong Region").await;
    let cause = world.wait(&arn, 60).await.failed("Dr.Rejected");
    assert!(cause.contains("user/bob rejected the run: wrong Region"), "{cause}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_for_a_run_that_does_not_wait_change_nothing() {
    let world = World::new();
    let ann = world.user("ann");
    let arn = asked(&world, "late", json!({"timeout_minutes": 1})).await;
    world.approval_link(&arn).await;
    let other = arn.replace(name_of(&arn), "no-such-run");
    answer(&world, &ann, "late", &other, "APPROVE x").await;
    logged(&world, "no run with this parameter asks for approval").await;
    still_waits(&world, &arn).await;
    world.wait(&arn, 90).await.failed("Dr.ApprovalTimedOut");
    answer(&world, &ann, "late", &arn, "APPROVE x").await;
    // Whichever comes first: the end of its time, or the report that closes it.
    logged(&world, "the r").await;
    let told = world.count_answers(WEST, "late", name_of(&arn)).await;
    assert_eq!(told["status"], "IGNORED", "{told}");
    let odd = world.count_answers(WEST, "late", "../x").await;
    assert_eq!(odd["status"], "IGNORED", "{odd}");
    assert_eq!(answers(&world), 0);
}

/// Without the page: its address is in no parameter, as `ApprovalLinks` `DISABLED` leaves it (the
/// tests of the deployment deploy that).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_page_and_without_mail_the_command_is_enough() {
    let world = World::new();
    let ann = world.user("ann");
    let delete = world.ssm(WEST).delete_parameter().name("/dr-orchestrator/approval-url");
    delete.send().await.unwrap();
    let arn = asked(&world, "nolink", json!({"timeout_minutes": 10})).await;
    let mail = world.mails_about(&arn, 1).await.remove(0);
    assert!(mail.body.contains("Answer with your IAM identity:"), "{}", mail.body);
    assert!(!mail.body.contains("http"), "{}", mail.body);
    answer(&world, &ann, "nolink", &arn, "APPROVE drill").await;
    world.wait(&arn, 60).await.succeeded();

    world.control.fault(json!({"service": "sns", "action": "Publish", "kind": "5xx", "times": -1}));
    let arn = asked(&world, "nomail", json!({"timeout_minutes": 10})).await;
    logged_request(&world).await;
    let command = format!(
        "aws ssm put-parameter --region us-west-2 --type String --overwrite --name \
         /dr-orchestrator/approvals/nomail/{} --value \"APPROVE <your reason>\"",
        name_of(&arn)
    );
    let history = world.sfn(WEST).get_execution_history().execution_arn(&arn).send().await.unwrap();
    let input = format!("{:?}", history.events());
    assert!(input.contains(&command.replace('"', "\\\\\\\"")), "{input}");
    answer(&world, &ann, "nomail", &arn, "APPROVE drill").await;
    world.control.clear_faults();
    world.wait(&arn, 60).await.succeeded();
}

async fn logged_request(world: &World) {
    for _ in 0..200 {
        let log = world.control.log("approval-request");
        if log.iter().any(|line| line.contains("approval mail failed")) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    panic!("no request without a mail\n{}", world.trouble());
}
