//! Every state row and every guard of DBSnapshot.

use super::*;
use crate::observed::Wanted;
use serde_json::Value;
use shared::progress::{Act, sample_cx};
use shared::{ChangeClass, Phase};
use shared_rds::{Arn, Cluster, Instance};

const CLUSTER: &str = "arn:aws:rds:us-east-1:123456789012:cluster:orders";
const INSTANCE: &str = "arn:aws:rds:us-east-1:123456789012:db:orders";
const SOURCE: &str = "arn:aws:rds:us-east-1:123456789012:cluster-snapshot:rds:orders-1";
const STARTED: i64 = 1_699_999_000;

fn wanted(kind: Kind, source: Source) -> Wanted {
    Wanted {
        kind,
        source,
        from: "us-east-1".into(),
        to: "us-east-1".into(),
        name: Some("mine".into()),
        arn_prefix: "arn:aws:rds:us-east-1:123456789012:cluster-snapshot:".into(),
        kms_key: None,
        copy_tags: false,
        started: STARTED,
    }
}

fn look(wanted: Wanted) -> Observed {
    let name = wanted.name.clone();
    Observed { wanted, database: None, source: None, name, taken: None, earlier: None }
}

/// CREATE of a cluster's or an instance's.
fn create(kind: Kind) -> Observed {
    let (arn, database) = match kind {
        Kind::Cluster => {
            (Arn::parse_cluster("P", CLUSTER), Cluster::sample(CLUSTER).unwrap().into())
        }
        Kind::Db => (Arn::parse("P", INSTANCE), Instance::sample(INSTANCE).unwrap().into()),
    };
    Observed { database: Some(database), ..look(wanted(kind, Source::Database(arn.unwrap()))) }
}

/// COPY of an automated snapshot.
fn copy(kind: Kind) -> Observed {
    let source = Source::Snapshot { name: "rds:orders-1".into(), arn: SOURCE.into() };
    Observed { source: Some(automated("available")), ..look(wanted(kind, source)) }
}

fn automated(status: &str) -> Snapshot {
    Snapshot { arn: SOURCE.into(), status: status.into(), ..Snapshot::sample("rds:orders-1") }
}

fn to_west(mut o: Observed) -> Observed {
    o.wanted.to = "us-west-2".into();
    o
}

fn mine(status: &str) -> Snapshot {
    Snapshot { status: status.into(), ..Snapshot::sample("mine") }
}

fn copied(status: &str) -> Snapshot {
    Snapshot { source: Some(SOURCE.into()), ..mine(status) }
}

fn point_of_failure() -> Observed {
    let old = Arn::parse_cluster("P", CLUSTER).unwrap();
    let mut o = look(Wanted { name: None, ..wanted(Kind::Cluster, Source::PointOfFailure(old)) });
    let system = Snapshot::sample("rds:unplanned-global-failover-orders-2026-01-02-03-04-05");
    o.name = Some("dr-failure-orders-2026-01-02-03-04-05".into());
    o.source = Some(system);
    o
}

fn step(o: &Observed) -> Step<Change> {
    decide(o, &sample_cx(Phase::Cleanup))
}

fn after_a_call(o: &Observed) -> Step<Change> {
    let mut cx = sample_cx(Phase::Cleanup);
    cx.progress.acts.insert("x".into(), Act { at: cx.now, certain: true, result: Value::Null });
    decide(o, &cx)
}

fn change(o: &Observed) -> Change {
    let Step::Change(change) = step(o) else { panic!("{:?}", step(o)) };
    change
}

fn refusal(o: &Observed) -> String {
    let Step::Refuse(why, next) = step(o) else { panic!("{:?}", step(o)) };
    assert!(!next.is_empty());
    why
}

fn waits(o: &Observed) -> String {
    let Step::Wait(why) = step(o) else { panic!("{:?}", step(o)) };
    why
}

fn fails(o: &Observed) -> String {
    let Step::Fail(ErrorType::Failed, why, _) = step(o) else { panic!("{:?}", step(o)) };
    why
}

fn done(o: &Observed) -> String {
    let Step::Done(outcome) = step(o) else { panic!("{:?}", step(o)) };
    outcome.summary
}

#[test]
fn a_snapshot_is_taken_then_awaited_then_there() {
    for kind in [Kind::Cluster, Kind::Db] {
        let mut o = create(kind);
        let wanted = Change::Create { kind, of: "orders".into(), name: "mine".into() };
        assert_eq!(change(&o), wanted);
        assert_eq!(wanted.class(), ChangeClass::Create);
        o.taken = Some(Snapshot { percent: Some(40), ..mine("creating") });
        assert_eq!(waits(&o), "snapshot mine is creating, 40 % in us-east-1");
        o.taken = Some(mine("available"));
        let line = "snapshot mine of 2023-11-14T22:13:20Z of orders is available in us-east-1";
        assert_eq!(done(&o), line);
    }
}

