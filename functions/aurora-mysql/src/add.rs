//! INSTANTIATE: the instances that a headless secondary lacks. Pure.

use crate::change::Change;
use crate::observed::Observed;
use shared::{Cx, ErrorType, Outcome, Step};
use shared_rds::{Arn, Cluster, Health, Instance, remedy};

/// Makes the first instance that is missing; done when none is.
pub fn decide(o: &Observed, cx: &Cx) -> Step<Change> {
    let Some(cluster) = &o.cluster else {
        let why = format!("the cluster {} does not exist", o.wanted.cluster);
        return Step::Unknown(vec![format!("rds:{}", o.wanted.cluster)], why);
    };
    if let Some(stop) = guard(o, cluster) {
        return stop;
    }
    if let Some(missing) = o.missing().next() {
        return match cluster.health() {
            Health::Available => Step::Change(add(o, cluster, missing)),
            _ => Step::Wait(format!("{} is {}", cluster.arn.id, cluster.status)),
        };
    }
    match o.existing().find(|i| i.health() != Health::Available || !listed(cluster, i)) {
        Some(i) if i.health() == Health::Available => {
            Step::Wait(format!("{} does not list instance {} yet", cluster.arn.id, i.arn.id))
        }
        Some(i) => Step::Wait(format!("instance {} is {}", i.arn.id, i.status)),
        None => done(o, cx),
    }
}

fn guard(o: &Observed, cluster: &Cluster) -> Option<Step<Change>> {
    let id = &cluster.arn.id;
    if matches!(cluster.health(), Health::Broken | Health::Deleting) {
        return Some(broken(id, &cluster.status));
    }
    if !o.is_member(cluster) {
        let is = cluster.global.as_deref().unwrap_or("none");
        let why = format!("the global cluster of {id} is {is}, not {}", o.wanted.global);
        let next = "Correct DBClusterIdentifier or GlobalClusterIdentifier.";
        return Some(Step::Refuse(why, next.into()));
    }
    if !cluster.engine.starts_with("aurora") {
        let why = format!("{id} is no Aurora cluster ({})", cluster.engine);
        return Some(Step::Refuse(why, "This step serves Aurora clusters only.".into()));
    }
    capacity(o, cluster).or_else(|| o.existing().find_map(|i| namesake(o, i)))
}

fn capacity(o: &Observed, cluster: &Cluster) -> Option<Step<Change>> {
    if cluster.serverless || !o.wanted.serverless || o.missing().next().is_none() {
        return None;
    }
    Some(Step::Refuse(
        format!("{} has no capacity range, which db.serverless needs", cluster.arn.id),
        "Set DBInstanceClass, or give the cluster a Serverless v2 capacity range (ModifyDBCluster)."
            .into(),
    ))
}

/// An instance of a wanted name must be the cluster's.
fn namesake(o: &Observed, instance: &Instance) -> Option<Step<Change>> {
    let id = &instance.arn.id;
    if instance.health() == Health::Deleting {
        return Some(Step::Wait(format!("an older instance {id} is being deleted")));
    }
    if o.is_ours(instance) {
        return (instance.health() == Health::Broken).then(|| broken(id, &instance.status));
    }
    let role = instance.cluster.as_ref().map_or("single".into(), |c| format!("a member of {c}"));
    Some(Step::Refuse(
        format!("instance {id} exists and is {role}, wanted one of {}", o.wanted.cluster.id),
        "Give other names in DBInstanceIdentifier, or delete that instance first.".into(),
    ))
}

fn broken(id: &str, status: &str) -> Step<Change> {
    Step::Fail(ErrorType::Failed, format!("{id} is {status}"), remedy(status).into())
}

/// Whether the cluster itself names the instance: a failover counts only those.
fn listed(cluster: &Cluster, instance: &Instance) -> bool {
    cluster.members.iter().any(|m| m.id.eq_ignore_ascii_case(&instance.arn.id))
}

/// The engine is the cluster's, whatever the type is called.
fn add(o: &Observed, cluster: &Cluster, instance: &Arn) -> Change {
    Change::Add {
        instance: instance.clone(),
        cluster: cluster.arn.id.clone(),
        engine: cluster.engine.clone(),
        class: o.wanted.class.clone(),
    }
}

fn done(o: &Observed, cx: &Cx) -> Step<Change> {
    let Arn { id, region, .. } = &o.wanted.cluster;
    let names: Vec<&str> = o.wanted.instances.iter().map(|i| i.id.as_str()).collect();
    let how = if cx.changed() { "are" } else { "are already" };
    let line = format!("{} {how} available in {id} in {region}", names.join(", "));
    Step::Done(Outcome::new(line))
}

/// PLAN: all instances that are missing.
pub fn outlook(o: &Observed, cx: &Cx) -> Option<String> {
    let leaving = o.existing().filter(|i| i.health() == Health::Deleting).map(|i| &i.arn);
    let names: Vec<&str> = o.missing().chain(leaving).map(|i| i.id.as_str()).collect();
    if names.is_empty() {
        return None;
    }
    let Arn { id, region, .. } = &o.wanted.cluster;
    let many = if names.len() == 1 { "instance" } else { "instances" };
    let what = format!("create {many} {} ({})", names.join(", "), o.wanted.class);
    let first = match decide(o, cx) {
        Step::Wait(why) => format!("; first waits: {why}"),
        _ => String::new(),
    };
    Some(format!("{what} in {id} in {region}{first}"))
}

#[cfg(test)]
#[path = "add_tests.rs"]
mod tests;
