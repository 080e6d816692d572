//! Every state row and every guard of DisassociateElastiCache.

use super::*;
use crate::observed::Wanted;
use serde_json::Value;
use shared::ChangeClass;
use shared::progress::{Act, sample_cx};
use shared_elasticache::GroupArn;

const EAST: &str = "arn:aws:elasticache:us-east-1:123456789012:replicationgroup:orders";
const WEST: &str = "arn:aws:elasticache:us-west-2:123456789012:replicationgroup:orders-dr";
const THIRD: &str = "arn:aws:elasticache:eu-west-1:123456789012:replicationgroup:orders-eu";

/// `which` is a secondary of a healthy datastore of this primary.
fn member(which: &str, primary: &str) -> Observed {
    Observed {
        wanted: Wanted {
            datastore: "ldgnf-orders".into(),
            group: GroupArn::parse("P", which).unwrap(),
            at_primary: None,
            warning: None,
        },
        group: Some(Group::sample(which).unwrap().member_of("ldgnf-orders", Role::Secondary)),
        here: Seen::There(Datastore::sample(primary, &[which]).unwrap()),
        there: Seen::Absent,
    }
}

/// ACTIVATE: the west survives.
fn survivor() -> Observed {
    member(WEST, EAST)
}

/// CLEANUP: the east is stale.
fn stale() -> Observed {
    member(EAST, WEST)
}

/// It has left; its Region knows the datastore no more.
fn left(o: Observed) -> Observed {
    let group = Group::sample(&o.wanted.group.to_string()).unwrap();
    Observed { group: Some(group), here: Seen::Absent, ..o }
}

/// The datastore is to be deleted, too; its primary's Region shows it with nothing else.
fn deleting(o: Observed, primary: &str, followers: &[&str]) -> Observed {
    let mut alone = Datastore::sample(primary, followers).unwrap();
    alone.status = "primary-only".into();
    let at = alone.sides[0].region.clone();
    with(o, |o| (o.there, o.wanted.at_primary) = (Seen::There(alone), Some(at)))
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
        let Seen::There(datastore) = &mut o.here else { panic!() };
        change(datastore);
    })
}

fn activate() -> Cx {
    sample_cx(Phase::Activate)
}

fn cleanup() -> Cx {
    let mut cx = sample_cx(Phase::Cleanup);
    cx.context.primary_region = Some("us-west-2".into());
    cx.context.secondary_region = Some("us-east-1".into());
    cx
}

fn sent(mut cx: Cx, call: &str, age: i64, certain: bool) -> Cx {
    cx.progress.acts.insert(call.into(), Act { at: cx.now - age, certain, result: Value::Null });
    cx
}

fn change(o: &Observed, cx: &Cx) -> Change {
    let Step::Change(change) = decide(o, cx) else { panic!("{:?}", decide(o, cx)) };
    change
}

fn waits(o: &Observed, cx: &Cx) -> String {
    let Step::Wait(why) = decide(o, cx) else { panic!("{:?}", decide(o, cx)) };
    why
}

fn refusal(o: &Observed, cx: &Cx) -> (String, String) {
    let Step::Refuse(why, next) = decide(o, cx) else { panic!("{:?}", decide(o, cx)) };
    assert!(!next.is_empty());
    (why, next)
}

fn done(o: &Observed, cx: &Cx) -> String {
    let Step::Done(outcome) = decide(o, cx) else { panic!("{:?}", decide(o, cx)) };
    outcome.summary
}

#[test]
fn a_secondary_is_detached() {
    let takes_over = change(&survivor(), &activate());
    assert_eq!((takes_over.name(), takes_over.class()), (DETACH, ChangeClass::DataLoss));
    let leaves = change(&stale(), &cleanup());
    assert_eq!((leaves.name(), leaves.class()), (DETACH, ChangeClass::Destructive));
    let line = "detach orders in us-east-1 from ldgnf-orders, standalone from then on";
    assert_eq!(leaves.summary(), line);
}

#[test]
fn done_is_standalone_available_and_not_listed() {
    let cx = sent(cleanup(), DETACH, 10, true);
    assert_eq!(waits(&stale(), &cx), "detaching orders in us-east-1 was accepted 10 s ago");
    assert!(waits(&group(left(stale()), "modifying"), &cx).contains("standalone and modifying"));
    let listed = with(left(stale()), |o| o.here = stale().here);
    assert!(waits(&listed, &cx).contains("still lists it"));
    let line = "orders in us-east-1 is detached from ldgnf-orders: standalone, available";
    assert_eq!(done(&left(stale()), &cx), line);
    assert!(done(&left(stale()), &cleanup()).contains("was standalone before"));
}

