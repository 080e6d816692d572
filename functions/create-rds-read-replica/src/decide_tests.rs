//! Every state row and every guard of CreateRDSReadReplica.

use super::*;
use shared::Phase;
use shared::progress::sample_cx;

const SOURCE: &str = "arn:aws:rds:us-west-2:123456789012:db:orders-dr";
const OWN: &str = "arn:aws:rds:us-east-1:123456789012:db:orders";

/// A serving source and no instance of the replica's name.
fn fresh(change: impl FnOnce(&mut Instance)) -> Observed {
    let mut source = Instance::sample(SOURCE).unwrap();
    change(&mut source);
    Observed {
        replica: Arn::parse("P", OWN).unwrap(),
        source: Arn::parse("P", SOURCE).unwrap(),
        has_key: false,
        found_source: Some(source),
        found: None,
    }
}

/// A replica that replicates, and what is to be different about it.
fn with(change: impl FnOnce(&mut Instance)) -> Observed {
    let mut found = Instance::sample(OWN).unwrap();
    found.source = Some(SOURCE.into());
    found.replication = Some("replicating".into());
    change(&mut found);
    Observed { found: Some(found), ..fresh(|_| ()) }
}

fn step(o: &Observed) -> Step<Create> {
    decide(o, &sample_cx(Phase::Replicate))
}

fn refusal(o: &Observed) -> (String, String) {
    let Step::Refuse(why, next) = step(o) else { panic!("{:?}", step(o)) };
    (why, next)
}

#[test]
fn a_missing_replica_of_a_serving_source_is_created() {
    let Step::Change(create) = step(&fresh(|_| ())) else { panic!() };
    assert_eq!(create.class(), ChangeClass::Create);
    assert_eq!(create.summary(), "create replica orders in us-east-1 of orders-dr in us-west-2");
}

#[test]
fn a_source_that_is_not_ready_is_awaited_and_a_broken_one_ends_the_attempt() {
    for status in ["backing-up", "modifying", "rebooting", "creating"] {
        let o = fresh(|s| s.status = status.into());
        assert!(matches!(step(&o), Step::Wait(_)), "{status}");
        assert!(outlook(&o).unwrap().contains(status));
    }
    for status in ["failed", "stopped", "storage-full", "deleting"] {
        assert!(matches!(step(&fresh(|s| s.status = status.into())), Step::Fail(..)), "{status}");
    }
}

#[test]
fn an_unfit_source_is_refused_whatever_its_status() {
    let unfit: [fn(&mut Instance); 4] = [
        |s| s.source = Some(OWN.into()),
        |s| s.retention_days = 0,
        |s| s.engine = "aurora-mysql".into(),
        |s| s.encrypted = true,
    ];
    for change in unfit {
        for status in ["available", "backing-up"] {
            let o = fresh(|s| {
                change(s);
                s.status = status.into();
            });
            assert!(!refusal(&o).1.is_empty());
        }
    }
}

#[test]
fn a_key_is_given_for_an_encrypted_source_and_for_no_other() {
    let keyed = |encrypted| Observed { has_key: true, ..fresh(|s| s.encrypted = encrypted) };
    assert!(matches!(step(&keyed(true)), Step::Change(_)));
    assert!(refusal(&keyed(false)).0.contains("not encrypted"));
    assert!(refusal(&fresh(|s| s.encrypted = true)).1.contains("KmsKeyId"));
}

#[test]
fn a_missing_source_is_unknown_until_something_creates_it() {
    let o = Observed { found_source: None, ..fresh(|_| ()) };
    let Step::Unknown(missing, _) = step(&o) else { panic!() };
    assert_eq!(missing, [format!("rds:{SOURCE}")]);
}

#[test]
fn an_existing_replica_needs_no_source_to_be_resumed() {
    let o = Observed { found_source: None, ..with(|_| ()) };
    assert!(matches!(step(&o), Step::Done(_)));
}

#[test]
fn done_needs_status_source_and_replication() {
    let Step::Done(outcome) = step(&with(|_| ())) else { panic!() };
    assert!(outcome.summary.contains("replicates already"), "{}", outcome.summary);
    for status in ["creating", "backing-up", "modifying", "rebooting", "configuring-log-exports"] {
        assert!(matches!(step(&with(|i| i.status = status.into())), Step::Wait(_)), "{status}");
    }
    for word in [None, Some("replication stop point set")] {
        let o = with(|i| i.replication = word.map(str::to_owned));
        assert!(matches!(step(&o), Step::Wait(_)), "{word:?}");
    }
}

#[test]
fn a_replica_that_does_not_heal_ends_the_attempt() {
    for word in ["error", "stopped", "terminated"] {
        let o = with(|i| i.replication = Some(word.into()));
        assert!(matches!(step(&o), Step::Fail(..)), "{word}");
    }
    for status in ["failed", "incompatible-restore", "storage-full", "stopped"] {
        assert!(matches!(step(&with(|i| i.status = status.into())), Step::Fail(..)), "{status}");
    }
}

#[test]
fn an_instance_in_another_role_is_never_touched() {
    let roles = [None, Some("arn:aws:rds:eu-west-1:123456789012:db:x"), Some("orders-dr")];
    for role in roles {
        for status in ["available", "stopped", "creating"] {
            let o = with(|i| {
                i.source = role.map(str::to_owned);
                i.status = status.into();
            });
            assert!(refusal(&o).1.contains("CLEANUP (DeleteRDSInstance)"), "{role:?} {status}");
        }
    }
}

#[test]
fn an_instance_that_is_being_deleted_is_awaited_whatever_its_role() {
    for role in [None, Some(SOURCE.to_owned())] {
        let o = with(|i| {
            i.source = role.clone();
            i.status = "deleting".into();
        });
        assert!(matches!(step(&o), Step::Wait(_)));
        assert!(outlook(&o).unwrap().starts_with("create replica orders"));
    }
}
