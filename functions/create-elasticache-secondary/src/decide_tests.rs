//! Every state row and every guard of CreateElastiCacheSecondary.

use super::*;
use crate::observed::{Output, Wanted};
use serde_json::Value;
use shared::Phase;
use shared::progress::{Act, sample_cx};
use shared_elasticache::GroupArn;

const SOURCE: &str = "arn:aws:elasticache:us-west-2:123456789012:replicationgroup:orders-dr";
const OWN: &str = "arn:aws:elasticache:us-east-1:123456789012:replicationgroup:orders";
const THIRD: &str = "arn:aws:elasticache:eu-west-1:123456789012:replicationgroup:orders-eu";
const ID: &str = "sgaui-orders";

/// A standalone source, nothing else.
fn alone() -> Observed {
    Observed {
        wanted: Wanted {
            suffix: "orders".into(),
            named: None,
            source: GroupArn::parse("P", SOURCE).unwrap(),
            target: GroupArn::parse("P", OWN).unwrap(),
            nodes: Some(2),
            replicas: None,
            multi_az: false,
            output: None,
        },
        source: Some(Group::sample(SOURCE).unwrap()),
        target: None,
        datastore: None,
        outputs: vec![],
    }
}

/// The source is the primary of a datastore, with these others.
fn primary(others: &[&str]) -> Observed {
    let mut datastore = Datastore::sample(SOURCE, others).unwrap();
    datastore.id = ID.into();
    if others.is_empty() {
        datastore.status = "primary-only".into();
    }
    Observed {
        source: Some(Group::sample(SOURCE).unwrap().member_of(ID, Role::Primary)),
        datastore: Some(datastore),
        ..alone()
    }
}

/// The secondary is there.
fn complete() -> Observed {
    let target = Group::sample(OWN).unwrap().member_of(ID, Role::Secondary);
    Observed { target: Some(target), ..primary(&[OWN]) }
}

fn with(mut o: Observed, change: impl FnOnce(&mut Observed)) -> Observed {
    change(&mut o);
    o
}

fn source(o: Observed, change: impl FnOnce(&mut Group)) -> Observed {
    with(o, |o| change(o.source.as_mut().unwrap()))
}

fn target(o: Observed, change: impl FnOnce(&mut Group)) -> Observed {
    with(o, |o| change(o.target.as_mut().unwrap()))
}

fn store(o: Observed, change: impl FnOnce(&mut Datastore)) -> Observed {
    with(o, |o| change(o.datastore.as_mut().unwrap()))
}

/// An output parameter that holds this in the two Regions.
fn output(o: Observed, east: Option<&str>, west: Option<&str>) -> Observed {
    with(o, |o| {
        let regions = vec!["us-east-1".to_owned(), "us-west-2".to_owned()];
        o.wanted.output = Some(Output { name: "/orders/cache".into(), regions });
        let held =
            |region: &str, value: Option<&str>| (region.to_owned(), value.map(str::to_owned));
        o.outputs = vec![held("us-east-1", east), held("us-west-2", west)];
    })
}

fn cx() -> Cx {
    let mut cx = sample_cx(Phase::Replicate);
    cx.context.primary_region = Some("us-west-2".into());
    cx
}

fn step(o: &Observed) -> Step<Change> {
    decide(o, &cx())
}

fn change(o: &Observed) -> Change {
    let Step::Change(change) = step(o) else { panic!("{:?}", step(o)) };
    change
}

fn waits(o: &Observed) -> String {
    let Step::Wait(why) = step(o) else { panic!("{:?}", step(o)) };
    why
}

fn refusal(o: &Observed) -> (String, String) {
    let Step::Refuse(why, next) = step(o) else { panic!("{:?}", step(o)) };
    assert!(!next.is_empty());
    (why, next)
}

fn done(o: &Observed) -> String {
    let Step::Done(outcome) = step(o) else { panic!("{:?}", step(o)) };
    outcome.summary
}

fn joins(fails_over: Option<bool>) -> Change {
    let target = GroupArn::parse("P", OWN).unwrap();
    Change::Join { datastore: ID.into(), target, fails_over }
}

#[test]
fn what_is_missing_is_made_one_after_the_other() {
    let first = change(&alone());
    assert_eq!((first.name(), first.class()), (GLOBAL, ChangeClass::Create));
    let line = "create global datastore ...-orders with orders-dr in us-west-2 as its primary";
    assert_eq!(first.summary(), line);
    let second = change(&output(primary(&[]), None, None));
    assert_eq!(
        (second.key().as_str(), second.class()),
        ("PutParameter us-east-1", ChangeClass::Modify)
    );
    let third = change(&output(primary(&[]), Some(ID), None));
    assert_eq!(third.summary(), "write sgaui-orders to /orders/cache in us-west-2");
    let fourth = change(&output(primary(&[]), Some(ID), Some(ID)));
    assert_eq!((fourth.name(), fourth.class()), (JOIN, ChangeClass::Create));
    assert_eq!(fourth, joins(Some(true)));
    let all = output(complete(), Some(ID), Some(ID));
    let line = "orders in us-east-1 is already a secondary of sgaui-orders, available; its id is in \
                /orders/cache in us-east-1, us-west-2";
    assert_eq!(done(&all), line);
}