#[test]
fn in_activate_the_groups_own_word_is_enough() {
    for seen in [Seen::Absent, Seen::Silent("HTTP status 503".into())] {
        let o = with(survivor(), |o| o.here = seen.clone());
        assert_eq!(change(&o, &activate()).name(), DETACH, "{seen:?}");
    }
    let stale_list = with(left(survivor()), |o| {
        o.here = survivor().here;
        o.wanted.warning = Some("not agreed".into());
    });
    let line = done(&stale_list, &sent(activate(), DETACH, 5, true));
    assert!(line.ends_with("; warning: not agreed"), "{line}");
    let mut early = activate();
    early.progress.since = early.now;
    waits(&with(survivor(), |o| o.here = Seen::Silent("503".into())), &early);
    waits(&with(stale(), |o| o.here = Seen::Silent("503".into())), &cleanup());
    waits(&with(stale(), |o| o.here = Seen::Absent), &cleanup());
}

#[test]
fn what_is_moving_is_awaited_and_in_activate_not_for_ever() {
    let busy = |o: Observed| {
        [
            group(o.clone(), "snapshotting"),
            store(o.clone(), |d| d.status = "modifying".into()),
            store(o, |d| d.sides[1].status = "associating".into()),
        ]
    };
    for o in busy(stale()) {
        waits(&o, &cleanup());
    }
    for o in busy(survivor()) {
        let mut early = activate();
        early.progress.since = early.now;
        waits(&o, &early);
        assert_eq!(change(&o, &activate()).name(), DETACH);
    }
}

#[test]
fn a_call_without_effect_is_sent_again_and_refusals_are_spaced() {
    assert_eq!(change(&stale(), &sent(cleanup(), DETACH, REFLECTED_S, true)).name(), DETACH);
    assert_eq!(change(&stale(), &sent(cleanup(), DETACH, 16, false)).name(), DETACH);
    let mut cx = cleanup();
    cx.progress.faults.insert(DETACH.into(), 2);
    cx.progress.since = cx.now - 19;
    waits(&stale(), &cx);
    cx.progress.since = cx.now - 20;
    assert_eq!(change(&stale(), &cx).name(), DETACH);
}

#[test]
fn a_primary_is_never_detached() {
    let primary = |which: &str, others: &[&str]| Observed {
        group: Some(Group::sample(which).unwrap().member_of("ldgnf-orders", Role::Primary)),
        here: Seen::There(Datastore::sample(which, others).unwrap()),
        ..member(which, which)
    };
    assert!(refusal(&primary(WEST, &[EAST]), &activate()).1.contains("serves already"));
    let (why, _) = refusal(&primary(WEST, &[EAST, THIRD]), &cleanup());
    assert!(why.contains("it serves orders in us-east-1, orders-eu in eu-west-1"), "{why}");
    let asked = with(primary(WEST, &[EAST]), |o| o.wanted.at_primary = Some("us-east-1".into()));
    refusal(&asked, &cleanup());
    let (_, next) = refusal(&primary(EAST, &[]), &cleanup());
    assert!(next.contains("DeleteGlobalReplicationGroup"), "{next}");
    let unlisted = with(primary(EAST, &[]), |o| o.here = Seen::Absent);
    waits(&unlisted, &cleanup());
}

#[test]
fn roles_that_differ_or_are_unknown_are_looked_at_again() {
    let other = with(stale(), |o| o.here = Seen::There(Datastore::sample(EAST, &[WEST]).unwrap()));
    waits(&other, &cleanup());
    let mut untold = stale();
    untold.group.as_mut().unwrap().global.as_mut().unwrap().role = None;
    assert_eq!(change(&untold, &cleanup()).name(), DETACH, "the datastore tells it");
    untold.here = Seen::Absent;
    waits(&untold, &cleanup());
}

#[test]
fn in_cleanup_nothing_is_detached_in_the_region_that_serves() {
    assert!(refusal(&survivor(), &cleanup()).0.contains("primary_region"));
    done(&left(survivor()), &cleanup());
}

#[test]
fn a_member_of_another_datastore_is_refused() {
    let foreign = Group::sample(EAST).unwrap().member_of("ldgnf-carts", Role::Secondary);
    let o = with(stale(), |o| o.group = Some(foreign));
    assert!(refusal(&o, &cleanup()).0.contains("ldgnf-carts"));
}

#[test]
fn a_group_that_is_gone_is_done_in_cleanup_and_missing_in_activate() {
    let gone = |o: Observed| with(left(o), |o| o.group = None);
    assert!(done(&gone(stale()), &cleanup()).contains("does not exist"));
    assert!(matches!(decide(&gone(survivor()), &activate()), Step::Fail(ErrorType::NotFound, ..)));
    let typo = with(stale(), |o| o.group = None);
    let Step::Fail(kind, why, _) = decide(&typo, &cleanup()) else { panic!() };
    assert_eq!(kind, ErrorType::NotFound);
    assert!(why.contains("lists orders in us-east-1 there"), "{why}");
}

