//! ElastiCache global datastores.

use super::{Meddling, end};
use crate::matrix::caches::STORE;
use crate::matrix::elasticache::fail_over;
use e2e::WEST;
use serde_json::{Value, json};

fn meddling(name: &'static str, before: bool, body: Value) -> Meddling {
    Meddling {
        name,
        case: fail_over(),
        timings: json!({"elasticache.failover": 5}),
        before,
        posts: vec![("elasticache", body)],
        errors: &["Dr.Failed", "Dr.Conflict"],
        says: &["sessions"],
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_failover_that_cannot_succeed_ends() {
    let datastore = |status: &str| json!({"global": STORE, "status": status});
    let group = |status: &str| json!({"region": WEST, "id": "sessions-dr", "status": status});
    end(vec![
        meddling("the target is being deleted", false, group("deleting")),
        meddling("the target is broken", false, group("create-failed")),
        meddling("the datastore is being deleted", false, datastore("deleting")),
        meddling("broken before", true, group("create-failed")),
    ])
    .await;
}
