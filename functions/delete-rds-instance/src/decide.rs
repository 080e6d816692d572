//! The decision: pure, and where the tests are.

use crate::guards::guard;
use crate::observed::Observed;
use crate::snapshot::{Snapshot, name, prefix};
use shared::{ChangeClass, Classified, Cx, ErrorType, Outcome, Step};
use shared_rds::{Health, Instance};

/// The changes, in order.
#[derive(Debug, PartialEq)]
pub enum Change {
    /// ModifyDBInstance.
    LiftProtection { id: String },
    /// DeleteDBInstance; None: without a final snapshot.
    Delete { id: String, snapshot: Option<String> },
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
        match self {
            Self::LiftProtection { .. } => ChangeClass::Modify,
            Self::Delete { .. } => ChangeClass::Destructive,
        }
    }
    fn summary(&self) -> String {
        match self {
            Self::LiftProtection { id } => format!("lift the deletion protection of {id}"),
            Self::Delete { id, snapshot: Some(s) } => {
                format!("delete {id} after final snapshot {s}")
            }
            Self::Delete { id, snapshot: None } => format!("delete {id} WITHOUT a final snapshot"),
        }
    }
}

/// PLAN: the whole operation in one line.
pub fn outlook(o: &Observed, instance: &Instance) -> String {
    let first = if instance.protected { "lift deletion protection, " } else { "" };
    let delete = Change::Delete { id: o.wanted.id.clone(), snapshot: snapshot_name(o, instance) };
    format!("{first}{}; {} serves; irreversible", delete.summary(), o.wanted.writer.id)
}

fn snapshot_name(o: &Observed, instance: &Instance) -> Option<String> {
    o.wanted.final_snapshot.then(|| name(&o.wanted, &instance.resource_id))
}

pub fn decide(o: &Observed, cx: &Cx) -> Step<Change> {
    let Some(instance) = &o.instance else { return gone(o, cx) };
    if instance.health() == Health::Deleting {
        return Step::Wait(format!("{} is being deleted", o.wanted.id));
    }
    guard(o, instance).unwrap_or_else(|| remove(o, instance))
}

fn remove(o: &Observed, instance: &Instance) -> Step<Change> {
    let id = &o.wanted.id;
    let hopeless = NO_SNAPSHOT.contains(&instance.status.as_str());
    match instance.health() {
        Health::Available => {}
        Health::Moving => return Step::Wait(format!("{id} is {}", instance.status)),
        _ if hopeless && !o.wanted.final_snapshot => {}
        _ if hopeless => {
            let why = format!("{id} is {}: RDS can take no final snapshot of it", instance.status);
            let next = "To delete it all the same, set FinalSnapshot to \"False\".";
            return Step::Refuse(why, next.into());
        }
        _ => {
            let next = "Bring it to available (RDS console), then start again.";
            return Step::Fail(
                ErrorType::Failed,
                format!("{id} is {}", instance.status),
                next.into(),
            );
        }
    }
    if instance.protected && !o.wanted.may_lift_protection {
        let next = "Set DisableDeletionProtection to \"True\", or lift the protection by hand.";
        return Step::Refuse(format!("{id} has deletion protection"), next.into());
    }
    if instance.protected {
        return Step::Change(Change::LiftProtection { id: id.clone() });
    }
    Step::Change(Change::Delete { id: id.clone(), snapshot: snapshot_name(o, instance) })
}

/// The instance does not exist: its final snapshot decides.
fn gone(o: &Observed, cx: &Cx) -> Step<Change> {
    let id = &o.wanted.id;
    let deleted = || if cx.changed() { "deleted" } else { "deleted already" };
    if !o.wanted.final_snapshot {
        return Step::Done(Outcome::new(format!(
            "{id} is {}; no final snapshot was asked for",
            deleted()
        )));
    }
    match final_snapshot(o, cx) {
        Some(s) if s.status == "available" => Step::Done(Outcome::new(format!(
            "{id} is {}; final snapshot {} is available",
            deleted(),
            s.name
        ))),
        Some(s) if s.status == "creating" => {
            Step::Wait(format!("{id} is gone; final snapshot {} is creating", s.name))
        }
        Some(s) => Step::Fail(
            ErrorType::Failed,
            format!("{id} is gone, but its final snapshot {} is {}", s.name, s.status),
            "Look for automated backups of the instance in the RDS console at once.".into(),
        ),
        None if cx.act(DELETE).is_some() => {
            Step::Wait(format!("{id} is gone; its final snapshot does not show yet"))
        }
        None => Step::Done(Outcome::new(format!(
            "{id} does not exist, and no final snapshot of this tool was found: it was deleted before"
        ))),
    }
}

/// The one this attempt took; otherwise any whose name is ours.
fn final_snapshot<'a>(o: &'a Observed, cx: &Cx) -> Option<&'a Snapshot> {
    let taken = cx.act(DELETE).and_then(|a| a.result["snapshot"].as_str());
    let wanted = taken.or(o.wanted.snapshot_name.as_deref());
    let ours = prefix(&o.wanted.id);
    let mut candidates = o.snapshots.iter().filter(|s| match wanted {
        Some(name) => s.name == name,
        None => s.name.starts_with(&ours),
    });
    // Of several exercises' snapshots the newest is listed last; an unfinished one must be awaited.
    let unfinished =
        o.snapshots.iter().find(|s| s.name.starts_with(&ours) && s.status == "creating");
    unfinished.filter(|_| wanted.is_none()).or_else(|| candidates.next_back())
}

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;
