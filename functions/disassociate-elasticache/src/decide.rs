//! The decision: pure, and where the tests are.

use crate::observed::{Change, DELETE, DETACH, Observed};
use shared::{Classified, Cx, ErrorType, Outcome, Phase, Step};
use shared_elasticache::{Datastore, Group, Health, Role, Seen, Side, group_remedy};

/// How long an accepted call may stay without effect before it is sent again.
const REFLECTED_S: i64 = 180;
/// Seconds between refused attempts; the fifth refusal ends the attempt.
const PACE_S: i64 = 10;
/// ACTIVATE: how long the words "not ready" count. They may never change while the primary is lost.
const MOVING_S: i64 = 60;

/// First the group leaves, then the datastore goes.
pub fn decide(o: &Observed, cx: &Cx) -> Step<Change> {
    let label = o.wanted.group.label();
    let Some(group) = &o.group else { return missing(o, cx) };
    match group.health() {
        Health::Deleting if cx.phase == Phase::Cleanup => {
            return Step::Wait(format!("{label} is {}", group.status));
        }
        Health::Deleting => return broken(group, &label),
        Health::Broken if cx.phase != Phase::Cleanup => return broken(group, &label),
        _ => {}
    }
    let Some(membership) = &group.global else { return standalone(o, group, cx) };
    if membership.datastore != o.wanted.datastore {
        let (is, not) = (&membership.datastore, &o.wanted.datastore);
        let why = format!("{label} is a member of {is}, not of {not}");
        return Step::Refuse(why, "Correct GlobalReplicationGroupId.".into());
    }
    match (membership.role, o.side().and_then(|s| s.role)) {
        (Some(Role::Primary), Some(Role::Primary) | None) | (None, Some(Role::Primary)) => {
            primary(o, cx)
        }
        (Some(Role::Secondary), Some(Role::Secondary)) | (None, Some(Role::Secondary)) => {
            secondary(o, group, cx)
        }
        (Some(Role::Secondary), None) if cx.phase == Phase::Activate => secondary(o, group, cx),
        _ => Step::Wait(format!("the role of {label} in {} is not clear", o.wanted.datastore)),
    }
}

fn broken(group: &Group, label: &str) -> Step<Change> {
    let why = format!("{label} is {}", group.status);
    Step::Fail(ErrorType::Failed, why, group_remedy(&group.status).into())
}

/// Gone: in CLEANUP perhaps deleted by a later step of an earlier run.
fn missing(o: &Observed, cx: &Cx) -> Step<Change> {
    let (label, store) = (o.wanted.group.label(), &o.wanted.datastore);
    let here = |d: &Datastore| d.sides.iter().find(|s| s.region == o.wanted.group.region).cloned();
    let why = format!("there is no replication group {label}");
    let next = "Correct ReplicationGroupId or ReplicationGroupRegion.";
    if let Some(side) = o.datastore().and_then(here) {
        let why = format!("{why}; {store} lists {} there", side.label());
        return Step::Fail(ErrorType::NotFound, why, next.into());
    }
    match cx.phase {
        Phase::Cleanup => dissolve(o, cx, format!("{label} does not exist: nothing to detach")),
        _ => Step::Fail(ErrorType::NotFound, why, next.into()),
    }
}

/// It has left, or was never in it.
fn standalone(o: &Observed, group: &Group, cx: &Cx) -> Step<Change> {
    let label = o.wanted.group.label();
    if group.health() == Health::Moving {
        return Step::Wait(format!("{label} is standalone and {}", group.status));
    }
    let listed = o.side().filter(|_| cx.phase == Phase::Cleanup);
    if let Some(side) = listed {
        let store = &o.wanted.datastore;
        return Step::Wait(format!(
            "{label} is standalone; {store} still lists it as {}",
            side.status
        ));
    }
    let how = match (cx.act(DETACH), cx.act(DELETE)) {
        (Some(_), _) => format!("is detached from {}: standalone", o.wanted.datastore),
        (None, Some(_)) => "is standalone".to_owned(),
        // In ACTIVATE it holds what it had when it was detached, however long ago that was.
        (None, None) => "was standalone before this attempt".to_owned(),
    };
    dissolve(o, cx, format!("{label} {how}, {}", group.status))
}

/// A primary is never detached; alone in its datastore it may be released by its deletion.
fn primary(o: &Observed, cx: &Cx) -> Step<Change> {
    let (label, store) = (o.wanted.group.label(), &o.wanted.datastore);
    let why = format!("{label} is the primary of {store}");
    if cx.phase == Phase::Activate {
        let next = "It serves already: leave the step out.";
        return Step::Refuse(why, next.into());
    }
    let Some(datastore) = o.datastore() else {
        return Step::Wait(format!("{why}, which does not show"));
    };
    let others = datastore.followers();
    if !others.is_empty() {
        let why = format!("{why}: it serves {}", names(&others));
        let next = "Name the group that no longer serves, or run ACTIVATE first.";
        return Step::Refuse(why, next.into());
    }
    if o.wanted.at_primary.is_none() {
        let next = "Nothing else is in it: set DeleteGlobalReplicationGroup to \"True\" to release \
                    the group from it, if that is meant.";
        return Step::Refuse(why, next.into());
    }
    dissolve(o, cx, why)
}

