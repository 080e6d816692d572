//! The decision: pure, and where the tests are.

use crate::change::Change;
use crate::observed::{Database, Observed, Source};
use shared::{Classified, Cx, ErrorType, Outcome, Step};
use shared_rds::{Health, Kind, Snapshot};

/// Whether the snapshot is there divides everything.
pub fn decide(o: &Observed, cx: &Cx) -> Step<Change> {
    if let Some(taken) = &o.taken {
        return existing(o, taken);
    }
    match &o.wanted.source {
        Source::Database(_) => create(o),
        Source::Snapshot { arn, .. } => match &o.source {
            Some(source) => copy(o, source),
            None => missing(arn, cx),
        },
        Source::PointOfFailure(arn) => match &o.source {
            Some(source) => copy(o, source),
            None if cx.changed() => Step::Wait("the copy does not show yet".into()),
            None => not_taken(o, &arn.id),
        },
    }
}

/// An earlier layer may make it: the plan then cannot look further.
fn missing(arn: &str, cx: &Cx) -> Step<Change> {
    if cx.changed() {
        return Step::Wait("the snapshot does not show yet".into());
    }
    Step::Unknown(vec![format!("rds:{arn}")], format!("{arn} does not exist"))
}

/// Of a failover without data loss, or too late: no reason to stop, but nobody must overlook it.
fn not_taken(o: &Observed, cluster: &str) -> Step<Change> {
    if let Some(earlier) = &o.earlier {
        let line = format!(
            "no point-of-failure snapshot of {cluster} is left in {}; the earlier copy {} is {}",
            o.wanted.from,
            earlier.label(),
            earlier.status
        );
        return Step::Done(Outcome::new(line));
    }
    Step::Done(Outcome::new(format!(
        "warning: NOT taken: RDS has no point-of-failure snapshot of {cluster} in {}; writes that \
         were not replicated are saved nowhere by this step",
        o.wanted.from
    )))
}

fn existing(o: &Observed, taken: &Snapshot) -> Step<Change> {
    if let Some(what) = foreign(o, taken) {
        let why = format!("{} exists in {} and {what}", taken.name, o.wanted.to);
        return Step::Refuse(why, "Give another SnapshotIdentifier.".into());
    }
    if taken.status == "available" {
        return Step::Done(Outcome::new(available(o, taken)));
    }
    if taken.is_lost() {
        let why = format!("snapshot {} in {} is {}", taken.name, o.wanted.to, taken.status);
        let next = "Read the events in the RDS console, delete that snapshot, then start again.";
        return Step::Fail(ErrorType::Failed, why, next.into());
    }
    Step::Wait(format!("{} in {}", taken.progress(), o.wanted.to))
}

fn available(o: &Observed, taken: &Snapshot) -> String {
    let of = match (&o.wanted.source, &o.source) {
        (Source::Database(arn), _) => format!("of {}", arn.id),
        (Source::Snapshot { name, .. }, _) => format!("(copy of {name} in {})", o.wanted.from),
        (Source::PointOfFailure(_), Some(s)) => {
            format!("(copy of {} in {})", s.name, o.wanted.from)
        }
        (Source::PointOfFailure(arn), None) => format!("of {}", arn.id),
    };
    let line = format!("snapshot {} {of} is available in {}", taken.label(), o.wanted.to);
    let old = taken.taken_at.is_some_and(|at| at < o.wanted.started);
    match &o.wanted.source {
        // Of a copy that is what was asked for; a database has written since.
        Source::Database(_) if old => format!("warning: {line}, taken before this run began"),
        _ => line,
    }
}

/// Why a snapshot of the wanted name is not the wanted one, if so.
fn foreign(o: &Observed, taken: &Snapshot) -> Option<String> {
    match &o.wanted.source {
        Source::Database(arn) => {
            let now = o.database.as_ref().map_or("", |d| d.resource_id.as_str());
            let other =
                !now.is_empty() && !taken.resource_id.is_empty() && now != taken.resource_id;
            if taken.source.is_some() {
                Some("is a copy".into())
            } else if taken.of != arn.id {
                Some(format!("is of {}", taken.of))
            } else {
                other.then(|| format!("is of an earlier {}", arn.id))
            }
        }
        Source::Snapshot { arn, .. } => copied_elsewhere(o, taken, arn),
        Source::PointOfFailure(_) => {
            copied_elsewhere(o, taken, o.source.as_ref().map_or("", |s| s.arn.as_str()))
        }
    }
}

