//! Every state row and every guard of DeleteElastiCacheReplicationGroup.

use super::*;
use crate::observed::Wanted;
use serde_json::{Value, json};
use shared::Phase;
use shared::progress::{Act, sample_cx};
use shared_elasticache::{Datastore, GroupArn, Role, Seen};

const OLD: &str = "arn:aws:elasticache:us-east-1:123456789012:replicationgroup:orders";
const NEW: &str = "arn:aws:elasticache:us-west-2:123456789012:replicationgroup:orders-dr";
const THIRD: &str = "arn:aws:elasticache:eu-west-1:123456789012:replicationgroup:orders-eu";
const SNAPSHOT: &str = "dr-final-orders-20231114221320";

/// A standalone old primary, a standalone new one.
fn look() -> Observed {
    Observed {
        wanted: Wanted {
            stale: GroupArn::parse("P", OLD).unwrap(),
            primary: GroupArn::parse("P", NEW).unwrap(),
            final_snapshot: true,
            snapshot_name: None,
        },
        group: Some(Group::sample(OLD).unwrap()),
        datastores: vec![],
        primary: Some(Group::sample(NEW).unwrap()),
        at_primary: None,
        snapshots: vec![],
    }
}

fn with(change: impl FnOnce(&mut Observed)) -> Observed {
    let mut o = look();
    change(&mut o);
    o
}

fn old(change: impl FnOnce(&mut Group)) -> Observed {
    with(|o| change(o.group.as_mut().unwrap()))
}

fn new(change: impl FnOnce(&mut Group)) -> Observed {
    with(|o| change(o.primary.as_mut().unwrap()))
}

/// The new one in a global datastore of its own.
fn in_datastore(role: Role, primary: &str, others: &[&str]) -> Observed {
    with(|o| {
        o.primary = Some(Group::sample(NEW).unwrap().member_of("ldgnf-orders", role));
        o.at_primary = Some(Seen::There(Datastore::sample(primary, others).unwrap()));
    })
}

fn gone(snapshots: Vec<Snapshot>) -> Observed {
    with(|o| (o.group, o.primary, o.snapshots) = (None, None, snapshots))
}

fn snapshot(status: &str) -> Snapshot {
    Snapshot {
        name: SNAPSHOT.into(),
        status: status.into(),
        of: Some("orders".into()),
        taken_at: Some(1_700_100_000),
    }
}

/// Of an earlier life of the id.
fn older() -> Snapshot {
    Snapshot {
        name: "dr-final-orders-20220101000000".into(),
        taken_at: Some(1_650_000_000),
        ..snapshot("available")
    }
}

fn cx() -> Cx {
    sample_cx(Phase::Cleanup)
}

fn step(o: &Observed) -> Step<Change> {
    decide(o, &cx())
}

fn after_delete(certain: bool, result: Value) -> Cx {
    let mut cx = cx();
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
    Step::Change(Change { id: "orders".into(), snapshot: snapshot.map(str::to_owned) })
}

#[test]
fn a_stale_primary_is_deleted_after_a_snapshot_that_names_its_creation() {
    let Step::Change(change) = step(&look()) else { panic!() };
    assert_eq!(change.class(), ChangeClass::Destructive);
    assert_eq!(step(&look()), deletes_with(Some(SNAPSHOT)));
    let without = with(|o| o.wanted.final_snapshot = false);
    assert_eq!(step(&without), deletes_with(None));
    let Step::Change(Change { snapshot: Some(name), .. }) = step(&old(|g| g.created_at = None))
    else {
        panic!()
    };
    assert_eq!(name, "dr-final-orders-20260101000000", "the run's start must do");
}

#[test]
fn nothing_is_deleted_without_a_proven_primary_elsewhere() {
    let cases = [
        (with(|o| o.primary = None), "last copy"),
        (new(|g| g.status = "create-failed".into()), "last good copy"),
        (new(|g| g.status = "deleting".into()), "last good copy"),
        (new(|g| g.engine = "memcached".into()), "another cache"),
        (with(|o| o.primary = o.group.clone()), "both the expected primary"),
        (in_datastore(Role::Secondary, OLD, &[NEW]), "is a secondary of ldgnf-orders"),
        (in_datastore(Role::Primary, THIRD, &[NEW]), "whose primary is orders-eu in eu-west-1"),
    ];
    for (o, wanted) in &cases {
        assert!(refusal(o).contains(wanted), "{}", refusal(o));
    }
    for status in ["snapshotting", "modifying", "creating"] {
        assert!(matches!(step(&new(|g| g.status = status.into())), Step::Wait(_)), "{status}");
    }
}

