//! Every database type through every fault: the real binaries, invoked as the state machines invoke
//! them, on a local AWS where each run has a copy of its own.
//!
//! A type and mode is a [`case::Case`]: a starting world, a request, and what proves the end. The
//! rows (`faults.rs`) are the same for all: clean, again, killed after each call, answers lost, calls
//! throttled, failed and timed out, roles that change late, the old Region dark.
//!
//! By default a function is killed around each change alone and answers are late where that matters;
//! `DR_MATRIX_ALL=1` runs every row at every call, which takes several times as long.
//! `DR_MATRIX_CASE=<text>` runs only the cases whose name contains the text, `DR_MATRIX=<text>` only
//! the rows whose `case: row` does; `DR_MATRIX_PARALLEL=<n>` sets how many runs are under way at once.

pub mod aurora;
pub mod caches;
pub mod case;
pub mod checks;
pub mod clusters;
pub mod elasticache;
pub mod faults;
pub mod permits;
pub mod rds;
pub mod rows;
pub mod runner;
pub mod seed;
pub mod snapshots;
pub mod topology;

use case::Case;

/// Runs cases side by side and fails with all that went wrong.
async fn all_hold(cases: Vec<Case>) {
    let wanted = std::env::var("DR_MATRIX_CASE").unwrap_or_default();
    let cases = cases.into_iter().filter(|c| c.name.contains(&wanted));
    let runs: Vec<_> = cases.map(|c| tokio::spawn(rows::of_case(c))).collect();
    let mut wrong = Vec::new();
    for run in runs {
        wrong.extend(run.await.unwrap_or_else(|e| vec![format!("a case ended early: {e}")]));
    }
    assert!(wrong.is_empty(), "{} runs differ:\n\n{}\n", wrong.len(), wrong.join("\n\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn rds_instances_survive_every_fault() {
    all_hold(rds::cases()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn aurora_clusters_survive_every_fault() {
    all_hold(aurora::cases()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn elasticache_datastores_survive_every_fault() {
    all_hold(elasticache::cases()).await;
}