#[test]
fn status_words_of_the_group() {
    waits(&group(stale(), "deleting"), &cleanup());
    for word in ["deleting", "create-failed"] {
        assert!(matches!(decide(&group(survivor(), word), &activate()), Step::Fail(..)), "{word}");
    }
    assert_eq!(change(&group(stale(), "create-failed"), &cleanup()).name(), DETACH);
}

#[test]
fn an_empty_datastore_is_deleted_when_that_is_asked_for() {
    // After an unplanned run: the west has left, the east still thinks it is the primary.
    let o = deleting(left(member(WEST, EAST)), EAST, &[]);
    let delete = change(&o, &cleanup());
    assert_eq!(
        delete,
        Change::Delete { datastore: "ldgnf-orders".into(), region: "us-east-1".into() }
    );
    assert_eq!(delete.class(), ChangeClass::Destructive);
    assert!(waits(&o, &sent(cleanup(), DELETE, 20, true)).contains("accepted 20 s ago"));
    assert_eq!(change(&o, &sent(cleanup(), DELETE, REFLECTED_S, true)).name(), DELETE);
    let gone = with(o.clone(), |o| o.there = Seen::Absent);
    assert!(done(&gone, &sent(cleanup(), DELETE, 20, true)).ends_with("ldgnf-orders is deleted"));
    assert!(done(&gone, &cleanup()).ends_with("does not exist"));
    let silent = with(o, |o| o.there = Seen::Silent("503".into()));
    waits(&silent, &cleanup());
}

#[test]
fn the_last_primary_is_released_by_deleting_its_datastore() {
    let o = deleting(
        Observed {
            group: Some(Group::sample(EAST).unwrap().member_of("ldgnf-orders", Role::Primary)),
            here: Seen::There(Datastore::sample(EAST, &[]).unwrap()),
            ..member(EAST, EAST)
        },
        EAST,
        &[],
    );
    assert_eq!(change(&o, &cleanup()).name(), DELETE);
    let cx = sent(cleanup(), DELETE, 20, true);
    let released = with(left(o), |o| o.there = Seen::Absent);
    assert_eq!(
        done(&released, &cx),
        "orders in us-east-1 is standalone, available; global \
                                      datastore ldgnf-orders is deleted"
    );
}

#[test]
fn the_secondary_leaves_before_the_datastore_goes() {
    let both = deleting(stale(), WEST, &[EAST]);
    assert_eq!(change(&both, &cleanup()).name(), DETACH);
    let half = deleting(left(stale()), WEST, &[EAST]);
    assert!(waits(&half, &cleanup()).contains("still lists it"));
    assert_eq!(change(&deleting(left(stale()), WEST, &[]), &cleanup()).name(), DELETE);
}

#[test]
fn a_datastore_with_other_members_or_another_primary_stays() {
    let followed = deleting(left(stale()), WEST, &[THIRD]);
    assert!(refusal(&followed, &cleanup()).0.contains("orders-eu in eu-west-1"));
    let elsewhere = with(deleting(left(stale()), THIRD, &[]), |o| {
        o.wanted.at_primary = Some("us-west-2".into());
    });
    assert!(refusal(&elsewhere, &cleanup()).1.contains("Set PrimaryRegion to \"eu-west-1\""));
    for word in ["modifying", "deleting"] {
        let mut o = deleting(left(stale()), WEST, &[]);
        if let Seen::There(d) = &mut o.there {
            d.status = word.into();
        }
        assert!(waits(&o, &cleanup()).contains(word));
    }
    let mut nobody = deleting(left(stale()), WEST, &[]);
    if let Seen::There(d) = &mut nobody.there {
        d.sides.clear();
    }
    waits(&nobody, &cleanup());
}

#[test]
fn the_plan_tells_both_calls_and_what_they_release() {
    let line = "detach orders in us-east-1 from ldgnf-orders, standalone from then on";
    assert_eq!(outlook(&stale(), &cleanup()).unwrap(), format!("{line}; irreversible"));
    let both = group(deleting(stale(), WEST, &[EAST]), "snapshotting");
    let all = format!(
        "{line}, then delete global datastore ldgnf-orders; its primary in us-west-2 stays; \
         irreversible; first waits: orders in us-east-1 is snapshotting"
    );
    assert_eq!(outlook(&both, &cleanup()).unwrap(), all);
    let released: Vec<String> = both.released().iter().map(ToString::to_string).collect();
    assert_eq!(released, [EAST, WEST]);
    assert_eq!(stale().released().len(), 1);
    assert_eq!(outlook(&left(stale()), &cleanup()), None);
}
