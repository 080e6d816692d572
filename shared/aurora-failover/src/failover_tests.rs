//! Every state row and every guard of an unplanned failover.

use super::*;
use crate::target::FAILOVER_STATE;
use serde_json::json;
use shared::Phase;
use shared::progress::{Act, sample_cx};
use shared_rds::{Failover, Global, Instance};

const EAST: &str = "arn:aws:rds:us-east-1:123456789012:cluster:orders";
const WEST: &str = "arn:aws:rds:us-west-2:123456789012:cluster:orders-dr";
const THIRD: &str = "arn:aws:rds:eu-west-1:123456789012:cluster:orders-eu";

fn instance(status: &str) -> Instance {
    let arn = "arn:aws:rds:us-west-2:123456789012:db:orders-dr-1";
    Instance { status: status.into(), ..Instance::sample(arn).unwrap() }
}

/// The secondary in us-west-2, healthy; us-east-1 is lost.
fn look(mode: Mode) -> Observed {
    let arn = Arn::parse_cluster("P", WEST).unwrap();
    let mut target = Target::new("orders-global".into(), arn.clone());
    target.metadata = Metadata::There(Global::sample(EAST, &[WEST]).unwrap());
    target.cluster =
        Some(Cluster { global: Some("orders-global".into()), ..Cluster::sample(WEST).unwrap() });
    target.instances = vec![instance("available")];
    let wanted = Wanted { global: "orders-global".into(), target: arn, mode, warnings: vec![] };
    Observed { wanted, target, lag: Lag::Current(0.8) }
}

fn with(mode: Mode, change: impl FnOnce(&mut Observed)) -> Observed {
    let mut o = look(mode);
    change(&mut o);
    o
}

fn cluster(mode: Mode, change: impl FnOnce(&mut Cluster)) -> Observed {
    with(mode, |o| change(o.target.cluster.as_mut().unwrap()))
}

/// The target is the writer of the global cluster.
fn writer(mode: Mode) -> Observed {
    let global = Global::sample(WEST, &[EAST]).unwrap();
    with(mode, |o| o.target.metadata = Metadata::There(global))
}

/// The target has left the global cluster, which knows it no more.
fn standalone(mode: Mode) -> Observed {
    with(mode, |o| {
        o.target.cluster.as_mut().unwrap().global = None;
        o.target.metadata = Metadata::Absent;
    })
}

fn showing(mode: Mode, to: &str, status: &str) -> Observed {
    let state = Failover {
        status: status.into(),
        from: EAST.into(),
        to: to.into(),
        data_loss_allowed: true,
    };
    let mut global = Global::sample(EAST, &[WEST, THIRD]).unwrap();
    global.failover = Some(state);
    with(mode, |o| o.target.metadata = Metadata::There(global))
}

const MODES: [Mode; 3] = [Mode::Detach, Mode::Managed, Mode::Auto];

fn cx() -> Cx {
    sample_cx(Phase::Activate)
}

fn sent(name: &str, age: i64, seen: Option<i64>) -> Cx {
    let mut cx = cx();
    let act = Act { at: cx.now - age, certain: true, result: json!({"lagSeconds": 0.8}) };
    cx.progress.acts.insert(name.into(), act);
    if let Some(ago) = seen {
        cx.progress.signs.insert(FAILOVER_STATE.into(), cx.now - ago);
        cx.progress.gone.insert(FAILOVER_STATE.into(), 2);
    }
    cx
}