#[test]
fn after_a_planned_failover_it_is_done_unchanged() {
    assert!(done(&complete()).contains("already"));
    let mut ours = cx();
    let act = Act { at: ours.now - 900, certain: true, result: Value::Null };
    ours.progress.acts.insert(JOIN.into(), act);
    let Step::Done(outcome) = decide(&complete(), &ours) else { panic!() };
    assert!(outcome.summary.contains("orders in us-east-1 is a secondary"), "{}", outcome.summary);
}

#[test]
fn an_old_id_in_the_manifest_is_told() {
    let o = with(complete(), |o| o.wanted.named = Some("ldgnf-orders".into()));
    assert!(done(&o).contains("still says ldgnf-orders"));
    let right = with(complete(), |o| o.wanted.named = Some(ID.into()));
    assert!(!done(&right).contains("still says"));
}

#[test]
fn done_needs_status_role_and_membership() {
    for word in ["creating", "modifying", "snapshotting"] {
        assert!(waits(&target(complete(), |g| g.status = word.into())).contains(word));
    }
    for word in ["associating", "hidden"] {
        assert!(waits(&store(complete(), |d| d.sides[1].status = word.into())).contains(word));
    }
    for word in ["modifying", "primary-only"] {
        assert!(waits(&store(complete(), |d| d.status = word.into())).contains(word));
    }
    assert!(waits(&store(complete(), |d| d.sides.truncate(1))).contains("not listed"));
    let untold = target(complete(), |g| g.global.as_mut().unwrap().role = None);
    assert!(waits(&untold).contains("role"));
    done(&store(target(complete(), |g| g.status = "Available".into()), |d| {
        d.status = "AVAILABLE".into()
    }));
}

#[test]
fn a_secondary_that_could_not_be_created_ends_the_attempt() {
    let Step::Fail(_, why, next) = step(&target(complete(), |g| g.status = "create-failed".into()))
    else {
        panic!()
    };
    assert!(why.contains("create-failed") && next.contains("DisassociateElastiCache"));
}

#[test]
fn a_source_or_datastore_that_is_not_ready_is_awaited() {
    for o in [alone(), primary(&[])] {
        waits(&source(o.clone(), |g| g.status = "modifying".into()));
        for word in ["create-failed", "deleting"] {
            let o = source(o.clone(), |g| g.status = word.into());
            assert!(matches!(step(&o), Step::Fail(ErrorType::Failed, ..)), "{word}");
        }
    }
    for word in ["creating", "modifying"] {
        waits(&store(primary(&[]), |d| d.status = word.into()));
    }
    let going = store(primary(&[]), |d| d.status = "deleting".into());
    assert!(matches!(step(&going), Step::Fail(..)));
    waits(&with(primary(&[]), |o| o.datastore = None));
}

#[test]
fn a_missing_source_is_unknown_until_something_creates_it() {
    let Step::Unknown(missing, _) = step(&with(alone(), |o| o.source = None)) else { panic!() };
    assert_eq!(missing, [format!("elasticache:{SOURCE}")]);
}

#[test]
fn the_source_must_be_the_primary_of_the_wanted_datastore_or_of_none() {
    let follows = source(primary(&[]), |g| {
        g.global.as_mut().unwrap().role = Some(Role::Secondary);
    });
    assert!(refusal(&follows).0.contains("is a secondary of sgaui-orders"));
    let listed = store(primary(&[]), |d| d.sides[0].role = Some(Role::Secondary));
    assert!(refusal(&listed).1.contains("ACTIVATE"));
    let other = with(primary(&[]), |o| o.wanted.suffix = "carts".into());
    assert!(refusal(&other).0.contains("ends in carts"));
    let untold = store(source(primary(&[]), |g| g.global.as_mut().unwrap().role = None), |d| {
        d.sides[0].role = None;
    });
    waits(&untold);
}

