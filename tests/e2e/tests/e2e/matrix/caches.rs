//! Global datastores: what they look like, and how they come about.

use crate::matrix::seed::SUBNETS;
use crate::matrix::topology::{keyed, numberless};
use aws_sdk_elasticache::types::{GlobalReplicationGroup, ReplicationGroup, Snapshot};
use e2e::{EAST, WEST, World};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// The global datastore; the prefix is that of us-east-1.
pub const STORE: &str = "ldgnf-sessions";

/// What a Region shows of its caches.
pub async fn topology(world: &World, region: &str) -> Value {
    let client = world.elasticache(region);
    let stores = client.describe_global_replication_groups().show_member_info(true);
    let stores = stores.send().await.expect("describe-global-replication-groups");
    let groups = client.describe_replication_groups().send().await.expect("describe groups");
    let snapshots = client.describe_snapshots().send().await.expect("describe-snapshots");
    json!({
        "datastores": keyed(stores.global_replication_groups(), datastore),
        "groups": keyed(groups.replication_groups(), group),
        "cacheSnapshots": keyed(snapshots.snapshots(), snapshot),
    })
}

fn datastore(g: &GlobalReplicationGroup) -> (String, Value) {
    let members = keyed(g.members(), |m| {
        let at = m.replication_group_region().unwrap_or_default();
        (
            at.to_owned(),
            json!({"id": m.replication_group_id(), "role": m.role(), "status": m.status()}),
        )
    });
    let shown = json!({"status": g.status(), "members": members, "engine": g.engine()});
    (g.global_replication_group_id().unwrap_or_default().to_owned(), shown)
}

fn group(g: &ReplicationGroup) -> (String, Value) {
    let global = g.global_replication_group_info();
    let shown = json!({
        "status": g.status(),
        "global": global.and_then(|i| i.global_replication_group_id()),
        "role": global.and_then(|i| i.global_replication_group_member_role()),
        "clusters": g.member_clusters(),
        "automaticFailover": g.automatic_failover().map(|a| a.as_str().to_owned()),
    });
    (g.replication_group_id().unwrap_or_default().to_owned(), shown)
}

fn snapshot(s: &Snapshot) -> (String, Value) {
    let shown = json!({"status": s.snapshot_status(), "of": s.replication_group_id()});
    (numberless(s.snapshot_name()), shown)
}

