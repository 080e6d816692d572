//! The plan as the approver sees it. Pure.

use crate::expected::{self, Duration};
use serde_json::Value;
use shared::consent::Rule;
use shared::durations::Durations;
use shared::folder::{Plan, PlanEntry};
use shared::pending::{Card, Fact, Group, Item};
use shared::skips::{Skip, Skips};
use shared::text::one_line;
use shared::{Context, Phase, Status};

/// What earlier runs of the product left.
#[derive(Default)]
pub struct Known {
    /// What they took.
    pub durations: Durations,
    /// What people skipped in them.
    pub skips: Skips,
}

/// What the card is about.
pub struct About<'a> {
    /// The run.
    pub context: &'a Context,
    /// The phase that is asked for.
    pub phase: &'a str,
    /// ARN.
    pub execution: &'a str,
    /// Its last part.
    pub execution_name: &'a str,
    /// The orchestrator's account.
    pub account: &'a str,
    /// RFC 3339.
    pub expires_at: &'a str,
    /// What earlier runs left.
    pub known: &'a Known,
    /// Who must approve.
    pub rule: &'a Rule,
}

/// Builds the card.
pub fn build(about: &About, plan: &Plan, run: &Value) -> Card {
    let context = about.context;
    let duration = expected::duration(about.phase, plan, run, &about.known.durations);
    let mut warnings = warnings(run);
    warnings.extend(skipped(about, plan));
    warnings.extend(expected::warnings(run, &duration, plan).iter().map(|w| one_line(w)));
    Card {
        title: format!("{} of {} in {}", about.phase, context.product, context.region),
        facts: facts(about, plan, &duration),
        warnings,
        alarms: plan.entries.iter().map(alarm).filter(Item::is_alarm).collect(),
        groups: groups(&plan.entries),
        manifests: manifests(run),
    }
}

fn facts(about: &About, plan: &Plan, duration: &Duration) -> Vec<Fact> {
    let context = about.context;
    let mut facts = vec![
        fact("Product", &context.product),
        fact("Action", about.phase),
        fact("Region", &format!("{} (account {})", context.region, about.account)),
        fact("Kind", &kind(context)),
    ];
    facts.extend(regions(context, about.phase));
    facts.extend([
        fact("Calls", &calls(context, about.phase)),
        fact("Plan", &totals(&plan.entries)),
        fact("Duration", &duration.text()),
        fact("May lose", &expected::loss(plan).unwrap_or_default()),
        fact("Planned at", &plan.generated_at),
        fact("Expires", about.expires_at),
        fact("Approval", &approval(about.rule)),
        fact("Execution", about.execution_name),
        fact("", about.execution),
        fact("Digest", &plan.digest),
    ]);
    facts.retain(|f| !f.value.is_empty());
    facts
}

fn approval(rule: &Rule) -> String {
    if rule.needs_identity() { rule.text() } else { String::new() }
}

fn warnings(run: &Value) -> Vec<String> {
    let known = run["warnings"].as_array().into_iter().flatten();
    known.filter_map(Value::as_str).map(one_line).collect()
}

/// What somebody skipped before, in any phase, until a run has done it.
fn skipped<'a>(about: &'a About, plan: &'a Plan) -> impl Iterator<Item = String> + 'a {
    let done = |skip: &Skip| {
        plan.entries.iter().any(|e| {
            e.response.status == Status::Done
                && about.phase == skip.phase
                && e.file.as_deref() == Some(skip.file.as_str())
                && e.resource_type == skip.resource_type
                && e.resource_name == skip.resource_name
        })
    };
    about.known.skips.all().filter(move |skip| !done(skip)).map(|skip| {
        let Skip { phase, resource_type, resource_name, run, at, approver, reason, .. } = skip;
        one_line(&format!(
            "{resource_type} {resource_name} was skipped in the {phase} run {run} on {at} by \
             {approver}: {reason}"
        ))
    })
}

fn fact(label: &str, value: &str) -> Fact {
    Fact { label: label.to_owned(), value: one_line(value) }
}

fn kind(context: &Context) -> String {
    match (&context.primary_region, context.unplanned) {
        (Some(lost), true) => format!("unplanned: {lost} is taken for lost and is not called"),
        (None, true) => "unplanned".to_owned(),
        (_, false) => "planned".to_owned(),
    }
}

