//! What is saved before the cluster goes: point-of-failure snapshots and the final one.

use crate::change::Change;
use crate::observed::{Observed, Wanted};
use shared::{ErrorType, Step};
use shared_rds::{Cluster, Snapshot, point_of_failure_copy, snapshot_name};

const PREFIX: &str = "dr-final";
/// Of cluster snapshots.
const LONGEST: usize = 63;

/// The next step towards copies of all point-of-failure snapshots. None: all are there. They are
/// automated snapshots, which end with the cluster's backups and hold writes that nothing else has.
pub fn copy(o: &Observed) -> Option<Step<Change>> {
    let mut systems = o.snapshots.iter().filter(|s| s.is_point_of_failure());
    systems.find_map(|system| match o.wanted.copy_point_of_failure {
        true => copy_of(o, system),
        false => None,
    })
}

fn copy_of(o: &Observed, system: &Snapshot) -> Option<Step<Change>> {
    let is_copy = |s: &&Snapshot| s.source.as_deref() == Some(system.arn.as_str());
    let name = point_of_failure_copy(&system.name);
    let mut copies: Vec<&Snapshot> = o.snapshots.iter().filter(is_copy).collect();
    // A name that carries cluster and time of the system snapshot stands for it where RDS does not
    // tell the source.
    copies.extend(o.snapshots.iter().filter(|s| s.name == name && s.source.is_none()));
    if copies.iter().any(|s| s.status == "available") {
        return None;
    }
    if let Some(moving) = copies.iter().find(|s| !s.is_lost()) {
        return Some(Step::Wait(format!("{} (copy of {})", moving.progress(), system.name)));
    }
    if let Some(taken) = o.snapshots.iter().find(|s| s.name == name) {
        let why = format!("{} is not saved: snapshot {name} is {}", system.name, taken.status);
        let next = "Delete that copy, or copy the snapshot by hand, and start again; \
                    CopyPointOfFailureSnapshot \"False\" gives up what only it holds.";
        return Some(Step::Fail(ErrorType::Failed, why, next.into()));
    }
    Some(match system.status.as_str() {
        "available" => Step::Change(Change::Copy { source: system.name.clone(), copy: name }),
        _ if system.is_lost() => Step::Fail(
            ErrorType::Failed,
            format!("{} is {} and cannot be copied", system.name, system.status),
            "Set CopyPointOfFailureSnapshot to \"False\" if what only it holds may go.".into(),
        ),
        _ => Step::Wait(system.progress()),
    })
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
pub fn next(o: &Observed, cluster: &Cluster) -> Next {
    if !o.wanted.final_snapshot {
        return Next::None;
    }
    let names: Vec<String> = match &o.wanted.snapshot_name {
        Some(given) => vec![given.clone()],
        None => (1..=o.snapshots.len() + 1).map(|n| numbered(cluster, n)).collect(),
    };
    let creating = |s: &&Snapshot| s.status == "creating" && names.contains(&s.name);
    if let Some(current) = o.snapshots.iter().find(creating) {
        return Next::Await(current.name.clone());
    }
    let free = |name: &&String| o.snapshots.iter().all(|s| s.name != **name);
    match (names.iter().find(free), &o.wanted.snapshot_name) {
        (Some(name), _) => Next::Take(name.clone()),
        (None, Some(given)) => Next::Taken(given.clone()),
        (None, None) => Next::Take(numbered(cluster, names.len() + 1)),
    }
}

fn numbered(cluster: &Cluster, n: usize) -> String {
    let count = if n == 1 { String::new() } else { format!("-{n}") };
    let end = format!("{}{count}", cluster.resource_id);
    snapshot_name(PREFIX, &cluster.arn.id, &end, LONGEST)
}

/// Whether a snapshot is one that this step took, now or in an earlier attempt.
pub fn is_final(wanted: &Wanted, snapshot: &Snapshot) -> bool {
    match &wanted.snapshot_name {
        Some(name) => snapshot.name == *name,
        None => snapshot.name.starts_with(&format!("{PREFIX}-")),
    }
}
