//! Every state and guard of CLEANUP, and what the older module got wrong.

use super::*;
use crate::samples::{CLUSTER, WRITER, cluster_status, headless, status, whole, with};
use shared::progress::{Act, sample_cx};
use shared::{ChangeClass, Classified, Phase};

const THIRD: &str = "arn:aws:rds:eu-west-1:123456789012:cluster:orders-eu";

fn cx() -> Cx {
    sample_cx(Phase::Cleanup)
}

fn step(o: &Observed) -> Step<Change> {
    decide(o, &cx())
}

fn removed(o: &Observed) -> String {
    match step(o) {
        Step::Change(change) => change.key(),
        other => panic!("{other:?}"),
    }
}

fn waits(o: &Observed) -> String {
    match step(o) {
        Step::Wait(why) => why,
        other => panic!("{other:?}"),
    }
}

fn refuses(o: &Observed) -> (String, String) {
    match step(o) {
        Step::Refuse(why, next) => (why, next),
        other => panic!("{other:?}"),
    }
}

#[test]
fn readers_go_first_and_the_last_one_waits_for_them() {
    assert_eq!(removed(&whole()), "DeleteDBInstance a-2");
    assert_eq!(waits(&status(whole(), 1, "deleting")), "a-2 is deleting");
    let one = with(whole(), |o| o.instances[1] = None);
    assert_eq!(removed(&one), "DeleteDBInstance a-1");
    assert_eq!(waits(&status(one, 0, "deleting")), "a-1 is deleting");
    let Step::Change(change) = step(&whole()) else { panic!() };
    assert_eq!(change.class(), ChangeClass::Destructive);
    assert_eq!(
        change.summary(),
        "delete instance a-2 of orders-dr in us-west-2; the cluster stays"
    );
}

#[test]
fn several_readers_go_one_after_the_other_without_waiting_for_the_first() {
    let o = with(whole(), |o| o.cluster.as_mut().unwrap().members[0].writer = false);
    assert_eq!(removed(&o), "DeleteDBInstance a-1");
    assert_eq!(removed(&status(o, 0, "deleting")), "DeleteDBInstance a-2");
}

#[test]
fn it_is_done_when_none_of_them_exists() {
    let Step::Done(outcome) = step(&headless()) else { panic!() };
    assert_eq!(outcome.summary, "a-1, a-2 do not exist; the cluster orders-dr in us-west-2 stays");
    let mut after = cx();
    let act = Act { at: after.now, certain: true, result: serde_json::Value::Null };
    after.progress.acts.insert("DeleteDBInstance a-1".into(), act);
    let Step::Done(outcome) = decide(&headless(), &after) else { panic!() };
    assert!(outcome.summary.contains("are deleted"));
    let Step::Done(outcome) = step(&with(headless(), |o| o.cluster = None)) else { panic!() };
    assert!(outcome.summary.contains("there is no cluster"));
}

#[test]
fn nothing_of_the_primary_or_of_an_only_copy_goes() {
    let primary = with(whole(), |o| o.global = Some(Global::sample(CLUSTER, &[WRITER]).unwrap()));
    assert!(refuses(&primary).0.contains("is the primary of orders-global"));
    let alone = with(whole(), |o| o.global = Some(Global::sample(CLUSTER, &[]).unwrap()));
    assert!(refuses(&alone).0.contains("is the primary"));
    let standalone = with(whole(), |o| o.cluster.as_mut().unwrap().global = None);
    let (why, next) = refuses(&standalone);
    assert!(why.contains("could be the only copy") && next.contains("DeleteAuroraCluster"));
}

#[test]
fn another_primary_must_be_shown() {
    let unproven = |change: fn(&mut Observed)| refuses(&with(whole(), change)).0;
    assert!(unproven(|o| o.global = None).contains("not proven"));
    let absent = unproven(|o| o.global = Some(Global::sample(WRITER, &[THIRD]).unwrap()));
    assert!(absent.contains("does not show another primary"));
    let unled = unproven(|o| {
        o.global.as_mut().unwrap().members.iter_mut().for_each(|m| m.writer = false);
    });
    assert!(unled.contains("does not show another primary"));
    let other = unproven(|o| o.cluster.as_mut().unwrap().global = Some("another".into()));
    assert!(other.contains("is another, not orders-global"));
}

#[test]
fn while_roles_change_nothing_goes() {
    let failover = shared_rds::Failover {
        status: "failing-over".into(),
        from: WRITER.into(),
        to: CLUSTER.into(),
        data_loss_allowed: true,
    };
    let o = with(whole(), |o| o.global.as_mut().unwrap().failover = Some(failover));
    assert!(waits(&o).contains("failing-over"));
}

#[test]
fn instances_of_others_stay() {
    for cluster in [None, Some("other")] {
        let o = with(whole(), |o| {
            o.instances[1].as_mut().unwrap().cluster = cluster.map(str::to_owned);
        });
        assert!(refuses(&o).0.contains("a-2 is no member of orders-dr"));
    }
    assert!(refuses(&with(whole(), |o| o.cluster = None)).0.contains("does not exist"));
}

#[test]
fn states_of_instances_and_cluster() {
    for word in ["creating", "rebooting", "a-word-of-next-year"] {
        assert!(waits(&status(whole(), 1, word)).contains(word));
        assert!(waits(&cluster_status(whole(), word)).contains(word));
    }
    for word in ["failed", "incompatible-network"] {
        assert_eq!(removed(&status(whole(), 1, word)), "DeleteDBInstance a-2");
    }
    for o in [status(whole(), 1, "stopped"), cluster_status(whole(), "stopped")] {
        let Step::Fail(ErrorType::Failed, why, next) = step(&o) else { panic!() };
        assert!(why.contains("stopped") && next.starts_with("Start"));
    }
    assert!(waits(&cluster_status(whole(), "deleting")).contains("orders-dr is deleting"));
}

#[test]
fn the_plan_names_all_that_go() {
    let line = outlook(&whole(), &cx()).unwrap();
    assert_eq!(
        line,
        "delete instances a-1, a-2 of orders-dr in us-west-2; the cluster and its data stay"
    );
    let waiting = outlook(&cluster_status(whole(), "modifying"), &cx()).unwrap();
    assert!(waiting.ends_with("; first waits: orders-dr is modifying"), "{waiting}");
    let leaving = with(status(whole(), 0, "deleting"), |o| o.instances[1] = None);
    assert_eq!(outlook(&leaving, &cx()), None);
}
