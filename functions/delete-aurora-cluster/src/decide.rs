//! The decision: pure, and where the tests are.

use crate::change::Change;
use crate::gone::{gone, taken};
use crate::guards::guard;
use crate::observed::Observed;
use crate::snapshot::{Next, copy, next};
use crate::{globals, state};
use shared::{Classified, Cx, ErrorType, Step};
use shared_rds::{Cluster, Health, Instance};

/// Whether the cluster is still there divides everything.
pub fn decide(o: &Observed, cx: &Cx) -> Step<Change> {
    let Some(cluster) = &o.stale else { return gone(o, cx) };
    if cluster.health() == Health::Deleting {
        return Step::Wait(format!("{} is {}", cluster.arn.id, cluster.status));
    }
    guard(o, cluster)
        .or_else(|| state::state(o, cluster))
        .or_else(|| consents(o, cluster, cx))
        .or_else(|| copy(o))
        .unwrap_or_else(|| remove(o, cluster))
}

/// What would stop a later call is told before the first one.
fn consents(o: &Observed, cluster: &Cluster, cx: &Cx) -> Option<Step<Change>> {
    let id = &cluster.arn.id;
    if cluster.protected && !o.wanted.may_lift_protection {
        let next = "Set DisableDeletionProtection to \"True\", or lift the protection by hand.";
        return Some(Step::Refuse(format!("{id} has deletion protection"), next.into()));
    }
    if let Some(failed) = taken(o, cx).filter(|s| s.is_lost()) {
        let why = format!("{id} was not deleted: its final snapshot {} failed", failed.name);
        let next = "Read the cluster's events in the RDS console, then start again.";
        return Some(Step::Fail(ErrorType::Failed, why, next.into()));
    }
    match next(o, cluster) {
        Next::None | Next::Take(_) => None,
        Next::Await(name) => Some(Step::Wait(format!("snapshot {name} of {id} is being taken"))),
        Next::Taken(name) => Some(Step::Refuse(
            format!("there is a snapshot {name} of {id} already"),
            "Give another FinalSnapshotIdentifier, or none: a name is then made up.".into(),
        )),
    }
}

/// The destructive calls, in their order.
fn remove(o: &Observed, cluster: &Cluster) -> Step<Change> {
    let id = cluster.arn.id.clone();
    if cluster.protected {
        return Step::Change(Change::LiftProtection { id });
    }
    if let Some(global) = globals::of(o, &cluster.arn) {
        let arn = cluster.arn.to_string();
        return Step::Change(Change::Detach { arn, global: global.id.clone() });
    }
    if let Some(step) = instances(o, cluster) {
        return step;
    }
    let snapshot = match next(o, cluster) {
        Next::Take(name) => Some(name),
        _ => None,
    };
    Step::Change(Change::Delete { id, snapshot })
}

/// None: none is left that is not being deleted.
fn instances(o: &Observed, cluster: &Cluster) -> Option<Step<Change>> {
    if let Some(instance) = in_order(o, cluster).into_iter().next() {
        let id = instance.arn.id.clone();
        return Some(match instance.health() {
            Health::Moving => Step::Wait(format!("instance {id} is {}", instance.status)),
            _ => Step::Change(Change::DeleteInstance { id }),
        });
    }
    let known = |id: &String| o.instances.iter().any(|i| i.arn.id.eq_ignore_ascii_case(id));
    let hidden = cluster.members.iter().map(|m| &m.id).find(|id| !known(id))?;
    Some(Step::Wait(format!("{} lists instance {hidden}, which does not show", cluster.arn.id)))
}

/// What is left to delete, readers first: so the cluster changes its writer at most once.
fn in_order<'a>(o: &'a Observed, cluster: &Cluster) -> Vec<&'a Instance> {
    let writes = |i: &Instance| cluster.writer().is_some_and(|w| w.id == i.arn.id);
    let left = o.instances.iter().filter(|i| i.health() != Health::Deleting);
    let mut left: Vec<&Instance> = left.collect();
    left.sort_by_key(|i| writes(i));
    left
}

/// PLAN: the whole operation in one line. What is lost, and what proves that it may be, comes first:
/// long lines are cut.
pub fn outlook(o: &Observed, cx: &Cx) -> Option<String> {
    let cluster = o.stale.as_ref().filter(|c| c.health() != Health::Deleting)?;
    let snapshot = match next(o, cluster) {
        Next::Take(name) | Next::Await(name) => Some(name),
        Next::None | Next::Taken(_) => None,
    };
    let mut line = Change::Delete { id: cluster.arn.id.clone(), snapshot }.summary();
    if let Some(global) = o.wanted.global.as_ref().filter(|_| o.wanted.delete_global) {
        line += &format!(", then global cluster {global}");
    }
    let writer = &o.wanted.writer;
    line += &format!("; irreversible; {} in {} serves", writer.id, writer.region);
    let before = before(o, cluster);
    if !before.is_empty() {
        line += &format!("; first {}", before.join(", "));
    }
    if let Step::Wait(why) = decide(o, cx) {
        line += &format!("; waits: {why}");
    }
    Some(line)
}

/// What precedes the deletion of the cluster.
fn before(o: &Observed, cluster: &Cluster) -> Vec<String> {
    let mut parts = vec![];
    if let Some(Step::Change(change)) = copy(o) {
        parts.push(change.summary());
    }
    if cluster.protected {
        parts.push("lifts deletion protection".to_owned());
    }
    if let Some(global) = globals::of(o, &cluster.arn) {
        parts.push(format!("removes it from global cluster {}", global.id));
    }
    let left = in_order(o, cluster);
    if !left.is_empty() {
        let names: Vec<&str> = left.iter().map(|i| i.arn.id.as_str()).collect();
        parts.push(format!("deletes its instance(s) {}", names.join(", ")));
    }
    parts
}

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;
