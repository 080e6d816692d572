//! Every way in which a plan is blocked once its manifests are good.

use super::{Planned, given, nothing_was_changed, planted};
use crate::cycle::instances;
use e2e::manifests::{application, module_test, resource};
use e2e::{EAST, WEST, World};
use serde_json::{Value, json};
use std::time::Duration;

/// A step that waits for an export.
fn needs(name: &str, export: &str) -> Value {
    module_test(name, json!({"ResolveTokens": [format!("!Import {export}")]}))
}

fn lag_check(name: &str, global: &str) -> Value {
    let parameters = json!({"GlobalClusterIdentifier": global, "MaxLagSeconds": 5});
    resource("AuroraGlobalLagCheck", name, parameters)
}

/// The stack of the sample's service: it exports the function.
fn service() -> Value {
    resource(
        "DeployCF",
        "Service",
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
    )
}

/// One line, which names file, layer, type and resource.
pub fn line(planned: &Planned, at: &str, says: &[&str]) {
    let lines = planned.texts("lines");
    let found = lines.iter().find(|l| l.starts_with(at));
    let found = found.unwrap_or_else(|| panic!("no line begins with {at:?}: {lines:#?}"));
    says.iter().for_each(|s| assert!(found.contains(s), "{s:?} in {found}"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_blockers_are_told_together_each_with_its_place() {
    let world = World::new();
    let function = "sampleproduct-orders-service-function";
    let first = [
        needs("Nobody makes it", "sampleproduct-no-such-export"),
        needs("Made too late", function),
        lag_check("Fails", "none"),
    ];
    let layers = application(&[&first, &[service()], &[needs("Made in time", function)]]);
    let key = given(&world, (WEST, "blocked", "INSTANTIATE"), layers, |_| ()).await;
    let planned = Planned::of(&world, WEST, "blocked", &key).await;
    assert_eq!(planned.report["errorType"], "Dr.PlanFailed", "{}", planned.report);
    let at = "blocked-app1, layer 1, ";
    line(
        &planned,
        &format!("{at}ModuleTest Nobody makes it: Dr.NotFound: "),
        &[
            "\"export:sampleproduct-no-such-export\" does not exist and no earlier layer creates it.",
        ],
    );
    line(
        &planned,
        &format!("{at}ModuleTest Made too late: Dr.NotFound: "),
        &["is created by blocked-app1, layer 2, Service, which does not run before it: put it \
           into a later layer."],
    );
    line(&planned, &format!("{at}AuroraGlobalLagCheck Fails: Dr.NotFound: "), &["none"]);
    assert_eq!(planned.texts("lines").len(), 3, "{:#?}", planned.texts("lines"));
    assert_eq!(planned.report["card"], Value::Null);
    nothing_was_changed(&world, WEST).await;
}

/// What only a function with a bug can bring about.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_is_missing_or_waits_for_nothing_blocks() {
    let world = World::new();
    planted::plant(&world).await;
    let layer = [lag_check("Forgets its answer", "g"), lag_check("Waits for nothing", "g")];
    let key = given(&world, (WEST, "bugs", "ACTIVATE"), application(&[&layer]), |_| ()).await;
    let planned = Planned::of(&world, WEST, "bugs", &key).await;
    let at = "bugs-app1, layer 1, AuroraGlobalLagCheck ";
    line(
        &planned,
        &format!("{at}Forgets its answer: Dr.Internal: "),
        &["the plan has no entry for this resource"],
    );
    line(
        &planned,
        &format!("{at}Waits for nothing: Dr.NotFound: "),
        &["planted, and names nothing it waits for."],
    );
    assert_eq!(planned.texts("lines").len(), 2);
    assert_eq!(world.control.take_plan_changes().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn destruction_is_blocked_where_no_manifest_names_the_region() {
    let world = World::new();
    let promote = world.rds(WEST).promote_read_replica().db_instance_identifier("orders-db-dr");
    promote.send().await.unwrap();
    while instances(&world, WEST).await["orders-db-dr"] != ("available".into(), String::new()) {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let delete = resource(
        "DeleteRDSInstance",
        "Old primary",
        json!({
            "RDSInstanceIdentifier": "orders-db",
            "Region": EAST,
            "ExpectedWriterArn": "arn:aws:rds:us-west-2:123456789012:db:orders-db-dr",
            "DisableDeletionProtection": "True",
        }),
    );
    let about = (WEST, "anywhere", "REPLICATE");
    let key = given(&world, about, application(&[&[delete]]), |m| {
        m.as_object_mut().unwrap().remove("region");
        m["primary_region"] = json!(WEST);
        m["secondary_region"] = json!(EAST);
    })
    .await;
    let planned = Planned::of(&world, WEST, "anywhere", &key).await;
    line(
        &planned,
        "anywhere-app1, layer 1, DeleteRDSInstance Old primary: Dr.Refused: ",
        &["it would destroy something, and the run has no product manifest that names its \
           \"region\". Name it there and start the product."],
    );
    assert_eq!(planned.texts("lines").len(), 1);
    nothing_was_changed(&world, WEST).await;
}