#[test]
fn each_kind_has_its_own_calls() {
    let names = [
        (change(&create(Kind::Cluster)), "CreateDBClusterSnapshot"),
        (change(&create(Kind::Db)), "CreateDBSnapshot"),
        (change(&copy(Kind::Cluster)), "CopyDBClusterSnapshot"),
        (change(&copy(Kind::Db)), "CopyDBSnapshot"),
    ];
    for (change, name) in names {
        assert_eq!(change.name(), name);
    }
}

#[test]
fn states_of_the_snapshot() {
    for status in ["creating", "copying", "pending", "new-word"] {
        let o = Observed { taken: Some(mine(status)), ..create(Kind::Db) };
        assert!(waits(&o).contains(status), "{status}");
    }
    for status in ["failed", "deleting", "incompatible-restore"] {
        let o = Observed { taken: Some(mine(status)), ..create(Kind::Db) };
        assert!(fails(&o).contains(status), "{status}");
    }
}

#[test]
fn states_of_the_database() {
    let database = |status: &str| {
        let mut o = create(Kind::Cluster);
        o.database.as_mut().unwrap().status = status.into();
        o
    };
    for status in ["backing-up", "modifying", "promoting", "new-word"] {
        assert!(waits(&database(status)).contains(status), "{status}");
    }
    for status in ["failed", "stopped", "inaccessible-encryption-credentials", "deleting"] {
        assert!(fails(&database(status)).contains(status), "{status}");
    }
    assert!(matches!(step(&database("storage-optimization")), Step::Change(_)));
}

#[test]
fn a_database_that_an_earlier_layer_makes_is_unknown_to_the_plan() {
    let o = Observed { database: None, ..create(Kind::Cluster) };
    let Step::Unknown(missing, why) = step(&o) else { panic!() };
    assert_eq!(missing, [format!("rds:{CLUSTER}")]);
    assert!(why.contains("does not exist"));
}

#[test]
fn the_snapshot_of_a_database_that_is_gone_still_counts() {
    let o = Observed { database: None, taken: Some(mine("available")), ..create(Kind::Db) };
    assert!(done(&o).contains("available"));
}

#[test]
fn members_of_clusters_have_no_snapshots_of_their_own() {
    let mut o = create(Kind::Db);
    o.database.as_mut().unwrap().member = Some("orders is a member of cluster c".into());
    assert!(refusal(&o).contains("cluster c"));
}

#[test]
fn a_name_that_is_taken_by_something_else_is_refused() {
    let other = |taken: Snapshot| refusal(&Observed { taken: Some(taken), ..create(Kind::Db) });
    assert!(other(Snapshot { of: "billing".into(), ..mine("available") }).contains("billing"));
    assert!(other(Snapshot { source: Some("arn".into()), ..mine("available") }).contains("copy"));
    let earlier = Snapshot { resource_id: "db-OLD".into(), ..mine("creating") };
    assert!(other(earlier).contains("earlier orders"));
    let same = Snapshot { resource_id: "db-ABC123".into(), ..mine("available") };
    done(&Observed { taken: Some(same), ..create(Kind::Db) });
}

#[test]
fn a_snapshot_from_before_the_run_is_accepted_with_a_warning() {
    let mut o = Observed { taken: Some(mine("available")), ..create(Kind::Cluster) };
    assert!(!done(&o).contains("warning"));
    o.wanted.started = 1_700_000_001;
    assert!(done(&o).starts_with("warning: ") && done(&o).contains("before this run"));
}

#[test]
fn a_copy_is_made_in_its_region_from_the_arn_of_its_source() {
    let o = to_west(copy(Kind::Cluster));
    let wanted = Change::Copy {
        kind: Kind::Cluster,
        source: SOURCE.into(),
        name: "mine".into(),
        region: "us-west-2".into(),
    };
    assert_eq!(change(&o), wanted);
    let line = "copies snapshot rds:orders-1 of us-east-1 to mine in us-west-2";
    assert_eq!(wanted.summary(), line);
    let there = Observed { taken: Some(copied("available")), ..o };
    assert!(done(&there).contains("(copy of rds:orders-1 in us-east-1) is available in us-west-2"));
}

#[test]
fn a_copy_waits_for_its_source_and_not_for_a_lost_one() {
    for status in ["creating", "copying", "new-word"] {
        let o = Observed { source: Some(automated(status)), ..copy(Kind::Cluster) };
        assert!(waits(&o).contains(status), "{status}");
    }
    let o = Observed { source: Some(automated("failed")), ..copy(Kind::Cluster) };
    assert!(fails(&o).contains("cannot be copied"));
}

