//! Every state row of DeleteAuroraCluster.

use super::*;
use crate::samples::*;
use crate::state::NO_SNAPSHOT;
use serde_json::{Value, json};
use shared::ChangeClass;
use shared_rds::Snapshot;

/// The cluster is detached and its instances are gone.
fn bare() -> Observed {
    with(|o| {
        o.instances.clear();
        o.stale.as_mut().unwrap().members.clear();
    })
}

fn bare_with(snapshots: Vec<Snapshot>) -> Observed {
    Observed { snapshots, ..bare() }
}

#[test]
fn the_steps_come_in_their_order_with_one_call_between_two_looks() {
    let mut o = sole();
    o.wanted.may_lift_protection = true;
    o.snapshots = vec![point_of_failure("available")];
    o.stale.as_mut().unwrap().protected = true;
    let source = o.snapshots[0].name.clone();
    assert_eq!(change(&o), Change::Copy { source, copy: COPY.into() });
    o.snapshots.push(copied("copying"));
    assert!(waits(&o).contains(COPY));
    o.snapshots[1].status = "available".into();
    assert_eq!(change(&o), Change::LiftProtection { id: "orders".into() });
    o.stale.as_mut().unwrap().protected = false;
    let detach = Change::Detach { arn: OLD.into(), global: "orders-global".into() };
    assert_eq!(change(&o), detach);
    (o.here, o.there) = (vec![], vec![]);
    o.stale.as_mut().unwrap().global = None;
    o.stale.as_mut().unwrap().status = "promoting".into();
    assert_eq!(waits(&o), "orders is promoting");
    o.stale.as_mut().unwrap().status = "available".into();
    assert_eq!(change(&o), deletes_instance("orders-2"));
    o.instances[1].status = "deleting".into();
    assert_eq!(change(&o), deletes_instance("orders-1"));
    o.instances[0].status = "deleting".into();
    assert_eq!(change(&o), deletes(Some(FINAL)));
    o.stale.as_mut().unwrap().status = "deleting".into();
    assert_eq!(waits(&o), "orders is deleting");
}

#[test]
fn classes_and_memories_of_the_changes() {
    let all = [
        Change::LiftProtection { id: "orders".into() },
        Change::Detach { arn: OLD.into(), global: "g".into() },
        deletes_instance("a"),
        deletes(None),
        Change::DeleteGlobal { id: "g".into() },
    ];
    assert!(all.iter().all(|c| c.class() == ChangeClass::Destructive));
    let copy = Change::Copy { source: "rds:a".into(), copy: "a".into() };
    assert_eq!(copy.class(), ChangeClass::Create);
    let keys: std::collections::BTreeSet<String> = all.iter().map(Change::key).collect();
    assert_eq!(keys.len(), all.len());
    assert_ne!(deletes_instance("a").key(), deletes_instance("b").key());
}

#[test]
fn every_instance_goes_and_the_cluster_only_after_them() {
    let mut o = with(|o| o.instances.push(instance("us-east-1", "orders-3")));
    let order = ["orders-2", "orders-3", "orders-1"];
    for id in order {
        assert_eq!(change(&o), deletes_instance(id));
        o.instances.iter_mut().find(|i| i.arn.id == id).unwrap().status = "deleting".into();
    }
    assert_eq!(change(&o), deletes(Some(FINAL)));
}

#[test]
fn instances_on_their_way_are_awaited_and_broken_ones_go() {
    for status in ["creating", "rebooting", "modifying", "new-word"] {
        let o = with(|o| o.instances[1].status = status.into());
        assert!(waits(&o).contains(status), "{status}");
    }
    for status in ["failed", "incompatible-network", "storage-full"] {
        let o = with(|o| o.instances[1].status = status.into());
        assert_eq!(change(&o), deletes_instance("orders-2"), "{status}");
    }
}

#[test]
fn an_instance_that_the_cluster_lists_and_rds_does_not_show_is_waited_for() {
    let o = with(|o| o.instances.clear());
    assert!(waits(&o).contains("orders-2"));
}