/// RDS tells the source of a copy, except of an instance snapshot that was copied in its Region:
/// there database and time of the first snapshot must be the same.
fn copied_elsewhere(o: &Observed, taken: &Snapshot, wanted: &str) -> Option<String> {
    match (&taken.source, &o.source) {
        (Some(source), _) if source == wanted => None,
        (Some(source), _) => Some(format!("is a copy of {source}")),
        (None, Some(source)) if o.wanted.kind == Kind::Db && o.wanted.from == o.wanted.to => {
            let first = source.first_taken_at.or(source.taken_at);
            let same = taken.of == source.of
                && taken.resource_id == source.resource_id
                && taken.first_taken_at == first;
            (!same).then(|| "is no copy of that snapshot".into())
        }
        (None, _) => Some("is no copy".into()),
    }
}

fn create(o: &Observed) -> Step<Change> {
    let (Source::Database(arn), Some(name)) = (&o.wanted.source, &o.name) else {
        return Step::Wait("the snapshot has no name yet".into());
    };
    let Some(database) = &o.database else {
        let why = format!("{arn} does not exist, and no snapshot {name} of it");
        return Step::Unknown(vec![format!("rds:{arn}")], why);
    };
    if let Some(member) = &database.member {
        let next = "Set Kind to CLUSTER and SourceIdentifier to the cluster.";
        return Step::Refuse(format!("{member}: its snapshots are the cluster's"), next.into());
    }
    let (kind, of) = (o.wanted.kind, database.id.clone());
    state(database).unwrap_or_else(|| Step::Change(Change::Create { kind, of, name: name.clone() }))
}

/// RDS takes snapshots of available databases only. None: it is one.
fn state(database: &Database) -> Option<Step<Change>> {
    let is = format!("{} is {}", database.id, database.status);
    match database.health() {
        Health::Available => None,
        Health::Moving => Some(Step::Wait(is)),
        Health::Deleting | Health::Broken => {
            let why = format!("{is}: RDS takes no snapshot of it");
            Some(Step::Fail(ErrorType::Failed, why, database.remedy().into()))
        }
    }
}

fn copy(o: &Observed, source: &Snapshot) -> Step<Change> {
    let Some(name) = o.name.clone() else {
        return Step::Wait("the copy has no name yet".into());
    };
    if source.is_lost() {
        let why = format!("snapshot {} is {} and cannot be copied", source.name, source.status);
        return Step::Fail(ErrorType::Failed, why, "Name another snapshot.".into());
    }
    if let Some((why, next)) = key(o, source) {
        return Step::Refuse(why, next);
    }
    if source.status != "available" {
        return Step::Wait(format!("{} in {}", source.progress(), o.wanted.from));
    }
    let (kind, region) = (o.wanted.kind, o.wanted.to.clone());
    Step::Change(Change::Copy { kind, source: source.arn.clone(), name, region })
}

/// Keys are of one Region, and a copy encrypts an instance's snapshot but no cluster's.
fn key(o: &Observed, source: &Snapshot) -> Option<(String, String)> {
    let given = o.wanted.kms_key.is_some();
    if source.encrypted && !given && o.wanted.from != o.wanted.to {
        let why = format!("{} is encrypted and goes to another Region", source.name);
        return Some((why, format!("Set KmsKeyId to a key of {}.", o.wanted.to)));
    }
    if !source.encrypted && given && o.wanted.kind == Kind::Cluster {
        let why = format!("{} is not encrypted: RDS cannot encrypt its copy", source.name);
        return Some((why, "Leave KmsKeyId out.".into()));
    }
    None
}

/// PLAN: what happens after the wait.
pub fn outlook(o: &Observed, cx: &Cx) -> Option<String> {
    let Step::Wait(why) = decide(o, cx) else { return None };
    let (kind, region) = (o.wanted.kind, o.wanted.to.clone());
    let name = o.name.clone().filter(|_| o.taken.is_none())?;
    let change = match (&o.wanted.source, &o.source) {
        (Source::Database(arn), _) => Change::Create { kind, of: arn.id.clone(), name },
        (_, Some(s)) => Change::Copy { kind, source: s.arn.clone(), name, region },
        _ => return None,
    };
    Some(format!("{}; first waits: {why}", change.summary()))
}

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;
