//! Final snapshots: their names, and whether they are there.

use crate::observed::{Observed, Wanted};
use aws_sdk_elasticache::Client;
use aws_sdk_elasticache::primitives::DateTime;
use aws_sdk_elasticache::types::Snapshot as Shown;
use shared::{Cx, Doing, Result, clock};
use shared_elasticache::{Group, GroupArn};

/// A snapshot of a replication group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Its name.
    pub name: String,
    /// `creating`, `available`, `failed`, ...
    pub status: String,
    /// The replication group that it is of; of a group without shards perhaps only the node is
    /// told.
    pub of: Option<String>,
    /// When it was taken, seconds since 1970; None while it has not begun.
    pub taken_at: Option<i64>,
}

impl Snapshot {
    /// Name and age for people.
    pub fn label(&self) -> String {
        match self.taken_at {
            Some(at) => format!("{} of {}", self.name, clock::rfc3339(at)),
            None => self.name.clone(),
        }
    }

    /// The status in small letters.
    pub fn state(&self) -> String {
        self.status.to_ascii_lowercase()
    }
}

/// All snapshots of the Region, oldest first. They are told apart by name: whether ElastiCache
/// still finds them by the id of a group that is gone is not documented.
///
/// # Errors
/// As the service says.
pub async fn list(client: &Client, region: &str) -> Result<Vec<Snapshot>> {
    let mut pages = client.describe_snapshots().into_paginator().items().send();
    let mut all = Vec::new();
    while let Some(snapshot) = pages.next().await {
        all.push(read(&snapshot.doing(&format!("list the ElastiCache snapshots in {region}"))?));
    }
    // What has not begun yet is the newest.
    all.sort_by_key(|s: &Snapshot| s.taken_at.unwrap_or(i64::MAX));
    Ok(all)
}

fn read(s: &Shown) -> Snapshot {
    let taken = s.node_snapshots().iter().filter_map(|n| n.snapshot_create_time());
    Snapshot {
        name: s.snapshot_name().unwrap_or_default().to_ascii_lowercase(),
        status: s.snapshot_status().unwrap_or("unknown").to_owned(),
        of: s.replication_group_id().filter(|id| !id.is_empty()).map(str::to_owned),
        taken_at: taken.map(DateTime::secs).max(),
    }
}

/// What the next deletion does about its final snapshot.
#[derive(Debug, PartialEq)]
pub enum Next {
    /// It takes none, as asked.
    None,
    /// It takes one of this name.
    Take(String),
    /// One is being taken now, perhaps by a deletion that does not show yet.
    Await(String),
    /// The name that the manifest gives is taken.
    Taken(String),
}

/// The name carries the time of the group's creation. A replication group has no id that is never
/// used again; its creation time tells it from an earlier group of the same id, so that the
/// snapshot of an earlier exercise is never taken for this one's. A deletion that came to nothing
/// leaves its snapshot, and the next one counts on.
pub fn next(o: &Observed, group: &Group, cx: &Cx) -> Next {
    if !o.wanted.final_snapshot {
        return Next::None;
    }
    let find = |name: &String| o.snapshots.iter().find(|s| s.name == *name);
    if let Some(given) = &o.wanted.snapshot_name {
        return match find(given) {
            None => Next::Take(given.clone()),
            Some(s) if s.state() == "creating" => Next::Await(given.clone()),
            Some(_) => Next::Taken(given.clone()),
        };
    }
    let base = base(group, cx);
    let numbered = |n: usize| if n == 1 { base.clone() } else { format!("{base}-{n}") };
    let mut name = numbered(1);
    for n in 2..=o.snapshots.len() + 1 {
        match find(&name) {
            Some(s) if s.state() == "creating" => return Next::Await(name),
            Some(_) => name = numbered(n),
            None => break,
        }
    }
    Next::Take(name)
}

/// Old groups tell no time of creation: there the start of the run must do.
fn base(group: &Group, cx: &Cx) -> String {
    let at = group.created_at.map_or_else(|| cx.context.started_at.clone(), clock::rfc3339);
    let digits: String = at.chars().filter(char::is_ascii_digit).take(14).collect();
    format!("{}{digits}", prefix(&group.arn))
}

/// Whether a snapshot is one that this step took, now or in an earlier attempt.
pub fn is_final(wanted: &Wanted, snapshot: &Snapshot) -> bool {
    if snapshot.of.as_ref().is_some_and(|of| !of.eq_ignore_ascii_case(&wanted.stale.id)) {
        return false;
    }
    if let Some(name) = &wanted.snapshot_name {
        return snapshot.name == *name;
    }
    // A group orders-2 has final snapshots that begin like those of orders.
    let Some(rest) = snapshot.name.strip_prefix(&prefix(&wanted.stale)) else { return false };
    let (at, number) = rest.split_once('-').unwrap_or((rest, "1"));
    let digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    at.len() == 14 && digits(at) && digits(number)
}

/// What all our final snapshots of a group begin with.
fn prefix(stale: &GroupArn) -> String {
    format!("dr-final-{}-", stale.id)
}
