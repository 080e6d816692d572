//! Every state row and every guard of a switchover.

use super::*;
use crate::target::FAILOVER_STATE;
use shared::progress::{Act, sample_cx};
use shared_rds::{Failover, Instance};

const EAST: &str = "arn:aws:rds:us-east-1:123456789012:cluster:orders";
const WEST: &str = "arn:aws:rds:us-west-2:123456789012:cluster:orders-dr";
const THIRD: &str = "arn:aws:rds:eu-west-1:123456789012:cluster:orders-eu";

fn instance(status: &str) -> Instance {
    let arn = "arn:aws:rds:us-west-2:123456789012:db:orders-dr-1";
    Instance { status: status.into(), ..Instance::sample(arn).unwrap() }
}

/// The secondary in us-west-2, everything healthy.
fn look() -> Observed {
    let arn = Arn::parse_cluster("P", WEST).unwrap();
    let mut target = Target::new("orders-global".into(), arn.clone());
    target.metadata = Metadata::There(Global::sample(EAST, &[WEST]).unwrap());
    target.cluster =
        Some(Cluster { global: Some("orders-global".into()), ..Cluster::sample(WEST).unwrap() });
    target.instances = vec![instance("available")];
    Observed {
        wanted: Wanted {
            global: "orders-global".into(),
            target: arn,
            max_lag_s: 60,
            lag_must_be_known: false,
        },
        target,
        primary: Some(Cluster::sample(EAST).unwrap()),
        others: vec![],
        lag: Lag::Current(0.4),
    }
}

fn with(change: impl FnOnce(&mut Observed)) -> Observed {
    let mut o = look();
    change(&mut o);
    o
}

fn cluster(change: impl FnOnce(&mut Cluster)) -> Observed {
    with(|o| change(o.target.cluster.as_mut().unwrap()))
}

fn global(change: impl FnOnce(&mut Global)) -> Observed {
    with(|o| {
        let Metadata::There(global) = &mut o.target.metadata else { panic!() };
        change(global);
    })
}

/// The target is the writer.
fn switched() -> Observed {
    with(|o| {
        o.target.metadata = Metadata::There(Global::sample(WEST, &[EAST]).unwrap());
        o.primary = None;
    })
}

fn state(to: &str, status: &str) -> Failover {
    Failover { status: status.into(), from: EAST.into(), to: to.into(), data_loss_allowed: false }
}

fn cx() -> Cx {
    let mut cx = sample_cx(Phase::Activate);
    cx.context.unplanned = false;
    cx
}

fn sent(age: i64, seen: Option<i64>) -> Cx {
    let mut cx = cx();
    let act = Act { at: cx.now - age, certain: true, result: Value::Null };
    cx.progress.acts.insert(NAME.into(), act);
    if let Some(ago) = seen {
        cx.progress.signs.insert(FAILOVER_STATE.into(), cx.now - ago);
        cx.progress.gone.insert(FAILOVER_STATE.into(), 2);
    }
    cx
}

fn step(o: &Observed) -> Step<Change> {
    decide(o, &cx())
}

fn waits(o: &Observed, cx: &Cx) -> String {
    let step = decide(o, cx);
    let Step::Wait(why) = step else { panic!("{step:?}") };
    why
}

fn fails(o: &Observed, cx: &Cx) -> (ErrorType, String) {
    let step = decide(o, cx);
    let Step::Fail(kind, why, next) = step else { panic!("{step:?}") };
    assert!(!next.is_empty());
    (kind, why)
}

#[test]
fn a_healthy_secondary_is_switched_to_at_the_primarys_region() {
    let Step::Change(change) = step(&look()) else { panic!("{:?}", step(&look())) };
    assert_eq!((change.from.region.as_str(), change.to.to_string().as_str()), ("us-east-1", WEST));
    assert_eq!(change.class(), ChangeClass::Traffic);
    assert!(!change.reissuable());
    let line = "switch orders-global over from orders in us-east-1 to orders-dr in us-west-2: \
                lag 0.4 s; loses no data, interrupts writes";
    assert_eq!(change.summary(), line);
    assert_eq!(outlook(&look(), &cx()).unwrap(), line);
}

