//! Every state row and every guard of FailoverElastiCacheCluster.

use super::*;
use crate::observed::Wanted;
use serde_json::{Value, json};
use shared::progress::{Act, sample_cx};
use shared::{ChangeClass, Classified, Phase};
use shared_elasticache::{Datastore, GroupArn, Role};

const OLD: &str = "arn:aws:elasticache:us-east-1:123456789012:replicationgroup:orders";
const NEW: &str = "arn:aws:elasticache:us-west-2:123456789012:replicationgroup:orders-dr";
const THIRD: &str = "arn:aws:elasticache:eu-west-1:123456789012:replicationgroup:orders-eu";

/// A healthy datastore whose primary is the old one.
fn before() -> Observed {
    Observed {
        wanted: Wanted {
            datastore: "ldgnf-orders".into(),
            target: GroupArn::parse("P", NEW).unwrap(),
            detach: false,
            max_lag_s: None,
            warning: None,
        },
        group: Some(Group::sample(NEW).unwrap().member_of("ldgnf-orders", Role::Secondary)),
        datastore: Seen::There(Datastore::sample(OLD, &[NEW]).unwrap()),
        lag: Lag::Current(0.2),
    }
}

fn after() -> Observed {
    Observed {
        group: Some(Group::sample(NEW).unwrap().member_of("ldgnf-orders", Role::Primary)),
        datastore: Seen::There(Datastore::sample(NEW, &[OLD]).unwrap()),
        ..before()
    }
}

fn standalone() -> Observed {
    let alone = Datastore { status: "primary-only".into(), ..Datastore::sample(OLD, &[]).unwrap() };
    Observed { group: Some(Group::sample(NEW).unwrap()), datastore: Seen::There(alone), ..before() }
}

fn with(mut o: Observed, change: impl FnOnce(&mut Observed)) -> Observed {
    change(&mut o);
    o
}

fn group(o: Observed, status: &str) -> Observed {
    with(o, |o| o.group.as_mut().unwrap().status = status.into())
}

fn store(o: Observed, change: impl FnOnce(&mut Datastore)) -> Observed {
    with(o, |o| {
        let Seen::There(datastore) = &mut o.datastore else { panic!() };
        change(datastore);
    })
}

fn status(o: Observed, word: &str) -> Observed {
    store(o, |d| d.status = word.into())
}

fn detaching(o: Observed) -> Observed {
    with(o, |o| o.wanted.detach = true)
}

fn planned() -> Cx {
    let mut cx = sample_cx(Phase::Activate);
    cx.context.unplanned = false;
    cx
}

fn unplanned() -> Cx {
    sample_cx(Phase::Activate)
}

fn early(mut cx: Cx) -> Cx {
    cx.progress.since = cx.now;
    cx
}

fn sent(mut cx: Cx, call: &str, age: i64, certain: bool) -> Cx {
    let lag = if certain {
        json!({"from": "orders in us-east-1", "lagSeconds": 0.2})
    } else {
        Value::Null
    };
    cx.progress.acts.insert(call.into(), Act { at: cx.now - age, certain, result: lag });
    cx
}

fn refused(mut cx: Cx, call: &str, times: u32) -> Cx {
    cx.progress.faults.insert(call.into(), times);
    cx
}

fn change(o: &Observed, cx: &Cx) -> &'static str {
    let Step::Change(change) = decide(o, cx) else { panic!("{:?}", decide(o, cx)) };
    assert_eq!(change.class(), ChangeClass::DataLoss);
    change.name()
}

fn waits(o: &Observed, cx: &Cx) -> String {
    let Step::Wait(why) = decide(o, cx) else { panic!("{:?}", decide(o, cx)) };
    why
}

fn fails(o: &Observed, cx: &Cx) -> (ErrorType, String, String) {
    let Step::Fail(kind, why, next) = decide(o, cx) else { panic!("{:?}", decide(o, cx)) };
    assert!(!next.is_empty());
    (kind, why, next)
}

fn done(o: &Observed, cx: &Cx) -> Outcome {
    let Step::Done(outcome) = decide(o, cx) else { panic!("{:?}", decide(o, cx)) };
    outcome
}

#[test]
fn a_healthy_secondary_becomes_the_primary() {
    for cx in [planned(), unplanned()] {
        let Step::Change(change) = decide(&before(), &cx) else { panic!() };
        let line = "make orders-dr in us-west-2 the primary of ldgnf-orders (until now orders in \
                    us-east-1): lag 0.2 s";
        assert_eq!((change.name(), change.summary().as_str()), (FAILOVER, line));
    }
}

