//! What the global clusters say. Both Regions are asked, and only what both say counts: how fresh
//! the metadata is in each of them after an outage is not documented.

use crate::observed::Observed;
use shared_rds::{Arn, Cluster, Global};
use std::collections::BTreeSet;

/// The global cluster that lists a cluster. Both Regions agree on it where [`unsettled`] is None.
pub fn of<'a>(o: &'a Observed, arn: &Arn) -> Option<&'a Global> {
    o.here.iter().chain(&o.there).find(|g| g.member(arn).is_some())
}

/// The global cluster of that identifier.
pub fn named<'a>(o: &'a Observed, id: &str) -> Option<&'a Global> {
    o.here.iter().chain(&o.there).find(|g| g.id.eq_ignore_ascii_case(id))
}

/// Why nothing can be concluded yet, if so: the Regions disagree, a role is on its way, or a cluster
/// is being attached or detached.
pub fn unsettled(o: &Observed) -> Option<String> {
    let differ = || ids(o).into_iter().find_map(|id| disagreement(o, &id));
    let busy = || ids(o).into_iter().find_map(|id| named(o, &id).and_then(busy));
    let clusters = || [&o.stale, &o.writer].into_iter().flatten().find_map(|c| astray(o, c));
    differ().or_else(busy).or_else(clusters)
}

/// The global clusters that matter: those of both clusters and the one that the manifest names.
fn ids(o: &Observed) -> BTreeSet<String> {
    let (stale, writer) = (&o.wanted.stale, &o.wanted.writer);
    let lists = |g: &&Global| g.member(stale).is_some() || g.member(writer).is_some();
    let listed = o.here.iter().chain(&o.there).filter(lists).map(|g| g.id.clone());
    let told = [&o.stale, &o.writer].into_iter().flatten().filter_map(|c| c.global.clone());
    listed.chain(told).chain(o.wanted.global.clone()).map(|id| id.to_lowercase()).collect()
}

/// Whether a Region in which a global cluster has no member lists it is not documented: that it does
/// not is no disagreement.
fn disagreement(o: &Observed, id: &str) -> Option<String> {
    let of = |all: &[Global]| all.iter().find(|g| g.id.eq_ignore_ascii_case(id)).cloned();
    let (stale, writer) = (&o.wanted.stale.region, &o.wanted.writer.region);
    let differ = match (of(&o.here), of(&o.there)) {
        (Some(here), Some(there)) => roles(&here) != roles(&there),
        (Some(known), None) => has_member_in(&known, writer),
        (None, Some(known)) => has_member_in(&known, stale),
        (None, None) => false,
    };
    differ.then(|| format!("{stale} and {writer} tell different things about global cluster {id}"))
}

/// Members with their roles, and who is to become the writer.
fn roles(global: &Global) -> (BTreeSet<(String, bool)>, Option<String>) {
    let role = |m: &shared_rds::GlobalMember| (m.arn.to_string(), m.writer);
    let failover = global.failover.as_ref().map(|f| f.to.clone());
    (global.members.iter().map(role).collect(), failover)
}

fn has_member_in(global: &Global, region: &str) -> bool {
    global.members.iter().any(|m| m.arn.region == region)
}

fn busy(global: &Global) -> Option<String> {
    if let Some(failover) = &global.failover {
        let (id, status, to) = (&global.id, &failover.status, &failover.to);
        return Some(format!("global cluster {id} changes its writer to {to} ({status})"));
    }
    (global.status != "available")
        .then(|| format!("global cluster {} is {}", global.id, global.status))
}

/// A cluster that names a global cluster which does not list it. The reverse is not waited for: a
/// cluster that is listed counts as a member, whatever it says itself.
fn astray(o: &Observed, cluster: &Cluster) -> Option<String> {
    let id = cluster.global.as_ref()?;
    let listed = named(o, id).is_some_and(|g| g.member(&cluster.arn).is_some());
    (!listed).then(|| {
        format!(
            "{} says it is a member of global cluster {id}, which does not list it",
            cluster.arn
        )
    })
}
