//! ElastiCache: global datastores and their replication groups.

use crate::matrix::case::Case;

/// All of them.
pub fn cases() -> Vec<Case> {
    vec![]
}

/// What a Region shows of its caches.
pub async fn topology(world: &e2e::World, region: &str) -> serde_json::Value {
    let _ = (world, region);
    serde_json::json!({})
}