#[test]
fn the_writer_is_done_and_nothing_is_sent() {
    let Step::Done(outcome) = step(&switched()) else { panic!("{:?}", step(&switched())) };
    let line = "orders-dr in us-west-2 is already the primary of orders-global, available; orders \
                in us-east-1 is connected";
    assert_eq!(outcome.summary, line);
    assert_eq!(outlook(&switched(), &cx()), None);
    let Step::Done(outcome) = decide(&switched(), &sent(30, Some(2))) else { panic!() };
    assert!(outcome.summary.contains("is now the primary"));
}

#[test]
fn the_status_alone_is_never_done() {
    for age in [1, 60, 119] {
        assert!(waits(&look(), &sent(age, None)).contains("accepted"), "{age}");
    }
    let mut half = switched();
    let Metadata::There(global) = &mut half.target.metadata else { panic!() };
    global.failover = Some(state(WEST, "switching-over"));
    assert!(waits(&half, &sent(9, Some(0))).contains("switches over"));
}

#[test]
fn the_new_writer_must_serve() {
    for status in ["modifying", "promoting", "rebooting", "configuring-log-exports", "new-word"] {
        let mut o = switched();
        o.target.cluster.as_mut().unwrap().status = status.into();
        assert!(waits(&o, &sent(9, None)).contains(status));
        let mut o = switched();
        o.target.instances = vec![instance(status)];
        assert!(waits(&o, &sent(9, None)).contains(status));
    }
    let mut reader = switched();
    reader.target.cluster.as_mut().unwrap().members[0].writer = false;
    assert!(waits(&reader, &sent(9, None)).contains("no writer instance"));
    let mut hidden = switched();
    hidden.target.instances.clear();
    assert!(waits(&hidden, &sent(9, None)).contains("does not show"));
    let mut broken = switched();
    broken.target.instances = vec![instance("incompatible-network")];
    assert_eq!(fails(&broken, &sent(9, None)).0, ErrorType::Failed);
}

#[test]
fn a_state_that_does_not_heal_ends_the_attempt() {
    for status in [
        "failed",
        "incompatible-parameters",
        "inaccessible-encryption-credentials",
        "stopped",
        "deleting",
    ] {
        let o = cluster(|c| c.status = status.into());
        for cx in [cx(), sent(30, Some(0))] {
            let (kind, why) = fails(&o, &cx);
            assert!(kind == ErrorType::Failed && why.contains(status), "{why}");
        }
        let primary = with(|o| o.primary.as_mut().unwrap().status = status.into());
        assert!(fails(&primary, &cx()).1.contains("healthy members"), "{status}");
        let member = with(|o| o.target.instances = vec![instance(status)]);
        assert!(fails(&member, &cx()).1.contains(status));
    }
    let missing = with(|o| o.target.cluster = None);
    assert_eq!(fails(&missing, &cx()).0, ErrorType::NotFound);
    let nowhere = with(|o| {
        o.target.metadata = Metadata::Absent;
        o.target.cluster.as_mut().unwrap().global = None;
    });
    assert_eq!(fails(&nowhere, &cx()).0, ErrorType::NotFound);
}

#[test]
fn what_is_on_its_way_is_awaited() {
    for status in ["backing-up", "modifying", "upgrading", "new-word"] {
        assert!(waits(&cluster(|c| c.status = status.into()), &cx()).contains(status));
        let primary = with(|o| o.primary.as_mut().unwrap().status = status.into());
        assert!(waits(&primary, &cx()).contains(status));
        assert!(waits(&global(|g| g.status = status.into()), &cx()).contains(status));
        let member = with(|o| o.target.instances = vec![instance(status)]);
        assert!(waits(&member, &cx()).contains(status));
    }
    for status in ["pending", "switching-over", "a-word-of-next-year"] {
        let o = global(|g| g.failover = Some(state(WEST, status)));
        assert!(waits(&o, &cx()).contains("switches over"), "{status}");
    }
    let silent = with(|o| o.target.metadata = Metadata::Silent("no answer".into()));
    assert_eq!(waits(&silent, &cx()), "no answer");
    let late = with(|o| o.target.metadata = Metadata::Absent);
    assert!(waits(&late, &cx()).contains("does not show"));
}