#[test]
fn the_role_is_what_is_wanted_and_available_proves_nothing() {
    let accepted = sent(planned(), FAILOVER, 5, true);
    assert!(waits(&before(), &accepted).contains("still a secondary"), "available, but not it");
    let outcome = done(&after(), &accepted);
    assert!(outcome.summary.contains("is now the primary"), "{}", outcome.summary);
    assert_eq!(outcome.rpo_seconds, None, "a planned failover claims no loss");
    assert!(done(&after(), &planned()).summary.contains("is already the primary"));
}

#[test]
fn words_are_compared_in_any_case() {
    assert_eq!(change(&status(group(before(), "AVAILABLE"), "Available"), &planned()), FAILOVER);
    done(&status(group(after(), "Available"), "AVAILABLE"), &planned());
}

#[test]
fn an_unplanned_failover_tells_what_may_be_lost() {
    let outcome = done(&after(), &sent(unplanned(), FAILOVER, 30, true));
    assert_eq!(outcome.rpo_seconds, Some(0.2));
    assert_eq!(done(&after(), &unplanned()).rpo_seconds, None, "nothing was measured");
}

#[test]
fn the_new_primary_is_awaited_until_all_is_available() {
    let cx = sent(planned(), FAILOVER, 60, true);
    assert!(waits(&group(after(), "modifying"), &cx).contains("modifying"));
    assert!(waits(&status(after(), "modifying"), &cx).contains("ldgnf-orders is modifying"));
    for word in ["available", "primary-only"] {
        done(&status(after(), word), &cx);
    }
}

#[test]
fn an_unplanned_run_does_not_wait_for_what_the_lost_region_holds_up() {
    let o = status(after(), "modifying");
    waits(&o, &sent(unplanned(), FAILOVER, SETTLED_S - 1, true));
    let outcome = done(&o, &sent(unplanned(), FAILOVER, SETTLED_S, true));
    assert!(outcome.summary.ends_with("ldgnf-orders is modifying"), "{}", outcome.summary);
    waits(&group(o, "modifying"), &sent(unplanned(), FAILOVER, 900, true));
}

#[test]
fn without_an_answer_of_the_datastore_the_groups_own_role_counts() {
    for seen in [Seen::Silent("HTTP status 503".into()), Seen::Absent] {
        let now = with(after(), |o| o.datastore = seen.clone());
        assert!(done(&now, &unplanned()).summary.contains("not to be seen"));
        let early = with(before(), |o| o.datastore = seen.clone());
        assert_eq!(change(&early, &unplanned()), FAILOVER, "{seen:?}");
    }
    let silent = with(after(), |o| o.datastore = Seen::Silent("HTTP status 503".into()));
    waits(&silent, &planned());
}

#[test]
fn answers_that_differ_are_looked_at_again() {
    let half = with(after(), |o| o.datastore = before().datastore);
    waits(&half, &sent(planned(), FAILOVER, 900, true));
    waits(&half, &sent(unplanned(), FAILOVER, 10, true));
    done(&half, &sent(unplanned(), FAILOVER, SETTLED_S, true));
    let other = with(before(), |o| o.datastore = after().datastore);
    waits(&other, &sent(unplanned(), FAILOVER, 900, true));
    let untold = with(before(), |o| {
        o.group.as_mut().unwrap().global.as_mut().unwrap().role = None;
    });
    assert_eq!(change(&untold, &planned()), FAILOVER, "the datastore tells it");
}

#[test]
fn what_is_moving_is_awaited_and_in_an_unplanned_run_not_for_ever() {
    let cases = [
        group(before(), "snapshotting"),
        status(before(), "modifying"),
        store(before(), |d| d.sides[1].status = "associating".into()),
    ];
    for o in &cases {
        waits(o, &planned());
        waits(o, &early(unplanned()));
        assert_eq!(change(o, &unplanned()), FAILOVER, "after {MOVING_S} s");
        waits(o, &sent(planned(), FAILOVER, 900, true));
    }
}

#[test]
fn a_planned_run_waits_for_the_lag_and_an_unplanned_one_does_not() {
    let limit = |lag: Lag| {
        with(before(), |o| {
            o.lag = lag;
            o.wanted.max_lag_s = Some(3);
        })
    };
    for lag in [Lag::Current(4.0), Lag::Last(0.0), Lag::Unknown("no figure".into())] {
        let o = limit(lag);
        assert!(waits(&o, &planned()).contains("at most 3 s"));
        assert_eq!(change(&o, &unplanned()), FAILOVER);
    }
    assert_eq!(change(&limit(Lag::Current(3.0)), &planned()), FAILOVER);
}

#[test]
fn an_accepted_failover_is_never_sent_again() {
    waits(&before(), &sent(planned(), FAILOVER, REFLECTED_S - 1, true));
    let (kind, why, _) = fails(&before(), &sent(planned(), FAILOVER, REFLECTED_S, true));
    assert_eq!(kind, ErrorType::Failed);
    assert!(why.contains("cancelled"), "{why}");
}