fn change_of(o: &Observed, cx: &Cx) -> Change {
    let step = decide(o, cx);
    let Step::Change(change) = step else { panic!("{step:?}") };
    change
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

fn done_with(o: &Observed, cx: &Cx) -> Outcome {
    let step = decide(o, cx);
    let Step::Done(outcome) = step else { panic!("{step:?}") };
    outcome
}

#[test]
fn each_mode_has_its_call() {
    let name = |mode| change_of(&look(mode), &cx()).name();
    assert_eq!(
        [name(Mode::Detach), name(Mode::Managed), name(Mode::Auto)],
        [DETACH, MANAGED, MANAGED]
    );
    for mode in MODES {
        let change = change_of(&look(mode), &cx());
        assert!(change.class() == ChangeClass::DataLoss && !change.reissuable());
        assert_eq!(outlook(&look(mode), &cx()).unwrap(), change.summary());
    }
    let line = "detach orders-dr in us-west-2 from orders-global: lag 0.8 s; what did not arrive is \
                lost; irreversible";
    assert_eq!(change_of(&look(Mode::Detach), &cx()).summary(), line);
}

#[test]
fn a_writer_is_done_in_every_mode_and_never_detached() {
    for mode in MODES {
        let outcome = done_with(&writer(mode), &cx());
        assert!(outcome.summary.contains("is already the primary"), "{}", outcome.summary);
        assert_eq!((outcome.rpo_seconds, outlook(&writer(mode), &cx())), (None, None));
    }
    let after = done_with(&writer(Mode::Managed), &sent(MANAGED, 60, Some(5)));
    assert!(after.summary.contains("is now the primary") && after.rpo_seconds == Some(0.8));
}

#[test]
fn a_detached_cluster_is_done_by_its_own_word() {
    let first = done_with(&standalone(Mode::Detach), &sent(DETACH, 60, None));
    assert!(first.summary.contains("is detached from orders-global"), "{}", first.summary);
    assert_eq!(first.rpo_seconds, Some(0.8));
    let second = done_with(&standalone(Mode::Detach), &cx());
    assert!(second.summary.contains("nothing proves that it was one"), "{}", second.summary);
    let mut old_metadata = standalone(Mode::Detach);
    old_metadata.target.metadata = Metadata::There(Global::sample(EAST, &[WEST, THIRD]).unwrap());
    let told = done_with(&old_metadata, &sent(DETACH, 60, None)).summary;
    assert!(told.ends_with("before it is back: orders-eu in eu-west-1"), "{told}");
    let mut warned = standalone(Mode::Detach);
    warned.wanted.warnings = vec!["writes may be lost".into()];
    assert!(done_with(&warned, &cx()).summary.ends_with("; warning: writes may be lost"));
}

#[test]
fn the_status_alone_is_never_done() {
    for (mode, name) in [(Mode::Detach, DETACH), (Mode::Managed, MANAGED), (Mode::Auto, MANAGED)] {
        for age in [1, 119, 300] {
            assert!(waits(&look(mode), &sent(name, age, None)).contains("accepted"));
        }
    }
    for status in ["promoting", "modifying", "rebooting", "backing-up", "new-word"] {
        let mut o = standalone(Mode::Detach);
        o.target.cluster.as_mut().unwrap().status = status.into();
        assert!(waits(&o, &sent(DETACH, 9, None)).contains(status));
        let mut o = writer(Mode::Managed);
        o.target.instances = vec![instance(status)];
        assert!(waits(&o, &sent(MANAGED, 9, None)).contains(status));
    }
    let mut reader = standalone(Mode::Detach);
    reader.target.cluster.as_mut().unwrap().members[0].writer = false;
    assert!(waits(&reader, &sent(DETACH, 9, None)).contains("no writer instance"));
    let mut replica = standalone(Mode::Detach);
    replica.target.cluster.as_mut().unwrap().source = Some(EAST.into());
    assert!(waits(&replica, &cx()).contains("still a replica"));
}

#[test]
fn a_managed_failover_needs_a_member() {
    let step = decide(&standalone(Mode::Managed), &cx());
    let Step::Refuse(why, next) = step else { panic!("{step:?}") };
    assert!(why.contains("standalone") && next.contains("DETACH"));
    let left = done_with(&standalone(Mode::Auto), &cx());
    assert!(left.summary.contains("is no member of"));
}

#[test]
fn versions_decide_between_the_modes() {
    let other = |mode| cluster(mode, |c| c.engine_version = "8.0.mysql_aurora.3.06.0".into());
    let auto = change_of(&other(Mode::Auto), &cx());
    assert!(auto.name() == DETACH && auto.summary().contains("3.06.0"), "{}", auto.summary());
    assert_eq!(change_of(&other(Mode::Detach), &cx()).name(), DETACH);
    let step = decide(&other(Mode::Managed), &cx());
    let Step::Refuse(why, next) = step else { panic!("{step:?}") };
    assert!(why.contains("3.05.2") && next.contains("DETACH"), "{why}");
}

/// The answer to that call was lost, so long ago.
fn lost(name: &str, age: i64) -> Cx {
    let mut cx = sent(name, age, None);
    cx.progress.acts.get_mut(name).unwrap().certain = false;
    cx
}

#[test]
fn auto_never_detaches_where_a_managed_failover_may_be_under_way() {
    let other = |mode| cluster(mode, |c| c.engine_version = "8.0.mysql_aurora.3.06.0".into());
    let mut refused = cx();
    refused.progress.faults.insert(MANAGED.into(), 4);
    for o in [look(Mode::Auto), other(Mode::Auto), readers(silent(Mode::Auto))] {
        assert_eq!(change_of(&o, &refused).name(), MANAGED);
        assert_eq!(change_of(&o, &lost(MANAGED, 20)).name(), MANAGED);
    }
    assert_eq!(change_of(&look(Mode::Auto), &lost(DETACH, 20)).name(), DETACH);
}

#[test]
fn a_call_whose_answer_was_lost_is_sent_again_unless_it_took_effect() {
    for (mode, name) in [(Mode::Detach, DETACH), (Mode::Managed, MANAGED), (Mode::Auto, MANAGED)] {
        let again = change_of(&look(mode), &lost(name, 20));
        assert!(again.name() == name && again.reissuable());
        let mut refused = lost(name, 20);
        refused.progress.faults.insert(name.into(), 1);
        assert!(waits(&look(mode), &refused).contains("took effect"));
        let mut seen = lost(name, 20);
        seen.progress.signs.insert(FAILOVER_STATE.into(), seen.now - 5);
        seen.progress.gone.insert(FAILOVER_STATE.into(), 1);
        assert!(waits(&look(mode), &seen).contains("took effect"));
    }
}

fn silent(mode: Mode) -> Observed {
    with(mode, |o| o.target.metadata = Metadata::Silent("HTTP 503".into()))
}

/// The cluster shows no writer, as a secondary does.
fn readers(mut o: Observed) -> Observed {
    o.target.cluster.as_mut().unwrap().members[0].writer = false;
    o
}

#[test]
fn without_metadata_only_readers_while_another_region_is_declared_lost_let_anything_happen() {
    let calls = MODES.map(|mode| change_of(&readers(silent(mode)), &cx()).name());
    assert_eq!(calls, [DETACH, MANAGED, DETACH]);
    let auto = change_of(&readers(silent(Mode::Auto)), &cx());
    assert!(auto.summary().contains("does not answer"), "{}", auto.summary());
    let unknown = with(Mode::Detach, |o| o.target.metadata = Metadata::Absent);
    assert_eq!(change_of(&readers(unknown), &cx()).name(), DETACH);
    let mut at_once = cx();
    at_once.progress.since = at_once.now - 10;
    let mut undeclared = cx();
    undeclared.context.primary_region = None;
    let mut planned = cx();
    planned.context.unplanned = false;
    for mode in MODES {
        for cx in [&at_once, &undeclared, &planned] {
            assert!(waits(&readers(silent(mode)), cx).contains("is not known: HTTP 503"));
        }
        let took_over_before = waits(&silent(mode), &cx());
        assert!(took_over_before.contains("is not known"), "{took_over_before}");
        let mut headless = readers(silent(mode));
        headless.target.cluster.as_mut().unwrap().members.clear();
        assert!(waits(&headless, &cx()).contains("is not known"));
    }
    assert!(waits(&readers(silent(Mode::Managed)), &sent(MANAGED, 90, None)).contains("not known"));
    let unlisted = with(Mode::Detach, |o| {
        o.target.metadata = Metadata::There(Global::sample(EAST, &[THIRD]).unwrap());
    });
    assert!(waits(&unlisted, &cx()).contains("does not list"));
}

#[test]
fn a_promotion_that_shows_late_is_left_its_time() {
    let early = sent(DETACH, PROMOTION_SHOWS_S - 1, None);
    assert!(waits(&standalone(Mode::Detach), &early).contains("promotion does not show yet"));
    let mut seen = early.clone();
    seen.progress.signs.insert(MOVING.into(), seen.now - 1);
    done_with(&standalone(Mode::Detach), &seen);
    done_with(&standalone(Mode::Detach), &sent(DETACH, PROMOTION_SHOWS_S, None));
    let mut moves = standalone(Mode::Detach);
    moves.target.cluster.as_mut().unwrap().status = "promoting".into();
    assert_eq!(moves.target.signs(), [MOVING]);
    assert_eq!(showing(Mode::Managed, WEST, "pending").target.signs(), [FAILOVER_STATE]);
    assert!(showing(Mode::Managed, THIRD, "pending").target.signs().is_empty());
}

#[test]
fn what_aws_does_is_awaited_and_what_it_cancels_is_not_sent_again() {
    for status in ["pending", "failing-over", "a-word-of-next-year"] {
        assert!(waits(&showing(Mode::Managed, WEST, status), &cx()).contains(status));
    }
    let cancelling = showing(Mode::Managed, WEST, "cancelling");
    assert_eq!(fails(&cancelling, &sent(MANAGED, 9, Some(0))).0, ErrorType::Failed);
    let managed = look(Mode::Managed);
    assert!(waits(&managed, &sent(MANAGED, 40, Some(9))).contains("accepted"));
    assert!(fails(&managed, &sent(MANAGED, 40, Some(15))).1.contains("cancelled"));
    let mut first_look = sent(MANAGED, 90, Some(60));
    first_look.progress.gone.insert(FAILOVER_STATE.into(), 1);
    assert!(waits(&managed, &first_look).contains("accepted"), "the role may show late");
    assert!(fails(&managed, &sent(MANAGED, REFLECTED_S, None)).1.contains("never began"));
    let busy = cluster(Mode::Managed, |c| c.status = "promoting".into());
    assert!(waits(&busy, &sent(MANAGED, REFLECTED_S, None)).contains("promoting"));
}

#[test]
fn somebody_elses_failover_is_a_conflict() {
    for mode in MODES {
        let (kind, why) = fails(&showing(mode, THIRD, "failing-over"), &cx());
        assert!(kind == ErrorType::Conflict && why.contains(THIRD), "{why}");
    }
}

#[test]
fn a_target_that_cannot_take_over_ends_the_attempt() {
    for status in [
        "failed",
        "incompatible-restore",
        "inaccessible-encryption-credentials",
        "stopped",
        "deleting",
    ] {
        for mode in MODES {
            let o = cluster(mode, |c| c.status = status.into());
            assert!(fails(&o, &cx()).1.contains(status));
            let o = with(mode, |o| o.target.instances = vec![instance(status)]);
            assert!(fails(&o, &cx()).1.contains(status));
        }
    }
    let headless = with(Mode::Detach, |o| {
        o.target.instances.clear();
        o.target.cluster.as_mut().unwrap().members.clear();
    });
    assert!(fails(&headless, &cx()).1.contains("headless"));
    let missing = with(Mode::Detach, |o| o.target.cluster = None);
    assert_eq!(fails(&missing, &cx()).0, ErrorType::NotFound);
}

#[test]
fn a_member_of_another_global_cluster_is_refused() {
    let o = cluster(Mode::Detach, |c| c.global = Some("other".into()));
    let step = decide(&o, &cx());
    let Step::Refuse(why, _) = step else { panic!("{step:?}") };
    assert!(why.contains("a member of other, not of orders-global"), "{why}");
}

#[test]
fn a_failover_of_somebody_else_that_aws_took_back_is_not_begun_anew() {
    let mut cx = cx();
    cx.progress.signs.insert(FAILOVER_STATE.into(), cx.now - 20);
    cx.progress.gone.insert(FAILOVER_STATE.into(), 2);
    for mode in MODES {
        let (kind, why) = fails(&look(mode), &cx);
        assert_eq!(kind, ErrorType::Failed);
        assert!(why.contains("orders-dr in us-west-2") && why.contains("cancelled"), "{why}");
    }
}

#[test]
fn nothing_fails_over_to_the_region_that_counts_as_lost() {
    let east = Arn::parse_cluster("P", EAST).unwrap();
    let error = crate::not_where_it_serves(&east, &cx()).unwrap_err();
    assert_eq!(error.error_type, ErrorType::Refused);
    assert!(error.message.contains("orders is in us-east-1, which is primary_region"), "{error}");
    assert!(error.next_step.contains("DBClusterIdentifier"), "{}", error.next_step);
    assert!(crate::not_where_it_serves(&look(Mode::Auto).wanted.target, &cx()).is_ok());
    assert!(crate::not_where_it_serves(&east, &sample_cx(Phase::Replicate)).is_ok());
}
