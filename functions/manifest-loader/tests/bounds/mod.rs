//! What the loader makes of a manifest, in every phase: complete and within its bounds when nothing
//! was reported, and never a panic when something was.

use manifest_loader::application::{self, Application, Resource};
use manifest_loader::problem::Report;
use manifest_loader::product::{self, Product};
use manifest_loader::registry::Registry;
use manifest_loader::{items, text};
use serde_json::Value;
use shared::Phase;
use shared::tokens;

/// Reads it as the loader does. `accepted`: nothing was reported offline.
pub fn check(name: &str, bytes: &[u8], accepted: bool) {
    let parsed = text::parse(name, bytes);
    assert!(!accepted || bytes.len() <= 128 * 1024);
    let Ok((value, _)) = parsed else { return assert!(!accepted) };
    let payload = value.get("StatePayload");
    if payload.is_none() && value.is_object() {
        return in_a_run(name, &value, accepted);
    }
    for phase in Phase::ALL {
        let (application, report) = read(name, payload.unwrap_or(&value), phase);
        if report.is_clean() {
            of_application(&application);
        }
    }
}

fn read(name: &str, value: &Value, phase: Phase) -> (Application, Report) {
    let registry = Registry::get().unwrap_or_else(|e| panic!("{}", e.message));
    let mut report = Report::default();
    let application = application::check(registry, name, value, Some(phase), &mut report);
    let _ = application::normal_form(&application);
    (application, report)
}

/// The Region and the bucket are known in a run, so more can be wrong than offline, never less.
fn in_a_run(name: &str, value: &Value, accepted: bool) {
    let registry = Registry::get().unwrap_or_else(|e| panic!("{}", e.message));
    let mut report = Report::default();
    let here = Some("us-west-2");
    let product = product::check(registry, name, value, here, Some("bucket"), &mut report);
    assert!(accepted || !report.is_clean(), "accepted in a run, refused offline");
    if report.is_clean() {
        of_product(&product);
    }
}

fn of_product(product: &Product) {
    assert!(product.action.is_some());
    assert!(product.name.as_deref().is_some_and(is_name), "{:?}", product.name);
    assert!((60..=604_800).contains(&product.approval_seconds));
    assert!(product.rule.required >= 1);
    assert!((1..=200).contains(&product.files().count()));
    for (_, app, key) in product.files() {
        assert!(is_name(&app.name), "{}", app.name);
        assert!((1..=1024).contains(&key.len()) && !key.contains(char::is_control), "{key:?}");
    }
    assert!(product.layers.iter().all(|l| l.iter().all(|app| !app.files.is_empty())));
}

fn of_application(application: &Application) {
    assert!((1..=400).contains(&application.count()), "{}", application.count());
    assert!(items::size(application) <= 240_000);
    for layer in &application.layers {
        assert!(!layer.resources.is_empty());
        layer.resources.iter().for_each(of_resource);
    }
}

fn of_resource(resource: &Resource) {
    let registry = Registry::get().unwrap_or_else(|e| panic!("{}", e.message));
    let Resource { resource_type, resource_name, parameters, account_id } = resource;
    assert!(registry.kind(resource_type).is_some(), "{resource_type}");
    assert!((1..=128).contains(&resource_name.chars().count()), "{resource_name}");
    assert!(parameters.as_object().is_some_and(|p| p.values().all(|v| !v.is_null())));
    assert!(tokens::find(parameters).is_ok(), "{parameters}");
    let digits = |a: &String| a.len() == 12 && a.bytes().all(|b| b.is_ascii_digit());
    assert!(account_id.as_ref().is_none_or(digits), "{account_id:?}");
}

fn is_name(text: &str) -> bool {
    let rest = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    text.len() <= 128 && text.bytes().all(rest) && text.as_bytes()[0].is_ascii_alphabetic()
}
