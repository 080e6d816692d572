//! Final snapshots: their names, and whether they are there.

use crate::observed::{Observed, Wanted};
use aws_sdk_rds::Client;
use aws_sdk_rds::types::{DbSnapshot, Filter};
use shared::{Doing, Result, clock};
use shared_rds::{Arn, Instance};

/// A manual snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Its identifier.
    pub name: String,
    /// `creating`, `available`, `failed`, ...
    pub status: String,
    /// DbiResourceId of the instance that it was taken from.
    pub resource_id: String,
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
}

/// The manual snapshots of an instance identifier, oldest first; they outlive the instance. Asked
/// by filter: the parameter of that name wants an instance that still exists.
///
/// # Errors
/// As the service says.
pub async fn of(client: &Client, arn: &Arn) -> Result<Vec<Snapshot>> {
    let filter = Filter::builder().name("db-instance-id").values(&arn.id).build();
    let mut pages = client
        .describe_db_snapshots()
        .filters(filter)
        .snapshot_type("manual")
        .into_paginator()
        .items()
        .send();
    let mut all = Vec::new();
    while let Some(snapshot) = pages.next().await {
        let what = format!("list the snapshots of {} in {}", arn.id, arn.region);
        all.push(read(&snapshot.doing(&what)?));
    }
    // What has not begun yet is the newest.
    all.sort_by_key(|s: &Snapshot| s.taken_at.unwrap_or(i64::MAX));
    Ok(all)
}

fn read(s: &DbSnapshot) -> Snapshot {
    let text = |t: Option<&str>| t.unwrap_or_default().to_owned();
    Snapshot {
        name: text(s.db_snapshot_identifier()),
        status: text(s.status()),
        resource_id: text(s.dbi_resource_id()),
        taken_at: s.snapshot_create_time().map(aws_smithy_types::DateTime::secs),
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

/// The name carries the observed resource id, so that the snapshot of an earlier exercise is never
/// taken for this one's; a deletion that came to nothing leaves its snapshot, and the next one
/// counts on.
pub fn next(o: &Observed, instance: &Instance) -> Next {
    if !o.wanted.final_snapshot {
        return Next::None;
    }
    let ours = |s: &&Snapshot| s.resource_id == instance.resource_id && is_final(&o.wanted, s);
    let mine: Vec<&Snapshot> = o.snapshots.iter().filter(ours).collect();
    if let Some(current) = mine.iter().find(|s| s.status == "creating") {
        return Next::Await(current.name.clone());
    }
    let free = |name: &String| o.snapshots.iter().all(|s| s.name != *name);
    if let Some(given) = &o.wanted.snapshot_name {
        return if free(given) { Next::Take(given.clone()) } else { Next::Taken(given.clone()) };
    }
    let base = format!("{}{}", prefix(&o.wanted.stale), instance.resource_id.to_lowercase());
    let numbered = |n: usize| if n == 1 { base.clone() } else { format!("{base}-{n}") };
    let name = (1..=o.snapshots.len() + 1).map(numbered).find(free);
    Next::Take(name.unwrap_or(base))
}

/// Whether a snapshot is one that this step took, now or in an earlier attempt.
pub fn is_final(wanted: &Wanted, snapshot: &Snapshot) -> bool {
    match &wanted.snapshot_name {
        Some(name) => snapshot.name == *name,
        None => snapshot.name.starts_with(&prefix(&wanted.stale)),
    }
}

/// What all our final snapshots of an instance begin with.
pub fn prefix(stale: &Arn) -> String {
    format!("dr-final-{}-", stale.id)
}
