use super::*;
use serde_json::json;

pub fn context(unplanned: bool) -> Context {
    serde_json::from_value(json!({
        "product": "shop", "app": null, "file": null, "layer": null, "index": null,
        "siblings": null, "execution": "arn:aws:states:us-west-2:123456789012:execution:m:run-1",
        "root": "run-1", "startedAt": "2026-01-01T00:00:00Z", "region": "us-west-2",
        "primaryRegion": "us-east-1", "secondaryRegion": "us-west-2", "unplanned": unplanned,
        "approved": [], "folder": "dr-orchestration-artifacts/runs/shop/run-1/"
    }))
    .unwrap()
}

pub fn entry(layer: u32, kind: &str, name: &str, status: &str, class: &str, text: &str) -> Value {
    json!({
        "app": "app1", "file": "shop-app1", "layer": layer, "index": 0, "resourceType": kind,
        "resourceName": name, "status": status, "changed": false, "changeClass": class,
        "summary": text, "deadline": null, "waitSeconds": 0, "progress": null,
        "rpoSeconds": null, "creates": [], "dependsOn": ["export:shop-db"], "errorType": null,
        "message": null, "nextStep": null
    })
}

pub fn plan() -> Plan {
    serde_json::from_value(json!({
        "product": "shop", "action": "ACTIVATE", "region": "us-west-2",
        "generatedAt": "2026-01-01T00:01:00Z", "counts": {}, "blockers": [],
        "digest": "d".repeat(64),
        "entries": [
            entry(0, "PromoteRDSReadReplica", "orders-db", "PLANNED", "data-loss",
                  "promotes DB instance orders-db-west; its replication from us-east-1 ends and is not taken up again"),
            entry(0, "ModuleTest", "smoke", "DONE", "create", "test passed"),
            entry(1, "DeployCF", "service", "UNKNOWN", "modify", "the export is missing"),
            entry(1, "DeleteRDSInstance", "old-db", "PLANNED", "destructive", "deletes orders-db-east"),
        ],
    }))
    .unwrap()
}

pub fn run() -> Value {
    json!({
        "context": {},
        "warnings": ["product.json: the name disagrees with the action"],
        "files": [{"app": "app1", "file": "shop-app1", "sha256": "a".repeat(64)}],
        "layers": [{"apps": [{"name": "app1", "files": ["shop-app1"]}]}],
        "again": {"file": "shop-app1", "sha256": "a".repeat(64)},
        "rtoMinutes": 10,
    })
}

pub fn card() -> Card {
    let context = context(true);
    let mut known = Known::default();
    known.durations.set("ACTIVATE", "PromoteRDSReadReplica", "orders-db", 700);
    let about = About {
        context: &context,
        phase: "ACTIVATE",
        execution: &context.execution,
        execution_name: "run-1",
        account: "123456789012",
        expires_at: "2026-01-01T01:00:00Z",
        known: &known,
        rule: &Rule::default(),
    };
    build(&about, &plan(), &run())
}

#[test]
fn what_cannot_be_taken_back_stands_alone_and_in_its_place() {
    let card = card();
    let names: Vec<_> = card.alarms.iter().map(|a| a.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "PromoteRDSReadReplica orders-db (app1, shop-app1, layer 1)",
            "DeleteRDSInstance old-db (app1, shop-app1, layer 2)"
        ]
    );
    assert_eq!(card.groups.len(), 2);
    let marks: Vec<_> =
        card.groups.iter().flat_map(|g| &g.items).map(|i| i.mark.as_str()).collect();
    assert_eq!(marks, ["data-loss", "already done", "not known yet", "destructive"]);
}

#[test]
fn what_was_skipped_before_is_told_until_it_is_done() {
    let context = context(true);
    let rule = Rule::default();
    let mut known = Known::default();
    let skip = |phase: &str, kind: &str, name: &str| Skip {
        phase: phase.into(),
        file: "shop-app1".into(),
        resource_type: kind.into(),
        resource_name: name.into(),
        run: "r1".into(),
        at: "t".into(),
        approver: "Ann".into(),
        reason: "b".into(),
    };
    known.skips.set(skip("ACTIVATE", "PromoteRDSReadReplica", "orders-db"));
    known.skips.set(skip("ACTIVATE", "ModuleTest", "smoke"));
    known.skips.set(skip("INSTANTIATE", "ModuleTest", "smoke"));
    let about = About {
        context: &context,
        phase: "ACTIVATE",
        execution: "",
        execution_name: "",
        account: "",
        expires_at: "",
        known: &known,
        rule: &rule,
    };
    let told: Vec<String> = skipped(&about, &plan()).collect();
    let end = "was skipped in the ACTIVATE run r1 on t by Ann: b";
    assert_eq!(told[0], format!("PromoteRDSReadReplica orders-db {end}"));
    assert!(told.len() == 2 && told[1].contains("in the INSTANTIATE run"), "{told:?}");
}

#[test]
fn an_unknown_step_that_may_destroy_is_marked_so() {
    let mut plan = plan();
    plan.entries[2].response.change_class = Some(shared::ChangeClass::Destructive);
    assert!(item(&plan.entries[2]).is_alarm());
}

#[test]
fn a_manifest_is_listed_once() {
    assert_eq!(card().manifests, [fact("shop-app1", &"a".repeat(64))]);
}

#[test]
fn regions_are_old_and_new_only_when_the_product_moves() {
    let label = |phase: &str| regions(&context(false), phase)[0].label.clone();
    assert_eq!(label("ACTIVATE"), "Old Region");
    assert_eq!(label("REPLICATE"), "Serving Region");
}
