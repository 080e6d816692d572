//! The duration to expect: what the catalogue says until a run has measured it.

use super::{Planned, given};
use e2e::manifests::{application, resource};
use e2e::{WEST, World};
use serde_json::{Value, json};

/// It changes something in every run.
fn snapshot(name: &str) -> Value {
    resource("DBSnapshot", name, json!({"Kind": "INSTANCE", "SourceIdentifier": "orders-db-dr"}))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_run_took_is_what_the_next_card_expects() {
    let world = World::new();
    let one = application(&[&[snapshot("Before")]]);
    let key = given(&world, (WEST, "timed", "ACTIVATE"), one, |_| ()).await;
    let before = Planned::of(&world, WEST, "timed", &key).await;
    let duration = before.fact("Duration");
    assert!(duration.ends_with("(by the catalogue; no earlier run has measured it)"), "{duration}");

    let run = world.run(WEST, &key).await.succeeded();
    let took = world.report("timed", &run.arn).await["resources"][0]["seconds"].as_i64().unwrap();
    let known = "dr-orchestration-artifacts/runs/timed/durations.json";
    let known = world.object(WEST, known).await.unwrap();
    assert_eq!(known, json!({"ACTIVATE DBSnapshot Before": took}));

    let after = Planned::of(&world, WEST, "timed", &key).await;
    let wanted = format!("about {} (measured in earlier runs)", shared::clock::human(took.max(1)));
    assert_eq!(after.fact("Duration"), wanted, "a new run takes a new snapshot");

    let two = application(&[&[snapshot("Before")], &[snapshot("Behind")]]);
    let key = given(&world, (WEST, "timed", "ACTIVATE"), two, |_| ()).await;
    let more = Planned::of(&world, WEST, "timed", &key).await.fact("Duration");
    assert!(more.ends_with("(1 of 2 steps measured in earlier runs)"), "{more}");
}
