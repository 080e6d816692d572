//! Every state row and every guard of DeleteRDSInstance.

use super::*;
use crate::observed::Wanted;
use serde_json::json;
use shared::Phase;
use shared::progress::{Act, sample_cx};
use shared_rds::Arn;

const OLD: &str = "arn:aws:rds:us-east-1:123456789012:db:orders";
const NEW: &str = "arn:aws:rds:us-west-2:123456789012:db:orders-dr";
const SNAPSHOT: &str = "dr-final-orders-db-abc123";

fn look() -> Observed {
    Observed {
        wanted: Wanted {
            stale: Arn::parse("P", OLD).unwrap(),
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

fn gone(snapshots: Vec<Snapshot>) -> Observed {
    with(|o| (o.instance, o.writer, o.snapshots) = (None, None, snapshots))
}

fn snapshot(status: &str) -> Snapshot {
    Snapshot {
        status: status.into(),
        resource_id: "db-ABC123".into(),
        ..Snapshot::sample(SNAPSHOT)
    }
}

/// Of an earlier life of the identifier.
fn older() -> Snapshot {
    Snapshot {
        name: "dr-final-orders-db-old".into(),
        resource_id: "db-OLD".into(),
        taken_at: Some(1_600_000_000),
        ..snapshot("available")
    }
}

fn step(o: &Observed) -> Step<Change> {
    decide(o, &sample_cx(Phase::Cleanup))
}

fn after_delete(certain: bool, result: serde_json::Value) -> Cx {
    let mut cx = sample_cx(Phase::Cleanup);
    cx.progress.acts.insert(DELETE.into(), Act { at: cx.now - 60, certain, result });
    cx
}

fn refusal(o: &Observed) -> String {
    let Step::Refuse(why, next) = step(o) else { panic!("{:?}", step(o)) };
    assert!(!next.is_empty());
    why
}

fn summary(step: Step<Change>) -> String {
    let Step::Done(outcome) = step else { panic!("{step:?}") };
    outcome.summary
}

fn deletes_with(snapshot: Option<&str>) -> Step<Change> {
    let snapshot = snapshot.map(str::to_owned);
    Step::Change(Change::Delete { id: "orders".into(), snapshot })
}

#[test]
fn a_stale_primary_is_deleted_after_a_snapshot_that_names_its_resource_id() {
    let Step::Change(change) = step(&look()) else { panic!() };
    assert_eq!(change, Change::Delete { id: "orders".into(), snapshot: Some(SNAPSHOT.into()) });
    assert_eq!(change.class(), ChangeClass::Destructive);
    let mut without = look();
    without.wanted.final_snapshot = false;
    assert_eq!(step(&without), deletes_with(None));
}

#[test]
fn nothing_is_deleted_without_a_proven_writer_elsewhere() {
    let cases = [
        (with(|o| o.writer = None), "last copy"),
        (new(|w| w.source = Some(OLD.into())), "still a replica"),
        (new(|w| w.status = "failed".into()), "last good copy"),
        (new(|w| w.status = "stopped".into()), "last good copy"),
        (new(|w| w.status = "storage-full".into()), "last good copy"),
        (new(|w| w.status = "deleting".into()), "last good copy"),
        (new(|w| w.engine = "postgres".into()), "another database"),
        (with(|o| o.writer = o.instance.clone()), "both the expected writer"),
    ];
    for (o, wanted) in &cases {
        assert!(refusal(o).contains(wanted), "{}", refusal(o));
    }
    for status in ["backing-up", "modifying"] {
        assert!(matches!(step(&new(|w| w.status = status.into())), Step::Wait(_)), "{status}");
    }
}

#[test]
fn the_writer_is_proven_before_the_protection_is_lifted_too() {
    let o = with(|o| {
        o.wanted.may_lift_protection = true;
        o.instance.as_mut().unwrap().protected = true;
        o.writer = None;
    });
    assert!(refusal(&o).contains("last copy"));
}

#[test]
fn a_standby_and_a_source_are_not_stale() {
    assert!(refusal(&old(|i| i.source = Some(NEW.into()))).contains("standby"));
    let reports = || old(|i| i.replicas = vec!["reports".into()]);
    assert!(refusal(&reports()).contains("reports"));
    for name in ["reports", "Reports"] {
        let mut allowed = reports();
        allowed.wanted.allowed_replicas = vec![name.into()];
        assert!(matches!(step(&allowed), Step::Change(_)));
    }
    let mut others = reports();
    others.wanted.allowed_replicas = vec!["ports".into()];
    assert!(refusal(&others).contains("reports"));
}

#[test]
fn the_promoted_writer_may_still_be_listed_as_a_replica_and_no_namesake() {
    assert!(matches!(step(&old(|i| i.replicas = vec![NEW.into()])), Step::Change(_)));
    let namesakes = ["orders-dr", "arn:aws:rds:eu-west-1:123456789012:db:orders-dr"];
    for namesake in namesakes {
        let o = old(|i| i.replicas = vec![NEW.into(), namesake.into()]);
        assert!(refusal(&o).ends_with(namesake), "{}", refusal(&o));
    }
    let mut allowed = old(|i| i.replicas = vec![namesakes[1].into()]);
    allowed.wanted.allowed_replicas = vec![namesakes[1].into()];
    assert!(matches!(step(&allowed), Step::Change(_)));
}

#[test]
fn members_of_clusters_are_left_alone() {
    let o = old(|i| i.cluster = Some("c".into()));
    assert!(refusal(&o).contains("cluster"));
}

#[test]
fn deletion_protection_is_lifted_with_consent_only() {
    let mut o = old(|i| i.protected = true);
    assert!(refusal(&o).contains("deletion protection"));
    o.wanted.may_lift_protection = true;
    let Step::Change(change) = step(&o) else { panic!() };
    assert_eq!(change, Change::LiftProtection { id: "orders".into() });
    assert_eq!(change.class(), ChangeClass::Destructive);
}

#[test]
fn the_plan_tells_the_whole_deletion_in_one_line() {
    let line = "deletes orders after final snapshot dr-final-orders-db-abc123; irreversible; \
                orders-dr in us-west-2 serves";
    assert_eq!(outlook(&look()).unwrap(), line);
    let protected = old(|i| i.protected = true);
    assert_eq!(outlook(&protected).unwrap(), format!("lifts deletion protection, {line}"));
    let busy = outlook(&old(|i| i.status = "backing-up".into())).unwrap();
    assert_eq!(busy, format!("{line}; first waits: orders is backing-up"));
    assert_eq!(outlook(&old(|i| i.status = "deleting".into())), None);
    assert_eq!(outlook(&gone(vec![])), None);
}

#[test]
fn status_words_of_the_old_instance() {
    for status in ["backing-up", "modifying", "rebooting", "starting", "new-word", "deleting"] {
        assert!(matches!(step(&old(|i| i.status = status.into())), Step::Wait(_)), "{status}");
    }
    for status in NO_SNAPSHOT {
        let mut o = old(|i| i.status = (*status).into());
        assert!(refusal(&o).contains("no final snapshot"), "{status}");
        o.wanted.final_snapshot = false;
        assert_eq!(step(&o), deletes_with(None), "{status}");
    }
    for status in ["storage-full", "stopped", "inaccessible-encryption-credentials"] {
        assert!(matches!(step(&old(|i| i.status = status.into())), Step::Fail(..)), "{status}");
    }
}

#[test]
fn a_deletion_that_runs_needs_no_writer_and_is_not_repeated() {
    let o = with(|o| {
        o.instance.as_mut().unwrap().status = "deleting".into();
        o.writer = None;
    });
    assert!(matches!(step(&o), Step::Wait(_)));
}

#[test]
fn a_snapshot_of_an_attempt_that_came_to_nothing_is_awaited_then_counted_on() {
    let left = |status| with(|o| o.snapshots = vec![snapshot(status)]);
    assert!(matches!(step(&left("creating")), Step::Wait(_)));
    for status in ["available", "failed"] {
        assert_eq!(step(&left(status)), deletes_with(Some("dr-final-orders-db-abc123-2")));
    }
    let second = Snapshot { name: format!("{SNAPSHOT}-2"), ..snapshot("available") };
    let both = with(|o| o.snapshots = vec![snapshot("available"), second]);
    assert_eq!(step(&both), deletes_with(Some("dr-final-orders-db-abc123-3")));
}

#[test]
fn automated_snapshots_are_none_of_ours() {
    let daily = Snapshot { resource_id: "db-ABC123".into(), ..Snapshot::sample("rds:orders-1") };
    let creating = Snapshot { status: "creating".into(), ..daily.clone() };
    for snapshots in [vec![daily.clone()], vec![creating]] {
        assert_eq!(step(&with(|o| o.snapshots = snapshots)), deletes_with(Some(SNAPSHOT)));
    }
    assert!(summary(step(&gone(vec![daily]))).contains("NO final snapshot"));
}

#[test]
fn how_far_the_final_snapshot_is_shows_in_the_wait() {
    let o = gone(vec![Snapshot { percent: Some(40), ..snapshot("creating") }]);
    let Step::Wait(why) = step(&o) else { panic!() };
    assert!(why.ends_with("final snapshot dr-final-orders-db-abc123 is creating, 40 %"), "{why}");
}

#[test]
fn the_snapshot_of_an_earlier_exercise_is_not_this_ones() {
    let o = with(|o| o.snapshots = vec![Snapshot { status: "creating".into(), ..older() }]);
    assert_eq!(step(&o), deletes_with(Some(SNAPSHOT)));
}

#[test]
fn a_given_name_is_used_and_never_twice() {
    let mut o = look();
    o.wanted.snapshot_name = Some("mine".into());
    assert_eq!(step(&o), deletes_with(Some("mine")));
    o.snapshots = vec![Snapshot { name: "mine".into(), ..snapshot("available") }];
    assert!(refusal(&o).contains("mine"));
    o.snapshots[0].status = "creating".into();
    assert!(matches!(step(&o), Step::Wait(_)));
    o.instance = None;
    o.snapshots[0].status = "available".into();
    assert!(summary(step(&o)).contains("mine"));
}

#[test]
fn a_failed_final_snapshot_ends_the_attempt_that_asked_for_it() {
    let cx = after_delete(true, json!({"snapshot": SNAPSHOT}));
    let still_there = with(|o| o.snapshots = vec![snapshot("failed")]);
    assert!(matches!(decide(&still_there, &cx), Step::Fail(..)));
    assert!(matches!(decide(&gone(vec![snapshot("failed")]), &cx), Step::Fail(..)));
    assert!(matches!(step(&gone(vec![snapshot("failed")])), Step::Fail(..)));
}

#[test]
fn gone_is_done_only_with_the_snapshot_available() {
    let cx = after_delete(true, json!({"snapshot": SNAPSHOT}));
    assert!(matches!(decide(&gone(vec![]), &cx), Step::Wait(_)));
    assert!(matches!(decide(&gone(vec![older()]), &cx), Step::Wait(_)), "not an older one's");
    assert!(matches!(decide(&gone(vec![older(), snapshot("creating")]), &cx), Step::Wait(_)));
    let line = summary(decide(&gone(vec![older(), snapshot("available")]), &cx));
    let wanted = "orders in us-east-1 is deleted; final snapshot dr-final-orders-db-abc123 of \
                  2023-11-14T22:13:20Z is available";
    assert_eq!(line, wanted);
}

#[test]
fn after_a_lost_answer_or_a_restart_the_newest_of_our_snapshots_counts() {
    for cx in [after_delete(false, serde_json::Value::Null), sample_cx(Phase::Cleanup)] {
        let creating = gone(vec![older(), snapshot("creating")]);
        assert!(matches!(decide(&creating, &cx), Step::Wait(_)));
        let line = summary(decide(&gone(vec![older(), snapshot("available")]), &cx));
        assert!(line.contains(SNAPSHOT), "{line}");
    }
    let lost = after_delete(false, serde_json::Value::Null);
    assert!(matches!(decide(&gone(vec![]), &lost), Step::Wait(_)));
}

#[test]
fn what_was_gone_before_is_done_and_claims_no_snapshot() {
    let by_hand = Snapshot { name: "before-the-upgrade".into(), ..snapshot("available") };
    for snapshots in [vec![], vec![by_hand]] {
        assert!(summary(step(&gone(snapshots))).contains("NO final snapshot"));
    }
    let mut without = gone(vec![]);
    without.wanted.final_snapshot = false;
    assert!(summary(step(&without)).contains("no final snapshot was asked for"));
}
