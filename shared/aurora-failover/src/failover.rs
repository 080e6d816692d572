//! Unplanned: the primary's Region is lost, and a secondary takes over with what it has.
//!
//! Only the target's Region is called. What that Region says of the global cluster may be fresh,
//! old or missing while the primary's is lost (not documented). What proves that the target is not
//! the present writer, for both calls:
//!
//! * the global cluster lists it as a secondary; or
//! * the metadata stays silent for a minute, the run is unplanned and declares another Region as
//!   the one that served (`primary_region`), and the cluster itself shows readers alone. A secondary
//!   consists of readers, a primary has a writer: so a target that took over in an earlier run is
//!   not detached because metadata is silent.
//!
//! Without either nothing is sent. One attempt makes one kind of call: AUTO never detaches a
//! cluster to which a managed failover may be under way. And AWS itself refuses both calls for a
//! primary that has secondaries.

pub use crate::takeover::Takeover;
use crate::target::{CANCELLED, MOVING, Metadata, Target, took_effect, word};
use crate::version::same_minor;
use shared::{ChangeClass, Classified, Cx, ErrorType, Outcome, Step};
use shared_metrics::Lag;
use shared_rds::{Arn, Cluster, Health};

/// How the secondary takes over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// RemoveFromGlobalCluster: it becomes a cluster of its own.
    Detach,
    /// FailoverGlobalCluster: the global cluster survives.
    Managed,
    /// MANAGED where AWS can do it, else DETACH.
    Auto,
}

/// What is wanted.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Identifier of the global cluster.
    pub global: String,
    /// The secondary that is to take over.
    pub target: Arn,
    /// How.
    pub mode: Mode,
    /// What stands in for consents that a direct start lacks.
    pub warnings: Vec<String>,
}

/// One look.
#[derive(Debug, Clone)]
pub struct Observed {
    /// What is wanted.
    pub wanted: Wanted,
    /// The secondary, and what its Region knows of the global cluster.
    pub target: Target,
    /// How far it is behind, before the call.
    pub lag: Lag,
}

/// The calls. One of them is made.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// FailoverGlobalCluster with AllowDataLoss.
    Managed {
        /// Identifier of the global cluster.
        global: String,
        /// The secondary.
        target: Arn,
        /// How far it is behind.
        lag: Lag,
        /// Whether the answer to the same call was lost before.
        again: bool,
    },
    /// RemoveFromGlobalCluster.
    Detach {
        /// Identifier of the global cluster.
        global: String,
        /// The secondary.
        target: Arn,
        /// How far it is behind.
        lag: Lag,
        /// Why not MANAGED, when that was wanted.
        because: Option<String>,
        /// Whether the answer to the same call was lost before.
        again: bool,
    },
}

/// Name of the managed failover.
pub const MANAGED: &str = "FailoverGlobalCluster";
/// Name of the detachment.
pub const DETACH: &str = "RemoveFromGlobalCluster";
/// IAM actions of the looks.
pub const READS: [&str; 4] = crate::switchover::READS;
/// IAM actions of the calls.
pub const WRITES: [&str; 2] = ["rds:FailoverGlobalCluster", "rds:RemoveFromGlobalCluster"];
/// How long silent metadata may be a passing trouble.
const PATIENCE_S: i64 = 60;
/// How long an accepted call may stay without any sign: metadata may be old for long.
const REFLECTED_S: i64 = 600;
/// How late the promotion of a detached cluster may show.
const PROMOTION_SHOWS_S: i64 = 10;

impl Classified for Change {
    fn name(&self) -> &'static str {
        match self {
            Self::Managed { .. } => MANAGED,
            Self::Detach { .. } => DETACH,
        }
    }
    fn class(&self) -> ChangeClass {
        ChangeClass::DataLoss
    }
    fn expected_loss(&self) -> Option<f64> {
        match self {
            Self::Managed { lag, .. } | Self::Detach { lag, .. } => lag.seconds(),
        }
    }
    fn summary(&self) -> String {
        match self {
            Self::Managed { global, target, lag, .. } => format!(
                "fail {global} over to {} in {} (managed): {lag}; what did not arrive is lost",
                target.id, target.region
            ),
            Self::Detach { global, target, lag, because, .. } => {
                let why = because.as_ref().map(|b| format!(" ({b})")).unwrap_or_default();
                format!(
                    "detach {} in {} from {global}{why}: {lag}; what did not arrive is lost; \
                     irreversible",
                    target.id, target.region
                )
            }
        }
    }
    /// An accepted one may have been cancelled by AWS, and then for a reason. One whose answer was
    /// lost, and of which nothing shows, is sent again: AWS refuses a second while the first runs.
    fn reissuable(&self) -> bool {
        let (Self::Managed { again, .. } | Self::Detach { again, .. }) = self;
        *again
    }
}

