//! Starting worlds.

use e2e::{EAST, WEST, World};
use std::time::{Duration, Instant};

/// The subnet group that the sample's network has in both Regions.
pub const SUBNETS: &str = "sampleproduct";

/// Waits until every instance and cluster of both Regions is available; at most half a minute.
pub async fn settled(world: &World) {
    let end = Instant::now() + Duration::from_secs(30);
    loop {
        let moving = moving(world).await;
        if moving.is_empty() {
            return;
        }
        assert!(Instant::now() < end, "the seeded world does not settle: {moving:?}");
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
}

async fn moving(world: &World) -> Vec<String> {
    let mut moving = Vec::new();
    for region in [EAST, WEST] {
        let rds = world.rds(region);
        let instances = rds.describe_db_instances().send().await.expect("describe-db-instances");
        let instances = instances.db_instances().iter();
        moving.extend(
            instances
                .map(|i| (i.db_instance_identifier(), i.db_instance_status()))
                .filter_map(named),
        );
        let clusters = rds.describe_db_clusters().send().await.expect("describe-db-clusters");
        let clusters = clusters.db_clusters().iter();
        moving.extend(clusters.map(|c| (c.db_cluster_identifier(), c.status())).filter_map(named));
    }
    moving
}

fn named((id, status): (Option<&str>, Option<&str>)) -> Option<String> {
    let (id, status) = (id.unwrap_or_default(), status.unwrap_or_default());
    (status != "available").then(|| format!("{id} is {status}"))
}

/// A standalone instance.
pub async fn instance(world: &World, region: &str, id: &str) {
    let create = world.rds(region).create_db_instance();
    create
        .db_instance_identifier(id)
        .db_instance_class("db.t4g.medium")
        .engine("mysql")
        .allocated_storage(20)
        .master_username("admin")
        .master_user_password("correct-horse")
        .backup_retention_period(7)
        .db_subnet_group_name(SUBNETS)
        .send()
        .await
        .expect("create-db-instance");
    settled(world).await;
}

/// A replica of an instance in the other Region.
pub async fn replica(world: &World, region: &str, id: &str, source: &str) {
    let create = world.rds(region).create_db_instance_read_replica();
    create
        .db_instance_identifier(id)
        .source_db_instance_identifier(source)
        .db_instance_class("db.t4g.medium")
        .db_subnet_group_name(SUBNETS)
        .send()
        .await
        .expect("create-db-instance-read-replica");
    settled(world).await;
}
