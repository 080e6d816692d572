//! Every state, every guard, and what the databases framework got wrong here.

use super::*;
use crate::observed::Wanted;
use serde_json::Value;
use shared::progress::{Act, sample_cx};
use shared::{Classified, Phase};
use shared_rds::Instance;

const SOURCE: &str = "arn:aws:rds:us-west-2:123456789012:cluster:orders-dr";
const NEW: &str = "arn:aws:rds:us-east-1:123456789012:cluster:orders";
const OTHER: &str = "arn:aws:rds:us-east-1:123456789012:cluster:other";
const THIRD: &str = "arn:aws:rds:eu-west-1:123456789012:cluster:orders-eu";

fn arn(text: &str) -> Arn {
    Arn::parse_cluster("P", text).unwrap()
}

fn db(id: &str) -> Arn {
    Arn::parse("P", &format!("arn:aws:rds:us-east-1:123456789012:db:{id}")).unwrap()
}

fn wanted() -> Wanted {
    Wanted {
        global: "orders-global".into(),
        source: arn(SOURCE),
        cluster: arn(NEW),
        instances: vec![db("orders-1"), db("orders-2")],
        engine: "aurora-mysql".into(),
        version: None,
        encrypted: None,
        has_key: false,
        serverless: false,
        capacity: false,
    }
}

/// Only the source exists, standalone.
fn nothing() -> Observed {
    Observed {
        wanted: wanted(),
        source: Some(Cluster::sample(SOURCE).unwrap()),
        global: None,
        cluster: None,
        instances: vec![None, None],
    }
}

/// The global cluster of the source alone.
fn global() -> Observed {
    let mut o = nothing();
    o.source.as_mut().unwrap().global = Some("orders-global".into());
    o.global = Some(Global::sample(SOURCE, &[]).unwrap());
    o
}

/// The secondary without instances.
fn headless() -> Observed {
    let mut o = global();
    o.global = Some(Global::sample(SOURCE, &[NEW]).unwrap());
    let mut cluster = Cluster::sample(NEW).unwrap();
    cluster.global = Some("orders-global".into());
    cluster.members.clear();
    o.cluster = Some(cluster);
    o
}

fn instance(id: &str) -> Instance {
    let name = format!("arn:aws:rds:us-east-1:123456789012:db:{id}");
    let sample = Instance::sample(&name).unwrap();
    Instance { cluster: Some("orders".into()), engine: "aurora-mysql".into(), ..sample }
}

/// Everything.
fn whole() -> Observed {
    let mut o = headless();
    o.instances = vec![Some(instance("orders-1")), Some(instance("orders-2"))];
    o
}

fn with(mut o: Observed, change: impl FnOnce(&mut Observed)) -> Observed {
    change(&mut o);
    o
}

fn cx() -> Cx {
    sample_cx(Phase::Replicate)
}

fn acted(key: &str, ago: i64) -> Cx {
    let mut cx = cx();
    let act = Act { at: cx.now - ago, certain: true, result: Value::Null };
    cx.progress.acts.insert(key.into(), act);
    cx
}

fn step(o: &Observed) -> Step<Change> {
    decide(o, &cx())
}