#[test]
fn the_primary_of_a_datastore_must_be_seen_as_such_by_both() {
    assert!(matches!(step(&in_datastore(Role::Primary, NEW, &[THIRD])), Step::Change(_)));
    let unproven = [
        Some(Seen::Silent("HTTP status 503".into())),
        Some(Seen::Absent),
        None,
        Some(Seen::There(Datastore { sides: vec![], ..Datastore::sample(NEW, &[]).unwrap() })),
    ];
    for seen in unproven {
        let mut o = in_datastore(Role::Primary, NEW, &[]);
        o.at_primary = seen.clone();
        assert!(matches!(step(&o), Step::Wait(_)), "{seen:?}");
    }
    let mut o = in_datastore(Role::Primary, NEW, &[]);
    o.primary.as_mut().unwrap().global.as_mut().unwrap().role = None;
    assert!(matches!(step(&o), Step::Wait(_)));
}

#[test]
fn redis_and_valkey_are_one_family() {
    for engine in ["valkey", "Redis", ""] {
        assert!(matches!(step(&new(|g| g.engine = engine.into())), Step::Change(_)), "{engine}");
    }
}

#[test]
fn a_member_of_a_datastore_is_not_deleted() {
    let member =
        |role| with(|o| o.group = Some(Group::sample(OLD).unwrap().member_of("ldgnf-x", role)));
    assert!(refusal(&member(Role::Primary)).contains("is the primary of ldgnf-x"));
    assert!(refusal(&member(Role::Secondary)).contains("still a secondary"));
    let Step::Refuse(_, next) = step(&member(Role::Primary)) else { panic!() };
    assert!(next.contains("DeleteGlobalReplicationGroup"), "{next}");
    let mut serving = member(Role::Primary);
    let datastore = Datastore::sample(OLD, &[THIRD]).unwrap();
    serving.datastores = vec![Datastore { id: "ldgnf-x".into(), ..datastore }];
    let Step::Refuse(_, next) = step(&serving) else { panic!() };
    assert!(next.contains("ACTIVATE"), "{next}");
}

#[test]
fn a_plan_may_count_on_an_earlier_step_that_detaches_the_group() {
    let mut plan = cx();
    plan.mode = shared::Mode::Plan;
    let stale = Group::sample(OLD).unwrap();
    let secondary = with(|o| o.group = Some(stale.clone().member_of("ldgnf-x", Role::Secondary)));
    let alone = with(|o| o.group = Some(stale.member_of("ldgnf-x", Role::Primary)));
    let listed = with(|o| o.datastores = vec![Datastore::sample(THIRD, &[OLD]).unwrap()]);
    for o in [secondary, alone, listed] {
        let Step::Unknown(missing, why) = decide(&o, &plan) else { panic!() };
        assert_eq!(missing, [format!("elasticache:standalone:{OLD}")]);
        assert!(why.contains("DisassociateElastiCache"), "{why}");
    }
}

#[test]
fn what_any_datastore_lists_is_a_member_too() {
    let mut o = with(|o| o.datastores = vec![Datastore::sample(THIRD, &[OLD]).unwrap()]);
    assert!(refusal(&o).contains("still lists orders in us-east-1"));
    o.datastores[0].sides[1].status = "disassociating".into();
    assert!(matches!(step(&o), Step::Wait(_)));
    assert!(refusal(&in_datastore(Role::Primary, NEW, &[OLD])).contains("still lists"));
    let others = with(|o| o.datastores = vec![Datastore::sample(THIRD, &[NEW]).unwrap()]);
    assert!(matches!(step(&others), Step::Change(_)));
}

#[test]
fn status_words_of_the_old_group() {
    for status in ["snapshotting", "modifying", "creating", "new-word", "deleting", "Deleting"] {
        assert!(matches!(step(&old(|g| g.status = status.into())), Step::Wait(_)), "{status}");
    }
    let mut o = old(|g| g.status = "create-failed".into());
    assert!(refusal(&o).contains("no final snapshot"));
    o.wanted.final_snapshot = false;
    assert_eq!(step(&o), deletes_with(None));
}

#[test]
fn a_deletion_that_runs_needs_no_primary_and_is_not_repeated() {
    let o = with(|o| {
        o.group.as_mut().unwrap().status = "deleting".into();
        o.primary = None;
    });
    assert!(matches!(step(&o), Step::Wait(_)));
}

#[test]
fn refusals_for_its_state_are_waited_out_with_patience() {
    let mut cx = cx();
    cx.progress.faults.insert(DELETE.into(), 2);
    cx.progress.since = cx.now - 39;
    assert!(matches!(decide(&look(), &cx), Step::Wait(_)));
    cx.progress.since = cx.now - 40;
    assert!(matches!(decide(&look(), &cx), Step::Change(_)));
}

