//! The decision: pure, and where the tests are.

use shared::{ChangeClass, Classified, Cx, ErrorType, Outcome, Step};
use shared_metrics::Lag;
use shared_rds::{Arn, Health, Instance, remedy};

/// One look, and what was wanted.
#[derive(Debug, Clone)]
pub struct Observed {
    /// The instance that the manifest means.
    pub arn: Arn,
    /// Whether the manifest named that ARN itself.
    pub proven: bool,
    /// `MaxLagSeconds`.
    pub max_lag_s: Option<i64>,
    /// What is there.
    pub instance: Option<Instance>,
    /// How far it is behind, while it is a replica.
    pub lag: Lag,
}

/// The only change.
#[derive(Debug, PartialEq)]
pub struct Promote {
    /// The replica.
    pub id: String,
    /// What it replicates from.
    pub source: String,
    /// How far it is behind.
    pub lag: Lag,
}

const NAME: &str = "PromoteReadReplica";

impl Classified for Promote {
    fn name(&self) -> &'static str {
        NAME
    }
    fn class(&self) -> ChangeClass {
        // Replication is asynchronous: what has not arrived is lost, and the tie is cut for good.
        ChangeClass::DataLoss
    }
    fn summary(&self) -> String {
        let source = self.source.rsplit(':').next().unwrap_or(&self.source);
        format!("promote replica {} of {source}: {}; reboots; irreversible", self.id, self.lag)
    }
    fn expected_loss(&self) -> Option<f64> {
        self.lag.seconds()
    }
}

/// Replica, promoted, or neither.
pub fn decide(o: &Observed, cx: &Cx) -> Step<Promote> {
    let Some(instance) = &o.instance else {
        let why = format!("there is no DB instance {} in {}", o.arn.id, o.arn.region);
        let next = "Correct RDSInstanceIdentifier, or start the manifest in the replica's Region.";
        return Step::Fail(ErrorType::NotFound, why, next.into());
    };
    if let Some(why) = instance.foreign_kind() {
        let next = "PromoteReadReplica serves single DB instances only: promote it by other means.";
        return Step::Refuse(why, next.into());
    }
    match (instance.health(), &instance.source) {
        (Health::Broken | Health::Deleting, _) => {
            let why = format!("{} is {} and cannot take over", o.arn.id, instance.status);
            Step::Fail(ErrorType::Failed, why, remedy(&instance.status).into())
        }
        (Health::Moving, _) => Step::Wait(format!("{} is {}", o.arn.id, state(instance))),
        (Health::Available, None) if instance.retention_pending => {
            Step::Wait(format!("{} is {}, backups pending", o.arn.id, state(instance)))
        }
        (Health::Available, None) => Step::Done(done(o, instance, cx)),
        (Health::Available, Some(source)) => replica(o, source, cx),
    }
}

fn state(instance: &Instance) -> String {
    let role = if instance.source.is_some() { "still a replica" } else { "no replica any more" };
    format!("{}, {role}", instance.status)
}

fn replica(o: &Observed, source: &str, cx: &Cx) -> Step<Promote> {
    let promote = Promote { id: o.arn.id.clone(), source: source.to_owned(), lag: o.lag.clone() };
    match too_far_behind(o, cx) {
        Some(why) => Step::Wait(why),
        None => Step::Change(promote),
    }
}

/// Planned runs wait for the lag. In unplanned ones there is nothing to wait for: what the source
/// has not sent will not come.
fn too_far_behind(o: &Observed, cx: &Cx) -> Option<String> {
    let max = o.max_lag_s.filter(|_| !cx.context.unplanned && cx.act(NAME).is_none())?;
    let near = |s: f64| s <= f64::from(i32::try_from(max).unwrap_or(i32::MAX));
    match &o.lag {
        Lag::Current(s) if near(*s) => None,
        lag => Some(format!("{}: {lag}, wanted at most {max} s", o.arn.id)),
    }
}

fn done(o: &Observed, instance: &Instance, cx: &Cx) -> Outcome {
    let act = cx.act(NAME);
    let how = if act.is_some() { "promoted: " } else { "" };
    let mut summary = format!("{} in {} is {how}standalone and available", o.arn.id, o.arn.region);
    if act.is_none() && !o.proven {
        summary += "; without TargetClusterIdentifier nothing proves that it was the replica";
    }
    for note in notes(o, instance) {
        summary += "; ";
        summary += &note;
    }
    Outcome { summary, rpo_seconds: act.and_then(|a| a.result["lagSeconds"].as_f64()) }
}

/// What the operator should know of the new primary.
fn notes(o: &Observed, instance: &Instance) -> Vec<String> {
    let mut notes = vec![];
    let away = |r: &&String| r.starts_with("arn:") && r.split(':').nth(3) != Some(&o.arn.region);
    if let Some(fed) = instance.replicas.iter().find(away) {
        notes.push(format!("it feeds {fed}"));
    }
    if instance.retention_days == 0 {
        notes.push("automated backups are off, which a replica of it needs".to_owned());
    }
    if !instance.multi_az {
        notes.push("Single-AZ".to_owned());
    }
    notes
}

/// PLAN: the promotion, also when something must be awaited first.
pub fn outlook(o: &Observed, cx: &Cx) -> Option<String> {
    let instance = o.instance.as_ref()?;
    let source = instance.source.clone()?;
    let promote = Promote { id: o.arn.id.clone(), source, lag: o.lag.clone() }.summary();
    let first = match instance.health() {
        Health::Available => too_far_behind(o, cx),
        _ => Some(format!("{} is {}", o.arn.id, instance.status)),
    };
    Some(first.map_or(promote.clone(), |why| format!("{promote}; first waits: {why}")))
}

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;