/// The Regions whose services the run needs.
fn calls(context: &Context, phase: &str) -> String {
    let lost = Phase::ALL.into_iter().find(|p| p.as_str() == phase);
    let lost = lost.and_then(|p| context.lost_region(p));
    let all = [&context.primary_region, &context.secondary_region];
    let others = all.into_iter().flatten().filter(|r| **r != context.region);
    let others = others.map(String::as_str).filter(|r| Some(*r) != lost);
    let regions: Vec<&str> = std::iter::once(context.region.as_str()).chain(others).collect();
    format!("services in {}", regions.join(" and "))
}

/// `primaryRegion` serves before the run; in ACTIVATE it is the old one.
fn regions(context: &Context, phase: &str) -> Vec<Fact> {
    let labels = match phase {
        "ACTIVATE" => ["Old Region", "New Region"],
        _ => ["Serving Region", "Other Region"],
    };
    let values = [&context.primary_region, &context.secondary_region];
    let pairs = labels.into_iter().zip(values);
    pairs.filter_map(|(label, value)| Some(fact(label, value.as_deref()?))).collect()
}

fn totals(entries: &[PlanEntry]) -> String {
    let count = |status: Status| entries.iter().filter(|e| e.response.status == status).count();
    let alarms = entries.iter().map(item).filter(Item::is_alarm).count();
    let marked = if alarms == 0 {
        "nothing destructive".to_owned()
    } else {
        format!("{alarms} of them DESTRUCTIVE or losing data")
    };
    let (unknown, done) = (count(Status::Unknown), count(Status::Done));
    let to_do = count(Status::Planned) + unknown;
    let open = if unknown == 0 { String::new() } else { format!("; {unknown} not known yet") };
    format!("{to_do} to do ({marked}{open}), {done} already done")
}

fn groups(entries: &[PlanEntry]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for entry in entries {
        let title = one_line(&entry.place());
        if groups.last().is_none_or(|g| g.title != title) {
            groups.push(Group { title: title.clone(), items: vec![] });
        }
        if let Some(group) = groups.last_mut() {
            group.items.push(item(entry));
        }
    }
    groups
}

/// An entry out of its group says where it belongs.
fn alarm(entry: &PlanEntry) -> Item {
    let item = item(entry);
    Item { name: one_line(&format!("{} ({})", item.name, entry.place())), ..item }
}

fn item(entry: &PlanEntry) -> Item {
    let response = &entry.response;
    let class = response.change_class.map_or("modify", |c| c.as_str());
    let serious = matches!(class, "destructive" | "data-loss");
    let (mark, text) = match response.status {
        Status::Done => ("already done", response.summary.clone()),
        Status::Unknown if serious => (class, not_known(entry)),
        Status::Unknown => ("not known yet", not_known(entry)),
        Status::Failed => ("blocked", response.message.clone().unwrap_or_default()),
        _ => (class, response.summary.clone()),
    };
    Item {
        mark: mark.to_owned(),
        name: one_line(&format!("{} {}", entry.resource_type, entry.resource_name)),
        text: one_line(&text),
    }
}

fn not_known(entry: &PlanEntry) -> String {
    let response = &entry.response;
    let class = response.change_class.map_or("modify", |c| c.as_str());
    let missing = response.depends_on.join(", ");
    format!(
        "{} (cannot be told before an earlier step has made {missing}; at worst: {class})",
        response.summary
    )
}

/// Everything in `run.json` that carries a sha256, under the best name it has.
fn manifests(run: &Value) -> Vec<Fact> {
    let mut found = Vec::new();
    collect(run, &mut found);
    found
}

fn collect(value: &Value, found: &mut Vec<Fact>) {
    if let (Some(digest), Some(name)) = (value["sha256"].as_str(), name_of(value)) {
        let fact = fact(name, digest);
        if !found.contains(&fact) {
            found.push(fact);
        }
    }
    match value {
        Value::Object(fields) => fields.values().for_each(|v| collect(v, found)),
        Value::Array(items) => items.iter().for_each(|v| collect(v, found)),
        _ => {}
    }
}

fn name_of(value: &Value) -> Option<&str> {
    ["key", "source", "name", "file"].iter().find_map(|name| value[*name].as_str())
}

#[cfg(test)]
#[path = "card_tests.rs"]
pub mod tests;
