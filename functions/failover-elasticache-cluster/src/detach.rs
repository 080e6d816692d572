//! The way out when the primary is lost and AWS does not fail over: the target leaves the global
//! datastore and serves on its own.

use crate::decide::{faults, rpo};
use crate::observed::{Change, DETACH, FAILOVER, Observed};
use crate::parameters::is_unplanned;
use shared::{Classified, Cx, ErrorType, Outcome, Step};
use shared_elasticache::{Group, Health, Seen};

/// How long an accepted call may stay without effect.
const REFLECTED_S: i64 = 180;
/// Seconds between refused attempts.
const PACE_S: i64 = 10;

/// The target is no member of any global datastore.
pub fn standalone(o: &Observed, group: &Group, cx: &Cx) -> Step<Change> {
    let target = o.wanted.target.label();
    if cx.act(DETACH).is_some() || (is_unplanned(cx) && o.wanted.detach) {
        return detached(o, group, cx);
    }
    if o.side().is_some() {
        let why = format!("{target} does not say that it is a member of {}", o.wanted.datastore);
        return Step::Wait(why);
    }
    let why = format!("{target} is standalone, not a member of {}", o.wanted.datastore);
    if o.datastore == Seen::Absent {
        let next = "Correct GlobalReplicationGroupId; a new global datastore has a new id.";
        let why = format!("{why}, which {} does not know", o.wanted.target.region);
        return Step::Fail(ErrorType::NotFound, why, next.into());
    }
    let next = "If it was detached it serves already: leave the step out, and rebuild the global \
                datastore in REPLICATE (CreateElastiCacheSecondary).";
    Step::Refuse(why, next.into())
}

fn detached(o: &Observed, group: &Group, cx: &Cx) -> Step<Change> {
    let target = o.wanted.target.label();
    if group.health() != Health::Available {
        return Step::Wait(format!("{target} is standalone and {}", group.status));
    }
    let how = match cx.act(DETACH) {
        Some(_) => format!("is detached from {}: standalone", o.wanted.datastore),
        // It may have been detached long ago: what it holds is as old as that.
        None => "was standalone before this attempt".to_owned(),
    };
    let warning = warning(o).unwrap_or_default();
    let line = format!("{target} {how}, available and writable{warning}");
    Step::Done(Outcome { summary: line, rpo_seconds: rpo(cx) })
}

/// The first detachment, unless AWS refused one just now.
pub fn begin(o: &Observed, cx: &Cx) -> Step<Change> {
    let refused = i64::from(faults(cx, DETACH));
    let earliest = i64::from(faults(cx, FAILOVER)) * 5 + refused * PACE_S;
    if refused > 0 && cx.waited() < earliest {
        let target = o.wanted.target.label();
        return Step::Wait(format!("AWS refused to detach {target} for its state"));
    }
    Step::Change(change(o))
}

/// A detachment was sent, and the target is still a member.
pub fn again(o: &Observed, group: &Group, cx: &Cx) -> Step<Change> {
    let Some(act) = cx.act(DETACH) else { return begin(o, cx) };
    let age = cx.now - act.at;
    if act.certain && age < REFLECTED_S {
        let target = o.wanted.target.label();
        let why = format!("detaching {target} was accepted {age} s ago; it is {}", group.status);
        return Step::Wait(why);
    }
    if age < i64::from(faults(cx, DETACH)) * PACE_S {
        return Step::Wait("AWS refused to detach again".to_owned());
    }
    Step::Change(change(o))
}

fn change(o: &Observed) -> Change {
    Change::Detach {
        datastore: o.wanted.datastore.clone(),
        target: o.wanted.target.clone(),
        lag: o.lag.clone(),
    }
}

/// PLAN: the detachment as the only way.
pub fn line(o: &Observed) -> String {
    format!("{}{}", change(o).summary(), warning(o).unwrap_or_default())
}

/// What a direct start did not agree to, to be appended.
pub fn warning(o: &Observed) -> Option<String> {
    o.wanted.warning.as_ref().map(|w| format!("; warning: {w}"))
}
