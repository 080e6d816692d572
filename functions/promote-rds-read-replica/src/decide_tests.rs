//! Every state row and every guard of PromoteRDSReadReplica.

use super::*;
use serde_json::json;
use shared::progress::{Act, sample_cx};
use shared::{Mode, Phase};

const OWN: &str = "arn:aws:rds:us-west-2:123456789012:db:orders-dr";
const SOURCE: &str = "arn:aws:rds:us-east-1:123456789012:db:orders";

fn look(change: impl FnOnce(&mut Instance)) -> Observed {
    let mut instance = Instance::sample(OWN).unwrap();
    change(&mut instance);
    Observed {
        arn: Arn::parse("P", OWN).unwrap(),
        proven: true,
        max_lag_s: None,
        instance: Some(instance),
        lag: Lag::Current(4.0),
    }
}

fn replica(status: &str) -> Observed {
    look(|i| {
        i.source = Some(SOURCE.into());
        i.status = status.into();
    })
}

fn promoted(status: &str) -> Observed {
    look(|i| i.status = status.into())
}

fn planned() -> Cx {
    let mut cx = sample_cx(Phase::Activate);
    cx.context.unplanned = false;
    cx
}

fn unplanned() -> Cx {
    sample_cx(Phase::Activate)
}

fn after_promotion(result: serde_json::Value, certain: bool) -> Cx {
    let mut cx = planned();
    cx.progress.acts.insert(NAME.into(), Act { at: cx.now - 60, certain, result });
    cx
}

#[test]
fn an_available_replica_is_promoted_planned_or_not() {
    for cx in [planned(), unplanned()] {
        let Step::Change(change) = decide(&replica("available"), &cx) else { panic!() };
        assert_eq!(change.class(), ChangeClass::DataLoss);
        let line = "promote replica orders-dr of orders: lag 4 s; reboots; irreversible";
        assert_eq!(change.summary(), line);
    }
}

#[test]
fn a_replica_in_another_state_is_awaited() {
    for status in ["backing-up", "modifying", "rebooting", "renaming", "creating", "new-word"] {
        assert!(matches!(decide(&replica(status), &unplanned()), Step::Wait(_)), "{status}");
    }
}

#[test]
fn a_state_that_does_not_heal_ends_the_attempt_replica_or_not() {
    for status in [
        "failed",
        "incompatible-network",
        "incompatible-parameters",
        "storage-full",
        "stopped",
        "inaccessible-encryption-credentials",
        "inaccessible-encryption-credentials-recoverable",
        "deleting",
    ] {
        for o in [replica(status), promoted(status)] {
            let Step::Fail(kind, why, next) = decide(&o, &planned()) else { panic!("{status}") };
            assert_eq!(kind, ErrorType::Failed);
            assert!(why.contains(status) && !next.is_empty(), "{why}");
        }
    }
}

#[test]
fn the_status_alone_is_never_done() {
    assert!(!matches!(decide(&replica("available"), &planned()), Step::Done(_)));
    for status in ["modifying", "rebooting", "backing-up"] {
        assert!(matches!(decide(&promoted(status), &planned()), Step::Wait(_)), "{status}");
    }
    let pending = look(|i| i.retention_pending = true);
    assert!(matches!(decide(&pending, &planned()), Step::Wait(_)));
}

#[test]
fn a_replica_of_a_cluster_is_a_replica_too() {
    let o = look(|i| i.source = Some("arn:aws:rds:us-east-1:123456789012:cluster:c".into()));
    assert!(matches!(decide(&o, &planned()), Step::Change(_)));
}

#[test]
fn a_standalone_instance_is_done_and_tells_the_lag_before_its_promotion() {
    let Step::Done(before) = decide(&look(|_| ()), &planned()) else { panic!() };
    let already = "orders-dr in us-west-2 is standalone and available";
    assert_eq!((before.summary.as_str(), before.rpo_seconds), (already, None));
    let cx = after_promotion(json!({"lagSeconds": 4.0}), true);
    let Step::Done(after) = decide(&look(|_| ()), &cx) else { panic!() };
    assert!(after.summary.contains("is promoted: standalone"));
    assert_eq!(after.rpo_seconds, Some(4.0));
}

#[test]
fn a_lost_answer_changes_nothing_in_the_decision() {
    let cx = after_promotion(serde_json::Value::Null, false);
    assert!(matches!(decide(&promoted("rebooting"), &cx), Step::Wait(_)));
    let Step::Done(outcome) = decide(&promoted("available"), &cx) else { panic!() };
    assert_eq!(outcome.rpo_seconds, None);
    assert!(matches!(decide(&replica("available"), &cx), Step::Change(_)));
}

#[test]
fn done_warns_of_what_the_promotion_does_not_bring() {
    let mut o = look(|i| {
        i.retention_days = 0;
        i.multi_az = false;
        i.replicas = vec!["orders-reports".into(), SOURCE.into()];
    });
    o.proven = false;
    let Step::Done(outcome) = decide(&o, &planned()) else { panic!() };
    for note in ["TargetClusterIdentifier", "backups are off", "Single-AZ", SOURCE] {
        assert!(outcome.summary.contains(note), "{}", outcome.summary);
    }
    assert!(!outcome.summary.contains("orders-reports"));
}

#[test]
fn a_planned_run_waits_for_the_lag_and_an_unplanned_one_does_not() {
    let limit = |lag: Lag, max: i64| Observed { lag, max_lag_s: Some(max), ..replica("available") };
    let waits = [
        limit(Lag::Current(4.0), 3),
        limit(Lag::Last(0.0), 3),
        limit(Lag::Unknown("no figure".into()), 3),
    ];
    for o in &waits {
        assert!(matches!(decide(o, &planned()), Step::Wait(_)), "{o:?}");
        assert!(matches!(decide(o, &unplanned()), Step::Change(_)), "{o:?}");
    }
    let Step::Wait(why) = decide(&waits[2], &planned()) else { panic!() };
    assert_eq!(why, "orders-dr: lag unknown (no figure), wanted at most 3 s");
    assert!(matches!(decide(&limit(Lag::Current(4.0), 4), &planned()), Step::Change(_)));
}

#[test]
fn the_plan_tells_of_the_promotion_also_when_it_must_wait() {
    let mut cx = planned();
    cx.mode = Mode::Plan;
    let line = outlook(&replica("backing-up"), &cx).unwrap();
    assert!(line.starts_with("promote replica orders-dr of orders"), "{line}");
    assert!(line.ends_with("irreversible; first waits: orders-dr is backing-up"), "{line}");
    assert!(outlook(&replica("available"), &cx).unwrap().ends_with("irreversible"));
    assert_eq!(outlook(&promoted("rebooting"), &cx), None);
}

#[test]
fn clusters_and_custom_instances_are_refused_and_a_missing_one_is_named() {
    for engine in ["aurora-mysql", "aurora-postgresql", "custom-sqlserver-ee"] {
        let o = look(|i| i.engine = engine.into());
        assert!(matches!(decide(&o, &planned()), Step::Refuse(..)), "{engine}");
    }
    let missing = Observed { instance: None, ..look(|_| ()) };
    let Step::Fail(kind, why, _) = decide(&missing, &planned()) else { panic!() };
    assert_eq!(kind, ErrorType::NotFound);
    assert!(why.contains("orders-dr in us-west-2"));
}