#[test]
fn an_existing_group_in_another_role_is_never_touched() {
    let found = |group: Group| with(primary(&[]), |o| o.target = Some(group));
    let standalone = refusal(&found(Group::sample(OWN).unwrap()));
    assert!(standalone.0.contains("standalone"), "{}", standalone.0);
    assert!(standalone.1.contains("DeleteElastiCacheReplicationGroup"), "{}", standalone.1);
    let with_none = with(alone(), |o| o.target = Some(Group::sample(OWN).unwrap()));
    assert!(refusal(&with_none).0.contains("standalone"), "not before a datastore is made");
    let old = Group::sample(OWN).unwrap().member_of("ldgnf-orders", Role::Primary);
    for o in [found(old.clone()), with(alone(), |o| o.target = Some(old.clone()))] {
        let (why, next) = refusal(&o);
        assert!(why.contains("the primary of ldgnf-orders"), "{why}");
        assert!(next.contains("DisassociateElastiCache, DeleteElastiCacheReplicationGroup"));
    }
    let foreign = Group::sample(OWN).unwrap().member_of("ldgnf-carts", Role::Secondary);
    assert!(refusal(&found(foreign)).0.contains("a member of ldgnf-carts"));
    let same = Group::sample(OWN).unwrap().member_of(ID, Role::Primary);
    assert!(refusal(&found(same)).0.contains("the primary of sgaui-orders"));
}

#[test]
fn one_that_comes_up_or_goes_away_is_awaited() {
    let bare = |status: &str| {
        with(primary(&[]), |o| {
            let group = Group::sample(OWN).unwrap();
            o.target = Some(Group { status: status.into(), ..group });
        })
    };
    assert!(waits(&bare("creating")).contains("creating"));
    assert!(waits(&bare("deleting")).contains("older"));
    let mut ours = cx();
    let act = Act { at: ours.now - 10, certain: true, result: Value::Null };
    ours.progress.acts.insert(JOIN.into(), act);
    assert!(matches!(decide(&bare("available"), &ours), Step::Wait(_)), "no membership yet");
}

#[test]
fn another_member_in_the_region_keeps_it_out() {
    let other = OWN.replace(":orders", ":orders-2");
    let (why, _) = refusal(&primary(&[&other]));
    assert!(why.contains("orders-2 in us-east-1"), "{why}");
    assert_eq!(change(&primary(&[THIRD])).name(), JOIN);
}

#[test]
fn somebody_elses_parameter_is_not_overwritten() {
    for o in [alone(), primary(&[]), complete()] {
        let (why, _) = refusal(&output(o.clone(), Some(ID), Some("db-prod-1.example.com")));
        assert!(why.contains("/orders/cache in us-west-2 holds"), "{why}");
    }
    let old = output(complete(), Some("ldgnf-orders"), Some(ID));
    assert_eq!(change(&old).summary(), "write sgaui-orders to /orders/cache in us-east-1");
}

#[test]
fn automatic_failover_follows_size_zones_and_source() {
    let of = |tell: fn(&mut Observed)| match change(&with(primary(&[]), tell)) {
        Change::Join { fails_over, .. } => fails_over,
        other => panic!("{other:?}"),
    };
    assert_eq!(of(|_| ()), Some(true));
    assert_eq!(of(|o| o.wanted.nodes = Some(1)), None);
    assert_eq!(of(|o| o.wanted.nodes = None), None);
    assert_eq!(of(|o| o.source.as_mut().unwrap().fails_over = false), None);
    assert_eq!(of(|o| (o.wanted.nodes, o.wanted.multi_az) = (None, true)), Some(true));
    let sharded = |o: &mut Observed| {
        o.source.as_mut().unwrap().sharded = true;
        o.wanted.nodes = None;
    };
    assert_eq!(of(sharded), Some(true));
    let both = with(primary(&[]), |o| o.source.as_mut().unwrap().sharded = true);
    assert!(refusal(&both).1.contains("ReplicasPerNodeGroup"));
}

#[test]
fn refusals_are_spaced() {
    let mut cx = cx();
    cx.progress.faults.insert(JOIN.into(), 2);
    cx.progress.since = cx.now - 39;
    assert!(matches!(decide(&primary(&[]), &cx), Step::Wait(_)));
    cx.progress.since = cx.now - 40;
    assert!(matches!(decide(&primary(&[]), &cx), Step::Change(_)));
}

#[test]
fn the_plan_tells_everything_that_is_missing() {
    let (class, line) = outlook(&output(alone(), None, None), &cx()).unwrap();
    let wanted = "create global datastore ...-orders with orders-dr in us-west-2 as its primary, \
                  create orders in us-east-1 as a secondary of it, write its id to /orders/cache in \
                  us-east-1, us-west-2";
    assert_eq!((class, line.as_str()), (ChangeClass::Modify, wanted));
    let (class, line) = outlook(&primary(&[]), &cx()).unwrap();
    assert_eq!(
        (class, line.as_str()),
        (ChangeClass::Create, "create orders in us-east-1 as a secondary of sgaui-orders")
    );
    let leaving = with(primary(&[]), |o| {
        o.target = Some(Group { status: "deleting".into(), ..Group::sample(OWN).unwrap() });
    });
    assert!(outlook(&leaving, &cx()).unwrap().1.ends_with("an older one is being deleted"));
    assert_eq!(outlook(&complete(), &cx()), None);
    assert_eq!(outlook(&with(alone(), |o| o.source = None), &cx()), None);
}
