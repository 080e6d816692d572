//! Looks for the tests.

use crate::change::{Change, DELETE};
use crate::decide::decide;
use crate::observed::{Observed, Wanted};
use serde_json::Value;
use shared::progress::{Act, sample_cx};
use shared::{Cx, Phase, Step};
use shared_rds::{
    Arn, Cluster, ClusterMember, Failover, Global, Instance, POINT_OF_FAILURE, Snapshot,
};

pub const OLD: &str = "arn:aws:rds:us-east-1:123456789012:cluster:orders";
pub const NEW: &str = "arn:aws:rds:us-west-2:123456789012:cluster:orders-dr";
pub const THIRD: &str = "arn:aws:rds:eu-west-1:123456789012:cluster:orders-eu";
pub const FINAL: &str = "dr-final-orders-cluster-abc123";

/// Both standalone: the old one with a reader and a writer, ready to go.
pub fn look() -> Observed {
    let wanted = Wanted {
        stale: Arn::parse_cluster("P", OLD).unwrap(),
        writer: Arn::parse_cluster("P", NEW).unwrap(),
        global: None,
        final_snapshot: true,
        snapshot_name: None,
        copy_point_of_failure: true,
        may_lift_protection: false,
        delete_global: false,
        may_delete_standby: false,
        allowed_replicas: vec![],
    };
    let mut stale = Cluster::sample(OLD).unwrap();
    stale.members.insert(0, ClusterMember { id: "orders-2".into(), writer: false });
    Observed {
        stale: Some(stale),
        instances: vec![instance("us-east-1", "orders-1"), instance("us-east-1", "orders-2")],
        writer_instances: vec![instance("us-west-2", "orders-dr-1")],
        writer: Some(Cluster::sample(NEW).unwrap()),
        ..Observed::nothing(wanted)
    }
}

pub fn instance(region: &str, id: &str) -> Instance {
    let sample = Instance::sample(&format!("arn:aws:rds:{region}:123456789012:db:{id}")).unwrap();
    Instance { engine: "aurora-mysql".into(), cluster: Some("orders".into()), ..sample }
}

pub fn with(change: impl FnOnce(&mut Observed)) -> Observed {
    let mut o = look();
    change(&mut o);
    o
}

pub fn old(change: impl FnOnce(&mut Cluster)) -> Observed {
    with(|o| change(o.stale.as_mut().unwrap()))
}

pub fn new(change: impl FnOnce(&mut Cluster)) -> Observed {
    with(|o| change(o.writer.as_mut().unwrap()))
}

/// Both Regions know this global cluster.
pub fn in_global(writer: &str, others: &[&str]) -> Observed {
    let global = Global::sample(writer, others).unwrap();
    with(|o| {
        for cluster in [&mut o.stale, &mut o.writer].into_iter().flatten() {
            cluster.global = global.member(&cluster.arn).map(|_| global.id.clone());
        }
        (o.here, o.there) = (vec![global.clone()], vec![global]);
    })
}

/// The old cluster is what is left of the global cluster.
pub fn sole() -> Observed {
    in_global(OLD, &[])
}

/// Both Regions tell the same change.
pub fn both(o: &mut Observed, change: impl Fn(&mut Global)) {
    o.here.iter_mut().chain(&mut o.there).for_each(change);
}

pub fn failover(to: &str, status: &str) -> Failover {
    Failover { status: status.into(), from: OLD.into(), to: to.into(), data_loss_allowed: false }
}

pub fn vanished(snapshots: Vec<Snapshot>) -> Observed {
    let wanted = look().wanted;
    Observed { snapshots, ..Observed::nothing(wanted) }
}

pub fn snapshot(name: &str, status: &str) -> Snapshot {
    Snapshot { status: status.into(), ..Snapshot::sample(name) }
}

pub fn point_of_failure(status: &str) -> Snapshot {
    snapshot(&format!("{POINT_OF_FAILURE}orders-2026-01-02-03-04-05"), status)
}

pub const COPY: &str = "dr-failure-orders-2026-01-02-03-04-05";

pub fn copied(status: &str) -> Snapshot {
    Snapshot { source: Some(point_of_failure("available").arn), ..snapshot(COPY, status) }
}

pub fn cx() -> Cx {
    sample_cx(Phase::Cleanup)
}

pub fn after_delete(certain: bool, result: Value) -> Cx {
    let mut cx = cx();
    cx.progress.acts.insert(DELETE.into(), Act { at: cx.now - 60, certain, result });
    cx
}

pub fn step(o: &Observed) -> Step<Change> {
    decide(o, &cx())
}

pub fn refusal(o: &Observed) -> String {
    let Step::Refuse(why, next) = step(o) else { panic!("{:?}", step(o)) };
    assert!(!next.is_empty());
    why
}

pub fn waits(o: &Observed) -> String {
    let Step::Wait(why) = step(o) else { panic!("{:?}", step(o)) };
    why
}

pub fn fails(o: &Observed) -> String {
    let Step::Fail(shared::ErrorType::Failed, why, next) = step(o) else { panic!("{:?}", step(o)) };
    assert!(!next.is_empty());
    why
}

pub fn change(o: &Observed) -> Change {
    let Step::Change(change) = step(o) else { panic!("{:?}", step(o)) };
    change
}

pub fn summary(step: Step<Change>) -> String {
    let Step::Done(outcome) = step else { panic!("{step:?}") };
    outcome.summary
}

pub fn deletes(snapshot: Option<&str>) -> Change {
    Change::Delete { id: "orders".into(), snapshot: snapshot.map(str::to_owned) }
}

pub fn deletes_instance(id: &str) -> Change {
    Change::DeleteInstance { id: id.into() }
}
