//! What a resource type refuses before it looks at anything, and what it cannot read: found by the
//! plan, since no schema can tell it.

use super::blockers::line;
use super::{Planned, given, nothing_was_changed};
use e2e::manifests::{application, module_test, resource};
use e2e::{EAST, WEST, World};
use serde_json::{Value, json};

const EASTERN: &str = "arn:aws:rds:us-east-1:123456789012:cluster:orders";

fn stack(name: &str, template: &str, role: Option<&str>) -> Value {
    let mut parameters = json!({"StackName": "refused", "TemplateS3Key": template});
    if let Some(role) = role {
        parameters["RoleARN"] = json!(role);
    }
    resource("DeployCF", name, parameters)
}

fn aurora(kind: &str, name: &str, more: Value) -> Value {
    let mut all = json!({"GlobalClusterIdentifier": "g", "DBClusterIdentifier": EASTERN});
    all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    resource(kind, name, all)
}

async fn template(world: &World, key: &str, body: Vec<u8>) {
    let put = world.s3(WEST).put_object().bucket(World::bucket(WEST)).key(key);
    put.body(body.into()).send().await.unwrap();
}

/// Plans one layer with these resources; each has a line that says its words.
async fn refuses(world: &World, name: &str, unplanned: bool, cases: Vec<(Value, &str)>) {
    let layer: Vec<Value> = cases.iter().map(|(resource, _)| resource.clone()).collect();
    let key = given(world, (WEST, name, "ACTIVATE"), application(&[&layer]), |m| {
        m["primary_region"] = json!(EAST);
        m["secondary_region"] = json!(WEST);
        m["unplanned"] = json!(unplanned);
    })
    .await;
    let planned = Planned::of(world, WEST, name, &key).await;
    assert_eq!(planned.report["errorType"], "Dr.PlanFailed", "{}", planned.report);
    for (resource, says) in &cases {
        let text = |field: &str| resource[field].as_str().unwrap();
        let at =
            format!("{name}-app1, layer 1, {} {}: ", text("resourceType"), text("resourceName"));
        line(&planned, &at, &[says]);
    }
    assert_eq!(planned.texts("lines").len(), cases.len(), "{:#?}", planned.texts("lines"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_meant_is_refused_by_the_plan() {
    let world = World::new();
    template(&world, "sampleproduct/large.yaml", vec![b' '; 1_048_577]).await;
    template(&world, "sampleproduct/latin.yaml", b"Resources: \xe4".to_vec()).await;
    let no_number = json!({"Sleep": "resolve:ssm:/sampleproduct/code-bucket"});
    let cases = vec![
        (module_test("Negative", json!({"Sleep": -1})), "Sleep must not be negative"),
        (module_test("No number", no_number), "parameters.Sleep: "),
        (stack("No role", "sampleproduct/orders-service.yaml", Some("x")), "x is no role"),
        (stack("Large", "sampleproduct/large.yaml", None), "is larger than 1 MB"),
        (stack("Latin", "sampleproduct/latin.yaml", None), "is no text in UTF-8"),
        (
            aurora("PlannedFailoverAurora", "Serves", json!({})),
            "is in us-east-1, which is primary_region",
        ),
    ];
    refuses(&world, "meant", false, cases).await;
    nothing_was_changed(&world, WEST).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_needs_the_lost_region_is_refused_by_the_plan() {
    let world = World::new();
    let forced =
        json!({"ClusterRegion": EAST, "AcceptDataLoss": "True", "FenceAcknowledged": "True"});
    let source = "arn:aws:rds:us-east-1:123456789012:db:orders-db";
    let snapshot = json!({"Kind": "INSTANCE", "SourceIdentifier": source});
    let cases = vec![
        (
            aurora("PlannedFailoverAurora", "Switchover", json!({})),
            "a switchover needs a healthy primary, and this run is unplanned",
        ),
        (
            aurora("UnPlannedFailoverAurora", "Takeover", forced),
            "is in us-east-1, which is primary_region",
        ),
        (
            resource("DBSnapshot", "Far", snapshot),
            "us-east-1 is taken for lost and must not be called",
        ),
    ];
    refuses(&world, "lost", true, cases).await;
    let calls = world.control.calls();
    let far = calls.iter().find(|c| !c.function().is_empty() && c.text("region") == EAST);
    assert!(far.is_none(), "{far:?}");
    nothing_was_changed(&world, WEST).await;
}