fn secondary(o: &Observed, group: &Group, cx: &Cx) -> Step<Change> {
    let label = o.wanted.group.label();
    let cleanup = cx.phase == Phase::Cleanup;
    if cleanup && cx.context.primary_region.as_deref() == Some(&o.wanted.group.region) {
        let why = format!("{label} is in primary_region, the Region that serves");
        let next = "In CLEANUP primary_region is the new primary: correct it, or correct \
                    ReplicationGroupRegion.";
        return Step::Refuse(why, next.into());
    }
    if let Some(act) = cx.act(DETACH) {
        let age = cx.now - act.at;
        if act.certain && age < REFLECTED_S {
            return Step::Wait(format!("detaching {label} was accepted {age} s ago"));
        }
    } else if let Some(why) = moving(o, group).filter(|_| cleanup || cx.waited() < MOVING_S) {
        return Step::Wait(why);
    }
    paced(
        cx,
        DETACH,
        Change::Detach {
            datastore: o.wanted.datastore.clone(),
            group: o.wanted.group.clone(),
            takes_over: !cleanup,
        },
    )
}

/// What is on its way, and would make AWS refuse.
fn moving(o: &Observed, group: &Group) -> Option<String> {
    if group.health() == Health::Moving {
        return Some(format!("{} is {}", o.wanted.group.label(), group.status));
    }
    match &o.here {
        Seen::There(d) if d.health() == Health::Moving => Some(format!("{} is {}", d.id, d.status)),
        Seen::Silent(why) => Some(why.clone()),
        _ => o.side().filter(|s| !s.is_associated()).map(|s| {
            format!("{} is {} in {}", o.wanted.group.label(), s.status, o.wanted.datastore)
        }),
    }
}

/// The group is out of it, or alone in it: does the datastore go?
fn dissolve(o: &Observed, cx: &Cx, so_far: String) -> Step<Change> {
    let store = &o.wanted.datastore;
    if o.wanted.at_primary.is_none() {
        let warning = o.wanted.warning.as_ref().map(|w| format!("; warning: {w}"));
        return Step::Done(Outcome::new(format!("{so_far}{}", warning.unwrap_or_default())));
    }
    if let (Seen::Silent(why), _) | (_, Seen::Silent(why)) = (&o.there, &o.here) {
        return Step::Wait(why.clone());
    }
    let Some(datastore) = o.datastore() else {
        let how = if cx.act(DELETE).is_some() { "is deleted" } else { "does not exist" };
        return Step::Done(Outcome::new(format!("{so_far}; global datastore {store} {how}")));
    };
    match datastore.health() {
        Health::Moving | Health::Deleting => {
            Step::Wait(format!("{so_far}; {store} is {}", datastore.status))
        }
        Health::Available | Health::PrimaryOnly | Health::Broken => delete(o, datastore, cx),
    }
}

/// The datastore is at rest.
fn delete(o: &Observed, datastore: &Datastore, cx: &Cx) -> Step<Change> {
    let store = &o.wanted.datastore;
    let others = datastore.followers();
    if !others.is_empty() {
        let why = format!("{store} cannot be deleted: {} follow its primary", names(&others));
        let next = "Detach them first, or leave DeleteGlobalReplicationGroup out.";
        return Step::Refuse(why, next.into());
    }
    let Some(primary) = datastore.primary() else {
        return Step::Wait(format!("{store} shows no primary"));
    };
    let reachable = [Some(&o.wanted.group.region), o.wanted.at_primary.as_ref()];
    if !reachable.contains(&Some(&primary.region)) {
        let why = format!("the primary of {store} is {}", primary.label());
        return Step::Refuse(why, format!("Set PrimaryRegion to \"{}\".", primary.region));
    }
    if let Some(act) = cx.act(DELETE).filter(|a| a.certain && cx.now - a.at < REFLECTED_S) {
        return Step::Wait(format!("deleting {store} was accepted {} s ago", cx.now - act.at));
    }
    let region = primary.region.clone();
    paced(cx, DELETE, Change::Delete { datastore: store.clone(), region })
}

fn paced(cx: &Cx, call: &str, change: Change) -> Step<Change> {
    let refusals = cx.progress.faults.get(call).copied().unwrap_or_default();
    let elapsed = cx.seconds_since(DETACH).unwrap_or_else(|| cx.waited());
    if elapsed < i64::from(refusals) * PACE_S {
        return Step::Wait(format!("AWS refused {call} for the state of things"));
    }
    Step::Change(change)
}

fn names(sides: &[&Side]) -> String {
    sides.iter().map(|s| s.label()).collect::<Vec<_>>().join(", ")
}

/// PLAN: both calls in one line, and what is waited for.
pub fn outlook(o: &Observed, cx: &Cx) -> Option<String> {
    let group = o.group.as_ref().filter(|g| g.global.is_some())?;
    let follows = |r: Option<Role>| r == Some(Role::Secondary);
    if !follows(group.role()) && !follows(o.side().and_then(|s| s.role)) {
        return None;
    }
    let detach = Change::Detach {
        datastore: o.wanted.datastore.clone(),
        group: o.wanted.group.clone(),
        takes_over: cx.phase == Phase::Activate,
    };
    let delete = o.wanted.at_primary.as_ref().map(|region| {
        let region = o.datastore().and_then(Datastore::primary).map_or(region, |p| &p.region);
        let delete =
            Change::Delete { datastore: o.wanted.datastore.clone(), region: region.clone() };
        format!(", then {}", delete.summary())
    });
    let first = moving(o, group).map(|why| format!("; first waits: {why}"));
    let warning = o.wanted.warning.as_ref().map(|w| format!("; warning: {w}"));
    let rest = [delete, Some("; irreversible".to_owned()), first, warning];
    Some(format!("{}{}", detach.summary(), rest.into_iter().flatten().collect::<String>()))
}

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;