#[test]
fn a_lost_answer_leaves_the_call_to_the_loop_and_its_refusals_get_time() {
    let lost = sent(planned(), FAILOVER, 20, false);
    assert_eq!(change(&before(), &lost), FAILOVER);
    waits(&before(), &refused(sent(planned(), FAILOVER, 39, false), FAILOVER, 1));
    let later = refused(sent(planned(), FAILOVER, 40, false), FAILOVER, 1);
    assert_eq!(change(&before(), &later), FAILOVER);
}

#[test]
fn refusals_are_spaced() {
    let mut cx = refused(planned(), FAILOVER, 1);
    cx.progress.since = cx.now - 19;
    waits(&before(), &cx);
    cx.progress.since = cx.now - 20;
    assert_eq!(change(&before(), &cx), FAILOVER);
}

#[test]
fn a_primary_only_datastore_says_what_to_set() {
    for word in ["primary-only", "deleting"] {
        let o = status(before(), word);
        let (_, why, next) = fails(&o, &unplanned());
        assert!(why.contains(word) && why.contains("OnUnavailable is FAIL"), "{why}");
        assert!(next.contains("\"DISASSOCIATE\"") && next.contains("AcceptDataLoss"), "{next}");
        assert_eq!(change(&detaching(o.clone()), &unplanned()), DETACH);
        let (_, _, next) = fails(&detaching(o), &planned());
        assert!(!next.contains("DISASSOCIATE"), "a planned run never detaches: {next}");
    }
}

#[test]
fn a_datastore_that_goes_away_after_the_call_ends_the_attempt() {
    let gone = status(before(), "deleting");
    let (kind, why, _) = fails(&gone, &sent(planned(), FAILOVER, 5, true));
    assert!(kind == ErrorType::Failed && why.contains("deleting"), "{why}");
    waits(&status(before(), "primary-only"), &sent(planned(), FAILOVER, 5, true));
}

#[test]
fn a_failover_that_aws_refuses_in_a_lost_region_says_what_to_set_or_detaches() {
    let cx = |times| refused(unplanned(), FAILOVER, times);
    assert_eq!(change(&before(), &cx(REFUSALS - 1)), FAILOVER);
    let (_, why, next) = fails(&before(), &cx(REFUSALS));
    assert!(why.contains("refused the failover"), "{why}");
    assert!(next.contains("Set OnUnavailable to \"DISASSOCIATE\""), "{next}");
    assert_eq!(change(&detaching(before()), &cx(REFUSALS)), DETACH);
    let planned = refused(planned(), FAILOVER, REFUSALS);
    assert_eq!(change(&detaching(before()), &planned), FAILOVER, "planned: the loop ends it");
}

#[test]
fn a_failover_without_effect_or_answer_is_given_up_for_the_detachment() {
    let accepted = sent(unplanned(), FAILOVER, REFLECTED_S, true);
    assert_eq!(change(&detaching(before()), &accepted), DETACH);
    assert!(fails(&before(), &accepted).2.contains("DISASSOCIATE"));
    let mut lost = sent(unplanned(), FAILOVER, 20, false);
    assert_eq!(change(&detaching(before()), &lost), FAILOVER);
    lost.progress.since = lost.now - REFLECTED_S;
    assert_eq!(change(&detaching(before()), &lost), DETACH);
    assert_eq!(change(&before(), &lost), FAILOVER);
}

#[test]
fn a_detachment_is_done_when_the_target_is_standalone_and_available() {
    let cx = sent(unplanned(), DETACH, 10, true);
    assert!(waits(&detaching(before()), &cx).contains("accepted 10 s ago"));
    assert!(waits(&group(standalone(), "modifying"), &cx).contains("standalone and modifying"));
    let outcome = done(&standalone(), &cx);
    assert!(outcome.summary.contains("is detached from ldgnf-orders"), "{}", outcome.summary);
    assert_eq!(outcome.rpo_seconds, Some(0.2));
    let stale = with(standalone(), |o| o.datastore = before().datastore);
    done(&stale, &cx);
    assert!(done(&after(), &cx).summary.contains("primary"), "the failover came through after all");
}

#[test]
fn a_detachment_without_effect_is_sent_again_and_refusals_are_spaced() {
    let o = detaching(before());
    assert_eq!(change(&o, &sent(unplanned(), DETACH, 180, true)), DETACH);
    assert_eq!(change(&o, &sent(unplanned(), DETACH, 20, false)), DETACH);
    waits(&o, &refused(sent(unplanned(), DETACH, 9, false), DETACH, 1));
    let mut cx = refused(refused(unplanned(), FAILOVER, 3), DETACH, 1);
    cx.progress.since = cx.now - 24;
    waits(&o, &cx);
    cx.progress.since = cx.now - 25;
    assert_eq!(change(&o, &cx), DETACH);
}

