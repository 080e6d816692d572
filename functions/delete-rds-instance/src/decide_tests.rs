//! Every state row and every guard of DeleteRDSInstance.

use super::*;
use crate::observed::Wanted;
use shared::Phase;
use shared::progress::{Act, sample_cx};
use shared_rds::Arn;

const OLD: &str = "arn:aws:rds:us-east-1:123456789012:db:orders";
const NEW: &str = "arn:aws:rds:us-west-2:123456789012:db:orders-dr";
const SNAPSHOT: &str = "dr-final-orders-db-abc123";

fn look() -> Observed {
    Observed {
        wanted: Wanted {
            id: "orders".into(),
            region: "us-east-1".into(),
            writer: Arn::parse("P", NEW).unwrap(),
            final_snapshot: true,
            snapshot_name: None,
            may_lift_protection: false,
            allowed_replicas: vec![],
        },
        instance: Some(Instance::sample(OLD).unwrap()),
        writer: Some(Instance::sample(NEW).unwrap()),
        snapshots: vec![],
    }
}

fn with(change: impl FnOnce(&mut Observed)) -> Observed {
    let mut o = look();
    change(&mut o);
    o
}

fn old(change: impl FnOnce(&mut Instance)) -> Observed {
    with(|o| change(o.instance.as_mut().unwrap()))
}

fn new(change: impl FnOnce(&mut Instance)) -> Observed {
    with(|o| change(o.writer.as_mut().unwrap()))
}

fn step(o: &Observed) -> Step<Change> {
    decide(o, &sample_cx(Phase::Cleanup))
}

fn snapshot(status: &str) -> Snapshot {
    let resource_id = "db-ABC123".into();
    Snapshot { name: SNAPSHOT.into(), status: status.into(), resource_id }
}

#[test]
fn a_stale_primary_is_deleted_after_a_snapshot_that_names_its_resource_id() {
    let wanted = Change::Delete { id: "orders".into(), snapshot: Some(SNAPSHOT.into()) };
    assert_eq!(step(&look()), Step::Change(wanted));
}

#[test]
fn nothing_is_deleted_without_a_proven_writer_elsewhere() {
    let cases = [
        with(|o| o.writer = None),
        new(|w| w.source = Some(OLD.into())),
        new(|w| w.status = "failed".into()),
        new(|w| w.status = "stopped".into()),
        new(|w| w.status = "deleting".into()),
        with(|o| o.writer = o.instance.clone()),
    ];
    for o in &cases {
        assert!(matches!(step(o), Step::Refuse(..)), "{o:?}");
    }
    assert!(matches!(step(&new(|w| w.status = "backing-up".into())), Step::Wait(_)));
}

#[test]
fn a_standby_and_a_source_are_not_stale() {
    assert!(matches!(step(&old(|i| i.source = Some(NEW.into()))), Step::Refuse(..)));
    assert!(matches!(step(&old(|i| i.replicas = vec!["reports".into()])), Step::Refuse(..)));
    let mut allowed = old(|i| i.replicas = vec!["reports".into()]);
    allowed.wanted.allowed_replicas = vec!["reports".into()];
    assert!(matches!(step(&allowed), Step::Change(_)));
    let listed = old(|i| i.replicas = vec![NEW.into()]);
    assert!(matches!(step(&listed), Step::Change(_)), "the promoted one may still be listed");
}

#[test]
fn deletion_protection_is_lifted_with_consent_only() {
    assert!(matches!(step(&old(|i| i.protected = true)), Step::Refuse(..)));
    let mut consented = old(|i| i.protected = true);
    consented.wanted.may_lift_protection = true;
    assert!(matches!(step(&consented), Step::Change(Change::LiftProtection { .. })));
    let line = outlook(&consented, consented.instance.as_ref().unwrap());
    assert!(
        line.starts_with("lift deletion protection, delete orders after final snapshot"),
        "{line}"
    );
}

#[test]
fn status_words_of_the_old_instance() {
    for status in ["backing-up", "modifying", "rebooting", "deleting"] {
        assert!(matches!(step(&old(|i| i.status = status.into())), Step::Wait(_)), "{status}");
    }
    for status in NO_SNAPSHOT {
        let mut o = old(|i| i.status = (*status).into());
        assert!(matches!(step(&o), Step::Refuse(..)), "{status}");
        o.wanted.final_snapshot = false;
        assert!(
            matches!(step(&o), Step::Change(Change::Delete { snapshot: None, .. })),
            "{status}"
        );
    }
    for status in ["storage-full", "stopped", "inaccessible-encryption-credentials"] {
        assert!(matches!(step(&old(|i| i.status = status.into())), Step::Fail(..)), "{status}");
    }
}

#[test]
fn gone_is_done_only_with_the_snapshot_available() {
    let gone = |snapshots: Vec<Snapshot>| with(|o| (o.instance, o.snapshots) = (None, snapshots));
    assert!(matches!(step(&gone(vec![snapshot("available")])), Step::Done(_)));
    assert!(matches!(step(&gone(vec![snapshot("creating")])), Step::Wait(_)));
    assert!(matches!(step(&gone(vec![snapshot("failed")])), Step::Fail(..)));

    let mut cx = sample_cx(Phase::Cleanup);
    let result = serde_json::json!({"snapshot": SNAPSHOT});
    cx.progress.acts.insert(DELETE.into(), Act { at: cx.now, certain: true, result });
    assert!(matches!(decide(&gone(vec![]), &cx), Step::Wait(_)));
    assert!(matches!(decide(&gone(vec![snapshot("available")]), &cx), Step::Done(_)));
}

#[test]
fn what_was_gone_before_is_done_and_says_that_no_snapshot_was_found() {
    let Step::Done(outcome) = step(&with(|o| o.instance = None)) else { panic!() };
    assert!(outcome.summary.contains("no final snapshot"));
}

#[test]
fn the_first_deletion_waits_for_the_current_snapshot_not_for_an_older_one() {
    let older = Snapshot { name: "dr-final-orders-db-old".into(), ..snapshot("available") };
    let o = with(|o| (o.instance, o.snapshots) = (None, vec![snapshot("creating"), older]));
    assert!(matches!(step(&o), Step::Wait(_)));
}