#[test]
fn a_switchover_that_aws_cancels_ends_the_attempt_and_is_not_sent_again() {
    let cancelling = global(|g| g.failover = Some(state(WEST, "cancelling")));
    assert_eq!(fails(&cancelling, &sent(20, Some(0))).0, ErrorType::Failed);
    assert!(waits(&look(), &sent(40, Some(5))).contains("accepted"), "the role may show late");
    assert!(fails(&look(), &sent(40, Some(15))).1.contains("AWS cancelled it"));
    assert!(fails(&look(), &sent(120, None)).1.contains("never began"));
    let mut first_look = sent(90, Some(60));
    first_look.progress.gone.insert(FAILOVER_STATE.into(), 1);
    assert!(waits(&look(), &first_look).contains("accepted"), "one look proves nothing");
    let busy = [cluster(|c| c.status = "modifying".into()), global(|g| g.status = "x".into())];
    for o in busy {
        assert!(waits(&o, &sent(120, None)).contains("accepted"), "something goes on");
    }
}

#[test]
fn a_call_whose_answer_was_lost_is_sent_again_unless_it_took_effect() {
    let lost = |seen| {
        let mut cx = sent(40, seen);
        cx.progress.acts.get_mut(NAME).unwrap().certain = false;
        cx
    };
    assert!(fails(&look(), &lost(Some(20))).1.contains("AWS cancelled it"));
    assert!(waits(&look(), &lost(Some(5))).contains("took effect"));
    let Step::Change(again) = decide(&look(), &lost(None)) else { panic!() };
    assert!(again.reissuable(), "nothing shows of the first one");
    let mut refused = lost(None);
    refused.progress.faults.insert(NAME.into(), 1);
    assert!(waits(&look(), &refused).contains("took effect"));
}

#[test]
fn every_other_member_must_be_healthy_and_of_the_same_version() {
    let third = |change: fn(&mut Cluster)| {
        with(|o| {
            o.target.metadata = Metadata::There(Global::sample(EAST, &[WEST, THIRD]).unwrap());
            let mut cluster = Cluster::sample(THIRD).unwrap();
            change(&mut cluster);
            o.others = vec![cluster];
        })
    };
    assert!(matches!(step(&third(|_| ())), Step::Change(_)));
    assert!(waits(&third(|c| c.status = "upgrading".into()), &cx()).contains("orders-eu"));
    assert!(fails(&third(|c| c.status = "failed".into()), &cx()).1.contains("orders-eu"));
    let Step::Refuse(why, _) =
        step(&third(|c| c.engine_version = "8.0.mysql_aurora.3.06.0".into()))
    else {
        panic!()
    };
    assert!(why.contains("orders-eu in eu-west-1 has version") && why.contains("3.06.0"), "{why}");
    let mut hidden = third(|_| ());
    hidden.others.clear();
    assert!(waits(&hidden, &cx()).contains("does not show"));
}

#[test]
fn somebody_elses_switchover_is_a_conflict() {
    let o = global(|g| g.failover = Some(state(THIRD, "pending")));
    for cx in [cx(), sent(20, None)] {
        let (kind, why) = fails(&o, &cx);
        assert!(kind == ErrorType::Conflict && why.contains(THIRD), "{why}");
    }
}

#[test]
fn a_headless_target_is_told_before_anything_is_sent() {
    let o = with(|o| {
        o.target.instances.clear();
        o.target.cluster.as_mut().unwrap().members.clear();
    });
    assert!(fails(&o, &cx()).1.contains("headless"));
}

