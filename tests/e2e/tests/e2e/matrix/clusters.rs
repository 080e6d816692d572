//! Global databases: how they come about.

use crate::matrix::seed::{SUBNETS, settled};
use crate::matrix::topology::topology;
use e2e::{EAST, WEST, World};
use serde_json::Value;
use std::time::{Duration, Instant};

/// The global cluster.
pub const GLOBAL: &str = "ledger-global";
/// The cluster in the east.
pub const OLD: &str = "arn:aws:rds:us-east-1:123456789012:cluster:ledger-east";
/// The cluster in the west.
pub const NEW: &str = "arn:aws:rds:us-west-2:123456789012:cluster:ledger-west";
/// A further cluster in a third Region.
pub const THIRD: &str = "arn:aws:rds:eu-west-1:123456789012:cluster:ledger-third";

const ENGINE: &str = "aurora-mysql";
const CLASS: &str = "db.r6g.large";

/// Waits until both Regions show this; at most half a minute.
async fn until(world: &World, what: impl Fn(&Value) -> bool) {
    let end = Instant::now() + Duration::from_secs(30);
    loop {
        let shown = topology(world, &[EAST, WEST], false).await;
        if what(&shown) {
            return;
        }
        assert!(Instant::now() < end, "the seeded world does not come about: {shown}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Whether a cluster is the writer of the global one, in the eyes of a Region.
fn writes(shown: &Value, region: &str, cluster: &str) -> bool {
    shown[region]["globals"][GLOBAL]["members"][cluster]["writer"] == true
}

/// An instance of a cluster.
pub async fn member(world: &World, region: &str, id: &str, cluster: &str) {
    let create = world.rds(region).create_db_instance().db_instance_identifier(id);
    let create = create.db_instance_class(CLASS).engine(ENGINE).db_cluster_identifier(cluster);
    create.send().await.expect("create-db-instance");
    settled(world).await;
}

/// A cluster of its own, with a writer and a reader.
pub async fn cluster(world: &World, region: &str, id: &str) {
    let create = world.rds(region).create_db_cluster().db_cluster_identifier(id).engine(ENGINE);
    let create = create.master_username("admin").master_user_password("correct-horse");
    let create = create.db_subnet_group_name(SUBNETS).backup_retention_period(7);
    create.send().await.expect("create-db-cluster");
    settled(world).await;
    for n in 1..=2 {
        member(world, region, &format!("{id}-{n}"), id).await;
    }
}

/// A global cluster around the east.
pub async fn primary_alone(world: &World) {
    cluster(world, EAST, "ledger-east").await;
    let create = world.rds(EAST).create_global_cluster().global_cluster_identifier(GLOBAL);
    create.source_db_cluster_identifier(OLD).send().await.expect("create-global-cluster");
    until(world, |w| writes(w, EAST, OLD) && w[EAST]["globals"][GLOBAL]["status"] == "available")
        .await;
}

/// The west joins, without an instance.
pub async fn headless(world: &World) {
    primary_alone(world).await;
    let create = world.rds(WEST).create_db_cluster().db_cluster_identifier("ledger-west");
    let create = create.engine(ENGINE).global_cluster_identifier(GLOBAL);
    create.db_subnet_group_name(SUBNETS).send().await.expect("create-db-cluster");
    until(world, |w| w[WEST]["globals"][GLOBAL]["members"][NEW]["writer"] == false).await;
    settled(world).await;
}

/// Writer in the east, a secondary with one instance in the west.
pub async fn pair(world: &World) {
    headless(world).await;
    member(world, WEST, "ledger-west-1", "ledger-west").await;
}

/// The pair, and another secondary, without an instance, in a third Region.
pub async fn three(world: &World) {
    pair(world).await;
    let create = world.rds("eu-west-1").create_db_cluster().db_cluster_identifier("ledger-third");
    let create = create.engine(ENGINE).global_cluster_identifier(GLOBAL);
    create.send().await.expect("create-db-cluster");
    until(world, |w| w[WEST]["globals"][GLOBAL]["members"][THIRD]["writer"] == false).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
}

/// After a planned switchover.
pub async fn switched(world: &World) {
    pair(world).await;
    let switch = world.rds(EAST).switchover_global_cluster().global_cluster_identifier(GLOBAL);
    switch.target_db_cluster_identifier(NEW).send().await.expect("switchover-global-cluster");
    until(world, |w| writes(w, EAST, NEW) && writes(w, WEST, NEW)).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    settled(world).await;
}

/// After an unplanned failover in mode DETACH: the west on its own, the east still the writer of a
/// global cluster.
pub async fn detached(world: &World) {
    pair(world).await;
    let remove = world.rds(WEST).remove_from_global_cluster().global_cluster_identifier(GLOBAL);
    remove.db_cluster_identifier(NEW).send().await.expect("remove-from-global-cluster");
    until(world, |w| w[WEST]["globals"][GLOBAL]["members"][NEW].is_null()).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    settled(world).await;
}

/// After CLEANUP: the west on its own, nothing in the east.
pub async fn west_alone(world: &World) {
    cluster(world, WEST, "ledger-west").await;
}

/// Managed failover with the east dark, which is back now.
pub async fn managed(world: &World) {
    pair(world).await;
    world.control.dark(EAST, true);
    let fail_over = world.rds(WEST).failover_global_cluster().global_cluster_identifier(GLOBAL);
    let fail_over = fail_over.target_db_cluster_identifier(NEW).allow_data_loss(true);
    fail_over.send().await.expect("failover-global-cluster");
    tokio::time::sleep(Duration::from_secs(2)).await;
    world.control.dark(EAST, false);
    let back = |w: &Value| w[EAST]["globals"][GLOBAL]["members"][OLD]["writer"] == false;
    until(world, |w| writes(w, WEST, NEW) && back(w)).await;
    settled(world).await;
}
