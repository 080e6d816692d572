//! Every warning that a plan can show.

use super::{Planned, given, nothing_was_changed};
use e2e::manifests::{FILES, application, module_test, resource};
use e2e::raw::{ADMINISTRATOR, To};
use e2e::{EAST, WEST, World};
use serde_json::json;

const TOPIC: &str = "arn:aws:sns:us-west-2:123456789012:aws-dr-orchestrator-approvals";

/// Takes the topic's subscriptions away.
fn unsubscribe(world: &World) {
    let to = To { service: "sns", region: WEST, key: ADMINISTRATOR };
    let topic = [("TopicArn", TOPIC.to_owned())];
    let list = world.control.query(to, "ListSubscriptionsByTopic", &topic).done();
    let arn = list.element("SubscriptionArn").to_owned();
    assert!(arn.starts_with(TOPIC), "{}", list.body);
    world.control.query(to, "Unsubscribe", &[("SubscriptionArn", arn)]).done();
    let email = [("Protocol", "email".to_owned()), ("Endpoint", "new@example.com".to_owned())];
    world.control.query(to, "Subscribe", &[&topic[..], &email].concat()).done();
}

/// The sample's database is a replica, 5 s behind; nobody has measured its promotion yet.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dry_run_shows_the_whole_card_with_every_warning() {
    let world = World::new();
    unsubscribe(&world);
    world.control.post("timings", &json!({"replica_lag": 5}));
    let promote = resource(
        "PromoteRDSReadReplica",
        "Orders",
        json!({"RDSInstanceIdentifier": "orders-db-dr"}),
    );
    let layers = application(&[&[promote], &[module_test("Smoke", json!({}))]]);
    let file = "card-app1-CLEANUP.json";
    world.upload(WEST, file, layers.clone()).await;
    let key = given(&world, (WEST, "card", "ACTIVATE"), layers, |m| {
        m["product"][0]["apps"][0]["service_order_files"] = json!([format!("{FILES}{file}")]);
        m["primary_region"] = json!(EAST);
        m["unplanned"] = json!(true);
        m["rto_minutes"] = json!(1);
        m["rpo_seconds"] = json!(0);
    })
    .await;
    let planned = Planned::of(&world, WEST, "card", &key).await;
    assert_eq!(planned.report["outcome"], "PLANNED", "{}", planned.report);

    let name = format!("{FILES}{file}: the file's name speaks of CLEANUP, but it runs in ACTIVATE");
    let warned = planned.texts("warnings");
    for wanted in [
        name.as_str(),
        "approval: nobody has confirmed a subscription of arn:aws:sns:us-west-2:",
        "the run is expected to take 10 min; rto_minutes is 1",
        "Orders may lose 5 s of writes; rpo_seconds is 0",
    ] {
        assert!(warned.iter().any(|w| w.starts_with(wanted)), "{wanted} in {warned:#?}");
    }
    assert_eq!(warned.len(), 4, "{warned:#?}");
    card(&world, &planned).await;
    nothing_was_changed(&world, WEST).await;
}

/// In the report, and as text in the run's folder.
async fn card(world: &World, planned: &Planned) {
    let shown = &planned.report["card"];
    assert_eq!(shown["title"], "ACTIVATE of card in us-west-2");
    let measured = "about 10 min (by the catalogue; no earlier run has measured it)";
    assert_eq!(planned.fact("Duration"), measured);
    assert_eq!(planned.fact("May lose"), "the last 5 s of writes (Orders)");
    assert_eq!(planned.fact("Calls"), "services in us-west-2");
    assert_eq!(shown["warnings"].as_array().unwrap().len(), 4);
    assert_eq!(shown["alarms"][0]["mark"], "data-loss");
    assert_eq!(shown["groups"].as_array().unwrap().len(), 2);
    let name = planned.arn.rsplit(':').next().unwrap();
    let folder = format!("dr-orchestration-artifacts/runs/card/{name}/");
    let get = world.s3(WEST).get_object().bucket(World::bucket(WEST));
    let text = get.key(format!("{folder}card.txt")).send().await.unwrap();
    let text = text.body.collect().await.unwrap().to_vec();
    let text = String::from_utf8(text).unwrap();
    for wanted in ["WARNINGS", "DESTROYS OR MAY LOSE DATA", "WHAT WILL HAPPEN, IN THIS ORDER"] {
        assert!(text.contains(wanted), "{text}");
    }
    assert!(!text.contains("YOUR ANSWER") && !text.contains("Expires"), "{text}");
    assert_eq!(world.object(WEST, &format!("{folder}card.json")).await.as_ref(), Some(shown));
}

/// A dry run takes no lock: these need a run that asks.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_odd_about_the_lock_is_told_to_the_approver() {
    let world = World::new();
    let smoke = application(&[&[module_test("Smoke", json!({}))]]);
    let key = given(&world, (WEST, "left", "ACTIVATE"), smoke, |m| {
        m["primary_region"] = json!(EAST);
        m["secondary_region"] = json!(WEST);
    })
    .await;
    let stopped = world.start(WEST, &key).await;
    world.approval_link(&stopped).await;
    world.sfn(WEST).stop_execution().execution_arn(&stopped).send().await.unwrap();
    world.report("left", &stopped).await;
    world.forget_holder(WEST, "left").await;
    world.control.dark(EAST, true);

    let arn = world.start(WEST, &key).await;
    world.approval_link(&arn).await;
    let name = arn.rsplit(':').next().unwrap();
    let asked = format!("dr-orchestration-artifacts/runs/left/{name}/approval.json");
    let card = world.object(WEST, &asked).await.unwrap()["card"].clone();
    let warned: Vec<&str> =
        card["warnings"].as_array().unwrap().iter().filter_map(|w| w.as_str()).collect();
    let unseen = "run lock: whether a run of left is under way in us-east-1 could not be seen: ";
    assert!(warned.iter().any(|w| w.starts_with(unseen)), "{warned:#?}");
    let over = "(ACTIVATE) has ended without giving back the lock of left: taken over";
    assert!(warned.iter().any(|w| w.contains(over)), "{warned:#?}");
    assert_eq!(warned.len(), 2, "{warned:#?}");
    let mail = world.mails_about(&arn, 1).await.remove(0);
    assert!(mail.body.contains("WARNINGS"), "{}", mail.body);
    world.reject(&arn).await;
    world.wait(&arn, 60).await.failed("Dr.Rejected");
    assert_eq!(world.changes(), Vec::<String>::new());
}
