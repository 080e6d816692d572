//! A secondary cluster for the tests.

use crate::observed::{Observed, Wanted};
use shared_rds::{Arn, Cluster, ClusterMember, Global, Instance};

pub const CLUSTER: &str = "arn:aws:rds:us-west-2:123456789012:cluster:orders-dr";
pub const WRITER: &str = "arn:aws:rds:us-east-1:123456789012:cluster:orders";

pub fn db(id: &str) -> Arn {
    Arn::parse("P", &format!("arn:aws:rds:us-west-2:123456789012:db:{id}")).unwrap()
}

pub fn instance(id: &str) -> Instance {
    let sample = Instance::sample(&db(id).to_string()).unwrap();
    Instance { cluster: Some("orders-dr".into()), engine: "aurora-mysql".into(), ..sample }
}

/// A secondary without instances; a-1 and a-2 are wanted.
pub fn headless() -> Observed {
    let mut cluster = Cluster::sample(CLUSTER).unwrap();
    cluster.global = Some("orders-global".into());
    cluster.members.clear();
    cluster.serverless = true;
    Observed {
        wanted: Wanted {
            global: "orders-global".into(),
            cluster: Arn::parse_cluster("P", CLUSTER).unwrap(),
            instances: vec![db("a-1"), db("a-2")],
            class: "db.serverless".into(),
            serverless: true,
        },
        cluster: Some(cluster),
        global: Some(Global::sample(WRITER, &[CLUSTER]).unwrap()),
        instances: vec![None, None],
    }
}

/// The same with both instances; a-1 is the one that would write.
pub fn whole() -> Observed {
    let mut o = headless();
    o.instances = vec![Some(instance("a-1")), Some(instance("a-2"))];
    let member = |id: &str, writer| ClusterMember { id: id.into(), writer };
    o.cluster.as_mut().unwrap().members = vec![member("a-1", true), member("a-2", false)];
    o
}

pub fn with(mut o: Observed, change: impl FnOnce(&mut Observed)) -> Observed {
    change(&mut o);
    o
}

/// The same with one instance, or the cluster, in another state.
pub fn status(o: Observed, n: usize, word: &str) -> Observed {
    with(o, |o| o.instances[n].as_mut().unwrap().status = word.into())
}

pub fn cluster_status(o: Observed, word: &str) -> Observed {
    with(o, |o| o.cluster.as_mut().unwrap().status = word.into())
}
