//! The check of plans can fail: a function that changes something in PLAN is found, whether IAM stops
//! it or not.

use super::{Planned, given};
use aws_sdk_lambda::primitives::Blob;
use e2e::manifests::{application, module_test, resource};
use e2e::{WEST, World};
use serde_json::json;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::process::Command;

const FUNCTION: &str = "aws-dr-orchestrator-aurora-global-lag-check";
const FOUND: &str = "rds:PromoteReadReplica by aws-dr-orchestrator-aurora-global-lag-check: \
                     {\"DBInstanceIdentifier\":\"orders-db-dr\"}";

/// Puts the function with bugs in the place of a good one.
pub async fn plant(world: &World) {
    let folder = std::env::temp_dir().join(format!("dr-planted-{}", rand_name()));
    std::fs::create_dir_all(&folder).unwrap();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e/plans/planted.py");
    std::fs::copy(source, folder.join("bootstrap")).unwrap();
    let zip = "import os, shutil; os.chmod('bootstrap', 0o755); \
               shutil.make_archive('../' + os.path.basename(os.getcwd()), 'zip', '.')";
    let done = Command::new("python3").args(["-c", zip]).current_dir(&folder).status().unwrap();
    assert!(done.success());
    let code = std::fs::read(folder.with_extension("zip")).unwrap();
    let update = world.lambda(WEST).update_function_code().function_name(FUNCTION);
    update.zip_file(Blob::new(code)).send().await.unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    std::fs::remove_file(folder.with_extension("zip")).unwrap();
}

fn rand_name() -> String {
    format!("{}-{}", std::process::id(), fastrand::u64(..))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_that_changes_something_is_found_whether_iam_stops_it_or_not() {
    let world = World::new();
    plant(&world).await;
    let check = json!({"GlobalClusterIdentifier": "none", "MaxLagSeconds": 5});
    let planted = resource("AuroraGlobalLagCheck", "Waits for nothing", check);
    let layer = [planted, module_test("Smoke", json!({}))];
    let key = given(&world, (WEST, "planted", "ACTIVATE"), application(&[&layer]), |_| ()).await;

    Planned::of(&world, WEST, "planted", &key).await;
    assert_eq!(world.changes(), Vec::<String>::new(), "IAM stops it");
    assert_eq!(world.control.take_plan_changes(), [FOUND]);

    world.control.post("iam", &json!({"mode": "audit"}));
    Planned::of(&world, WEST, "planted", &key).await;
    assert_eq!(world.changes(), ["rds:PromoteReadReplica"]);
    let fails = std::panic::catch_unwind(AssertUnwindSafe(|| world.control.clear_calls()));
    assert!(fails.is_err(), "the end of this world would not have failed");
    assert_eq!(world.control.take_plan_changes(), [FOUND]);
}
