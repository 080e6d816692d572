//! The cluster is gone: what remains of the operation.

use crate::change::{Change, DELETE};
use crate::globals;
use crate::guards::{occupied, writer};
use crate::observed::Observed;
use crate::snapshot::is_final;
use shared::{Classified, Cx, ErrorType, Outcome, Step};
use shared_rds::Snapshot;

/// The final snapshot must be there, then the global cluster may go.
pub fn gone(o: &Observed, cx: &Cx) -> Step<Change> {
    match saved(o, cx) {
        Ok(line) => global(o, line, cx),
        Err(step) => step,
    }
}

/// The final snapshot that this attempt asked for, when it is known by name and there.
pub fn taken<'a>(o: &'a Observed, cx: &Cx) -> Option<&'a Snapshot> {
    let name = cx.act(DELETE)?.result["snapshot"].as_str()?;
    o.snapshots.iter().find(|s| s.name == name)
}

fn saved(o: &Observed, cx: &Cx) -> Result<String, Step<Change>> {
    let act = cx.act(DELETE);
    let how = if act.is_some() { "is deleted" } else { "does not exist" };
    let is = format!("{} in {} {how}", o.wanted.stale.id, o.wanted.stale.region);
    if !o.wanted.final_snapshot {
        return Ok(format!("{is}; no final snapshot was asked for"));
    }
    let named = act.is_some_and(|a| a.result["snapshot"].is_string());
    let newest = || o.snapshots.iter().rfind(|s| is_final(&o.wanted, s));
    match if named { taken(o, cx) } else { newest() } {
        Some(s) => final_snapshot(&is, s),
        None if act.is_some() => {
            Err(Step::Wait(format!("{is}; its final snapshot does not show yet")))
        }
        // Deleted before this attempt, by whomever: nothing is left to do, and nothing is claimed.
        None => Ok(format!("{is}, and NO final snapshot of it by this step was found")),
    }
}

fn final_snapshot(is: &str, found: &Snapshot) -> Result<String, Step<Change>> {
    if found.status == "available" {
        return Ok(format!("{is}; final snapshot {} is available", found.label()));
    }
    if !found.is_lost() {
        return Err(Step::Wait(format!("{is}; final {}", found.progress())));
    }
    let why = format!("{is}, but its final snapshot {} is {}", found.name, found.status);
    let next = "Look for retained automated backups of the cluster in the RDS console at once.";
    Err(Step::Fail(ErrorType::Failed, why, next.into()))
}

/// The empty global cluster, when it is to go.
fn global(o: &Observed, line: String, cx: &Cx) -> Step<Change> {
    let Some(id) = o.wanted.global.as_ref().filter(|_| o.wanted.delete_global) else {
        return Step::Done(Outcome::new(line));
    };
    let Some(global) = globals::named(o, id) else {
        let sent = cx.act(Change::DeleteGlobal { id: id.clone() }.name()).is_some();
        let how = if sent { "is deleted" } else { "does not exist" };
        return Step::Done(Outcome::new(format!("{line}; global cluster {id} {how}")));
    };
    if global.status == "deleting" {
        return Step::Wait(format!("{line}; global cluster {id} is deleting"));
    }
    if global.member(&o.wanted.stale).is_some() {
        return Step::Wait(format!("{line}; global cluster {id} still lists it"));
    }
    let members: Vec<String> = global.members.iter().map(|m| m.arn.to_string()).collect();
    writer(o, None)
        .or_else(|| occupied(id, &members, global.protected))
        .unwrap_or_else(|| Step::Change(Change::DeleteGlobal { id: global.id.clone() }))
}
