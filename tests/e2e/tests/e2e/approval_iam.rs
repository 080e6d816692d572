//! Answers by IAM identities: a parameter that a person writes, and who AWS says wrote it.

use crate::approval::{answers, pending, still_waits};
use e2e::manifests::{self, application, module_test};
use e2e::raw::{ADMINISTRATOR, To};
use e2e::{Person, WEST, World, repository};
use serde_json::{Value, json};
use shared::consent::parameter;
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
    logged(&world, "none of APPROVE, REJECT").await;
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
    assert!(status == 400 && page.contains("Approve needs more than a link"), "{page}");
    for reason in ["APPROVE drill", "APPROVE drill again"] {
        answer(&world, &ann, "two", &arn, reason).await;
    }
    logged(&world, "1 of 2 answers").await;
    let told = world.count_answers(WEST, &parameter("two", name_of(&arn))).await;
    assert_eq!(told["status"], "COUNTED", "{told}");
    still_waits(&world, &arn).await;
    let open = pending(&world, &link).await;
    assert_eq!((open["approvals"].as_array().unwrap().len(), &open["answer"]), (1, &Value::Null));
    let (_, page) = world.control.open(&link);
    assert!(page.contains("Answered so far by") && page.contains(&ann.arn), "{page}");

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
    logged(&world, "nothing that waits for an answer has this parameter").await;
    still_waits(&world, &arn).await;
    world.wait(&arn, 90).await.failed("Dr.ApprovalTimedOut");
    answer(&world, &ann, "late", &arn, "APPROVE x").await;
    // Whichever comes first: the end of its time, or the report that closes it.
    logged(&world, "the r").await;
    for name in [parameter("late", name_of(&arn)), "/dr-orchestrator/approvals/late/../x".into()] {
        let told = world.count_answers(WEST, &name).await;
        assert_eq!(told["status"], "IGNORED", "{told}");
    }
    let unwritten = world.count_answers(WEST, &parameter("late", "unwritten")).await;
    assert_eq!(unwritten["errorType"], "Dr.NotFound", "{unwritten}");
    assert_eq!(answers(&world), 0);
}

/// The lines of the command in a mail, with a reason in the place of its blank.
fn command_in(mail: &str) -> String {
    let from = mail.find("aws ssm put-parameter").expect("a command");
    let to = mail[from..].find("\n\n").expect("its end");
    mail[from..from + to].replace("<your reason>", "drill")
}

