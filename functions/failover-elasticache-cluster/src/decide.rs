//! The decision: pure, and where the tests are. The role decides, never a status: `available` is
//! true before, during and after a failover.

use crate::detach;
use crate::observed::{Change, DETACH, FAILOVER, Observed};
use crate::parameters::is_unplanned;
use crate::role::{Known, role};
use shared::{Cx, ErrorType, Outcome, Step};
use shared_elasticache::{Group, Health, Seen, Side, group_remedy};
use shared_metrics::Lag;

/// How long an accepted failover may stay without any sign of it. The engine's own grace of 120 s
/// would send it again; a failover that AWS cancelled is not to be repeated.
const REFLECTED_S: i64 = 180;
/// Unplanned: how long the words "not ready" count. They may never change while the primary is
/// lost.
const MOVING_S: i64 = 60;
/// Unplanned: how long the rest of the global datastore may lag behind the target's new role.
pub const SETTLED_S: i64 = 120;
/// Unplanned: so many refusals for its state mean that AWS does not fail over.
const REFUSALS: u32 = 3;

/// The target divides everything: gone, standalone, or a member with a role.
pub fn decide(o: &Observed, cx: &Cx) -> Step<Change> {
    let target = &o.wanted.target;
    let Some(group) = &o.group else {
        let why = format!("there is no replication group {}", target.label());
        let next = "Correct TargetReplicationGroupId or TargetRegion.";
        return Step::Fail(ErrorType::NotFound, why, next.into());
    };
    if matches!(group.health(), Health::Broken | Health::Deleting) {
        let why = format!("{} is {}", target.label(), group.status);
        return Step::Fail(ErrorType::Failed, why, group_remedy(&group.status).into());
    }
    let Some(membership) = &group.global else { return detach::standalone(o, group, cx) };
    if membership.datastore != o.wanted.datastore {
        let why = format!(
            "{} is a member of {}, not of {}",
            target.label(),
            membership.datastore,
            o.wanted.datastore
        );
        return Step::Refuse(why, "Correct GlobalReplicationGroupId.".into());
    }
    match role(o, group, cx) {
        Known::Primary => serves(o, group, cx),
        Known::Secondary if cx.act(DETACH).is_some() => detach::again(o, group, cx),
        Known::Secondary => follows(o, group, cx),
        Known::NotYet(why) => Step::Wait(why),
        Known::Never(why) => {
            let next = "Correct the ids, or rebuild the secondary (CreateElastiCacheSecondary).";
            Step::Fail(ErrorType::NotFound, why, next.into())
        }
    }
}

/// The target is the primary: what else must be true.
fn serves(o: &Observed, group: &Group, cx: &Cx) -> Step<Change> {
    let target = &o.wanted.target;
    if group.health() != Health::Available {
        return Step::Wait(format!("{} is the primary and {}", target.label(), group.status));
    }
    let (ready, word) = match &o.datastore {
        Seen::There(d) => {
            (matches!(d.health(), Health::Available | Health::PrimaryOnly), d.status.as_str())
        }
        // Without an answer the group's own word proves the role.
        Seen::Absent | Seen::Silent(_) => (is_unplanned(cx), "not to be seen"),
    };
    let enough = ready || (is_unplanned(cx) && settled(cx));
    if !enough {
        return Step::Wait(format!("{} is the primary; {} is {word}", target.label(), name(o)));
    }
    let how = if cx.act(FAILOVER).is_some() { "is now" } else { "is already" };
    let rest = if word == "available" { String::new() } else { format!("; {} is {word}", name(o)) };
    let line = format!("{} {how} the primary of {}, available{rest}", target.label(), name(o));
    Step::Done(Outcome { summary: line, rpo_seconds: rpo(cx) })
}

