//! The sample databases: payloads of the databases framework, and whole round trips.

use crate::permissions::contracts::all_within;
use e2e::databases::payload;
use e2e::manifests::{FILES, application, product, resource};
use e2e::{EAST, Ended, WEST, World};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const MYSQL: &str = "dr-globaldb-cluster-mysql";
const POSTGRESQL: &str = "dr-globaldb-cluster-postgresql";

/// Who is what: `global <id>`, `cluster <id>`, `instance <id>`, `cache <Region>/<id>`. Without the
/// prefix of a global datastore's id, which tells where it was made last.
async fn topology(world: &World) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for region in [EAST, WEST] {
        databases(world, region, &mut all).await;
        caches(world, region, &mut all).await;
    }
    all
}

async fn databases(world: &World, region: &str, all: &mut BTreeMap<String, String>) {
    let rds = world.rds(region);
    for g in rds.describe_global_clusters().send().await.unwrap().global_clusters() {
        let member = |m: &aws_sdk_rds::types::GlobalClusterMember| {
            let role = if m.is_writer() == Some(true) { "writer" } else { "reader" };
            format!("{} {role}", m.db_cluster_arn().unwrap().rsplit(':').next().unwrap())
        };
        let mut members: Vec<_> = g.global_cluster_members().iter().map(member).collect();
        members.sort();
        let shown = format!("{} {}", g.status().unwrap(), members.join(", "));
        all.insert(format!("global {}", g.global_cluster_identifier().unwrap()), shown);
    }
    for c in rds.describe_db_clusters().send().await.unwrap().db_clusters() {
        let global = c.global_cluster_identifier().unwrap_or_default();
        let shown =
            format!("{} {global} protected={:?}", c.status().unwrap(), c.deletion_protection());
        all.insert(format!("cluster {}", c.db_cluster_identifier().unwrap()), shown);
    }
    for i in rds.describe_db_instances().send().await.unwrap().db_instances() {
        let source = i.read_replica_source_db_instance_identifier().unwrap_or_default();
        let cluster = i.db_cluster_identifier().unwrap_or_default();
        let shown = format!("{} {cluster}{source}", i.db_instance_status().unwrap());
        all.insert(format!("instance {}", i.db_instance_identifier().unwrap()), shown);
    }
}

async fn caches(world: &World, region: &str, all: &mut BTreeMap<String, String>) {
    let groups = world.elasticache(region).describe_replication_groups().send().await.unwrap();
    for g in groups.replication_groups() {
        let info = g.global_replication_group_info();
        let id = info.and_then(|i| i.global_replication_group_id()).unwrap_or_default();
        let id = id.split_once('-').map_or("", |(_, suffix)| suffix);
        let role = info.and_then(|i| i.global_replication_group_member_role()).unwrap_or_default();
        let shown = format!("{} {id} {role}", g.status().unwrap());
        all.insert(format!("cache {region}/{}", g.replication_group_id().unwrap()), shown);
    }
}

async fn writer(world: &World, region: &str, global: &str) -> String {
    let ask = world.rds(region).describe_global_clusters().global_cluster_identifier(global);
    let shown = ask.send().await.unwrap();
    let members = shown.global_clusters()[0].global_cluster_members();
    let writer = members.iter().find(|m| m.is_writer() == Some(true)).unwrap();
    writer.db_cluster_arn().unwrap().rsplit(':').next().unwrap().to_owned()
}

async fn failover(world: &World, case: &str) -> Ended {
    let arn = world.start_named(WEST, "dr-orchestrator-stepfunction-FAILOVER", payload(case)).await;
    world.wait(&arn, 240).await
}

async fn failback(world: &World, case: &str) -> Ended {
    let arn = world.start_named(EAST, "dr-orchestrator-stepfunction-FAILBACK", payload(case)).await;
    world.wait(&arn, 240).await
}

fn calls_to(world: &World, region: &str) -> Vec<String> {
    let calls = world.control.calls();
    calls.iter().filter(|c| c.text("region") == region).map(|c| c.action()).collect()
}