/// The command in the input of the waiting state, where the console shows it.
async fn command_in_the_input(world: &World, arn: &str) -> String {
    for _ in 0..100 {
        let history = world.sfn(WEST).get_execution_history().execution_arn(arn);
        let history = history.max_results(1000).send().await.unwrap();
        let inputs = history.events.iter().filter_map(|e| e.task_scheduled_event_details());
        let inputs = inputs.filter_map(|d| serde_json::from_str::<Value>(&d.parameters).ok());
        let mut commands = inputs
            .filter_map(|i| Some(i["Payload"]["toAnswerWithoutTheMail"].as_str()?.to_owned()));
        if let Some(command) = commands.next() {
            return command.replace("<your reason>", "drill");
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    panic!("the waiting state shows no command\n{}", world.trouble());
}

/// Deploys the orchestrator once more, with these parameters in place of the sample's.
fn deploy_with(world: &World, name: &str, value: &str) {
    let sample = repository().join(format!("samples/orchestrator-parameters-{WEST}.json"));
    let mut given: Value = serde_json::from_slice(&std::fs::read(sample).unwrap()).unwrap();
    let given = given.as_array_mut().unwrap();
    given.retain(|p| p["ParameterKey"] != name);
    given.push(json!({"ParameterKey": name, "ParameterValue": value}));
    let file = std::env::temp_dir().join(format!("dr-parameters-{}.json", std::process::id()));
    std::fs::write(&file, json!(given).to_string()).unwrap();
    let zips = std::env::var("DR_DIST").expect("DR_DIST names the folder of the zips");
    let command = format!(
        "bash {}/scripts/deploy-orchestrator.sh --region {WEST} --manifests none --zips {zips} \
         --parameters {}",
        repository().display(),
        file.display()
    );
    world.type_as(&Person::administrator(), &command);
    std::fs::remove_file(file).unwrap();
}

/// What `ApprovalLinks` `ENABLED` alone makes: the function URL and its address.
async fn page(world: &World) -> (bool, bool) {
    let name = "aws-dr-orchestrator-approval-callback";
    let url = world.lambda(WEST).get_function_url_config().function_name(name).send().await;
    let address = world.ssm(WEST).get_parameter().name("/dr-orchestrator/approval-url");
    (url.is_ok(), address.send().await.is_ok())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_page_the_command_of_the_mail_is_enough() {
    let world = World::new();
    let ann = world.user("ann");
    assert_eq!(page(&world).await, (true, true));
    deploy_with(&world, "ApprovalLinks", "DISABLED");
    assert_eq!(page(&world).await, (false, false));
    let stacks = aws_sdk_cloudformation::Client::new(&world.config(WEST));
    let stacks = stacks.describe_stacks().send().await.unwrap();
    let names: Vec<_> = stacks.stacks().iter().filter_map(|s| s.stack_name()).collect();
    assert!(!names.is_empty() && !names.iter().any(|n| n.contains("ApprovalPage")), "{names:?}");
    let arn = asked(&world, "nolink", json!({"timeout_minutes": 10})).await;
    let mail = world.mails_about(&arn, 1).await.remove(0);
    assert!(mail.body.contains("Answer with your IAM identity:"), "{}", mail.body);
    assert!(!mail.body.contains("http"), "{}", mail.body);
    world.type_as(&ann, &command_in(&mail.body));
    world.wait(&arn, 60).await.succeeded();
    let approval = &world.report("nolink", &arn).await["approval"];
    assert_eq!((&approval["approver"], &approval["reason"]), (&json!(ann.arn), &json!("drill")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_the_mail_cannot_be_sent_the_command_of_the_waiting_state_is_enough() {
    let world = World::new();
    let ann = world.user("ann");
    world.control.fault(json!({"service": "sns", "action": "Publish", "kind": "5xx", "times": -1}));
    let arn = asked(&world, "nomail", json!({"timeout_minutes": 10})).await;
    let command = command_in_the_input(&world, &arn).await;
    requested(&world, "approval mail failed").await;
    world.type_as(&ann, &command);
    world.control.clear_faults();
    world.wait(&arn, 60).await.succeeded();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_nobody_confirmed_the_mail_the_plan_warns_and_the_command_is_enough() {
    let world = World::new();
    let ann = world.user("ann");
    nobody_is_subscribed(&world);
    let arn = asked(&world, "unheard", json!({"timeout_minutes": 10})).await;
    let command = command_in_the_input(&world, &arn).await;
    requested(&world, "approval requested").await;
    let name = name_of(&arn);
    let run = format!("dr-orchestration-artifacts/runs/unheard/{name}/run.json");
    let run = world.object(WEST, &run).await.unwrap();
    assert!(run["warnings"].to_string().contains("nobody has confirmed a subscription"), "{run}");
    assert!(world.control.mails().iter().all(|m| !m.body.contains(name)));
    world.type_as(&ann, &command);
    world.wait(&arn, 60).await.succeeded();
}

/// The approver's address waits for its confirmation, as after a first deployment.
fn nobody_is_subscribed(world: &World) {
    let to = To { service: "sns", region: WEST, key: ADMINISTRATOR };
    let topic = "arn:aws:sns:us-west-2:123456789012:aws-dr-orchestrator-approvals".to_owned();
    let about = [("TopicArn", topic.clone())];
    let known = world.control.query(to, "ListSubscriptionsByTopic", &about).done();
    let subscription = known.element("SubscriptionArn").to_owned();
    assert!(subscription.starts_with("arn:"), "{known:?}");
    let gone = [("SubscriptionArn", subscription)];
    world.control.query(to, "Unsubscribe", &gone).done();
    let again = [
        ("TopicArn", topic),
        ("Protocol", "email".to_owned()),
        ("Endpoint", "somebody@example.com".to_owned()),
    ];
    world.control.query(to, "Subscribe", &again).done();
}

/// Waits until approval-request has logged this.
async fn requested(world: &World, words: &str) {
    for _ in 0..200 {
        let log = world.control.log("approval-request");
        if log.iter().any(|line| line.contains(words)) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    panic!("approval-request does not say {words}\n{}", world.trouble());
}
