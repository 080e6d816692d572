//! Every guard of DeleteAuroraCluster.

use crate::change::Change;
use crate::decide::decide;
use crate::samples::*;
use shared::progress::Act;
use shared::{Classified, Step};
use shared_rds::Global;

#[test]
fn nothing_is_deleted_without_a_proven_writer_elsewhere() {
    let cases = [
        (with(|o| o.writer = None), "last copy"),
        (new(|w| w.source = Some(OLD.into())), "still a replica"),
        (new(|w| w.status = "failed".into()), "last good copy"),
        (new(|w| w.status = "stopped".into()), "last good copy"),
        (new(|w| w.status = "inaccessible-encryption-credentials".into()), "last good copy"),
        (new(|w| w.status = "deleting".into()), "last good copy"),
        (new(|w| w.engine = "aurora-postgresql".into()), "another database"),
        (new(|w| w.members.clear()), "no instance that writes"),
        (new(|w| w.members[0].writer = false), "no instance that writes"),
        (with(|o| o.writer_instances[0].status = "failed".into()), "last good copy"),
        (with(|o| o.writer_instances[0].status = "deleting".into()), "last good copy"),
        (with(|o| o.writer = o.stale.clone()), "both the expected writer"),
        (in_global(THIRD, &[NEW]), "is a secondary of global cluster orders-global"),
    ];
    for (o, wanted) in &cases {
        assert!(refusal(o).contains(wanted), "{}", refusal(o));
    }
}

#[test]
fn a_writer_that_is_busy_is_waited_for() {
    for status in ["backing-up", "modifying", "promoting", "failing-over"] {
        assert!(waits(&new(|w| w.status = status.into())).contains(status), "{status}");
        let o = with(|o| o.writer_instances[0].status = status.into());
        assert!(waits(&o).contains(status), "{status}");
    }
    assert!(waits(&with(|o| o.writer_instances.clear())).contains("does not show"));
}

/// Every destructive call in the state that leads to it, and the same without the writer.
#[test]
fn the_writer_is_proven_in_the_look_of_every_destructive_call() {
    let mut protected = old(|c| c.protected = true);
    protected.wanted.may_lift_protection = true;
    let bare = with(|o| {
        o.instances.clear();
        o.stale.as_mut().unwrap().members.clear();
    });
    let calls = [
        ("ModifyDBCluster", protected),
        ("RemoveFromGlobalCluster", sole()),
        ("DeleteDBInstance", look()),
        ("DeleteDBCluster", bare),
        ("DeleteGlobalCluster", empty_global()),
    ];
    for (name, mut o) in calls {
        assert_eq!(change(&o).name(), name);
        o.writer_instances[0].status = "failed".into();
        assert!(refusal(&o).contains("last good copy"), "{name}");
        o.writer = None;
        assert!(refusal(&o).contains("last copy"), "{name}");
    }
}

#[test]
fn the_current_writer_stays() {
    assert!(refusal(&in_global(OLD, &[NEW])).contains("is a secondary"), "no failover yet");
    let why = refusal(&in_global(OLD, &[THIRD]));
    assert!(why.contains("current writer") && why.contains(THIRD), "{why}");
}

#[test]
fn the_last_member_of_its_global_cluster_is_stale() {
    let detach = Change::Detach { arn: OLD.into(), global: "orders-global".into() };
    assert_eq!(change(&sole()), detach);
    let mut of_another = sole();
    of_another.wanted.global = Some("others".into());
    assert!(refusal(&of_another).contains("not of others"));
    of_another.wanted.global = Some("orders-global".into());
    assert_eq!(change(&of_another), detach);
}

#[test]
fn the_standby_of_the_live_global_stays_without_consent() {
    let mut o = in_global(NEW, &[OLD]);
    assert!(refusal(&o).contains("standby"));
    o.wanted.may_delete_standby = true;
    assert!(matches!(change(&o), Change::Detach { .. }));
    let mut pending = in_global(NEW, &[OLD]);
    both(&mut pending, |g| g.members[1].synchronization = Some("pending-resync".into()));
    assert!(refusal(&pending).contains("standby"));
}

#[test]
fn the_standby_of_something_else_stays_with_any_consent() {
    let mut o = in_global(THIRD, &[OLD]);
    o.wanted.may_delete_standby = true;
    assert!(refusal(&o).contains("not the expected writer"));
}

#[test]
fn a_replica_outside_of_a_global_cluster_is_a_standby_too() {
    let mut o = old(|c| c.source = Some(NEW.into()));
    assert!(refusal(&o).contains("standby"));
    o.wanted.may_delete_standby = true;
    assert_eq!(change(&o), deletes_instance("orders-2"));
}

#[test]
fn a_failover_anywhere_is_waited_for() {
    for status in ["pending", "switching-over", "failing-over", "cancelling", "new-word"] {
        for mut o in [sole(), in_global(NEW, &[OLD]), in_global(NEW, &[THIRD])] {
            both(&mut o, |g| g.failover = Some(failover(OLD, status)));
            assert!(waits(&o).contains(status), "{status}");
        }
    }
    let mut busy = sole();
    both(&mut busy, |g| g.status = "modifying".into());
    assert!(waits(&busy).contains("modifying"));
}