#[test]
fn a_snapshot_of_an_attempt_that_came_to_nothing_is_awaited_then_counted_on() {
    let left = |status| with(|o| o.snapshots = vec![snapshot(status)]);
    assert!(matches!(step(&left("creating")), Step::Wait(_)));
    for status in ["available", "failed"] {
        assert_eq!(step(&left(status)), deletes_with(Some("dr-final-orders-20231114221320-2")));
    }
    let second = Snapshot { name: format!("{SNAPSHOT}-2"), ..snapshot("creating") };
    let mut both = with(|o| o.snapshots = vec![snapshot("available"), second]);
    assert!(matches!(step(&both), Step::Wait(_)));
    both.snapshots[1].status = "available".into();
    assert_eq!(step(&both), deletes_with(Some("dr-final-orders-20231114221320-3")));
}

#[test]
fn the_snapshot_of_an_earlier_exercise_is_not_this_ones() {
    let o = with(|o| o.snapshots = vec![Snapshot { status: "creating".into(), ..older() }]);
    assert_eq!(step(&o), deletes_with(Some(SNAPSHOT)));
}

#[test]
fn a_given_name_is_used_and_never_twice() {
    let mut o = with(|o| o.wanted.snapshot_name = Some("mine".into()));
    assert_eq!(step(&o), deletes_with(Some("mine")));
    o.snapshots = vec![Snapshot { name: "mine".into(), ..snapshot("available") }];
    assert!(refusal(&o).contains("mine"));
    o.snapshots[0].status = "creating".into();
    assert!(matches!(step(&o), Step::Wait(_)));
    o.group = None;
    o.snapshots[0].status = "available".into();
    assert!(summary(step(&o)).contains("mine"));
}

#[test]
fn a_failed_final_snapshot_ends_the_attempt() {
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
    let line = summary(decide(&gone(vec![older(), snapshot("Available")]), &cx));
    let wanted = "orders in us-east-1 is deleted; final snapshot dr-final-orders-20231114221320 of \
                  2023-11-16T02:00:00Z is available";
    assert_eq!(line, wanted);
}

#[test]
fn after_a_lost_answer_or_a_restart_the_newest_of_our_snapshots_counts() {
    for cx in [after_delete(false, Value::Null), cx()] {
        let creating = gone(vec![older(), snapshot("creating")]);
        assert!(matches!(decide(&creating, &cx), Step::Wait(_)));
        let line = summary(decide(&gone(vec![older(), snapshot("available")]), &cx));
        assert!(line.contains(SNAPSHOT), "{line}");
    }
    let lost = after_delete(false, Value::Null);
    assert!(matches!(decide(&gone(vec![]), &lost), Step::Wait(_)));
}

#[test]
fn what_was_gone_before_is_done_and_claims_no_snapshot_of_others() {
    let named = |name: &str, of: Option<&str>| Snapshot {
        name: name.into(),
        of: of.map(str::to_owned),
        ..snapshot("available")
    };
    let others = [
        vec![],
        vec![named("before-the-upgrade", Some("orders"))],
        vec![named("dr-final-orders-2-20231114221320", None)],
        vec![named("dr-final-orders-dr-20231114221320", Some("orders-dr"))],
        vec![named(SNAPSHOT, Some("orders-dr"))],
    ];
    for snapshots in others {
        let line = summary(step(&gone(snapshots)));
        assert!(line.contains("NO final snapshot"), "{line}");
    }
    assert!(summary(step(&gone(vec![named(SNAPSHOT, None)]))).contains(SNAPSHOT));
    let mut without = gone(vec![]);
    without.wanted.final_snapshot = false;
    assert!(summary(step(&without)).contains("no final snapshot was asked for"));
}

#[test]
fn the_plan_tells_the_whole_deletion_in_one_line() {
    let line = "deletes orders after final snapshot dr-final-orders-20231114221320; irreversible; \
                orders-dr in us-west-2 serves";
    assert_eq!(outlook(&look(), &cx()).unwrap(), line);
    let busy = outlook(&old(|g| g.status = "snapshotting".into()), &cx()).unwrap();
    assert_eq!(busy, format!("{line}; first waits: orders is snapshotting"));
    let without = with(|o| o.wanted.final_snapshot = false);
    assert!(outlook(&without, &cx()).unwrap().contains("WITHOUT"));
    assert_eq!(outlook(&old(|g| g.status = "deleting".into()), &cx()), None);
    assert_eq!(outlook(&gone(vec![]), &cx()), None);
}
