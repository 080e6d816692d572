//! The decision: pure, and where the tests are. Each look decides anew what is missing.

use crate::guards;
use crate::observed::{Change, GLOBAL, JOIN, Observed};
use shared::{ChangeClass, Classified, Cx, ErrorType, Outcome, Step};
use shared_elasticache::{Datastore, Group, Health, Role, group_remedy};

/// Seconds between refused attempts; the fifth refusal ends the attempt.
const PACE_S: i64 = 20;

/// What stands in the way, then the datastore, its id, and the secondary.
pub fn decide(o: &Observed, cx: &Cx) -> Step<Change> {
    let Some(source) = &o.source else {
        let why = format!("the source {} does not exist", o.wanted.source.label());
        return Step::Unknown(vec![format!("elasticache:{}", o.wanted.source)], why);
    };
    if let Some(step) = guards::guard(o, source, cx) {
        return step;
    }
    let Some(datastore) = &o.datastore else { return global(o, source, cx) };
    if let Some(step) = at_rest(o, datastore) {
        return step;
    }
    match &o.target {
        // Who reads the id finds a secondary behind it as soon as possible, so it comes first.
        None => put(o, datastore).unwrap_or_else(|| join(o, source, datastore, cx)),
        Some(target) => existing(o, datastore, target, cx),
    }
}

fn global(o: &Observed, source: &Group, cx: &Cx) -> Step<Change> {
    if let Some(step) = ready(&o.wanted.source.label(), source) {
        return step;
    }
    if source.global.is_some() {
        let why = format!("the global datastore of {} does not show", o.wanted.source.label());
        return Step::Wait(why);
    }
    let (suffix, source) = (o.wanted.suffix.clone(), o.wanted.source.clone());
    paced(cx, GLOBAL, Change::Global { suffix, source })
}

/// None: available. Some: the wait, or the end.
fn ready(label: &str, group: &Group) -> Option<Step<Change>> {
    let is = format!("{label} is {}", group.status);
    match group.health() {
        Health::Available | Health::PrimaryOnly => None,
        Health::Moving => Some(Step::Wait(is)),
        Health::Deleting | Health::Broken => {
            Some(Step::Fail(ErrorType::Failed, is, group_remedy(&group.status).into()))
        }
    }
}

/// A datastore without a secondary may call itself `primary-only`.
fn at_rest(o: &Observed, datastore: &Datastore) -> Option<Step<Change>> {
    let is = format!("{} is {}", datastore.id, datastore.status);
    match datastore.health() {
        Health::Available | Health::PrimaryOnly => None,
        // A secondary that is being created keeps it busy; its own status says more.
        Health::Moving if o.target.is_some() => None,
        Health::Moving => Some(Step::Wait(is)),
        Health::Deleting | Health::Broken => {
            let next = "Wait until it is gone or at rest, then start again.";
            Some(Step::Fail(ErrorType::Failed, is, next.into()))
        }
    }
}

/// The first Region whose parameter does not hold the id.
fn put(o: &Observed, datastore: &Datastore) -> Option<Step<Change>> {
    let output = o.wanted.output.as_ref()?;
    let stale = |(_, value): &&(String, Option<String>)| value.as_ref() != Some(&datastore.id);
    let (region, _) = o.outputs.iter().find(stale)?;
    Some(Step::Change(Change::Put {
        name: output.name.clone(),
        region: region.clone(),
        value: datastore.id.clone(),
    }))
}

fn join(o: &Observed, source: &Group, datastore: &Datastore, cx: &Cx) -> Step<Change> {
    if let Some(step) = ready(&o.wanted.source.label(), source) {
        return step;
    }
    let change = Change::Join {
        datastore: datastore.id.clone(),
        target: o.wanted.target.clone(),
        fails_over: fails_over(o, source),
    };
    paced(cx, JOIN, change)
}

/// With shards or in several Zones it must; otherwise as the source does, if there is a replica.
fn fails_over(o: &Observed, source: &Group) -> Option<bool> {
    let replicas = o.wanted.nodes.map_or(o.wanted.replicas.unwrap_or(0), |n| n - 1);
    let wanted = source.sharded || o.wanted.multi_az || (source.fails_over && replicas > 0);
    wanted.then_some(true)
}