#[test]
fn starting_again_after_a_detachment_finds_it_done() {
    let o = with(detaching(standalone()), |o| o.wanted.warning = Some("not agreed".into()));
    let outcome = done(&o, &unplanned());
    assert!(outcome.summary.contains("standalone before this attempt"), "{}", outcome.summary);
    assert!(outcome.summary.ends_with("warning: not agreed"), "{}", outcome.summary);
    assert_eq!(outcome.rpo_seconds, None);
}

#[test]
fn a_standalone_target_is_refused_where_nothing_is_to_be_detached() {
    for (o, cx) in [(standalone(), unplanned()), (detaching(standalone()), planned())] {
        let Step::Refuse(why, next) = decide(&o, &cx) else { panic!() };
        assert!(why.contains("standalone") && next.contains("CreateElastiCacheSecondary"));
    }
    let gone = with(standalone(), |o| o.datastore = Seen::Absent);
    assert_eq!(fails(&gone, &planned()).0, ErrorType::NotFound);
    let half = with(standalone(), |o| o.datastore = before().datastore);
    waits(&half, &planned());
}

#[test]
fn a_member_of_another_datastore_is_refused() {
    let group = Group::sample(NEW).unwrap().member_of("ldgnf-carts", Role::Secondary);
    let o = with(before(), |o| o.group = Some(group));
    let Step::Refuse(why, _) = decide(&o, &planned()) else { panic!() };
    assert!(why.contains("ldgnf-carts"), "{why}");
}

#[test]
fn what_is_missing_is_named() {
    let gone = with(before(), |o| o.group = None);
    let (kind, why, _) = fails(&gone, &planned());
    assert_eq!(kind, ErrorType::NotFound);
    assert!(why.contains("orders-dr in us-west-2"), "{why}");
    let unknown = with(before(), |o| o.datastore = Seen::Absent);
    assert!(fails(&unknown, &planned()).1.contains("no global datastore ldgnf-orders"));
    let no_member = store(before(), |d| d.sides.truncate(1));
    assert!(fails(&no_member, &planned()).1.contains("no member"));
}

#[test]
fn a_broken_target_ends_the_attempt() {
    for word in ["create-failed", "deleting"] {
        for cx in [planned(), unplanned(), sent(planned(), FAILOVER, 10, true)] {
            assert!(fails(&group(before(), word), &cx).1.contains(word));
        }
    }
}

#[test]
fn somebody_elses_failover_is_a_conflict() {
    let elsewhere = with(before(), |o| {
        o.datastore = Seen::There(Datastore::sample(THIRD, &[NEW, OLD]).unwrap());
    });
    let mut nowhere = planned();
    nowhere.context.primary_region = None;
    for cx in [planned(), unplanned(), sent(nowhere, FAILOVER, 10, true)] {
        let (kind, why, _) = fails(&elsewhere, &cx);
        assert_eq!(kind, ErrorType::Conflict);
        assert!(why.contains("orders-eu in eu-west-1"), "{why}");
    }
    let mut direct = planned();
    direct.context.primary_region = None;
    assert_eq!(change(&elsewhere, &direct), FAILOVER, "nobody says where the primary should be");
}

#[test]
fn the_plan_tells_the_failover_and_its_fallback() {
    let line = outlook(&before(), &planned()).unwrap();
    assert!(line.ends_with("lag 0.2 s"), "{line}");
    let o = with(detaching(status(before(), "modifying")), |o| o.wanted.warning = Some("w".into()));
    let line = outlook(&o, &early(unplanned())).unwrap();
    let end = "; if AWS refuses that, detach it instead, which cannot be taken back; first waits: \
               ldgnf-orders is modifying; warning: w";
    assert!(line.ends_with(end), "{line}");
    let only = outlook(&detaching(status(before(), "primary-only")), &unplanned()).unwrap();
    assert!(only.starts_with("detach orders-dr in us-west-2 from ldgnf-orders"), "{only}");
    assert_eq!(outlook(&after(), &planned()), None);
    assert_eq!(outlook(&standalone(), &planned()), None);
}

#[test]
fn in_replicate_the_old_region_is_back() {
    let mut cx = sample_cx(Phase::Replicate);
    cx.context.primary_region = Some("us-east-1".into());
    let o = with(detaching(status(before(), "primary-only")), |_| ());
    assert!(!fails(&o, &cx).2.contains("DISASSOCIATE"));
}
