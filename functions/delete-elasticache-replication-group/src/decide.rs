//! The decision: pure, and where the tests are.

use crate::guards::guard;
use crate::observed::Observed;
use crate::snapshot::{Next, Snapshot, is_final, next};
use shared::{ChangeClass, Classified, Cx, ErrorType, Outcome, Step};
use shared_elasticache::{Group, Health};

/// The only change: DeleteReplicationGroup.
#[derive(Debug, PartialEq)]
pub struct Change {
    /// The replication group.
    pub id: String,
    /// The final snapshot; None: it goes without one.
    pub snapshot: Option<String>,
}

/// The call.
pub const DELETE: &str = "DeleteReplicationGroup";
/// Seconds between refused attempts; the fifth refusal ends the attempt.
const PACE_S: i64 = 20;

impl Classified for Change {
    fn name(&self) -> &'static str {
        DELETE
    }
    fn class(&self) -> ChangeClass {
        ChangeClass::Destructive
    }
    fn summary(&self) -> String {
        match self {
            Self { id, snapshot: Some(s) } => format!("deletes {id} after final snapshot {s}"),
            Self { id, snapshot: None } => format!("deletes {id} WITHOUT a final snapshot"),
        }
    }
}

/// Whether the group is still there divides everything.
pub fn decide(o: &Observed, cx: &Cx) -> Step<Change> {
    let Some(group) = &o.group else { return gone(o, cx) };
    if group.health() == Health::Deleting {
        return Step::Wait(format!("{} is {}", o.wanted.stale.label(), group.status));
    }
    guard(o, group, cx).or_else(|| state(o, group)).unwrap_or_else(|| remove(o, group, cx))
}

/// Whether the group is in a state in which ElastiCache deletes it. None: it is.
fn state(o: &Observed, group: &Group) -> Option<Step<Change>> {
    let is = format!("{} is {}", o.wanted.stale.label(), group.status);
    match group.health() {
        Health::Available | Health::PrimaryOnly => None,
        Health::Moving | Health::Deleting => Some(Step::Wait(is)),
        Health::Broken if o.wanted.final_snapshot => {
            let next = "To delete it without one all the same, set FinalSnapshot to \"False\".";
            Some(Step::Refuse(
                format!("{is}: ElastiCache takes no final snapshot of it"),
                next.into(),
            ))
        }
        Health::Broken => None,
    }
}

fn remove(o: &Observed, group: &Group, cx: &Cx) -> Step<Change> {
    let label = o.wanted.stale.label();
    if let Some(failed) = taken(o, cx).filter(|s| s.state() == "failed") {
        let why = format!("{label} was not deleted: its final snapshot {} failed", failed.name);
        let next = "Read the group's events in the ElastiCache console, then start again.";
        return Step::Fail(ErrorType::Failed, why, next.into());
    }
    let refusals = i64::from(cx.progress.faults.get(DELETE).copied().unwrap_or_default());
    if cx.waited() < refusals * PACE_S {
        return Step::Wait(format!("ElastiCache refused to delete {label} for its state"));
    }
    let delete = |snapshot| Step::Change(Change { id: o.wanted.stale.id.clone(), snapshot });
    match next(o, group, cx) {
        Next::None => delete(None),
        Next::Take(name) => delete(Some(name)),
        Next::Await(name) => Step::Wait(format!("snapshot {name} of {label} is being taken")),
        Next::Taken(name) => Step::Refuse(
            format!("there is a snapshot {name} in {} already", o.wanted.stale.region),
            "Give another FinalSnapshotIdentifier, or none: a name is then made up.".into(),
        ),
    }
}

/// The final snapshot that this attempt asked for, when it is known by name and there.
fn taken<'a>(o: &'a Observed, cx: &Cx) -> Option<&'a Snapshot> {
    let name = cx.act(DELETE)?.result["snapshot"].as_str()?;
    o.snapshots.iter().find(|s| s.name == name)
}

/// The group does not exist: its final snapshot decides.
fn gone(o: &Observed, cx: &Cx) -> Step<Change> {
    let act = cx.act(DELETE);
    let how = if act.is_some() { "is deleted" } else { "does not exist" };
    let is = format!("{} {how}", o.wanted.stale.label());
    if !o.wanted.final_snapshot {
        return done(format!("{is}; no final snapshot was asked for"));
    }
    let named = act.is_some_and(|a| a.result["snapshot"].is_string());
    let newest = || o.snapshots.iter().rfind(|s| is_final(&o.wanted, s));
    let found = if named { taken(o, cx) } else { newest() };
    match found {
        Some(s) => snapshot(&is, s),
        None if act.is_some() => Step::Wait(format!("{is}; its final snapshot does not show yet")),
        // Deleted before this attempt, by whomever: nothing is left to do, and nothing is claimed.
        None => done(format!("{is}, and NO final snapshot of it by this step was found")),
    }
}

fn snapshot(is: &str, found: &Snapshot) -> Step<Change> {
    match found.state().as_str() {
        "available" => done(format!("{is}; final snapshot {} is available", found.label())),
        "failed" | "deleted" | "deleting" => Step::Fail(
            ErrorType::Failed,
            format!("{is}, but its final snapshot {} is {}", found.name, found.status),
            "Look for automatic backups of the group in the ElastiCache console at once.".into(),
        ),
        status => Step::Wait(format!("{is}; final snapshot {} is {status}", found.name)),
    }
}

fn done(line: String) -> Step<Change> {
    Step::Done(Outcome::new(line))
}

/// PLAN: the whole operation in one line.
pub fn outlook(o: &Observed, cx: &Cx) -> Option<String> {
    let group = o.group.as_ref().filter(|g| g.health() != Health::Deleting)?;
    let (snapshot, wait) = match next(o, group, cx) {
        Next::Take(name) => (Some(name), None),
        Next::Await(name) => (Some(name.clone()), Some(format!("snapshot {name} is being taken"))),
        Next::None | Next::Taken(_) => (None, None),
    };
    let wait = match group.health() {
        Health::Moving => Some(format!("{} is {}", group.arn.id, group.status)),
        _ => wait,
    };
    let delete = Change { id: o.wanted.stale.id.clone(), snapshot }.summary();
    let first = wait.map(|why| format!("; first waits: {why}")).unwrap_or_default();
    Some(format!("{delete}; irreversible; {} serves{first}", o.wanted.primary.label()))
}

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;
