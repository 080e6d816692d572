//! Plans: what they show, what they warn of, what blocks them, and that they change nothing. Each is a
//! real start of a product with `planOnly`.

mod blockers;
mod durations;
mod planted;
mod refused;
mod warnings;

use e2e::World;
use e2e::manifests::product;
use serde_json::{Value, json};

/// A run that only planned.
pub struct Planned {
    /// ARN.
    pub arn: String,
    /// `report.json`.
    pub report: Value,
}

impl Planned {
    /// Starts a product with `planOnly` and waits for its end.
    pub async fn of(world: &World, region: &str, name: &str, key: &str) -> Self {
        let input = json!({"productmanifestpath": key, "planOnly": true});
        let arn = world.start_machine(region, "product-orchestrator", input).await;
        world.wait(&arn, 90).await;
        let report = world.report(name, &arn).await;
        assert_eq!(report["planOnly"], true);
        Self { arn, report }
    }

    /// The lines of a list of the report.
    pub fn texts(&self, list: &str) -> Vec<String> {
        let all = self.report[list].as_array().unwrap();
        all.iter().map(|t| t.as_str().unwrap().to_owned()).collect()
    }

    /// A fact of the card; empty when the card has none of this label.
    pub fn fact(&self, label: &str) -> String {
        let facts = self.report["card"]["facts"].as_array();
        let facts = facts.unwrap_or_else(|| panic!("no card: {}", self.report));
        let fact = facts.iter().find(|f| f["label"] == label);
        fact.map(|f| f["value"].as_str().unwrap().to_owned()).unwrap_or_default()
    }
}

/// Uploads an application manifest and a product manifest around it, which `change` adapts.
pub async fn given(
    world: &World,
    (region, name, action): (&str, &str, &str),
    application: Value,
    change: impl FnOnce(&mut Value),
) -> String {
    let file = format!("{name}-app1.json");
    world.upload(region, &file, application).await;
    let mut manifest = product(name, action, region, &[&[&file]]);
    change(&mut manifest);
    world.upload(region, &format!("{name}.json"), manifest).await
}

/// Nothing changed: no call of any function beyond the run's own notes, no mail, no lock.
pub async fn nothing_was_changed(world: &World, region: &str) {
    assert_eq!(world.changes(), Vec::<String>::new());
    let mails = world.control.mails();
    assert!(mails.iter().all(|m| !m.subject.contains("Approve")), "somebody was asked");
    assert_eq!(world.keys(region, "pending/").await, Vec::<String>::new());
    assert_eq!(world.keys(region, "locks/").await, Vec::<String>::new());
}
