//! The decision: pure, and where the tests are.

use shared::{ChangeClass, Classified, Cx, ErrorType, Outcome, Step};
use shared_rds::{Arn, Health, Instance, remedy};

/// One look, and what was wanted.
#[derive(Debug, Clone)]
pub struct Observed {
    /// The replica.
    pub replica: Arn,
    /// The source that the replica is to have.
    pub source: Arn,
    /// Whether the manifest gives a key.
    pub has_key: bool,
    /// The source as it is.
    pub found_source: Option<Instance>,
    /// The instance of the replica's name as it is.
    pub found: Option<Instance>,
}

/// The only change.
#[derive(Debug, PartialEq)]
pub struct Create {
    /// The replica.
    pub replica: Arn,
    /// Its source.
    pub source: Arn,
}

impl Classified for Create {
    fn name(&self) -> &'static str {
        "CreateDBInstanceReadReplica"
    }
    fn class(&self) -> ChangeClass {
        ChangeClass::Create
    }
    fn summary(&self) -> String {
        let Self { replica: new, source } = self;
        format!("create replica {} in {} of {} in {}", new.id, new.region, source.id, source.region)
    }
}

/// Whether there is an instance of the replica's name divides everything.
pub fn decide(o: &Observed, cx: &Cx) -> Step<Create> {
    match &o.found {
        Some(found) => existing(o, found, cx),
        None => missing(o),
    }
}

fn existing(o: &Observed, found: &Instance, cx: &Cx) -> Step<Create> {
    let id = &o.replica.id;
    if found.health() == Health::Deleting {
        return Step::Wait(format!("an older {id} is being deleted"));
    }
    // The role comes before the state: an old primary is CLEANUP's, stopped or not.
    let ours = found.source.as_deref().is_some_and(|s| o.source.is_named(s, &o.replica.region));
    match (ours, found.health()) {
        (false, _) => other_role(o, found),
        (true, Health::Broken) => broken(id, found),
        (true, health) => replication(o, found, health, cx),
    }
}

fn other_role(o: &Observed, found: &Instance) -> Step<Create> {
    let Observed { replica, source, .. } = o;
    let role = match &found.source {
        Some(other) => format!("a replica of {other}"),
        None => "standalone".to_owned(),
    };
    Step::Refuse(
        format!(
            "{} in {} exists and is {role}, wanted a replica of {source}",
            replica.id, replica.region
        ),
        "Run CLEANUP (DeleteRDSInstance) first: nothing that exists is replaced here.".into(),
    )
}

fn broken(id: &str, instance: &Instance) -> Step<Create> {
    let why = format!("{id} is {}", instance.status);
    Step::Fail(ErrorType::Failed, why, remedy(&instance.status).into())
}

fn replication(o: &Observed, found: &Instance, health: Health, cx: &Cx) -> Step<Create> {
    let Observed { replica, source, .. } = o;
    match found.replication.as_deref() {
        Some(word @ ("error" | "stopped" | "terminated")) => Step::Fail(
            ErrorType::Failed,
            format!("replication of {} from {source} is {word}", replica.id),
            "Read the replica's events in the RDS console; when it cannot be resumed, delete the \
             replica there and start again."
                .into(),
        ),
        Some("replicating") if health == Health::Available => {
            let how = if cx.changed() { "replicates" } else { "replicates already" };
            let line = format!("{} in {} {how} from {source}", replica.id, replica.region);
            Step::Done(Outcome::new(line))
        }
        word => {
            let word = word.unwrap_or("not started");
            Step::Wait(format!("replica {} is {}, replication: {word}", replica.id, found.status))
        }
    }
}

fn missing(o: &Observed) -> Step<Create> {
    let Some(source) = &o.found_source else {
        let why = format!("the source {} does not exist", o.source);
        return Step::Unknown(vec![format!("rds:{}", o.source)], why);
    };
    if let Some(refusal) = guard(o, source) {
        return refusal;
    }
    match source.health() {
        Health::Available => {
            Step::Change(Create { replica: o.replica.clone(), source: o.source.clone() })
        }
        Health::Moving => Step::Wait(format!("the source {} is {}", o.source.id, source.status)),
        Health::Deleting | Health::Broken => broken(&format!("the source {}", o.source.id), source),
    }
}

/// What makes the source unfit, whatever its status.
fn guard(o: &Observed, source: &Instance) -> Option<Step<Create>> {
    let refuse = |why: String, next: &str| Some(Step::Refuse(why, next.to_owned()));
    let id = &o.source.id;
    if let Some(why) = source.foreign_kind() {
        return refuse(why, "This step serves single DB instances only.");
    }
    if let Some(of) = &source.source {
        let why = format!("{id} is itself a replica of {of}, not the database that serves");
        return refuse(why, "Run ACTIVATE first, or correct SourceRDSInstanceIdentifier.");
    }
    if source.retention_days == 0 {
        let why = format!("{id} makes no automated backups, which a replica needs");
        return refuse(why, "Set its backup retention period to 1 day or more, then start again.");
    }
    match (source.encrypted, o.has_key) {
        (true, false) => refuse(
            format!("{id} is encrypted, and a key does not leave its Region"),
            "Give KmsKeyId: a key in the replica's Region.",
        ),
        (false, true) => refuse(
            format!("{id} is not encrypted: RDS makes no encrypted replica of it"),
            "Leave KmsKeyId out, or encrypt the source (copy a snapshot with a key, restore it).",
        ),
        _ => None,
    }
}

/// PLAN: the creation, also when something must be awaited first.
pub fn outlook(o: &Observed) -> Option<String> {
    let create = Create { replica: o.replica.clone(), source: o.source.clone() }.summary();
    let leaving = |i: &Instance| i.health() == Health::Deleting;
    match (&o.found, &o.found_source) {
        (Some(old), _) if leaving(old) => {
            Some(format!("{create}; first waits: an older one is being deleted"))
        }
        (None, Some(source)) if source.health() == Health::Moving => {
            Some(format!("{create}; first waits: the source is {}", source.status))
        }
        _ => None,
    }
}

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;
