//! CLEANUP: instances of a secondary go, the cluster stays. Pure.

use crate::change::Change;
use crate::observed::Observed;
use shared::{Cx, ErrorType, Outcome, Step};
use shared_rds::{Arn, Cluster, Global, Health, Instance, remedy};

/// In these RDS deletes an instance, and nothing of it is lost: what it reads is the cluster's.
const HOPELESS: &[&str] = &["failed", "incompatible-restore", "incompatible-network"];

/// Deletes one instance after the other, readers first; done when none exists.
pub fn decide(o: &Observed, cx: &Cx) -> Step<Change> {
    if o.existing().next().is_none() {
        return gone(o, cx);
    }
    let Some(cluster) = &o.cluster else {
        let why = format!("the cluster {} does not exist, instances do", o.wanted.cluster);
        return Step::Refuse(why, "Correct DBClusterIdentifier or DBInstanceIdentifier.".into());
    };
    guard(o, cluster).unwrap_or_else(|| next(o, cluster))
}

fn refuse(why: String, next: &str) -> Option<Step<Change>> {
    Some(Step::Refuse(why, next.to_owned()))
}

/// What must be proven before any of them goes: another cluster is the primary.
fn guard(o: &Observed, cluster: &Cluster) -> Option<Step<Change>> {
    let (id, wanted) = (&cluster.arn.id, &o.wanted.global);
    if let Some(stranger) = o.existing().find(|i| !o.is_ours(i)) {
        let why = format!("instance {} is no member of {id}", stranger.arn.id);
        return refuse(why, "Correct DBInstanceIdentifier: only the cluster's own are deleted.");
    }
    if cluster.global.is_none() {
        let why = format!("{id} is standalone: it could be the only copy");
        return refuse(
            why,
            "A stale primary is removed by DeleteAuroraCluster, which proves more.",
        );
    }
    if !o.is_member(cluster) {
        let is = cluster.global.as_deref().unwrap_or_default();
        let why = format!("the global cluster of {id} is {is}, not {wanted}");
        return refuse(why, "Correct DBClusterIdentifier or GlobalClusterIdentifier.");
    }
    let Some(global) = &o.global else {
        let why =
            format!("{} does not show {wanted}: who writes is not proven", cluster.arn.region);
        return refuse(why, "Correct GlobalClusterIdentifier.");
    };
    role(cluster, global)
}

fn role(cluster: &Cluster, global: &Global) -> Option<Step<Change>> {
    let id = &cluster.arn.id;
    if let Some(failover) = &global.failover {
        let why = format!("{}: a change to {} is {}", global.id, failover.to, failover.status);
        return Some(Step::Wait(why));
    }
    if global.is_writer(&cluster.arn) {
        let why = format!("{id} is the primary of {}", global.id);
        return refuse(why, "Run ACTIVATE in the other Region first, or correct the cluster.");
    }
    if global.member(&cluster.arn).is_none() || global.writer().is_none() {
        let why = format!("{} does not show another primary beside its member {id}", global.id);
        return refuse(why, "Look at the global cluster in the RDS console.");
    }
    None
}

/// Readers first: while a reader goes, the instance that would take over stays.
fn next(o: &Observed, cluster: &Cluster) -> Step<Change> {
    let writer = cluster.writer().map(|w| w.id.to_ascii_lowercase());
    let last = |i: &&Instance| writer.as_deref() == Some(i.arn.id.as_str());
    let (mut writers, readers): (Vec<_>, Vec<_>) = o.existing().partition(last);
    let waiting = |i: &&&Instance| i.health() == Health::Deleting;
    if let Some(reader) = readers.iter().find(|i| !waiting(i)) {
        return remove(cluster, reader);
    }
    if let Some(reader) = readers.first() {
        return Step::Wait(format!("{} is {}", reader.arn.id, reader.status));
    }
    match writers.pop() {
        Some(i) if i.health() == Health::Deleting => {
            Step::Wait(format!("{} is {}", i.arn.id, i.status))
        }
        Some(i) => remove(cluster, i),
        None => Step::Wait(format!("looking for the instances of {} again", cluster.arn.id)),
    }
}

fn remove(cluster: &Cluster, instance: &Instance) -> Step<Change> {
    let id = &instance.arn.id;
    let is = format!("instance {id} is {}", instance.status);
    let hopeless = HOPELESS.contains(&instance.status.as_str());
    let may_go = instance.health() == Health::Available || hopeless;
    if may_go && cluster.health() == Health::Available {
        let cluster = cluster.arn.id.clone();
        return Step::Change(Change::Remove { instance: instance.arn.clone(), cluster });
    }
    match (instance.health(), cluster.health()) {
        (Health::Broken, _) if !hopeless => fail(is, &instance.status),
        (_, Health::Broken) => {
            fail(format!("{} is {}", cluster.arn.id, cluster.status), &cluster.status)
        }
        (Health::Moving, _) => Step::Wait(is),
        _ => Step::Wait(format!("{} is {}", cluster.arn.id, cluster.status)),
    }
}

fn fail(is: String, status: &str) -> Step<Change> {
    Step::Fail(ErrorType::Failed, format!("{is} and cannot be deleted"), remedy(status).into())
}

fn gone(o: &Observed, cx: &Cx) -> Step<Change> {
    let Arn { id, region, .. } = &o.wanted.cluster;
    let names: Vec<&str> = o.wanted.instances.iter().map(|i| i.id.as_str()).collect();
    let how = if cx.changed() { "are deleted" } else { "do not exist" };
    let rest = match &o.cluster {
        Some(_) => format!("the cluster {id} in {region} stays"),
        None => format!("there is no cluster {id} in {region}"),
    };
    Step::Done(Outcome::new(format!("{} {how}; {rest}", names.join(", "))))
}

/// PLAN: all instances that go.
pub fn outlook(o: &Observed, cx: &Cx) -> Option<String> {
    let staying = o.existing().filter(|i| i.health() != Health::Deleting);
    let names: Vec<&str> = staying.map(|i| i.arn.id.as_str()).collect();
    if names.is_empty() {
        return None;
    }
    let Arn { id, region, .. } = &o.wanted.cluster;
    let many = if names.len() == 1 { "instance" } else { "instances" };
    let what = format!("delete {many} {} of {id} in {region}", names.join(", "));
    let first = match decide(o, cx) {
        Step::Wait(why) => format!("; first waits: {why}"),
        _ => String::new(),
    };
    Some(format!("{what}; the cluster and its data stay{first}"))
}

#[cfg(test)]
#[path = "remove_tests.rs"]
mod tests;
