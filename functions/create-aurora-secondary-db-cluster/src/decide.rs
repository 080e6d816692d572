//! The decision: pure, and where the tests are.

use crate::change::{Change, NewCluster};
use crate::guards::{LATE, broken, guard, is_encrypted};
use crate::observed::Observed;
use shared::{Cx, ErrorType, Outcome, Step};
use shared_rds::{Arn, Cluster, Global, Health};

/// Source, global cluster, secondary, its instances: the first that is missing is made.
pub fn decide(o: &Observed, cx: &Cx) -> Step<Change> {
    let Some(source) = &o.source else {
        let why = format!("the source {} does not exist", o.wanted.source);
        return Step::Unknown(vec![format!("rds:{}", o.wanted.source)], why);
    };
    if let Some(stop) = guard(o, source, cx) {
        return stop;
    }
    match (&o.global, &o.cluster) {
        (None, _) => ready(source).unwrap_or_else(|| Step::Change(new_global(o))),
        (Some(global), None) => match global.member(&o.wanted.cluster) {
            Some(_) => Step::Wait(format!(
                "{} is a member of {}, its Region does not show it",
                o.wanted.cluster, global.id
            )),
            None => ready(source).unwrap_or_else(|| Step::Change(new_cluster(o, source))),
        },
        (Some(global), Some(cluster)) => members(o, global, cluster, cx),
    }
}

/// Whether the source can become a primary, or feed one secondary more. None: it can.
fn ready(source: &Cluster) -> Option<Step<Change>> {
    let what = format!("the source {}", source.arn.id);
    match source.health() {
        Health::Available if source.writer().is_some() => None,
        Health::Available if source.members.is_empty() => Some(Step::Fail(
            ErrorType::Failed,
            format!("{what} has no instance: nothing writes to it"),
            "Create an instance in it (AuroraMySQL in INSTANTIATE), then start again.".into(),
        )),
        Health::Available => Some(Step::Wait(format!("{what} shows no writer"))),
        Health::Moving => Some(Step::Wait(format!("{what} is {}", source.status))),
        Health::Deleting | Health::Broken => Some(broken(&what, &source.status)),
    }
}

fn new_global(o: &Observed) -> Change {
    Change::Global { id: o.wanted.global.clone(), source: o.wanted.source.clone() }
}

/// Engine and version are the source's: RDS takes no other.
fn new_cluster(o: &Observed, source: &Cluster) -> Change {
    Change::Cluster(NewCluster {
        cluster: o.wanted.cluster.clone(),
        global: o.wanted.global.clone(),
        engine: source.engine.clone(),
        version: source.engine_version.clone(),
        encrypted: is_encrypted(o, source),
    })
}

fn new_instance(o: &Observed, instance: &Arn) -> Change {
    Change::Instance {
        instance: instance.clone(),
        cluster: o.wanted.cluster.id.clone(),
        engine: o.wanted.engine.clone(),
    }
}

/// The secondary exists.
fn members(o: &Observed, global: &Global, cluster: &Cluster, cx: &Cx) -> Step<Change> {
    let id = &cluster.arn.id;
    match cluster.health() {
        Health::Available => {}
        Health::Broken => return broken(id, &cluster.status),
        Health::Moving | Health::Deleting => {
            return Step::Wait(format!("{id} is {}", cluster.status));
        }
    }
    if let Some(missing) = o.pairs().find_map(|(arn, i)| i.is_none().then_some(arn)) {
        return Step::Change(new_instance(o, missing));
    }
    let moving = |i: &&shared_rds::Instance| i.health() != Health::Available;
    match o.pairs().filter_map(|(_, i)| i).find(moving) {
        Some(i) => Step::Wait(format!("instance {} is {}", i.arn.id, i.status)),
        None => relation(o, global, cluster, cx),
    }
}

/// Everything is there: what it is to the source decides.
fn relation(o: &Observed, global: &Global, cluster: &Cluster, cx: &Cx) -> Step<Change> {
    let id = &cluster.arn.id;
    let Some(member) = global.member(&cluster.arn) else {
        return Step::Wait(format!("{id} is available, {} does not list it yet", global.id));
    };
    if member.writer {
        return Step::Wait(format!("{} lists two writers, one of them {id}", global.id));
    }
    match member.synchronization.as_deref() {
        Some("connected") => done(o, cluster, "connected", cx),
        Some(word) => Step::Wait(format!("synchronization of {id} is {word}")),
        // The field is optional. Members and statuses have said all the rest: no reason to wait
        // for hours for a word that does not come.
        None if fresh(cx) => Step::Wait(format!("RDS shows no synchronization of {id} yet")),
        None => done(o, cluster, "RDS shows no word of synchronization", cx),
    }
}

/// Whether the last call is so young that its effects may show late.
fn fresh(cx: &Cx) -> bool {
    let last = cx.progress.acts.values().map(|a| a.at).max();
    last.is_some_and(|at| cx.now - at < LATE)
}

fn done(o: &Observed, cluster: &Cluster, word: &str, cx: &Cx) -> Step<Change> {
    let Arn { id, region, .. } = &cluster.arn;
    let how = if cx.changed() { "follows" } else { "follows already:" };
    let (source, count) = (&o.wanted.source, o.instances.len());
    let warning = versions(o, &cluster.engine_version).unwrap_or_default();
    Step::Done(Outcome::new(format!(
        "{id} in {region} {how} {} in {}, {count} of {count} instances available, {word}{warning}",
        source.id, source.region
    )))
}

/// What the manifest says of the version, when the version is another.
fn versions(o: &Observed, is: &str) -> Option<String> {
    let said = o.wanted.version.as_deref()?;
    let same = is == said || is.strip_prefix(said).is_some_and(|rest| rest.starts_with('.'));
    (!same).then(|| format!("; warning: version {is}, the manifest says {said}"))
}

/// PLAN: the whole operation in one line, short enough that its end is not cut off.
pub fn outlook(o: &Observed, cx: &Cx) -> Option<String> {
    let (source, wanted) = (o.source.as_ref()?, &o.wanted);
    let mut parts: Vec<String> = vec![];
    if gone(o.global.as_ref().map(|g| shared_rds::health(&g.status))) {
        parts.push(format!("global cluster {} of {}", wanted.global, wanted.source.id));
    }
    if gone(o.cluster.as_ref().map(Cluster::health)) {
        parts.push(format!("secondary {} in {}", wanted.cluster.id, wanted.cluster.region));
    }
    let missing = o.pairs().filter(|(_, i)| gone(i.map(shared_rds::Instance::health)));
    let ids: Vec<&str> = missing.map(|(arn, _)| arn.id.as_str()).collect();
    if !ids.is_empty() {
        let many = if ids.len() == 1 { "instance" } else { "instances" };
        parts.push(format!("{many} {} in {}", ids.join(", "), wanted.cluster.id));
    }
    if parts.is_empty() {
        return None;
    }
    let warning = versions(o, &source.engine_version).unwrap_or_default();
    let first = match decide(o, cx) {
        Step::Wait(why) => format!("; first waits: {why}"),
        _ => String::new(),
    };
    Some(format!("create {}{first}{warning}", parts.join("; ")))
}

/// Missing, or soon.
fn gone(health: Option<Health>) -> bool {
    health.is_none_or(|h| h == Health::Deleting)
}

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;