/// Waits until this is what both Regions show; at most half a minute.
pub async fn until(world: &World, what: impl Fn(&Value) -> bool) {
    let end = Instant::now() + Duration::from_secs(30);
    loop {
        let shown = json!({EAST: topology(world, EAST).await, WEST: topology(world, WEST).await});
        if what(&shown) {
            return;
        }
        assert!(Instant::now() < end, "the seeded world does not come about: {shown}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

fn is(shown: &Value, at: &str, wanted: &str) -> bool {
    shown.pointer(at).and_then(Value::as_str).is_some_and(|v| v.eq_ignore_ascii_case(wanted))
}

fn role(shown: &Value, region: &str, member: &str, wanted: &str) -> bool {
    is(shown, &format!("/{region}/datastores/{STORE}/members/{member}/role"), wanted)
}

/// Both sides are at rest.
pub fn at_rest(shown: &Value) -> bool {
    let rows = |kind: &str| {
        let in_region = move |r: &str| shown[r][kind].as_object().cloned().unwrap_or_default();
        [EAST, WEST].map(in_region).into_iter().flatten().map(|(_, v)| v).collect::<Vec<_>>()
    };
    let groups = rows("groups").iter().all(|g| g["status"] == "available");
    let resting = |d: &Value| d["status"] == "available" || d["status"] == "primary-only";
    groups && rows("datastores").iter().all(resting)
}

/// A subnet group of the sample's network.
pub async fn subnets(world: &World, region: &str) {
    let groups = world.rds(region).describe_db_subnet_groups().db_subnet_group_name(SUBNETS);
    let groups = groups.send().await.expect("the sample's subnet group");
    let subnets = groups.db_subnet_groups()[0].subnets().iter();
    let ids: Vec<String> =
        subnets.filter_map(|s| s.subnet_identifier().map(str::to_owned)).collect();
    let create = world.elasticache(region).create_cache_subnet_group();
    let create = create.cache_subnet_group_name(SUBNETS).cache_subnet_group_description("sessions");
    create.set_subnet_ids(Some(ids)).send().await.expect("create-cache-subnet-group");
}

/// A replication group of its own.
pub async fn group_alone(world: &World, region: &str, id: &str) {
    subnets(world, region).await;
    let create = world.elasticache(region).create_replication_group();
    create
        .replication_group_id(id)
        .replication_group_description("sessions")
        .engine("redis")
        .cache_node_type("cache.r6g.large")
        .num_cache_clusters(2)
        .automatic_failover_enabled(true)
        .cache_subnet_group_name(SUBNETS)
        .send()
        .await
        .expect("create-replication-group");
    until(world, |w| is(w, &format!("/{region}/groups/{id}/status"), "available")).await;
}

/// A global datastore with its primary in the east and nothing else.
pub async fn primary_alone(world: &World) {
    group_alone(world, EAST, "sessions").await;
    let create = world.elasticache(EAST).create_global_replication_group();
    let create = create.global_replication_group_id_suffix("sessions");
    let create = create.primary_replication_group_id("sessions");
    create.send().await.expect("create-global-replication-group");
    until(world, |w| is(w, &format!("/{EAST}/datastores/{STORE}/status"), "primary-only")).await;
}

/// Primary in the east, secondary in the west.
pub async fn pair(world: &World) {
    primary_alone(world).await;
    subnets(world, WEST).await;
    let create = world.elasticache(WEST).create_replication_group();
    let create = create.replication_group_id("sessions-dr").replication_group_description("copy");
    let create = create.global_replication_group_id(STORE).cache_subnet_group_name(SUBNETS);
    create.num_cache_clusters(2).send().await.expect("create-replication-group");
    until(world, |w| role(w, WEST, WEST, "secondary") && at_rest(w)).await;
}

/// After a planned failover: the west is primary, the east its secondary.
pub async fn switched(world: &World) {
    pair(world).await;
    let fail_over = world.elasticache(WEST).failover_global_replication_group();
    let fail_over = fail_over.global_replication_group_id(STORE).primary_region(WEST);
    let fail_over = fail_over.primary_replication_group_id("sessions-dr");
    fail_over.send().await.expect("failover-global-replication-group");
    until(world, |w| {
        role(w, EAST, WEST, "primary") && role(w, WEST, EAST, "secondary") && at_rest(w)
    })
    .await;
}

async fn leave(world: &World, id: &str, region: &str) {
    let leave = world.elasticache(region).disassociate_global_replication_group();
    let leave = leave.global_replication_group_id(STORE).replication_group_id(id);
    let leave = leave.replication_group_region(region).send().await;
    leave.expect("disassociate-global-replication-group");
    let alone = |w: &Value| w[region]["groups"][id]["global"].is_null() && at_rest(w);
    until(world, alone).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    until(world, at_rest).await;
}

/// After an unplanned failover: the west is a group of its own and serves, the east still thinks
/// that it is the primary of a global datastore.
pub async fn split(world: &World) {
    pair(world).await;
    leave(world, "sessions-dr", WEST).await;
}

/// After CLEANUP's first step: two groups on their own, the west serves.
pub async fn apart(world: &World) {
    switched(world).await;
    leave(world, "sessions", EAST).await;
}

/// After CLEANUP: the west serves alone, without a global datastore.
pub async fn west_alone(world: &World) {
    group_alone(world, WEST, "sessions-dr").await;
    subnets(world, EAST).await;
}