/// Whether the target is still a member divides everything.
pub fn decide(o: &Observed, cx: &Cx) -> Step<Change> {
    let cluster = match o.target.alive() {
        Ok(cluster) => cluster,
        Err(step) => return step,
    };
    match &cluster.global {
        None => standalone(o, cluster, cx),
        Some(id) if !id.eq_ignore_ascii_case(&o.wanted.global) => {
            let why =
                format!("{} is a member of {id}, not of {}", o.target.label(), o.wanted.global);
            Step::Refuse(why, "Correct GlobalClusterIdentifier or DBClusterIdentifier.".into())
        }
        Some(_) => member(o, cluster, cx),
    }
}

/// It is, or becomes, a cluster of its own. Old metadata may still list it: its own word counts.
fn standalone(o: &Observed, cluster: &Cluster, cx: &Cx) -> Step<Change> {
    if let Some(step) = o.target.not_serving(cluster) {
        return step;
    }
    if let Some(source) = &cluster.source {
        return Step::Wait(format!("{} is still a replica of {source}", o.target.label()));
    }
    if let Some(step) = promotion_may_follow(cx) {
        return step;
    }
    if o.wanted.mode == Mode::Managed && cx.act(DETACH).is_none() {
        let why = format!(
            "{} is standalone and takes writes: there is no {} to fail over to it",
            o.target.label(),
            o.wanted.global
        );
        let next = "If it was detached before, nothing is left to do here (Mode DETACH says so).";
        return Step::Refuse(why, next.into());
    }
    let detached = cx.act(DETACH).is_some();
    let how = if detached { "is detached from" } else { "is no member of" };
    let proof = if detached { "" } else { "; nothing proves that it was one" };
    let line = format!(
        "{} {how} {}{proof}: standalone, available, it takes writes",
        o.target.label(),
        o.wanted.global
    );
    done(o, line, cx)
}

/// A detached cluster may be shown as `available` before it is shown as `promoting`.
fn promotion_may_follow(cx: &Cx) -> Option<Step<Change>> {
    let age = cx.seconds_since(DETACH)?;
    let early = age < PROMOTION_SHOWS_S && cx.seconds_since_sign(MOVING).is_none();
    early.then(|| Step::Wait(format!("detached {age} s ago; its promotion does not show yet")))
}

/// It is a member: its role decides.
fn member(o: &Observed, cluster: &Cluster, cx: &Cx) -> Step<Change> {
    if let Some(step) = o.target.foreign() {
        return step;
    }
    let id = &o.wanted.global;
    if let Some(failover) = o.target.metadata.failover() {
        return Step::Wait(format!("{id} is {} to {}", failover.status, o.target.label()));
    }
    match o.target.is_writer() {
        Some(true) => o.target.not_serving(cluster).unwrap_or_else(|| {
            let how = if cx.changed() { "is now" } else { "is already" };
            done(o, format!("{} {how} the primary of {id}, available", o.target.label()), cx)
        }),
        Some(false) => follows(o, cluster, cx),
        None => unlisted(o, cluster, cx),
    }
}

/// The metadata does not tell the target's role. Then the run and the cluster itself have to.
fn unlisted(o: &Observed, cluster: &Cluster, cx: &Cx) -> Step<Change> {
    let (label, id) = (o.target.label(), &o.wanted.global);
    let why = match &o.target.metadata {
        Metadata::There(_) => return Step::Wait(format!("{id} does not list {label}")),
        Metadata::Absent => format!("{} knows no {id}", o.target.arn.region),
        Metadata::Silent(why) => why.clone(),
    };
    let declared = cx.context.primary_region.is_some() && cx.context.unplanned;
    let proven = declared && o.target.reads_only();
    if !proven || took_effect(cx, MANAGED).is_some() || cx.waited() < PATIENCE_S {
        return Step::Wait(format!("the role of {label} in {id} is not known: {why}"));
    }
    follows(o, cluster, cx)
}

/// It is a secondary, or is proven not to be the writer.
fn follows(o: &Observed, cluster: &Cluster, cx: &Cx) -> Step<Change> {
    if let Some(step) = sent(o, cluster, cx) {
        return step;
    }
    if o.target.vanished(cx) {
        return cancelled(o);
    }
    o.target.not_ready(cluster).unwrap_or_else(|| change(o, cluster, cx))
}