fn change(o: &Observed) -> Change {
    match step(o) {
        Step::Change(change) => change,
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

fn finished(o: &Observed, cx: &Cx) -> String {
    match decide(o, cx) {
        Step::Done(outcome) => outcome.summary,
        other => panic!("{other:?}"),
    }
}

#[test]
fn one_thing_after_the_other_is_made_and_each_where_it_belongs() {
    let o = nothing();
    assert_eq!(change(&o), Change::Global { id: "orders-global".into(), source: arn(SOURCE) });
    let Change::Cluster(new) = change(&global()) else { panic!() };
    let NewCluster { cluster, global: of, engine, version, encrypted } = new;
    assert_eq!((cluster, of.as_str(), encrypted), (arn(NEW), "orders-global", false));
    assert_eq!((engine.as_str(), version.as_str()), ("aurora-mysql", "8.0.mysql_aurora.3.05.2"));
    let first = change(&headless());
    assert_eq!(first.summary(), "create instance orders-1 in orders");
    let second = change(&with(headless(), |o| o.instances[0] = Some(instance("orders-1"))));
    assert_eq!(second.summary(), "create instance orders-2 in orders");
    assert_ne!(first.key(), second.key(), "the loop must not take one for the other");
    assert_eq!(first.name(), second.name());
    let line = finished(&whole(), &acted("CreateDBInstance orders-2", 300));
    assert_eq!(
        line,
        "orders in us-east-1 follows orders-dr in us-west-2, 2 of 2 instances available, connected"
    );
}

#[test]
fn what_is_there_after_a_partial_run_or_a_managed_failover_is_kept() {
    assert!(finished(&whole(), &cx()).contains("follows already"));
    let creating = |o: &mut Observed| {
        let mut first = instance("orders-1");
        first.status = "creating".into();
        o.instances[0] = Some(first);
    };
    let next = change(&with(headless(), creating));
    assert_eq!(next.key(), "CreateDBInstance orders-2", "the others need not wait for the first");
}

#[test]
fn a_source_that_is_missing_is_unknown() {
    let o = with(nothing(), |o| o.source = None);
    let Step::Unknown(missing, _) = step(&o) else { panic!() };
    assert_eq!(missing, [format!("rds:{SOURCE}")]);
}

#[test]
fn a_source_in_the_wrong_state_gets_no_global_cluster_and_no_secondary() {
    for base in [nothing, global] {
        let status = |s: &str| with(base(), |o| o.source.as_mut().unwrap().status = s.into());
        for word in ["backing-up", "modifying", "upgrading", "a-word-of-next-year"] {
            assert!(waits(&status(word)).contains(word));
        }
        for word in ["stopped", "failed", "inaccessible-encryption-credentials", "deleting"] {
            assert!(fails(&status(word)).contains(word));
        }
        let empty = with(base(), |o| o.source.as_mut().unwrap().members.clear());
        assert!(fails(&empty).contains("has no instance"));
        let unled = with(base(), |o| o.source.as_mut().unwrap().members[0].writer = false);
        assert!(waits(&unled).contains("no writer"));
    }
}

#[test]
fn a_busy_source_does_not_undo_what_is_there() {
    let o = with(whole(), |o| o.source.as_mut().unwrap().status = "backing-up".into());
    assert!(finished(&o, &cx()).contains("connected"));
}

#[test]
fn another_source_than_the_manifest_means_is_refused() {
    let engine = |e: &str| with(nothing(), |o| o.source.as_mut().unwrap().engine = e.into());
    assert!(refuses(&engine("aurora-postgresql")).0.contains("aurora-postgresql"));
    assert!(refuses(&engine("mysql")).0.contains("no Aurora cluster"));
    let elsewhere = with(nothing(), |o| {
        o.source.as_mut().unwrap().global = Some("another".into());
    });
    assert!(refuses(&elsewhere).0.contains("another"));
    let late = with(global(), |o| o.global = None);
    assert!(waits(&late).contains("does not show yet"));
    let case = with(global(), |o| o.source.as_mut().unwrap().global = Some("Orders-Global".into()));
    assert!(matches!(step(&case), Step::Change(Change::Cluster(_))));
}

#[test]
fn a_stale_global_cluster_is_for_cleanup_and_never_deleted_here() {
    for stale in [NEW, OTHER] {
        let mut o = nothing();
        o.global = Some(Global::sample(stale, &[]).unwrap());
        let mut cluster = Cluster::sample(NEW).unwrap();
        cluster.global = Some("orders-global".into());
        o.cluster = Some(cluster);
        let (why, next) = refuses(&o);
        assert!(why.contains(stale) && why.contains("stale"), "{why}");
        assert!(next.contains("DeleteAuroraCluster") && next.contains("CLEANUP"));
    }
}

#[test]
fn before_the_failover_nothing_is_called_stale() {
    let o = with(whole(), |o| o.global = Some(Global::sample(NEW, &[SOURCE]).unwrap()));
    let (why, next) = refuses(&o);
    assert!(why.contains("which is its secondary"));
    assert!(next.contains("ACTIVATE") && !next.contains("DeleteAuroraCluster"));
}

#[test]
fn a_primary_in_a_third_region_is_a_wrong_manifest() {
    let o = with(nothing(), |o| o.global = Some(Global::sample(THIRD, &[]).unwrap()));
    assert!(refuses(&o).1.contains("SourceDBClusterIdentifier"));
    let third = with(global(), |o| o.global = Some(Global::sample(SOURCE, &[THIRD]).unwrap()));
    assert!(matches!(step(&third), Step::Change(Change::Cluster(_))), "no concern of ours");
}

#[test]
fn a_region_has_one_secondary() {
    let o = with(global(), |o| o.global = Some(Global::sample(SOURCE, &[OTHER]).unwrap()));
    assert!(refuses(&o).0.contains("has another cluster in us-east-1: other"));
}

#[test]
fn states_of_the_global_cluster() {
    let status = |s: &str| with(global(), |o| o.global.as_mut().unwrap().status = s.into());
    for word in ["creating", "modifying", "deleting", "a-word-of-next-year"] {
        assert!(waits(&status(word)).contains(word));
    }
    assert!(fails(&status("failed")).contains("global cluster"));
    let empty = with(global(), |o| o.global.as_mut().unwrap().members.clear());
    assert!(refuses(&empty).0.contains("no primary"));
    let failover = shared_rds::Failover {
        status: "switching-over".into(),
        from: SOURCE.into(),
        to: NEW.into(),
        data_loss_allowed: false,
    };
    let moving = with(whole(), |o| o.global.as_mut().unwrap().failover = Some(failover));
    assert!(waits(&moving).contains("switching-over"));
}

#[test]
fn a_cluster_of_the_name_that_is_no_secondary_is_for_cleanup() {
    for (named, role) in [(None, "standalone"), (Some("another"), "a member of another")] {
        for base in [nothing, global] {
            let mut cluster = Cluster::sample(NEW).unwrap();
            cluster.global = named.map(str::to_owned);
            let (why, next) = refuses(&with(base(), |o| o.cluster = Some(cluster)));
            assert!(why.contains(role), "{why}");
            assert!(next.contains("DeleteAuroraCluster"));
        }
    }
    let other = with(headless(), |o| o.cluster.as_mut().unwrap().engine = "aurora".into());
    assert!(refuses(&other).0.contains("wanted aurora-mysql"));
}

#[test]
fn a_cluster_being_deleted_is_waited_for_and_not_created_over() {
    for base in [nothing, global] {
        let mut cluster = Cluster::sample(NEW).unwrap();
        cluster.status = "deleting".into();
        assert!(waits(&with(base(), |o| o.cluster = Some(cluster))).contains("being deleted"));
    }
}

#[test]
fn a_cluster_just_created_may_show_its_global_cluster_late() {
    let mut cluster = Cluster::sample(NEW).unwrap();
    let bare = with(global(), |o| o.cluster = Some(cluster.clone()));
    assert!(matches!(decide(&bare, &acted("CreateDBCluster", 10)), Step::Wait(_)));
    assert!(matches!(decide(&bare, &acted("CreateDBCluster", 121)), Step::Refuse(..)));
    cluster.status = "creating".into();
    assert!(waits(&with(global(), |o| o.cluster = Some(cluster))).contains("does not show yet"));
    let listed = with(headless(), |o| o.cluster.as_mut().unwrap().global = None);
    assert!(matches!(step(&listed), Step::Change(Change::Instance { .. })));
    let hidden = with(headless(), |o| {
        o.source.as_mut().unwrap().global = None;
        o.global = None;
    });
    assert!(waits(&hidden).contains("orders is a member of orders-global, which does not show"));
    let unseen = with(headless(), |o| o.cluster = None);
    assert!(waits(&unseen).contains("does not show it"));
}

#[test]
fn states_of_the_secondary() {
    let status = |s: &str| with(headless(), |o| o.cluster.as_mut().unwrap().status = s.into());
    for word in ["creating", "backing-up", "configuring-iam-database-auth", "upgrading"] {
        assert!(waits(&status(word)).contains(word), "no instance before the cluster is available");
    }
    for word in ["failed", "incompatible-network", "inaccessible-encryption-credentials"] {
        assert!(fails(&status(word)).contains(word));
    }
}

#[test]
fn states_of_the_instances() {
    let status = |s: &str| with(whole(), |o| o.instances[1].as_mut().unwrap().status = s.into());
    for word in ["creating", "configuring-enhanced-monitoring", "a-word-of-next-year"] {
        assert!(waits(&status(word)).contains("orders-2"));
    }
    assert!(waits(&status("deleting")).contains("older instance orders-2"));
    for word in ["failed", "incompatible-parameters", "storage-full"] {
        assert!(fails(&status(word)).contains("orders-2"));
    }
}

#[test]
fn an_instance_of_the_name_elsewhere_is_refused_before_anything_is_made() {
    for (cluster, role) in [(None, "single"), (Some("other"), "a member of other")] {
        for base in [nothing, global, headless] {
            let mut stranger = instance("orders-1");
            stranger.cluster = cluster.map(str::to_owned);
            let (why, _) = refuses(&with(base(), |o| o.instances[0] = Some(stranger)));
            assert!(why.contains(role), "{why}");
        }
    }
}

#[test]
fn encryption_is_as_the_sources() {
    // (source, key, StorageEncrypted, refused)
    let table = [
        (true, false, None, true),
        (true, false, Some(true), true),
        (true, true, Some(false), true),
        (true, true, Some(true), false),
        (true, true, None, false),
        (false, true, None, true),
        (false, false, Some(true), true),
        (false, false, Some(false), false),
        (false, false, None, false),
    ];
    for (encrypted, key, said, refused) in table {
        let o = with(global(), |o| {
            o.source.as_mut().unwrap().encrypted = encrypted;
            o.wanted.has_key = key;
            o.wanted.encrypted = said;
        });
        match (step(&o), refused) {
            (Step::Refuse(..), true) => {}
            (Step::Change(Change::Cluster(NewCluster { encrypted: sent, .. })), false) => {
                assert_eq!(sent, encrypted);
            }
            (other, _) => panic!("{encrypted} {key} {said:?}: {other:?}"),
        }
    }
    let by_global = with(global(), |o| o.global.as_mut().unwrap().encrypted = true);
    assert!(refuses(&by_global).1.contains("KmsKeyId"));
}

#[test]
fn serverless_instances_need_a_capacity_range() {
    let serverless = |o: &mut Observed| o.wanted.serverless = true;
    assert!(refuses(&with(nothing(), serverless)).1.contains("ServerlessV2MinCapacity"));
    let given = with(nothing(), |o| (o.wanted.serverless, o.wanted.capacity) = (true, true));
    assert!(matches!(step(&given), Step::Change(Change::Global { .. })));
    assert!(refuses(&with(headless(), serverless)).1.contains("ModifyDBCluster"));
    let ranged = with(headless(), |o| {
        o.wanted.serverless = true;
        o.cluster.as_mut().unwrap().serverless = true;
    });
    assert!(matches!(step(&ranged), Step::Change(Change::Instance { .. })));
    assert!(finished(&with(whole(), serverless), &cx()).contains("connected"), "nothing to make");
}

#[test]
fn available_is_not_the_end_without_the_relation() {
    let member = |change: fn(&mut shared_rds::GlobalMember)| {
        with(whole(), |o| change(&mut o.global.as_mut().unwrap().members[1]))
    };
    let resync = member(|m| m.synchronization = Some("pending-resync".into()));
    assert!(waits(&resync).contains("pending-resync"));
    let writer = member(|m| m.writer = true);
    assert!(waits(&writer).contains("two writers"));
    let unlisted = with(whole(), |o| o.global = Some(Global::sample(SOURCE, &[]).unwrap()));
    assert!(waits(&unlisted).contains("does not list it yet"));
}

#[test]
fn without_a_word_of_synchronization_the_rest_is_enough_after_a_while_and_is_said() {
    let silent = with(whole(), |o| {
        o.global.as_mut().unwrap().members[1].synchronization = None;
    });
    assert!(matches!(decide(&silent, &acted("CreateDBInstance orders-2", 60)), Step::Wait(_)));
    let later = finished(&silent, &acted("CreateDBInstance orders-2", 120));
    assert!(later.contains("shows no word of synchronization"), "{later}");
    assert!(finished(&silent, &cx()).contains("shows no word of synchronization"));
}

#[test]
fn another_version_than_expected_is_a_warning() {
    let said = |v: &str| with(whole(), |o| o.wanted.version = Some(v.into()));
    assert!(
        finished(&said("8.0.mysql_aurora.3.04.0"), &cx()).contains("warning: version 8.0.mysql")
    );
    for same in ["8.0.mysql_aurora.3.05.2", "8.0"] {
        assert!(!finished(&said(same), &cx()).contains("warning"));
    }
}

#[test]
fn the_plan_tells_the_whole_operation() {
    let line = |o: &Observed| outlook(o, &cx()).unwrap();
    assert_eq!(
        line(&nothing()),
        "create global cluster orders-global of orders-dr; secondary orders in us-east-1; \
         instances orders-1, orders-2 in orders"
    );
    assert!(line(&global()).starts_with("create secondary orders in us-east-1; instances"));
    let one = with(headless(), |o| o.instances[1] = Some(instance("orders-2")));
    assert_eq!(line(&one), "create instance orders-1 in orders");
    let mut old = Cluster::sample(NEW).unwrap();
    old.status = "deleting".into();
    let waiting = line(&with(global(), |o| o.cluster = Some(old)));
    assert!(waiting.ends_with("; first waits: an older orders is being deleted"), "{waiting}");
    let version = with(global(), |o| o.wanted.version = Some("5.7".into()));
    assert!(line(&version).contains("warning"));
    let mut busy = whole();
    busy.instances[0].as_mut().unwrap().status = "creating".into();
    assert_eq!(outlook(&busy, &cx()), None, "nothing is left to make");
}

#[test]
fn everything_it_does_is_creation() {
    for o in [nothing(), global(), headless()] {
        assert_eq!(change(&o).class(), shared::ChangeClass::Create);
    }
}
