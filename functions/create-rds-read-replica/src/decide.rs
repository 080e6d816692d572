//! The decision: pure, and where the tests are.

use shared::{ChangeClass, Classified, Cx, ErrorType, Outcome, Step};
use shared_rds::{Arn, Health, Instance};

/// One look.
#[derive(Debug)]
pub struct Observed {
    pub id: String,
    pub region: String,
    /// The source that the replica is to have.
    pub wanted: Arn,
    /// Whether the manifest gives a key.
    pub has_key: bool,
    pub source: Option<Instance>,
    pub own: Option<Instance>,
}

/// The only change.
#[derive(Debug, PartialEq)]
pub struct Create {
    pub id: String,
    pub region: String,
    pub source: String,
}

impl Classified for Create {
    fn name(&self) -> &'static str {
        "CreateDBInstanceReadReplica"
    }
    fn class(&self) -> ChangeClass {
        ChangeClass::Create
    }
    fn summary(&self) -> String {
        format!("create replica {} in {} of {}", self.id, self.region, self.source)
    }
}

pub fn decide(o: &Observed, cx: &Cx) -> Step<Create> {
    match &o.own {
        Some(own) => existing(o, own, cx),
        None => missing(o),
    }
}

fn existing(o: &Observed, own: &Instance, cx: &Cx) -> Step<Create> {
    match own.health() {
        Health::Deleting => return Step::Wait(format!("an old {} is being deleted", o.id)),
        Health::Broken => return broken(&o.id, own),
        _ => {}
    }
    if own.source.as_deref() != Some(o.wanted.to_string().as_str()) {
        return other_role(o, own);
    }
    match own.replication.as_deref() {
        Some("replicating") if own.health() == Health::Available => {
            let how = if cx.changed() { "replicates" } else { "replicates already" };
            Step::Done(Outcome::new(format!("{} in {} {how} from {}", o.id, o.region, o.wanted)))
        }
        Some(word @ ("error" | "stopped" | "terminated")) => Step::Fail(
            ErrorType::Failed,
            format!("{} is a replica of {}, but its replication is {word}", o.id, o.wanted),
            "Read the instance's events; delete the replica by hand and start again.".into(),
        ),
        _ => Step::Wait(format!("replica {} is {}", o.id, own.status)),
    }
}

fn other_role(o: &Observed, own: &Instance) -> Step<Create> {
    let role = own.source.as_ref().map_or("standalone".into(), |s| format!("a replica of {s}"));
    Step::Refuse(
        format!("{} exists in {} and is {role}, wanted a replica of {}", o.id, o.region, o.wanted),
        "Run CLEANUP (DeleteRDSInstance) in that Region first, or choose another identifier."
            .into(),
    )
}

fn broken(id: &str, instance: &Instance) -> Step<Create> {
    let next = "Read the instance's events in the RDS console, then start again.";
    Step::Fail(ErrorType::Failed, format!("{id} is {}", instance.status), next.into())
}

fn missing(o: &Observed) -> Step<Create> {
    let Some(source) = &o.source else {
        let why = format!("the source {} does not exist", o.wanted);
        return Step::Unknown(vec![format!("rds:{}", o.wanted)], why);
    };
    if let Some(refusal) = guard(o, source) {
        return refusal;
    }
    match source.health() {
        Health::Available => Step::Change(Create {
            id: o.id.clone(),
            region: o.region.clone(),
            source: o.wanted.to_string(),
        }),
        Health::Moving => Step::Wait(format!("the source {} is {}", o.wanted.id, source.status)),
        _ => broken(&o.wanted.id, source),
    }
}