/// A call took effect and nothing shows. None: none did.
fn sent(o: &Observed, cluster: &Cluster, cx: &Cx) -> Option<Step<Change>> {
    let took = |n| Some((n, took_effect(cx, n)?));
    let (name, act) = [MANAGED, DETACH].into_iter().find_map(took)?;
    let age = cx.now - act.at;
    let quiet = cluster.health() == Health::Available;
    if o.target.vanished(cx) || (age >= REFLECTED_S && quiet) {
        return Some(cancelled(o));
    }
    let state = &cluster.status;
    Some(Step::Wait(format!(
        "{name} was {} {age} s ago; {} is {state}, still a secondary",
        word(act),
        o.target.label()
    )))
}

fn cancelled(o: &Observed) -> Step<Change> {
    let why = format!(
        "the failover to {} was accepted, and it is still a secondary: AWS cancelled it, or never \
         began it",
        o.target.label()
    );
    Step::Fail(ErrorType::Failed, why, CANCELLED.into())
}

/// Which call it is.
fn change(o: &Observed, cluster: &Cluster, cx: &Cx) -> Step<Change> {
    if let (Mode::Managed, Some(why)) = (o.wanted.mode, differs(o, cluster)) {
        let next = "Set Mode to \"DETACH\", which needs no equal versions.";
        return Step::Refuse(format!("no managed failover: {why}"), next.into());
    }
    let (global, target, lag) = (o.wanted.global.clone(), o.target.arn.clone(), o.lag.clone());
    let because = impossible(o, cluster, cx).filter(|_| o.wanted.mode == Mode::Auto);
    Step::Change(if o.wanted.mode == Mode::Detach || because.is_some() {
        Change::Detach { global, target, lag, because, again: cx.act(DETACH).is_some() }
    } else {
        Change::Managed { global, target, lag, again: cx.act(MANAGED).is_some() }
    })
}

/// AUTO: why there can be no managed failover. None: there can, or one may be under way: AWS was
/// asked for it, and so a refusal by AWS never leads to a detachment.
fn impossible(o: &Observed, cluster: &Cluster, cx: &Cx) -> Option<String> {
    let asked = |name| cx.act(name).is_some() || cx.progress.faults.contains_key(name);
    if asked(MANAGED) {
        return None;
    }
    let silent = match &o.target.metadata {
        Metadata::There(_) => None,
        Metadata::Absent | Metadata::Silent(_) => Some("the global cluster does not answer".into()),
    };
    let before = || asked(DETACH).then(|| "its detachment was asked for before".into());
    differs(o, cluster).or(silent).or_else(before)
}

fn differs(o: &Observed, cluster: &Cluster) -> Option<String> {
    let global = o.target.metadata.global().filter(|g| !g.engine_version.is_empty())?;
    (!same_minor(&global.engine_version, &cluster.engine_version)).then(|| {
        format!("its version is {}, not {}", cluster.engine_version, global.engine_version)
    })
}

fn done(o: &Observed, mut line: String, cx: &Cx) -> Step<Change> {
    line += &others(o);
    for warning in &o.wanted.warnings {
        line += &format!("; warning: {warning}");
    }
    let act = cx.act(MANAGED).or_else(|| cx.act(DETACH));
    let rpo_seconds = act.and_then(|a| a.result["lagSeconds"].as_f64());
    Step::Done(Outcome { summary: line, rpo_seconds })
}

/// The secondaries that a detachment leaves with the old primary: two databases that differ.
fn others(o: &Observed) -> String {
    let detached = o.target.cluster.as_ref().is_some_and(|c| c.global.is_none());
    let Some(global) = o.target.metadata.global().filter(|_| detached) else {
        return String::new();
    };
    let left = global.members.iter().filter(|m| !m.writer && m.arn != o.target.arn);
    let left: Vec<String> = left.map(|m| format!("{} in {}", m.arn.id, m.arn.region)).collect();
    match left.is_empty() {
        true => String::new(),
        false => format!(
            "; still following the old primary, remove them before it is back: {}",
            left.join(", ")
        ),
    }
}

/// PLAN: the failover, also when something must be awaited first.
pub fn outlook(o: &Observed, cx: &Cx) -> Option<String> {
    let cluster = o.target.cluster.as_ref().filter(|c| c.global.is_some())?;
    if o.target.is_writer() == Some(true) {
        return None;
    }
    let Step::Change(change) = change(o, cluster, cx) else { return None };
    let first = match decide(o, cx) {
        Step::Wait(why) => format!("; first waits: {why}"),
        _ => String::new(),
    };
    let warnings: String = o.wanted.warnings.iter().map(|w| format!("; warning: {w}")).collect();
    Some(format!("{}{first}{warnings}", change.summary()))
}

#[cfg(test)]
#[path = "failover_tests.rs"]
mod tests;
