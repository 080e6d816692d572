//! What the databases of an account look like: identifiers, roles, relations, states. No times and
//! nothing that two equal worlds would differ in.

use aws_sdk_rds::types::{DbCluster, DbClusterSnapshot, DbInstance, DbSnapshot, GlobalCluster};
use e2e::World;
use serde_json::{Map, Value, json};

/// The topology as these Regions show it: of caches, or of databases.
pub async fn topology(world: &World, regions: &[&str], caches: bool) -> Value {
    let mut all = Map::new();
    for region in regions {
        let shown = match caches {
            true => super::caches::topology(world, region).await,
            false => rds(world, region).await,
        };
        all.insert((*region).to_owned(), shown);
    }
    Value::Object(all)
}

async fn rds(world: &World, region: &str) -> Value {
    let rds = world.rds(region);
    let instances = rds.describe_db_instances().send().await.expect("describe-db-instances");
    let clusters = rds.describe_db_clusters().send().await.expect("describe-db-clusters");
    let globals = rds.describe_global_clusters().send().await.expect("describe-global-clusters");
    let manual = "manual";
    let snapshots = rds.describe_db_snapshots().snapshot_type(manual).send().await.expect("list");
    let of_clusters = rds.describe_db_cluster_snapshots().snapshot_type(manual);
    let of_clusters = of_clusters.send().await.expect("describe-db-cluster-snapshots");
    json!({
        "instances": keyed(instances.db_instances(), instance),
        "clusters": keyed(clusters.db_clusters(), cluster),
        "globals": keyed(globals.global_clusters(), global),
        "snapshots": keyed(snapshots.db_snapshots(), snapshot),
        "clusterSnapshots": keyed(of_clusters.db_cluster_snapshots(), cluster_snapshot),
    })
}

/// An object from rows.
pub fn keyed<T>(items: &[T], row: impl Fn(&T) -> (String, Value)) -> Value {
    let mut rows: Vec<_> = items.iter().map(row).collect();
    rows.sort_by(|a, b| a.0.cmp(&b.0));
    Value::Object(rows.into_iter().collect())
}

fn sorted<T: AsRef<str>>(items: &[T]) -> Vec<&str> {
    let mut items: Vec<_> = items.iter().map(AsRef::as_ref).collect();
    items.sort_unstable();
    items
}

fn instance(i: &DbInstance) -> (String, Value) {
    let shown = json!({
        "status": i.db_instance_status(),
        "source": i.read_replica_source_db_instance_identifier(),
        "replicas": sorted(i.read_replica_db_instance_identifiers()),
        "replication": i.status_infos().iter().map(|s| s.status()).collect::<Vec<_>>(),
        "cluster": i.db_cluster_identifier(),
        "protected": i.deletion_protection(),
        "retention": i.backup_retention_period(),
        "engine": i.engine(),
    });
    (i.db_instance_identifier().unwrap_or_default().to_owned(), shown)
}

fn cluster(c: &DbCluster) -> (String, Value) {
    let members = keyed(c.db_cluster_members(), |m| {
        (m.db_instance_identifier().unwrap_or_default().to_owned(), json!(m.is_cluster_writer()))
    });
    let shown = json!({
        "status": c.status(),
        "members": members,
        "source": c.replication_source_identifier(),
        "protected": c.deletion_protection(),
        "engine": c.engine(),
        "version": c.engine_version(),
    });
    (c.db_cluster_identifier().unwrap_or_default().to_owned(), shown)
}

fn global(g: &GlobalCluster) -> (String, Value) {
    let members = keyed(g.global_cluster_members(), |m| {
        let cluster = m.db_cluster_arn().unwrap_or_default().to_owned();
        (cluster, json!({"writer": m.is_writer(), "readers": sorted(m.readers())}))
    });
    let failover = g.failover_state().and_then(|f| f.status()).map(|s| s.as_str().to_owned());
    let shown = json!({
        "status": g.status(),
        "members": members,
        "failover": failover,
        "protected": g.deletion_protection(),
        "engine": g.engine(),
    });
    (g.global_cluster_identifier().unwrap_or_default().to_owned(), shown)
}

fn snapshot(s: &DbSnapshot) -> (String, Value) {
    let shown = json!({"status": s.status(), "of": s.db_instance_identifier()});
    (numberless(s.db_snapshot_identifier()), shown)
}

fn cluster_snapshot(s: &DbClusterSnapshot) -> (String, Value) {
    let shown = json!({"status": s.status(), "of": s.db_cluster_identifier()});
    (numberless(s.db_cluster_snapshot_identifier()), shown)
}

/// Names of snapshots carry times: each number becomes `#`.
pub fn numberless(name: Option<&str>) -> String {
    let mut text = String::new();
    for c in name.unwrap_or_default().chars() {
        match c.is_ascii_digit() {
            true if text.ends_with('#') => {}
            true => text.push('#'),
            false => text.push(c),
        }
    }
    text
}

/// Where two topologies differ, one line each.
pub fn differences(wanted: &Value, shown: &Value, at: &str) -> Vec<String> {
    let (Value::Object(a), Value::Object(b)) = (wanted, shown) else {
        let differ = wanted != shown;
        return differ
            .then(|| format!("{at}: {shown}, in the clean run {wanted}"))
            .into_iter()
            .collect();
    };
    let mut names: Vec<&String> = a.keys().chain(b.keys()).collect();
    names.sort_unstable();
    names.dedup();
    let of =
        |map: &Map<String, Value>, name: &str| map.get(name).cloned().unwrap_or(json!("absent"));
    let each = names.into_iter();
    each.flat_map(|n| differences(&of(a, n), &of(b, n), &format!("{at}/{n}"))).collect()
}
