//! Each phase does its own work, and a failover is judged by the shared rules.

use super::*;
use crate::samples::{CLUSTER, WRITER, headless, whole};
use shared::progress::sample_cx;
use shared::{ErrorType, Outcome};
use shared_aurora_failover::{FAILOVER_STATE, Metadata, Target};
use shared_metrics::Lag;
use shared_rds::{Arn, Cluster, Failover, Global};

fn arn(text: &str) -> Arn {
    Arn::parse_cluster("P", text).unwrap()
}

/// A secondary with its instances, and its primary.
fn target() -> Target {
    let o = whole();
    let mut target = Target::new("orders-global".into(), arn(CLUSTER));
    target.cluster = o.cluster;
    target.instances = o.instances.into_iter().flatten().collect();
    target.metadata = Metadata::There(Global::sample(WRITER, &[CLUSTER]).unwrap());
    target
}

fn switchover_of(target: Target) -> Look {
    Look::Switchover(Box::new(switchover::Observed {
        wanted: switchover::Wanted {
            global: "orders-global".into(),
            target: arn(CLUSTER),
            max_lag_s: 60,
            lag_must_be_known: false,
        },
        target,
        primary: Some(Cluster::sample(WRITER).unwrap()),
        others: vec![],
        lag: Lag::Current(1.0),
    }))
}

fn takeover_of(mode: failover::Mode) -> Look {
    Look::Takeover(Box::new(failover::Observed {
        wanted: failover::Wanted {
            global: "orders-global".into(),
            target: arn(CLUSTER),
            mode,
            warnings: vec![],
        },
        target: target(),
        lag: Lag::Current(1.0),
    }))
}

fn change(look: &Look, phase: Phase) -> (&'static str, ChangeClass, bool) {
    match decide(look, &sample_cx(phase)) {
        Step::Change(act) => (act.name(), act.class(), act.reissuable()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_phase_makes_its_own_call() {
    use ChangeClass::{Create, DataLoss, Destructive, Traffic};
    let instances = |o| Look::Instances(Box::new(o));
    let add = change(&instances(headless()), Phase::Instantiate);
    assert_eq!(add, ("CreateDBInstance", Create, true));
    let remove = change(&instances(whole()), Phase::Cleanup);
    assert_eq!(remove, ("DeleteDBInstance", Destructive, true));
    let planned = change(&switchover_of(target()), Phase::Activate);
    assert_eq!(planned, ("SwitchoverGlobalCluster", Traffic, false), "it never loses data");
    let managed = change(&takeover_of(failover::Mode::Managed), Phase::Activate);
    assert_eq!(managed, ("FailoverGlobalCluster", DataLoss, false));
    let detach = change(&takeover_of(failover::Mode::Detach), Phase::Activate);
    assert_eq!(detach, ("RemoveFromGlobalCluster", DataLoss, false));
}

#[test]
fn the_plan_shows_the_class_of_the_phase() {
    let class = |look: Look, phase| outlook(&look, &sample_cx(phase)).unwrap().0;
    assert_eq!(class(Look::Instances(headless().into()), Phase::Instantiate), ChangeClass::Create);
    assert_eq!(class(Look::Instances(whole().into()), Phase::Cleanup), ChangeClass::Destructive);
    assert_eq!(class(switchover_of(target()), Phase::Activate), ChangeClass::Traffic);
    let managed = takeover_of(failover::Mode::Managed);
    assert_eq!(class(managed, Phase::Activate), ChangeClass::DataLoss);
}

#[test]
fn only_instances_are_announced() {
    let announced = creates(&Look::Instances(headless().into()), &sample_cx(Phase::Instantiate));
    assert_eq!(announced[0], "rds:arn:aws:rds:us-west-2:123456789012:db:a-1");
    assert!(creates(&Look::Instances(whole().into()), &sample_cx(Phase::Cleanup)).is_empty());
    assert!(creates(&switchover_of(target()), &sample_cx(Phase::Activate)).is_empty());
}

#[test]
fn a_running_switchover_leaves_its_sign() {
    let mut moving = target();
    let mut global = Global::sample(WRITER, &[CLUSTER]).unwrap();
    global.failover = Some(Failover {
        status: "switching-over".into(),
        from: WRITER.into(),
        to: CLUSTER.into(),
        data_loss_allowed: false,
    });
    moving.metadata = Metadata::There(global);
    assert_eq!(signs(&switchover_of(moving)), [FAILOVER_STATE]);
    assert!(signs(&switchover_of(target())).is_empty());
    assert!(signs(&Look::Instances(whole().into())).is_empty());
}

#[test]
fn steps_keep_their_kind() {
    let kinds: [Step<Change>; 5] = [
        Step::Done(Outcome::new("a")),
        Step::Wait("b".into()),
        Step::Unknown(vec!["c".into()], "d".into()),
        Step::Refuse("e".into(), "f".into()),
        Step::Fail(ErrorType::Failed, "g".into(), "h".into()),
    ];
    for step in kinds {
        let said = format!("{step:?}");
        assert_eq!(format!("{:?}", lift(step, Act::Instance)), said);
    }
}
