//! Aurora global databases.

use super::{BROKEN, Meddling, end, status};
use crate::matrix::aurora::{fail_over, switch_over};
use crate::matrix::case::Case;
use crate::matrix::clusters::{self, GLOBAL};
use e2e::WEST;
use serde_json::{Value, json};

fn meddling(
    name: &'static str,
    case: Case,
    before: bool,
    route: &'static str,
    body: Value,
) -> Meddling {
    let timings =
        json!({"rds.global.switchover": 20, "rds.global.failover": 20, "rds.global.detach": 20});
    Meddling {
        name,
        case,
        timings,
        before,
        posts: vec![(route, body)],
        errors: &["Dr.Failed", "Dr.Conflict"],
        says: &["ledger"],
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_switch_that_aws_cancels_ends() {
    let cancel = json!({"id": GLOBAL, "cancel": true});
    let planned = meddling("AWS cancels it", switch_over(), false, "rds/global", cancel.clone());
    let managed = fail_over("aurora failover, managed", "MANAGED");
    end(vec![planned, meddling("AWS cancels it", managed, false, "rds/global", cancel)]).await;
}

/// Somebody else switches over to a third Region, before and in the middle of an attempt.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_switch_of_somebody_else_is_a_conflict() {
    let foreign = json!({"id": GLOBAL, "foreign": clusters::THIRD});
    let three = |case: Case| Case { seed: |w| Box::pin(clusters::three(w)), ..case };
    let conflict = |case| Meddling {
        errors: &["Dr.Conflict"],
        says: &["ledger-third", "somebody else"],
        ..meddling("to a third Region", three(case), true, "rds/global", foreign.clone())
    };
    let managed = fail_over("aurora failover, managed", "MANAGED");
    end(vec![conflict(switch_over()), conflict(managed)]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_aurora_cluster_that_breaks_in_the_middle_ends_the_attempt() {
    let broken = |word: &'static str| {
        meddling(word, switch_over(), false, "rds", status(WEST, "cluster", "ledger-west", word))
    };
    let mut all: Vec<Meddling> = BROKEN.into_iter().map(broken).collect();
    let detached = fail_over("aurora failover, detached", "DETACH");
    all.push(meddling(
        "failed",
        detached,
        false,
        "rds",
        status(WEST, "cluster", "ledger-west", "failed"),
    ));
    end(all).await;
}