#[test]
fn a_headless_cluster_is_deleted_with_its_snapshot() {
    assert_eq!(change(&bare()), deletes(Some(FINAL)));
    let mut without = bare();
    without.wanted.final_snapshot = false;
    assert_eq!(change(&without), deletes(None));
}

#[test]
fn status_words_of_the_old_cluster() {
    for status in ["backing-up", "modifying", "promoting", "failing-over", "upgrading", "new-word"]
    {
        assert!(waits(&old(|c| c.status = status.into())).contains(status), "{status}");
    }
    for status in ["stopped", "stopping", "inaccessible-encryption-credentials-recoverable"] {
        let mut o = old(|c| c.status = status.into());
        assert!(fails(&o).contains("cannot be deleted"), "{status}");
        o.wanted.final_snapshot = false;
        assert!(fails(&o).contains(status), "consent changes nothing: {status}");
    }
}

#[test]
fn each_state_that_cannot_be_deleted_has_its_next_step() {
    for (status, wanted) in [
        ("stopped", "Start the cluster"),
        ("inaccessible-encryption-credentials-recoverable", "Enable its KMS key"),
        ("incompatible-parameters", "Read its events"),
    ] {
        let o = old(|c| c.status = status.into());
        let Step::Fail(_, why, next) = step(&o) else { panic!("{status}") };
        assert!(why.contains(status) && next.starts_with(wanted), "{why} {next}");
    }
}

#[test]
fn a_broken_cluster_goes_only_by_consent_to_lose_its_data() {
    for status in NO_SNAPSHOT {
        let mut o = bare();
        o.stale.as_mut().unwrap().status = (*status).into();
        assert!(fails(&o).contains("no final snapshot"), "{status}");
        o.wanted.final_snapshot = false;
        assert_eq!(change(&o), deletes(None), "{status}");
        let mut member = sole();
        member.wanted.final_snapshot = false;
        member.stale.as_mut().unwrap().status = (*status).into();
        assert!(matches!(change(&member), Change::Detach { .. }), "{status}");
    }
}

#[test]
fn deletion_protection_is_lifted_with_consent_only_and_first_of_the_destructive_calls() {
    let mut o = old(|c| c.protected = true);
    assert!(refusal(&o).contains("deletion protection"));
    o.snapshots = vec![point_of_failure("available")];
    assert!(refusal(&o).contains("deletion protection"), "before anything is copied");
    o.snapshots.clear();
    o.wanted.may_lift_protection = true;
    assert_eq!(change(&o), Change::LiftProtection { id: "orders".into() });
}

#[test]
fn a_deletion_that_runs_needs_no_writer_and_is_not_repeated() {
    let o = with(|o| {
        o.stale.as_mut().unwrap().status = "deleting".into();
        o.writer = None;
    });
    assert_eq!(waits(&o), "orders is deleting");
}

#[test]
fn point_of_failure_snapshots_are_all_saved_first() {
    let mut o = with(|o| o.snapshots = vec![point_of_failure("available")]);
    assert!(matches!(change(&o), Change::Copy { .. }));
    let later = snapshot("rds:unplanned-global-failover-orders-2026-02-02-03-04-05", "available");
    o.snapshots = vec![point_of_failure("available"), copied("available"), later.clone()];
    let Change::Copy { source, copy: name } = change(&o) else { panic!() };
    assert_eq!((source, name.as_str()), (later.name, "dr-failure-orders-2026-02-02-03-04-05"));
    o.wanted.copy_point_of_failure = false;
    assert_eq!(change(&o), deletes_instance("orders-2"));
}