fn paced(cx: &Cx, call: &str, change: Change) -> Step<Change> {
    let refusals = cx.progress.faults.get(call).copied().unwrap_or_default();
    let elapsed = cx.seconds_since(GLOBAL).unwrap_or_else(|| cx.waited());
    if elapsed < i64::from(refusals) * PACE_S {
        return Step::Wait(format!("AWS refused {call} for the state of things"));
    }
    Step::Change(change)
}

/// A secondary of ours: what else must be true.
fn existing(o: &Observed, datastore: &Datastore, target: &Group, cx: &Cx) -> Step<Change> {
    let label = o.wanted.target.label();
    if target.health() == Health::Broken {
        let why = format!("{label} is {}", target.status);
        let next =
            "Read its events, take it out (DisassociateElastiCache), delete it, start again.";
        return Step::Fail(ErrorType::Failed, why, next.into());
    }
    if let Some(step) = put(o, datastore) {
        return step;
    }
    let side = datastore.side(&o.wanted.target);
    let joined = side.is_some_and(|s| s.is_associated() && s.role == Some(Role::Secondary));
    let ready = target.health() == Health::Available && target.role() == Some(Role::Secondary);
    if !joined || !ready || datastore.health() != Health::Available {
        let in_it = side.map_or("not listed", |s| s.status.as_str());
        return Step::Wait(format!(
            "{label} is {}, {in_it} in {}, which is {}",
            target.status, datastore.id, datastore.status
        ));
    }
    let how = if cx.changed() { "is" } else { "is already" };
    let line = format!("{label} {how} a secondary of {}, available", datastore.id);
    Step::Done(Outcome::new(format!("{line}{}", notes(o, datastore))))
}

/// What the operator must know of the id.
fn notes(o: &Observed, datastore: &Datastore) -> String {
    let mut notes = String::new();
    if let Some(output) = &o.wanted.output {
        notes += &format!("; its id is in {} in {}", output.name, output.regions.join(", "));
    }
    if let Some(named) = o.wanted.named.as_ref().filter(|n| **n != datastore.id) {
        notes += &format!(
            "; GlobalReplicationGroupId still says {named}: correct the manifests, or let them read \
             the id (OutputParameterName, resolve:ssm)"
        );
    }
    notes
}

/// PLAN: everything that is missing, in one line.
pub fn outlook(o: &Observed, cx: &Cx) -> Option<(ChangeClass, String)> {
    let source = o.source.as_ref()?;
    let leaving = o.target.as_ref().is_some_and(|t| t.health() == Health::Deleting);
    if guards::guard(o, source, cx).is_some() && !leaving {
        return None;
    }
    let id = o.datastore.as_ref().map(|d| d.id.clone());
    let mut lines = Vec::new();
    if id.is_none() {
        let (suffix, source) = (o.wanted.suffix.clone(), o.wanted.source.clone());
        lines.push(Change::Global { suffix, source }.summary());
    }
    let datastore = id.clone().unwrap_or_else(|| "it".to_owned());
    if o.target.is_none() || leaving {
        let target = o.wanted.target.clone();
        lines.push(Change::Join { datastore, target, fails_over: None }.summary());
    }
    let stale = |(_, value): &&(String, Option<String>)| value.is_none() || *value != id;
    let regions: Vec<&str> = o.outputs.iter().filter(stale).map(|(r, _)| r.as_str()).collect();
    let mut class = ChangeClass::Create;
    if let Some(output) = o.wanted.output.as_ref().filter(|_| !regions.is_empty()) {
        class = ChangeClass::Modify;
        lines.push(format!("write its id to {} in {}", output.name, regions.join(", ")));
    }
    if lines.is_empty() {
        return None;
    }
    let first = if leaving { "; first waits: an older one is being deleted" } else { "" };
    Some((class, format!("{}{first}", lines.join(", "))))
}

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;
