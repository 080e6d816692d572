//! Every state and guard of INSTANTIATE.

use super::*;
use crate::samples::{cluster_status, headless, instance, status, whole, with};
use shared::progress::{Act, sample_cx};
use shared::{ChangeClass, Classified, Phase};

fn cx() -> Cx {
    sample_cx(Phase::Instantiate)
}

fn step(o: &Observed) -> Step<Change> {
    decide(o, &cx())
}

fn added(o: &Observed) -> String {
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

fn fails(o: &Observed) -> String {
    match step(o) {
        Step::Fail(ErrorType::Failed, why, _) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_missing_instance_is_made_and_existing_ones_are_no_error() {
    assert_eq!(added(&headless()), "CreateDBInstance a-1");
    let second = with(headless(), |o| o.instances[0] = Some(instance("a-1")));
    assert_eq!(added(&second), "CreateDBInstance a-2");
    assert_eq!(added(&status(second, 0, "creating")), "CreateDBInstance a-2");
    let Step::Done(outcome) = step(&whole()) else { panic!() };
    assert_eq!(outcome.summary, "a-1, a-2 are already available in orders-dr in us-west-2");
    let mut after = cx();
    let act = Act { at: after.now, certain: true, result: serde_json::Value::Null };
    after.progress.acts.insert("CreateDBInstance a-2".into(), act);
    let Step::Done(outcome) = decide(&whole(), &after) else { panic!() };
    assert!(outcome.summary.contains("are available"));
}

#[test]
fn the_engine_is_the_clusters_whatever_the_type_is_called() {
    let o = with(headless(), |o| {
        o.cluster.as_mut().unwrap().engine = "aurora-postgresql".into();
    });
    let Step::Change(change) = step(&o) else { panic!() };
    assert_eq!(change.class(), ChangeClass::Create);
    assert_eq!(change.summary(), "create instance a-1 (db.serverless) in orders-dr in us-west-2");
    assert!(matches!(change, Change::Add { engine, .. } if engine == "aurora-postgresql"));
}

#[test]
fn the_cluster_must_be_the_one_that_is_meant() {
    let Step::Unknown(missing, _) = step(&with(headless(), |o| o.cluster = None)) else { panic!() };
    assert_eq!(missing, ["rds:arn:aws:rds:us-west-2:123456789012:cluster:orders-dr"]);
    for (global, says) in [(None, "is none"), (Some("another"), "is another")] {
        let o = with(whole(), |o| {
            o.cluster.as_mut().unwrap().global = global.map(str::to_owned);
        });
        assert!(refuses(&o).0.contains(says));
    }
    let docdb = with(headless(), |o| o.cluster.as_mut().unwrap().engine = "docdb".into());
    assert!(refuses(&docdb).0.contains("no Aurora cluster"));
}

#[test]
fn states_of_the_cluster() {
    for word in ["creating", "modifying", "backing-up", "a-word-of-next-year"] {
        assert!(waits(&cluster_status(headless(), word)).contains(word));
        assert!(matches!(step(&cluster_status(whole(), word)), Step::Done(_)), "nothing to make");
    }
    for word in ["failed", "stopped", "deleting", "inaccessible-encryption-credentials"] {
        assert!(fails(&cluster_status(headless(), word)).contains(word));
    }
}

#[test]
fn states_of_the_instances() {
    for word in ["creating", "rebooting", "a-word-of-next-year"] {
        assert!(waits(&status(whole(), 1, word)).contains("a-2"));
    }
    assert!(waits(&status(whole(), 0, "deleting")).contains("older instance a-1"));
    for word in ["failed", "incompatible-parameters", "stopped"] {
        assert!(fails(&status(whole(), 0, word)).contains(word));
    }
}

#[test]
fn an_instance_counts_when_the_cluster_lists_it() {
    let o = with(whole(), |o| drop(o.cluster.as_mut().unwrap().members.pop()));
    assert!(waits(&o).contains("does not list instance a-2"));
}

#[test]
fn an_instance_of_the_name_elsewhere_is_refused() {
    for (cluster, role) in [(None, "single"), (Some("other"), "a member of other")] {
        let o = with(whole(), |o| {
            o.instances[1].as_mut().unwrap().cluster = cluster.map(str::to_owned);
        });
        assert!(refuses(&o).0.contains(role));
    }
}

#[test]
fn serverless_instances_need_a_capacity_range() {
    let unranged = |mut o: Observed| {
        o.cluster.as_mut().unwrap().serverless = false;
        o
    };
    assert!(refuses(&unranged(headless())).1.contains("DBInstanceClass"));
    assert!(matches!(step(&unranged(whole())), Step::Done(_)), "nothing to make");
    let provisioned = with(unranged(headless()), |o| {
        (o.wanted.class, o.wanted.serverless) = ("db.r6g.large".into(), false);
    });
    assert_eq!(added(&provisioned), "CreateDBInstance a-1");
}

#[test]
fn the_plan_names_all_that_are_missing() {
    let line = outlook(&headless(), &cx()).unwrap();
    assert_eq!(line, "create instances a-1, a-2 (db.serverless) in orders-dr in us-west-2");
    let waiting = outlook(&status(whole(), 0, "deleting"), &cx()).unwrap();
    assert!(waiting.starts_with("create instance a-1 "), "{waiting}");
    assert!(waiting.ends_with("; first waits: an older instance a-1 is being deleted"));
    assert_eq!(outlook(&status(whole(), 0, "creating"), &cx()), None);
}