#[test]
fn a_copy_under_any_name_counts_when_it_is_available() {
    let by_hand = |status: &str| Snapshot { name: "mine".into(), ..copied(status) };
    let o = |copy: Snapshot| with(|o| o.snapshots = vec![point_of_failure("available"), copy]);
    assert_eq!(change(&o(by_hand("available"))), deletes_instance("orders-2"));
    assert!(waits(&o(by_hand("copying"))).contains("mine"));
    assert!(matches!(change(&o(by_hand("failed"))), Change::Copy { .. }));
    let untold = Snapshot { source: None, ..copied("available") };
    assert_eq!(change(&o(untold)), deletes_instance("orders-2"), "its name tells enough");
    let foreign = Snapshot { source: Some("arn:other".into()), ..copied("available") };
    assert!(fails(&o(foreign)).contains("not saved"));
}

#[test]
fn what_cannot_be_copied_is_not_given_up_silently() {
    let failed = with(|o| o.snapshots = vec![point_of_failure("available"), copied("failed")]);
    assert!(fails(&failed).contains("not saved"));
    let lost = with(|o| o.snapshots = vec![point_of_failure("failed")]);
    assert!(fails(&lost).contains("cannot be copied"));
    let early = with(|o| o.snapshots = vec![point_of_failure("creating")]);
    assert!(waits(&early).contains("creating"));
    let expired = with(|o| o.snapshots = vec![copied("available")]);
    assert_eq!(change(&expired), deletes_instance("orders-2"), "the copy is all there is");
}

#[test]
fn other_system_snapshots_are_left_to_their_retention() {
    let o = with(|o| o.snapshots = vec![snapshot("rds:orders-2026-01-01-00-00", "available")]);
    assert_eq!(change(&o), deletes_instance("orders-2"));
}

#[test]
fn a_snapshot_of_an_attempt_that_came_to_nothing_is_awaited_then_counted_on() {
    assert!(waits(&bare_with(vec![snapshot(FINAL, "creating")])).contains(FINAL));
    let second = format!("{FINAL}-2");
    for status in ["available", "failed"] {
        let o = bare_with(vec![snapshot(FINAL, status)]);
        assert_eq!(change(&o), deletes(Some(&second)));
    }
    let both = vec![snapshot(FINAL, "available"), snapshot(&second, "available")];
    assert_eq!(change(&bare_with(both)), deletes(Some(&format!("{FINAL}-3"))));
    let older = snapshot("dr-final-orders-cluster-old", "creating");
    assert_eq!(change(&bare_with(vec![older])), deletes(Some(FINAL)), "of an earlier life");
}

#[test]
fn long_names_fit_and_keep_the_resource_id() {
    let mut o = bare();
    let cluster = o.stale.as_mut().unwrap();
    cluster.arn.id = "a".repeat(63);
    cluster.resource_id = format!("cluster-{}", "X".repeat(26));
    let names: Vec<String> = (0..3)
        .map(|_| {
            let Change::Delete { snapshot: Some(name), .. } = change(&o) else { panic!() };
            o.snapshots.push(snapshot(&name, "available"));
            name
        })
        .collect();
    for name in &names {
        assert_eq!(shared_rds::identifier("P", name, 63).unwrap(), *name);
        assert!(name.contains(&"x".repeat(26)), "{name}");
    }
    assert!(names[1].ends_with("-2") && names[2].ends_with("-3"));
}

#[test]
fn a_given_name_is_used_and_never_twice() {
    let mut o = bare();
    o.wanted.snapshot_name = Some("mine".into());
    assert_eq!(change(&o), deletes(Some("mine")));
    o.snapshots = vec![snapshot("mine", "available")];
    assert!(refusal(&o).contains("mine"));
    o.snapshots[0].status = "creating".into();
    assert!(waits(&o).contains("mine"));
    let mut full = look();
    full.wanted.snapshot_name = Some("mine".into());
    full.snapshots = vec![snapshot("mine", "available")];
    assert!(refusal(&full).contains("mine"), "before any instance is deleted");
    o.stale = None;
    o.snapshots[0].status = "available".into();
    assert!(summary(step(&o)).contains("mine"));
}

