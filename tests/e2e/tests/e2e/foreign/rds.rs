//! RDS DB instances.

use super::{BROKEN, Meddling, end, status};
use crate::matrix::case::Case;
use crate::matrix::rds::{create, promote};
use e2e::{EAST, WEST};
use serde_json::json;

fn breaks(case: Case, timing: &str, region: &str, id: &str) -> Vec<Meddling> {
    let one = |word: &'static str| Meddling {
        name: word,
        case: case.clone(),
        timings: json!({timing: 60}),
        before: false,
        posts: vec![("rds", status(region, "id", id, word))],
        errors: &["Dr.Failed"],
        says: &["ledger"],
    };
    BROKEN.into_iter().map(one).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_rds_instance_that_breaks_in_the_middle_ends_the_attempt() {
    let mut all = breaks(promote("promote"), "rds.promote", WEST, "ledger-dr");
    all.extend(breaks(create(), "rds.create", EAST, "ledger"));
    end(all).await;
}