/// The target is a secondary, and nothing was detached.
fn follows(o: &Observed, group: &Group, cx: &Cx) -> Step<Change> {
    if let Some(foreign) = o.primary().and_then(|p| foreign(o, p, cx)) {
        return foreign;
    }
    let act = cx.act(FAILOVER);
    if let Some(act) = act.filter(|a| a.certain) {
        return accepted(o, group, cx, cx.now - act.at);
    }
    if let Some(why) = hopeless(o) {
        return unavailable(o, cx, why);
    }
    if let Some(why) = moving(o, group).filter(|_| !is_unplanned(cx) || cx.waited() < MOVING_S) {
        return Step::Wait(why);
    }
    if let Some(why) = behind(o, cx) {
        return Step::Wait(why);
    }
    let refusals = faults(cx, FAILOVER);
    if is_unplanned(cx) && refusals >= REFUSALS {
        let why = format!("AWS refused the failover to {} {refusals} times", target(o));
        return unavailable(o, cx, why);
    }
    if is_unplanned(cx) && o.wanted.detach && act.is_some() && cx.waited() >= REFLECTED_S {
        let why = "the answer to the failover is lost again and again".to_owned();
        return unavailable(o, cx, why);
    }
    if elapsed(cx) < i64::from(refusals) * pace(cx) {
        return Step::Wait(format!("AWS refused the failover to {} for its state", target(o)));
    }
    Step::Change(failover(o))
}

/// The failover was accepted and the role has not moved.
fn accepted(o: &Observed, group: &Group, cx: &Cx, age: i64) -> Step<Change> {
    // `primary-only` may be a passing word of the failover itself.
    if let Some(why) = hopeless(o).filter(|_| !is_primary_only(o)) {
        return unavailable(o, cx, why);
    }
    let state = moving(o, group);
    if age < REFLECTED_S || state.is_some() {
        let state = state.unwrap_or_else(|| format!("{} is still a secondary", target(o)));
        return Step::Wait(format!("the failover was accepted {age} s ago; {state}"));
    }
    let why = format!(
        "the failover was accepted {age} s ago, but {} is still a secondary: AWS cancelled it or \
         never began it",
        target(o)
    );
    if is_unplanned(cx) {
        return unavailable(o, cx, why);
    }
    let next =
        "Read the events of the global datastore in the ElastiCache console, then start again.";
    Step::Fail(ErrorType::Failed, why, next.into())
}

/// Somebody has made another group the primary, or is about to.
fn foreign(o: &Observed, primary: &Side, cx: &Cx) -> Option<Step<Change>> {
    let before = cx.act(FAILOVER).and_then(|a| a.result["from"].as_str());
    let expected = cx.context.primary_region.as_deref();
    let moved = before.is_some_and(|from| from != primary.label())
        || expected.is_some_and(|region| region != primary.region);
    if !moved {
        return None;
    }
    let was = before.map_or_else(|| format!("in {}", expected.unwrap_or("?")), str::to_owned);
    let why = format!(
        "the primary of {} is {}, where {was} was expected: somebody else has failed over",
        name(o),
        primary.label()
    );
    let next = "Find out who did. If that primary is right, correct primary_region; start again.";
    Some(Step::Fail(ErrorType::Conflict, why, next.into()))
}

/// States in which AWS documents that it refuses.
fn hopeless(o: &Observed) -> Option<String> {
    let datastore = o.datastore.there()?;
    match datastore.health() {
        Health::Available | Health::Moving => None,
        _ => Some(format!("{} is {}", name(o), datastore.status)),
    }
}

fn is_primary_only(o: &Observed) -> bool {
    o.datastore.there().is_some_and(|d| d.health() == Health::PrimaryOnly)
}

/// What is on its way, and would make AWS refuse.
fn moving(o: &Observed, group: &Group) -> Option<String> {
    if group.health() == Health::Moving {
        return Some(format!("{} is {}", target(o), group.status));
    }
    match &o.datastore {
        Seen::There(d) if d.health() == Health::Moving => {
            Some(format!("{} is {}", name(o), d.status))
        }
        Seen::Silent(why) => Some(why.clone()),
        _ => o
            .side()
            .filter(|s| !s.is_associated())
            .map(|s| format!("{} is {} in {}", target(o), s.status, name(o))),
    }
}

