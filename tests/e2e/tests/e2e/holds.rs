//! Holds: a resource that fails asks people, and what each decision does to the run.

mod ends;
mod retry;

use e2e::manifests::{self, application, module_test};
use e2e::{Mail, WEST, World};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// A product whose failures ask; its one application has these layers.
async fn held(world: &World, name: &str, layers: &[&[Value]]) -> (String, String) {
    held_as(world, name, layers, json!({"timeout_minutes": 10})).await
}

/// The same with what the manifest says of the approval. Gives manifest key and execution.
async fn held_as(
    world: &World,
    name: &str,
    layers: &[&[Value]],
    approval: Value,
) -> (String, String) {
    let file = format!("{name}-app1.json");
    let file_key = world.upload(WEST, &file, application(layers)).await;
    let mut manifest = manifests::product(name, "ACTIVATE", WEST, &[&[&file]]);
    manifest["onFailure"] = json!("hold");
    manifest["approval"] = approval;
    let key = world.upload(WEST, &format!("{name}.json"), manifest).await;
    (file_key, world.start(WEST, &key).await)
}

fn fails(name: &str) -> Value {
    module_test(name, json!({"Outcome": "FAIL"}))
}

/// The mail that asks about a resource: the `n`th one, counted from 1.
async fn question(world: &World, name: &str, n: usize) -> Mail {
    let end = Instant::now() + Duration::from_secs(90);
    loop {
        let mut mails = world.control.mails();
        mails.retain(|m| m.subject.contains("HELD") && first_line(m).contains(name));
        if mails.len() >= n {
            return mails.swap_remove(n - 1);
        }
        assert!(Instant::now() < end, "no question {n} about {name}\n{}", world.trouble());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

fn first_line(mail: &Mail) -> &str {
    mail.body.lines().next().unwrap_or_default()
}

fn link(mail: &Mail) -> String {
    mail.body.lines().find(|l| l.starts_with("http")).expect("a link").to_owned()
}

/// Presses a button with everything that the page asks for.
fn press(world: &World, link: &str, decision: &str) {
    let typed = world.confirmation(link);
    let form = [
        ("approver", "Ada"),
        ("reason", "drill 7"),
        ("confirmation", typed.as_str()),
        ("decision", decision),
    ];
    let (status, page) = world.control.submit(link, &form);
    assert_eq!(status, 200, "{page}");
}

fn statuses(report: &Value) -> Vec<&str> {
    let all = report["resources"].as_array().unwrap().iter();
    all.map(|r| r["status"].as_str().unwrap()).collect()
}

fn decisions(report: &Value) -> Vec<&str> {
    let all = report["decisions"].as_array().unwrap().iter();
    all.filter_map(|d| d["decision"].as_str()).collect()
}
