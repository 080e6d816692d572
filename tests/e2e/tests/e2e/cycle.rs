//! The main job: a product goes through all four phases.

use e2e::{EAST, WEST, World};
use std::collections::BTreeMap;

const FILES: &str = "dr-orchestration-artifacts/manifest-files/";

/// Key of a product manifest of the sample.
pub fn product(phase: &str) -> String {
    format!("{FILES}product-manifest-sampleproduct-{phase}.json")
}

/// Identifier -> (status, source ARN or empty), as RDS itself says.
pub async fn instances(world: &World, region: &str) -> BTreeMap<String, (String, String)> {
    let all = world.rds(region).describe_db_instances().send().await.unwrap();
    let row = |i: &aws_sdk_rds::types::DbInstance| {
        let status = i.db_instance_status().unwrap_or_default().to_owned();
        let source = i.read_replica_source_db_instance_identifier().unwrap_or_default().to_owned();
        (i.db_instance_identifier().unwrap_or_default().to_owned(), (status, source))
    };
    all.db_instances().iter().map(row).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_product_moves_and_moves_back_and_ends_as_it_began() {
    let world = World::new();
    world.run(WEST, &product("INSTANTIATE")).await.succeeded();

    world.control.dark(EAST, true);
    world.control.clear_calls();
    world.run(WEST, &product("ACTIVATE")).await.succeeded();
    let to_the_dark: Vec<_> =
        world.control.calls().into_iter().filter(|c| c.text("region") == EAST).collect();
    assert!(to_the_dark.is_empty(), "{to_the_dark:?}");
    let west = instances(&world, WEST).await;
    assert_eq!(west["orders-db-dr"], ("available".into(), String::new()));

    world.control.dark(EAST, false);
    world.run(EAST, &product("CLEANUP")).await.succeeded();
    assert!(!instances(&world, EAST).await.contains_key("orders-db"));
    let manual = world.rds(EAST).describe_db_snapshots().snapshot_type("manual");
    let snapshots = manual.send().await.unwrap();
    let name_and_status = |s: &aws_sdk_rds::types::DbSnapshot| {
        (s.db_snapshot_identifier().unwrap().to_owned(), s.status().unwrap().to_owned())
    };
    let snapshots: Vec<_> = snapshots.db_snapshots().iter().map(name_and_status).collect();
    assert!(
        matches!(snapshots.as_slice(), [(name, status)]
        if name.starts_with("dr-final-orders-db-") && status == "available"),
        "{snapshots:?}"
    );

    world.run(WEST, &product("REPLICATE")).await.succeeded();
    let east = instances(&world, EAST).await;
    let source = "arn:aws:rds:us-west-2:123456789012:db:orders-db-dr";
    assert_eq!(east["orders-db"], ("available".into(), source.into()));
    assert_eq!(instances(&world, WEST).await["orders-db-dr"], ("available".into(), String::new()));

    fail_back(&world).await;
    let west = instances(&world, WEST).await;
    let source = "arn:aws:rds:us-east-1:123456789012:db:orders-db";
    assert_eq!(west["orders-db-dr"], ("available".into(), source.into()));
    assert_eq!(instances(&world, EAST).await["orders-db"], ("available".into(), String::new()));
}

/// The same four phases in the other direction: the same application manifests, for they name nothing
/// that differs between the Regions.
async fn fail_back(world: &World) {
    for (region, phase) in
        [(EAST, "INSTANTIATE"), (EAST, "ACTIVATE"), (WEST, "CLEANUP"), (EAST, "REPLICATE")]
    {
        let key = format!("{FILES}failback/product-manifest-sampleproduct-failback-{phase}.json");
        world.run(region, &key).await.succeeded();
    }
}
