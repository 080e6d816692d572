//! Retry: what is read and planned again, and who is asked before it is tried.

use super::*;
use crate::cycle::product;
use crate::permissions::missing::{put, take_away};

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