/// What makes the source unfit, whatever its status.
fn guard(o: &Observed, source: &Instance) -> Option<Step<Create>> {
    let refuse = |why: String, next: &str| Some(Step::Refuse(why, next.to_owned()));
    let id = &o.wanted.id;
    if let Some(of) = &source.source {
        let why = format!("{id} is itself a replica of {of}, not the database that serves");
        return refuse(why, "Promote it first (ACTIVATE), or correct SourceRDSInstanceIdentifier.");
    }
    if source.retention_days == 0 {
        let why = format!("{id} makes no automated backups, which a replica needs");
        return refuse(why, "Set its BackupRetentionPeriod to 1 or more, then start again.");
    }
    if source.encrypted && !o.has_key {
        let why = format!("{id} is encrypted, but the manifest gives no KmsKeyId");
        return refuse(why, "Add KmsKeyId: a key of the replica's Region.");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::Phase;
    use shared::progress::sample_cx;

    const SOURCE: &str = "arn:aws:rds:us-west-2:123456789012:db:orders-dr";
    const OWN: &str = "arn:aws:rds:us-east-1:123456789012:db:orders";

    fn look(source: impl FnOnce(&mut Instance), own: Option<&dyn Fn(&mut Instance)>) -> Observed {
        let mut serving = Instance::sample(SOURCE).unwrap();
        source(&mut serving);
        let own = own.map(|change| {
            let mut own = Instance::sample(OWN).unwrap();
            own.source = Some(SOURCE.into());
            own.replication = Some("replicating".into());
            change(&mut own);
            own
        });
        Observed {
            id: "orders".into(),
            region: "us-east-1".into(),
            wanted: Arn::parse("P", SOURCE).unwrap(),
            has_key: false,
            source: Some(serving),
            own,
        }
    }

    fn step(o: &Observed) -> Step<Create> {
        decide(o, &sample_cx(Phase::Replicate))
    }

    #[test]
    fn a_missing_replica_of_a_serving_source_is_created() {
        assert!(matches!(step(&look(|_| (), None)), Step::Change(_)));
        assert!(matches!(step(&look(|s| s.status = "backing-up".into(), None)), Step::Wait(_)));
        assert!(matches!(step(&look(|s| s.status = "failed".into(), None)), Step::Fail(..)));
    }

    #[test]
    fn an_unfit_source_is_refused() {
        assert!(matches!(step(&look(|s| s.source = Some(OWN.into()), None)), Step::Refuse(..)));
        assert!(matches!(step(&look(|s| s.retention_days = 0, None)), Step::Refuse(..)));
        let mut encrypted = look(|s| s.encrypted = true, None);
        assert!(matches!(step(&encrypted), Step::Refuse(..)));
        encrypted.has_key = true;
        assert!(matches!(step(&encrypted), Step::Change(_)));
    }

    #[test]
    fn a_missing_source_is_unknown_until_something_creates_it() {
        let o = Observed { source: None, ..look(|_| (), None) };
        let Step::Unknown(missing, _) = step(&o) else { panic!() };
        assert_eq!(missing, [format!("rds:{SOURCE}")]);
    }

    #[test]
    fn done_needs_the_relationship_and_not_only_the_status() {
        assert!(matches!(step(&look(|_| (), Some(&|_| ()))), Step::Done(_)));
        for status in ["creating", "backing-up", "modifying"] {
            let o = look(|_| (), Some(&|i| i.status = status.into()));
            assert!(matches!(step(&o), Step::Wait(_)), "{status}");
        }
        let silent = look(|_| (), Some(&|i| i.replication = None));
        assert!(matches!(step(&silent), Step::Wait(_)));
        for word in ["error", "stopped", "terminated"] {
            let o = look(|_| (), Some(&|i| i.replication = Some(word.into())));
            assert!(matches!(step(&o), Step::Fail(..)), "{word}");
        }
    }

    #[test]
    fn an_instance_in_another_role_is_never_touched() {
        assert!(matches!(step(&look(|_| (), Some(&|i| i.source = None))), Step::Refuse(..)));
        let foreign =
            look(|_| (), Some(&|i| i.source = Some("arn:aws:rds:eu-west-1:1:db:x".into())));
        assert!(matches!(step(&foreign), Step::Refuse(..)));
        let leaving = look(|_| (), Some(&|i| i.status = "deleting".into()));
        assert!(matches!(step(&leaving), Step::Wait(_)));
        let broken = look(|_| (), Some(&|i| i.status = "incompatible-restore".into()));
        assert!(matches!(step(&broken), Step::Fail(..)));
    }
}