/// Planned runs: why the lag forbids it.
fn behind(o: &Observed, cx: &Cx) -> Option<String> {
    let max = o.wanted.max_lag_s.filter(|_| !is_unplanned(cx))?;
    match o.lag {
        Lag::Current(s) if s <= max_as_seconds(max) => None,
        _ => Some(format!("{}: {}, wanted at most {max} s", target(o), o.lag)),
    }
}

/// At most [`i32::MAX`], which a float holds exactly.
fn max_as_seconds(max: i64) -> f64 {
    f64::from(i32::try_from(max).unwrap_or(i32::MAX))
}

/// The failover is not possible: what the manifest says to that.
fn unavailable(o: &Observed, cx: &Cx, why: String) -> Step<Change> {
    if !is_unplanned(cx) {
        let next = "Bring the global datastore to available, then start again.";
        return Step::Fail(ErrorType::Failed, why, next.into());
    }
    if o.wanted.detach {
        return detach::begin(o, cx);
    }
    let next = "Set OnUnavailable to \"DISASSOCIATE\" and AcceptDataLoss to \"True\": the target is \
                then detached and serves as a standalone cluster.";
    Step::Fail(ErrorType::Failed, format!("{why}, and OnUnavailable is FAIL"), next.into())
}

fn failover(o: &Observed) -> Change {
    Change::Failover {
        datastore: o.wanted.datastore.clone(),
        target: o.wanted.target.clone(),
        from: o.primary().map(Side::label),
        lag: o.lag.clone(),
    }
}

/// How often AWS refused a call for the state of things.
pub fn faults(cx: &Cx, call: &str) -> u32 {
    cx.progress.faults.get(call).copied().unwrap_or_default()
}

/// Seconds between refused attempts: the fifth refusal ends the attempt. A call whose answer was
/// lost may itself be the reason of the refusal, and gets its time.
fn pace(cx: &Cx) -> i64 {
    match (cx.act(FAILOVER).is_some(), is_unplanned(cx)) {
        (true, _) => 40,
        (false, true) => 5,
        (false, false) => 20,
    }
}

fn elapsed(cx: &Cx) -> i64 {
    cx.seconds_since(FAILOVER).unwrap_or_else(|| cx.waited())
}

/// Whether what lags behind the target has had its time.
pub fn settled(cx: &Cx) -> bool {
    elapsed(cx) >= SETTLED_S
}

/// Measured before the change; a planned failover claims no loss.
pub fn rpo(cx: &Cx) -> Option<f64> {
    let act = cx.act(DETACH).or_else(|| cx.act(FAILOVER))?;
    act.result["lagSeconds"].as_f64().filter(|_| is_unplanned(cx))
}

fn target(o: &Observed) -> String {
    o.wanted.target.label()
}

fn name(o: &Observed) -> &str {
    &o.wanted.datastore
}

/// PLAN: the failover, and what comes if it is refused.
pub fn outlook(o: &Observed, cx: &Cx) -> Option<String> {
    let group = o.group.as_ref().filter(|g| g.global.is_some())?;
    if role(o, group, cx) != Known::Secondary {
        return None;
    }
    if is_unplanned(cx) && o.wanted.detach && hopeless(o).is_some() {
        return Some(detach::line(o));
    }
    let fallback = match is_unplanned(cx) && o.wanted.detach {
        true => "; if AWS refuses that, detach it instead, which cannot be taken back",
        false => "",
    };
    let first = moving(o, group).or_else(|| behind(o, cx));
    let first = first.map(|why| format!("; first waits: {why}")).unwrap_or_default();
    let warning = detach::warning(o).filter(|_| is_unplanned(cx)).unwrap_or_default();
    Some(format!("{}{fallback}{first}{warning}", shared::Classified::summary(&failover(o))))
}

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;