async fn run(world: &World, region: &str, name: &str) {
    let key = format!("{FILES}product-manifest-databases-{name}.json");
    world.run(region, &key).await.succeeded();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_frameworks_switchover_runs_as_it_stands() {
    let world = World::with_databases();
    failover(&world, "case-1").await.succeeded();
    assert_eq!(writer(&world, WEST, MYSQL).await, "dbcluster-mysql-02");
    assert_eq!(world.changes(), ["rds:SwitchoverGlobalCluster"]);
    failover(&world, "case-1-literal").await.succeeded();
    assert_eq!(world.count("rds:SwitchoverGlobalCluster"), 1, "it is the writer already");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_frameworks_detachment_and_its_failback_run() {
    let world = World::with_databases();
    world.control.dark(EAST, true);
    let ended = failover(&world, "case-2").await.succeeded();
    assert_eq!(world.changes(), ["rds:RemoveFromGlobalCluster"]);
    assert_eq!(calls_to(&world, EAST), Vec::<String>::new());
    let report = world.report("direct", &ended.arn).await.to_string();
    assert!(report.contains("without AcceptDataLoss"), "consents are warnings: {report}");

    world.control.dark(EAST, false);
    world.control.clear_calls();
    let cause = failback(&world, "case-3").await.failed("Dr.PlanFailed");
    let nearest = "Did you mean \"dr-globaldb-cluster-mysql-vpc-security-group-ids\"?";
    assert!(cause.contains(nearest), "{cause}");
    let stale = failback(&world, "case-3-corrected").await.failed("Dr.PlanFailed");
    assert!(stale.contains("DeleteAuroraCluster"), "{stale}");
    assert_eq!(world.changes(), Vec::<String>::new());

    world.run(EAST, &clean_up(&world).await).await.succeeded();
    failback(&world, "case-3-corrected").await.succeeded();
    assert_eq!(writer(&world, EAST, MYSQL).await, "dbcluster-mysql-02");
    let shown = topology(&world).await;
    let members = "available dbcluster-mysql-01 reader, dbcluster-mysql-02 writer";
    assert_eq!(shown[&format!("global {MYSQL}")], members);
}

/// The stale cluster and its global cluster, which the framework's failback deleted by itself.
async fn clean_up(world: &World) -> String {
    let of = |name: &str| format!("!Import {MYSQL}-{name}");
    let delete = json!({
        "DBClusterIdentifier": of("cluster-identifier"), "ClusterRegion": of("cluster-region"),
        "ExpectedWriterArn": of("source-cluster-identifier"), "DisableDeletionProtection": "True",
        "GlobalClusterIdentifier": of("global-identifier"), "DeleteGlobalCluster": "True",
    });
    let delete = resource("DeleteAuroraCluster", "Old cluster", delete);
    world.upload(EAST, "mysql-CLEANUP.json", application(&[&[delete]])).await;
    let mut manifest = product("mysql", "CLEANUP", EAST, &[&["mysql-CLEANUP.json"]]);
    manifest["primary_region"] = json!(WEST);
    manifest["secondary_region"] = json!(EAST);
    world.upload(EAST, "product-manifest-mysql-CLEANUP.json", manifest).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_frameworks_rds_and_cache_failover_runs_as_it_stands() {
    let world = World::with_databases();
    failover(&world, "case-4").await.succeeded();
    let mut changes = world.changes();
    changes.sort();
    assert_eq!(changes, ["elasticache:FailoverGlobalReplicationGroup", "rds:PromoteReadReplica"]);
    let shown = topology(&world).await;
    assert_eq!(shown["instance rds-mysql-02"], "available ");
    assert_eq!(shown["cache us-west-2/demo-redis-02"], "available demo-redis-cluster PRIMARY");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn planned_there_and_back_everything_is_as_it_was() {
    let world = World::with_databases();
    world.upload_databases().await;
    let first = topology(&world).await;
    run(&world, WEST, "planned-ACTIVATE").await;
    for (global, name) in [(MYSQL, "dbcluster-mysql-02"), (POSTGRESQL, "dbcluster-postgresql-02")] {
        assert_eq!(writer(&world, WEST, global).await, name);
    }
    run(&world, EAST, "planned-CLEANUP").await;
    run(&world, EAST, "planned-REPLICATE").await;
    assert_ne!(topology(&world).await, first);
    run(&world, EAST, "planned-failback-ACTIVATE").await;
    run(&world, WEST, "planned-failback-CLEANUP").await;
    run(&world, WEST, "planned-failback-REPLICATE").await;
    assert_eq!(topology(&world).await, first);
    all_within(&world);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_the_loss_of_a_region_everything_comes_back_to_where_it_was() {
    let world = World::with_databases();
    world.upload_databases().await;
    let first = topology(&world).await;
    world.control.dark(EAST, true);
    world.control.clear_calls();
    run(&world, WEST, "unplanned-INSTANTIATE").await;
    run(&world, WEST, "unplanned-ACTIVATE").await;
    assert_eq!(calls_to(&world, EAST), Vec::<String>::new());
    assert_eq!(writer(&world, WEST, MYSQL).await, "dbcluster-mysql-02");

    world.control.dark(EAST, false);
    run(&world, EAST, "unplanned-CLEANUP").await;
    saved(&world).await;
    run(&world, EAST, "unplanned-REPLICATE").await;
    run(&world, EAST, "planned-failback-ACTIVATE").await;
    run(&world, WEST, "planned-failback-CLEANUP").await;
    run(&world, WEST, "planned-failback-REPLICATE").await;
    assert_eq!(topology(&world).await, first);
    all_within(&world);
}

/// What AWS kept of the writes that were lost, and the final snapshots.
async fn saved(world: &World) {
    let rds = world.rds(EAST);
    let of_clusters = rds.describe_db_cluster_snapshots().snapshot_type("manual").send().await;
    let of_clusters = of_clusters.unwrap();
    let names: Vec<_> = of_clusters
        .db_cluster_snapshots()
        .iter()
        .map(|s| (s.db_cluster_snapshot_identifier().unwrap(), s.status().unwrap()))
        .collect();
    let has = |prefix: &str| {
        names.iter().any(|(name, status)| name.starts_with(prefix) && *status == "available")
    };
    assert!(has("dr-failure-dbcluster-mysql-01"), "{names:?}");
    assert!(has("dr-final-dbcluster-postgres"), "{names:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_clean_up_is_refused_in_the_wrong_region() {
    let world = World::with_databases();
    world.upload_databases().await;
    for name in ["planned-CLEANUP", "unplanned-CLEANUP"] {
        let key = format!("{FILES}product-manifest-databases-{name}.json");
        let arn = world.start(WEST, &key).await;
        let ended = world.wait(&arn, 60).await;
        assert!(ended.cause.contains("us-east-1"), "{name}: {} {}", ended.error, ended.cause);
        // The same application manifest under a product manifest that claims the wrong Region.
        let swapped = swapped(name);
        let key =
            world.upload(WEST, &format!("product-manifest-swapped-{name}.json"), swapped).await;
        let arn = world.start(WEST, &key).await;
        let ended = world.wait(&arn, 90).await;
        assert_eq!(ended.error, "Dr.PlanFailed", "{name}: {}", ended.cause);
    }
    assert_eq!(world.changes(), Vec::<String>::new());
}

/// CLEANUP in the Region that follows, before anything was failed over: its clusters are the healthy
/// standbys.
fn swapped(name: &str) -> Value {
    let folder = "samples/databases/manifests";
    let path = format!(
        "{}/../../{folder}/product-manifest-databases-{name}.json",
        env!("CARGO_MANIFEST_DIR")
    );
    let mut manifest: Value =
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    manifest["region"] = json!(WEST);
    manifest["primary_region"] = json!(EAST);
    manifest["secondary_region"] = json!(WEST);
    manifest
}