#[test]
fn members_must_have_the_same_minor_version() {
    let o = cluster(|c| c.engine_version = "8.0.mysql_aurora.3.06.0".into());
    let Step::Refuse(why, _) = step(&o) else { panic!("{:?}", step(&o)) };
    assert!(why.contains("3.05.2") && why.contains("3.06.0"), "{why}");
    let patch = cluster(|c| c.engine_version = "8.0.mysql_aurora.3.05.1".into());
    assert!(matches!(step(&patch), Step::Change(_)));
}

#[test]
fn the_lag_is_waited_for() {
    let lag = |lag: Lag, must: bool| with(|o| (o.lag, o.wanted.lag_must_be_known) = (lag, must));
    assert!(
        waits(&lag(Lag::Current(61.0), false), &cx()).contains("lag 61 s, wanted at most 60 s")
    );
    assert!(matches!(step(&lag(Lag::Current(60.0), true)), Step::Change(_)));
    assert!(matches!(step(&lag(Lag::Unknown("x".into()), false)), Step::Change(_)));
    assert!(matches!(step(&lag(Lag::Last(60.0), false)), Step::Change(_)));
    assert!(waits(&lag(Lag::Last(61.0), false), &cx()).contains("not active"));
    assert!(waits(&lag(Lag::Last(1.0), true), &cx()).contains("not active"));
    assert!(waits(&lag(Lag::Unknown("x".into()), true), &cx()).contains("lag unknown"));
    let plan = outlook(&lag(Lag::Current(61.0), false), &cx()).unwrap();
    assert!(plan.contains("; first waits: "), "{plan}");
}

#[test]
fn strangers_are_refused() {
    let refused = |o: &Observed| {
        let step = step(o);
        let Step::Refuse(why, _) = step else { panic!("{step:?}") };
        why
    };
    let others = with(|o| {
        o.target.metadata = Metadata::There(Global::sample(EAST, &[THIRD]).unwrap());
        o.target.cluster.as_mut().unwrap().global = Some("other".into());
    });
    assert!(refused(&others).contains("a member of other"));
    let standalone = with(|o| {
        o.target.metadata = Metadata::There(Global::sample(EAST, &[THIRD]).unwrap());
        o.target.cluster.as_mut().unwrap().global = None;
    });
    assert!(refused(&standalone).contains("standalone"));
    assert!(refused(&cluster(|c| c.engine = "neptune".into())).contains("no Aurora"));
}

#[test]
fn a_switchover_of_somebody_else_that_aws_took_back_is_not_begun_anew() {
    let mut cx = cx();
    cx.progress.signs.insert(FAILOVER_STATE.into(), cx.now - 20);
    cx.progress.gone.insert(FAILOVER_STATE.into(), 2);
    let (kind, why) = fails(&look(), &cx);
    assert_eq!(kind, ErrorType::Failed);
    assert!(why.contains("orders-dr in us-west-2") && why.contains("cancelled"), "{why}");
}

#[test]
fn an_unplanned_run_and_the_region_that_serves_are_told_before_any_call() {
    let wanted = look().wanted;
    let refused = |wanted: &Wanted, cx: &Cx| {
        let error = may_begin(wanted, cx).unwrap_err();
        assert_eq!(error.error_type, ErrorType::Refused);
        assert!(error.message.contains(&wanted.target.id), "{error}");
        format!("{} {}", error.message, error.next_step)
    };
    assert!(may_begin(&wanted, &cx()).is_ok());
    let unplanned = sample_cx(Phase::Activate);
    let said = refused(&wanted, &unplanned);
    assert!(said.contains("unplanned") && said.contains("UnPlannedFailoverAurora"), "{said}");
    assert!(may_begin(&wanted, &sample_cx(Phase::Replicate)).is_ok(), "by then it is back");
    let back = Wanted { target: Arn::parse_cluster("P", EAST).unwrap(), ..wanted };
    let said = refused(&back, &cx());
    assert!(said.contains("us-east-1, which is primary_region"), "{said}");
    assert!(said.contains("DBClusterIdentifier name the secondary"), "{said}");
}
