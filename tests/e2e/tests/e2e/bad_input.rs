//! Bad input is refused before anybody is asked, with everything that a person needs to correct it.

use crate::cases::{Case, cases};
use crate::cycle::product;
use e2e::manifests::{FILES, application, module_test, product as product_manifest, resource};
use e2e::{WEST, World};
use serde_json::{Value, json};

/// A started case.
struct Started {
    case: Case,
    arn: String,
}

async fn start(world: &World, case: Case) -> Started {
    for (name, text) in &case.files {
        world.upload(WEST, name, text.as_str()).await;
    }
    let arn = world.start_machine(WEST, "product-orchestrator", case.input.clone()).await;
    Started { case, arn }
}

/// One text without line breaks, as a mail's reader reads it.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn says(place: &str, case: &Case, text: &str) {
    let name = case.name;
    for wanted in &case.says {
        assert!(text.contains(wanted.as_str()), "{name}: {place} does not say {wanted:?}:\n{text}");
    }
}

impl Started {
    async fn is_refused(&self, world: &World) {
        let case = &self.case;
        let ended = world.wait(&self.arn, 120).await;
        assert_eq!(ended.error, case.error, "{}: {}", case.name, ended.cause);
        says("the cause", case, &ended.lines().join("\n"));
        let report = world.report(&case.product, &self.arn).await;
        assert_eq!(report["outcome"], "FAILED", "{}", case.name);
        let lines: Vec<_> = report["lines"].as_array().unwrap().iter().collect();
        assert_eq!(lines.len(), case.problems, "{}: {lines:#?}", case.name);
        let next = report["nextStep"].as_str().unwrap();
        assert!(next.starts_with("Nothing was changed."), "{}: {next}", case.name);
        let mails = world.mails_about(&self.arn, 1).await;
        assert_eq!(mails.len(), 1, "{}", case.name);
        assert!(mails[0].subject.contains("FAILED"), "{}: {}", case.name, mails[0].subject);
        assert!(flat(&mails[0].body).contains(&flat(&case.says[1])), "{}", mails[0].body);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_defect_is_told_with_its_place_before_anybody_is_asked() {
    let world = World::new();
    let mut started = Vec::new();
    for case in cases() {
        started.push(start(&world, case).await);
    }
    for run in &started {
        run.is_refused(&world).await;
    }
    let asked: Vec<_> =
        world.control.mails().into_iter().filter(|m| m.subject.contains("Approve")).collect();
    assert!(asked.is_empty(), "{asked:?}");
    assert_eq!(world.changes(), Vec::<String>::new());
    assert!(journals(&world).await.is_empty());
}

/// Journals exist only of resources that were begun.
async fn journals(world: &World) -> Vec<String> {
    let keys = world.keys(WEST, "runs/").await;
    keys.into_iter().filter(|k| k.contains("/journal/") && !k.contains("/failures/")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_problems_are_all_listed_and_the_mail_is_cut_sensibly() {
    let world = World::new();
    let resources: Vec<Value> =
        (0..200).map(|n| module_test(&format!("r{n}"), json!({"Ehco": n}))).collect();
    let key = world.given(WEST, "many-problems", application(&[&resources])).await;
    let arn = world.start(WEST, &key).await;
    let ended = world.wait(&arn, 60).await;
    assert_eq!(ended.error, "Dr.InvalidParameters");

    let folder = format!("runs/many-problems/{}/", ended.name());
    let key = format!("dr-orchestration-artifacts/{folder}problems.json");
    let all = world.object(WEST, &key).await.unwrap();
    let problems = all["problems"].as_array().unwrap();
    assert_eq!(problems.len(), 200);
    assert_eq!(problems[199]["path"], "$[0].resources[199].parameters.Ehco");
    assert_eq!(problems[199]["file"], format!("{FILES}many-problems-app1.json"));

    let cause = ended.lines().join("\n");
    assert!(cause.chars().count() <= 1000, "{}", cause.len());
    assert!(cause.contains(" more: s3://") && cause.contains("problems.json"), "{cause}");
    let mail = world.mails_about(&arn, 1).await.remove(0);
    let shown = mail.body.matches("unknown parameter").count();
    let flat = flat(&mail.body);
    assert!((10..=100).contains(&shown), "{shown}");
    assert!(flat.contains(&format!("and {} more: see s3://", 200 - shown)), "{}", mail.body);
    assert!(mail.body.len() < 60_000, "{}", mail.body.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_that_an_earlier_layer_creates_is_awaited_not_refused() {
    let world = World::new();
    let arn = world.start(WEST, &product("INSTANTIATE")).await;
    world.approval_link(&arn).await;
    let name = arn.rsplit(':').next().unwrap();
    let key = format!("dr-orchestration-artifacts/runs/sampleproduct/{name}/plan.json");
    let plan = world.object(WEST, &key).await.unwrap();
    let waiting: Vec<_> = plan["entries"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|e| e["status"] == "UNKNOWN")
        .map(|e| e["dependsOn"].clone())
        .collect();
    assert_eq!(waiting, [json!(["export:sampleproduct-orders-service-function"])]);
    assert_eq!(plan["blockers"], json!([]));
    let mail = world.mails_about(&arn, 1).await.remove(0);
    assert!(mail.body.contains("not known yet"), "{}", mail.body);
    assert_eq!(world.changes(), Vec::<String>::new());
    world.reject(&arn).await;
    world.wait(&arn, 60).await.failed("Dr.Rejected");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_of_a_later_layer_or_of_the_same_one_is_refused() {
    let world = World::new();
    let service = resource(
        "DeployCF",
        "Orders service",
        json!({
            "StackName": "sampleproduct-orders-service",
            "TemplateS3Key": "sampleproduct/orders-service.yaml",
            "Capabilities": ["CAPABILITY_IAM"],
            "Parameters": {
                "CodeBucket": "resolve:ssm:/sampleproduct/code-bucket",
                "Release": "resolve:ssm:/sampleproduct/service-release",
                "DatabaseEndpoint": "!Import sampleproduct-database-endpoint",
            },
        }),
    );
    let tokens = json!({"ResolveTokens": ["!Import sampleproduct-orders-service-function"]});
    let test = module_test("Service is deployed", tokens);
    let both = [test, service];
    let orders = [application(&[&both[..1], &both[1..]]), application(&[&both])];
    let mut started = Vec::new();
    for (n, order) in orders.into_iter().enumerate() {
        let name = format!("too-early-{n}");
        let file = format!("{name}-app1.json");
        world.upload(WEST, &file, order).await;
        let manifest = product_manifest(&name, "INSTANTIATE", WEST, &[&[&file]]);
        let key = world.upload(WEST, &format!("{name}.json"), manifest).await;
        started.push(world.start(WEST, &key).await);
    }
    for arn in started {
        let cause = world.wait(&arn, 60).await.failed("Dr.PlanFailed");
        assert!(cause.contains("export:sampleproduct-orders-service-function"), "{cause}");
        assert!(cause.contains("put it into a later layer"), "{cause}");
    }
    assert_eq!(world.changes(), Vec::<String>::new());
}