#[test]
fn a_source_that_is_missing_is_unknown_to_the_plan_unless_it_was_copied() {
    let o = Observed { source: None, ..copy(Kind::Cluster) };
    let Step::Unknown(missing, _) = step(&o) else { panic!() };
    assert_eq!(missing, [format!("rds:{SOURCE}")]);
    assert!(matches!(after_a_call(&o), Step::Wait(_)));
    let there = Observed { taken: Some(copied("available")), ..o };
    assert!(done(&there).contains("available"), "the source may end meanwhile");
}

#[test]
fn an_encrypted_snapshot_needs_a_key_of_the_other_region() {
    let encrypted = |o: &mut Observed| o.source.as_mut().unwrap().encrypted = true;
    let mut here = copy(Kind::Cluster);
    encrypted(&mut here);
    assert!(matches!(step(&here), Step::Change(_)), "its own key is here");
    let mut away = to_west(here);
    assert!(refusal(&away).contains("encrypted"));
    away.wanted.kms_key = Some("alias/dr".into());
    assert!(matches!(step(&away), Step::Change(_)));
}

#[test]
fn a_copy_encrypts_instance_snapshots_only() {
    let keyed = |kind| {
        let mut o = copy(kind);
        o.wanted.kms_key = Some("alias/dr".into());
        o
    };
    assert!(refusal(&keyed(Kind::Cluster)).contains("cannot encrypt"));
    assert!(matches!(step(&keyed(Kind::Db)), Step::Change(_)));
}

#[test]
fn a_copy_of_the_same_source_is_accepted_and_of_another_refused() {
    for kind in [Kind::Cluster, Kind::Db] {
        let o = Observed { taken: Some(copied("copying")), ..to_west(copy(kind)) };
        assert!(waits(&o).contains("copying"));
        let other = Snapshot { source: Some("arn:other".into()), ..copied("available") };
        let o = Observed { taken: Some(other), ..to_west(copy(kind)) };
        assert!(refusal(&o).contains("arn:other"));
        let o = Observed { taken: Some(mine("available")), ..to_west(copy(kind)) };
        assert!(refusal(&o).contains("is no copy"));
    }
}

#[test]
fn copies_of_instance_snapshots_in_their_region_are_known_by_their_first_time() {
    let first = Snapshot { first_taken_at: Some(1_700_000_000), ..mine("available") };
    let o = Observed { taken: Some(first.clone()), ..copy(Kind::Db) };
    assert!(done(&o).contains("available"));
    for other in [
        Snapshot { first_taken_at: Some(1_700_000_777), ..first.clone() },
        Snapshot { of: "billing".into(), ..first.clone() },
        Snapshot { resource_id: "db-OLD".into(), ..first },
    ] {
        let o = Observed { taken: Some(other), ..copy(Kind::Db) };
        assert!(refusal(&o).contains("no copy of that"));
    }
}

#[test]
fn a_point_of_failure_snapshot_is_copied_under_a_legal_name() {
    let o = point_of_failure();
    let Change::Copy { source, name, .. } = change(&o) else { panic!() };
    assert!(source.ends_with(":rds:unplanned-global-failover-orders-2026-01-02-03-04-05"));
    assert_eq!(name, "dr-failure-orders-2026-01-02-03-04-05");
    assert_eq!(shared_rds::identifier("P", &name, 63).unwrap(), name);
    let copy = Snapshot { source: Some(source), ..mine("available") };
    assert!(done(&Observed { taken: Some(copy), ..o }).contains("unplanned-global-failover"));
}

#[test]
fn no_point_of_failure_snapshot_is_done_and_said_loudly() {
    let mut o = point_of_failure();
    (o.source, o.name) = (None, None);
    assert!(done(&o).starts_with("warning: NOT taken"), "{}", done(&o));
    assert!(matches!(after_a_call(&o), Step::Wait(_)), "one was copied a moment ago");
    o.earlier = Some(mine("available"));
    assert!(done(&o).contains("earlier copy mine"));
}

#[test]
fn the_plan_tells_what_follows_the_wait() {
    let cx = sample_cx(Phase::Cleanup);
    let mut busy = create(Kind::Cluster);
    assert_eq!(outlook(&busy, &cx), None, "the change itself tells it");
    busy.database.as_mut().unwrap().status = "backing-up".into();
    let line = "takes snapshot mine of orders; first waits: orders is backing-up";
    assert_eq!(outlook(&busy, &cx).unwrap(), line);
    let early = Observed { source: Some(automated("creating")), ..copy(Kind::Cluster) };
    assert!(outlook(&early, &cx).unwrap().starts_with("copies snapshot rds:orders-1"));
    let running = Observed { taken: Some(mine("creating")), ..create(Kind::Cluster) };
    assert_eq!(outlook(&running, &cx), None);
}