#[test]
fn a_failed_final_snapshot_ends_the_attempt_that_asked_for_it() {
    let cx = after_delete(true, json!({"snapshot": FINAL}));
    let still_there = bare_with(vec![snapshot(FINAL, "failed")]);
    assert!(matches!(decide(&still_there, &cx), Step::Fail(ErrorType::Failed, ..)));
    let after = vanished(vec![snapshot(FINAL, "failed")]);
    assert!(matches!(decide(&after, &cx), Step::Fail(ErrorType::Failed, ..)));
    assert!(fails(&after).contains("failed"));
}

#[test]
fn gone_is_done_only_with_the_snapshot_available() {
    let cx = after_delete(true, json!({"snapshot": FINAL}));
    let older = Snapshot { taken_at: Some(1), ..snapshot("dr-final-orders-old", "available") };
    let with_older = |status| vanished(vec![older.clone(), snapshot(FINAL, status)]);
    assert!(matches!(decide(&vanished(vec![]), &cx), Step::Wait(_)));
    assert!(matches!(decide(&vanished(vec![older.clone()]), &cx), Step::Wait(_)), "an older one's");
    assert!(matches!(decide(&with_older("creating"), &cx), Step::Wait(_)));
    let wanted = "orders in us-east-1 is deleted; final snapshot dr-final-orders-cluster-abc123 of \
                  2023-11-14T22:13:20Z is available";
    assert_eq!(summary(decide(&with_older("available"), &cx)), wanted);
}

#[test]
fn after_a_lost_answer_or_a_restart_the_newest_of_our_snapshots_counts() {
    for cx in [after_delete(false, Value::Null), cx()] {
        let creating = vanished(vec![snapshot(FINAL, "creating")]);
        assert!(matches!(decide(&creating, &cx), Step::Wait(_)));
        let there = vanished(vec![
            snapshot("dr-final-orders-old", "available"),
            snapshot(FINAL, "available"),
        ]);
        assert!(summary(decide(&there, &cx)).contains(FINAL));
    }
    let lost = after_delete(false, Value::Null);
    assert!(matches!(decide(&vanished(vec![]), &lost), Step::Wait(_)));
}

#[test]
fn what_was_gone_before_is_done_and_claims_no_snapshot() {
    for snapshots in [vec![], vec![snapshot("before-the-upgrade", "available")]] {
        assert!(summary(step(&vanished(snapshots))).contains("NO final snapshot"));
    }
    let mut without = vanished(vec![]);
    without.wanted.final_snapshot = false;
    assert!(summary(step(&without)).contains("no final snapshot was asked for"));
}

#[test]
fn the_plan_tells_the_whole_deletion_in_one_line() {
    let mut o = sole();
    o.wanted.may_lift_protection = true;
    o.wanted.delete_global = true;
    o.wanted.global = Some("orders-global".into());
    o.snapshots = vec![point_of_failure("available")];
    o.stale.as_mut().unwrap().protected = true;
    let line = "deletes cluster orders after final snapshot dr-final-orders-cluster-abc123, then \
                global cluster orders-global; irreversible; orders-dr in us-west-2 serves; first \
                copies rds:unplanned-global-failover-orders-2026-01-02-03-04-05 to \
                dr-failure-orders-2026-01-02-03-04-05, lifts deletion protection, removes it from \
                global cluster orders-global, deletes its instance(s) orders-2, orders-1";
    assert_eq!(outlook(&o, &cx()).unwrap(), line);
    assert!(line.find("serves").is_some_and(|at| at < 200), "a plan's line is cut there");
    o.stale.as_mut().unwrap().status = "backing-up".into();
    let busy = outlook(&o, &cx()).unwrap();
    assert_eq!(busy, format!("{line}; waits: orders is backing-up"));
    o.stale.as_mut().unwrap().status = "deleting".into();
    assert_eq!(outlook(&o, &cx()), None);
    assert_eq!(outlook(&vanished(vec![]), &cx()), None);
}