#[test]
fn while_the_regions_disagree_nothing_happens() {
    let differ = |change: fn(&mut Global)| {
        let mut here = in_global(NEW, &[OLD]);
        here.wanted.may_delete_standby = true;
        let mut there = here.clone();
        change(&mut here.here[0]);
        change(&mut there.there[0]);
        for o in [here, there] {
            assert!(waits(&o).contains("tell different things"));
        }
    };
    differ(|g| g.members.iter_mut().for_each(|m| m.writer = !m.writer));
    differ(|g| g.members.truncate(1));
    differ(|g| g.failover = Some(failover(OLD, "pending")));
    for region in ["here", "there"] {
        let mut unknown = in_global(NEW, &[OLD]);
        if region == "here" {
            unknown.here.clear()
        } else {
            unknown.there.clear()
        }
        assert!(waits(&unknown).contains("tell different things"), "{region}");
    }
    let mut synchronization = sole();
    synchronization.there[0].members[0].synchronization = None;
    assert!(matches!(change(&synchronization), Change::Detach { .. }), "it may differ");
}

#[test]
fn a_region_without_a_member_need_not_know_the_global_cluster() {
    let mut left = sole();
    left.there.clear();
    assert!(matches!(change(&left), Change::Detach { .. }));
    let mut others = in_global(NEW, &[]);
    others.here.clear();
    assert_eq!(change(&others), deletes_instance("orders-2"));
}

#[test]
fn a_cluster_on_its_way_out_of_its_global_cluster_is_waited_for() {
    let astray = old(|c| c.global = Some("orders-global".into()));
    assert!(waits(&astray).contains("does not list it"));
    let writer = new(|w| w.global = Some("orders-global".into()));
    assert!(waits(&writer).contains("does not list it"));
    let mut untold = sole();
    untold.stale.as_mut().unwrap().global = None;
    assert!(matches!(change(&untold), Change::Detach { .. }), "the list counts");
}

#[test]
fn a_global_cluster_without_a_writer_is_waited_for() {
    for mut o in [in_global(NEW, &[OLD]), in_global(OLD, &[])] {
        both(&mut o, |g| g.members.iter_mut().for_each(|m| m.writer = false));
        assert!(waits(&o).contains("no writer"));
    }
}

#[test]
fn replicas_outside_of_the_global_cluster_keep_their_source() {
    let mut o = old(|c| c.replicas = vec![NEW.into(), "reports".into()]);
    assert!(refusal(&o).ends_with("replicas: reports"), "{}", refusal(&o));
    o.wanted.allowed_replicas = vec!["Reports".into()];
    assert_eq!(change(&o), deletes_instance("orders-2"));
}

#[test]
fn only_aurora_clusters_are_deleted() {
    for engine in ["mysql", "postgres", "neptune", "docdb"] {
        assert!(refusal(&old(|c| c.engine = engine.into())).contains(engine));
    }
}

fn empty_global() -> crate::observed::Observed {
    let mut o = in_global(OLD, &[]);
    o.stale = None;
    o.wanted.delete_global = true;
    o.wanted.global = Some("orders-global".into());
    both(&mut o, |g| g.members.clear());
    o
}

#[test]
fn the_empty_global_cluster_goes_last_and_when_asked() {
    let mut o = empty_global();
    assert_eq!(change(&o), Change::DeleteGlobal { id: "orders-global".into() });
    both(&mut o, |g| g.status = "deleting".into());
    assert!(waits(&o).contains("deleting"));
    (o.here, o.there) = (vec![], vec![]);
    assert!(summary(step(&o)).contains("orders-global does not exist"));
    let mut cx = cx();
    let act = Act { at: cx.now, certain: true, result: serde_json::Value::Null };
    cx.progress.acts.insert("DeleteGlobalCluster".into(), act);
    assert!(summary(decide(&o, &cx)).contains("orders-global is deleted"));
    o = empty_global();
    o.snapshots = vec![snapshot(FINAL, "creating")];
    assert!(waits(&o).contains(FINAL), "not before the data is saved");
    o.wanted.delete_global = false;
    o.snapshots.clear();
    assert!(matches!(step(&o), Step::Done(_)));
}

#[test]
fn a_global_cluster_that_still_lists_the_deleted_one_is_waited_for() {
    let mut o = empty_global();
    o.here = vec![Global::sample(OLD, &[]).unwrap()];
    assert!(waits(&o).contains("still lists it"));
    let mut elsewhere = empty_global();
    elsewhere.there.clear();
    assert!(matches!(change(&elsewhere), Change::DeleteGlobal { .. }));
}

#[test]
fn a_global_cluster_with_members_or_protection_stays_and_that_is_told_first() {
    let mut after = empty_global();
    both(&mut after, |g| g.protected = true);
    assert!(refusal(&after).contains("deletion protection"));
    let mut before = sole();
    before.wanted.delete_global = true;
    before.wanted.global = Some("orders-global".into());
    assert!(matches!(change(&before), Change::Detach { .. }));
    both(&mut before, |g| g.protected = true);
    assert!(refusal(&before).contains("deletion protection"));
    let mut live = in_global(NEW, &[OLD]);
    live.wanted.may_delete_standby = true;
    live.wanted.delete_global = true;
    live.wanted.global = Some("orders-global".into());
    assert!(refusal(&live).contains("orders-dr"));
    let mut left = empty_global();
    left.here = vec![Global::sample(NEW, &[]).unwrap()];
    left.there = left.here.clone();
    left.writer.as_mut().unwrap().global = Some("orders-global".into());
    assert!(refusal(&left).contains("orders-dr"));
}
