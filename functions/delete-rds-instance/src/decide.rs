//! The decision: pure, and where the tests are.

use crate::guards::guard;
use crate::observed::Observed;
use crate::snapshot::{Next, is_final, next};
use shared::{ChangeClass, Classified, Cx, ErrorType, Outcome, Step};
use shared_rds::{Health, Instance, Snapshot, remedy};

/// The changes, in order.
#[derive(Debug, PartialEq)]
pub enum Change {
    /// ModifyDBInstance.
    LiftProtection {
        /// The instance.
        id: String,
    },
    /// DeleteDBInstance.
    Delete {
        /// The instance.
        id: String,
        /// The final snapshot; None: it goes without one.
        snapshot: Option<String>,
    },
}

const DELETE: &str = "DeleteDBInstance";
/// RDS can delete an instance in these states, but not take a final snapshot of it.
const NO_SNAPSHOT: &[&str] = &["failed", "incompatible-restore", "incompatible-network"];

impl Classified for Change {
    fn name(&self) -> &'static str {
        match self {
            Self::LiftProtection { .. } => "ModifyDBInstance",
            Self::Delete { .. } => DELETE,
        }
    }
    fn class(&self) -> ChangeClass {
        // Lifting the protection is the first half of a deletion, never an end in itself.
        ChangeClass::Destructive
    }
    fn summary(&self) -> String {
        match self {
            Self::LiftProtection { id } => format!("lifts the deletion protection of {id}"),
            Self::Delete { id, snapshot: Some(s) } => {
                format!("deletes {id} after final snapshot {s}")
            }
            Self::Delete { id, snapshot: None } => format!("deletes {id} WITHOUT a final snapshot"),
        }
    }
}

/// Whether the instance is still there divides everything.
pub fn decide(o: &Observed, cx: &Cx) -> Step<Change> {
    let Some(instance) = &o.instance else { return gone(o, cx) };
    if instance.health() == Health::Deleting {
        return Step::Wait(format!("{} is {}", instance.arn.id, instance.status));
    }
    guard(o, instance).or_else(|| state(o, instance)).unwrap_or_else(|| remove(o, instance, cx))
}

/// Whether the instance is in a state in which RDS deletes it. None: it is.
fn state(o: &Observed, instance: &Instance) -> Option<Step<Change>> {
    let is = format!("{} is {}", instance.arn.id, instance.status);
    let hopeless = NO_SNAPSHOT.contains(&instance.status.as_str());
    match instance.health() {
        Health::Available => None,
        Health::Moving | Health::Deleting => Some(Step::Wait(is)),
        Health::Broken if hopeless && o.wanted.final_snapshot => {
            let next = "To delete it without one all the same, set FinalSnapshot to \"False\".";
            Some(Step::Refuse(format!("{is}: RDS takes no final snapshot of it"), next.into()))
        }
        Health::Broken if hopeless => None,
        Health::Broken => {
            let next = remedy(&instance.status).to_owned();
            Some(Step::Fail(ErrorType::Failed, format!("{is} and cannot be deleted"), next))
        }
    }
}

fn remove(o: &Observed, instance: &Instance, cx: &Cx) -> Step<Change> {
    let id = instance.arn.id.clone();
    if instance.protected && !o.wanted.may_lift_protection {
        let next = "Set DisableDeletionProtection to \"True\", or lift the protection by hand.";
        return Step::Refuse(format!("{id} has deletion protection"), next.into());
    }
    if let Some(failed) = taken(o, cx).filter(|s| s.status == "failed") {
        let why = format!("{id} was not deleted: its final snapshot {} failed", failed.name);
        let next = "Read the instance's events in the RDS console, then start again.";
        return Step::Fail(ErrorType::Failed, why, next.into());
    }
    let delete = |snapshot| match instance.protected {
        true => Step::Change(Change::LiftProtection { id: id.clone() }),
        false => Step::Change(Change::Delete { id: id.clone(), snapshot }),
    };
    match next(o, instance) {
        Next::None => delete(None),
        Next::Take(name) => delete(Some(name)),
        Next::Await(name) => Step::Wait(format!("snapshot {name} of {id} is being taken")),
        Next::Taken(name) => Step::Refuse(
            format!("there is a snapshot {name} of {id} already"),
            "Give another FinalSnapshotIdentifier, or none: a name is then made up.".into(),
        ),
    }
}

/// The final snapshot that this attempt asked for, when it is known by name and there.
fn taken<'a>(o: &'a Observed, cx: &Cx) -> Option<&'a Snapshot> {
    let name = cx.act(DELETE)?.result["snapshot"].as_str()?;
    o.snapshots.iter().find(|s| s.name == name)
}

/// The instance does not exist: its final snapshot decides.
fn gone(o: &Observed, cx: &Cx) -> Step<Change> {
    let act = cx.act(DELETE);
    let how = if act.is_some() { "is deleted" } else { "does not exist" };
    let is = format!("{} in {} {how}", o.wanted.stale.id, o.wanted.stale.region);
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
    match found.status.as_str() {
        "available" => done(format!("{is}; final snapshot {} is available", found.label())),
        "failed" | "deleted" | "deleting" => Step::Fail(
            ErrorType::Failed,
            format!("{is}, but its final snapshot {} is {}", found.name, found.status),
            "Look for retained automated backups of the instance in the RDS console at once."
                .into(),
        ),
        _ => Step::Wait(format!("{is}; final {}", found.progress())),
    }
}

fn done(line: String) -> Step<Change> {
    Step::Done(Outcome::new(line))
}

/// PLAN: the whole operation in one line.
pub fn outlook(o: &Observed) -> Option<String> {
    let instance = o.instance.as_ref().filter(|i| i.health() != Health::Deleting)?;
    let id = instance.arn.id.clone();
    let (snapshot, wait) = match next(o, instance) {
        Next::Take(name) => (Some(name), None),
        Next::Await(name) => (Some(name.clone()), Some(format!("snapshot {name} is being taken"))),
        Next::None | Next::Taken(_) => (None, None),
    };
    let wait = match instance.health() {
        Health::Moving => Some(format!("{id} is {}", instance.status)),
        _ => wait,
    };
    let delete = Change::Delete { id, snapshot }.summary();
    let protection = if instance.protected { "lifts deletion protection, " } else { "" };
    let first = wait.map(|why| format!("; first waits: {why}")).unwrap_or_default();
    let writer = &o.wanted.writer;
    Some(format!(
        "{protection}{delete}; irreversible; {} in {} serves{first}",
        writer.id, writer.region
    ))
}

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;
