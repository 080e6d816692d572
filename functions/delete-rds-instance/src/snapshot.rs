//! Final snapshots: their names, and which of those that are there are ours.

use crate::observed::{Observed, Wanted};
use shared_rds::{Arn, Instance, Snapshot};

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
