//! The trust between the orchestrator and the accounts that it works in.

use super::{NAME, PATH};
use e2e::databases::script;
use e2e::manifests::{application, module_test, product, resource};
use e2e::raw::{ADMINISTRATOR, To};
use e2e::sessions::execution_role;
use e2e::{EAST, WEST, World};
use serde_json::json;
use std::time::Duration;

const OTHER: &str = "210987654321";

#[test]
fn only_the_functions_roles_are_trusted_and_only_with_the_external_id() {
    let world = World::new();
    let resource = world.caller(PATH, NAME);
    let external = [("ExternalId", "dr-orchestrator-123456789012".to_owned())];
    let role = execution_role();
    assert!(!world.assume(&resource, &role, &external).denied());
    assert!(world.assume(&resource, &role, &[]).denied(), "without external id");
    let wrong = [("ExternalId", format!("dr-orchestrator-{OTHER}"))];
    assert!(world.assume(&resource, &role, &wrong).denied(), "another external id");
    for (path, name) in [
        ("/", "aws-dr-orchestrator-resource-test2"),
        ("/dr-orchestrator/", "aws-dr-orchestrator-callback-test"),
        ("/dr-orchestrator/", "aws-dr-orchestrator-deploy-cf-test"),
    ] {
        let key = world.caller(path, name);
        assert!(world.assume(&key, &role, &external).denied(), "{path}{name}");
    }
}

#[test]
fn a_functions_role_that_is_deleted_and_made_again_is_still_trusted() {
    let world = World::new();
    let first = world.caller(PATH, NAME);
    let external = [("ExternalId", "dr-orchestrator-123456789012".to_owned())];
    world.assume(&first, &execution_role(), &external).done();
    let role = ("RoleName", NAME.to_owned());
    world.iam("DeleteRolePolicy", &[role.clone(), ("PolicyName", "may".to_owned())]).done();
    world.iam("DeleteRole", &[role]).done();
    let again = world.caller(PATH, NAME);
    assert_ne!(first, again);
    world.assume(&again, &execution_role(), &external).done();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_over_two_accounts_acts_in_the_account_that_each_resource_names() {
    let world = World::new();
    let key = administrator_of_the_other_account(&world);
    replica(&world, &key).await;
    let manifest = two_accounts(&world).await;

    // The role is not deployed there yet.
    let arn = world.start(WEST, &manifest).await;
    let ended = world.wait(&arn, 90).await;
    assert_eq!(ended.error, "Dr.PlanFailed", "{}", ended.cause);
    let role = format!("{OTHER}:role/dr-orchestrator/aws-dr-orchestrator-execution-role");
    for wanted in ["Dr.AccessDenied", &role, "in that account"] {
        assert!(ended.cause.contains(wanted), "{wanted} in {}", ended.cause);
    }

    let arguments = ["--region", EAST, "--orchestrator-account", "123456789012"];
    script(&world, "scripts/deploy-target-role.sh", &arguments, &key);
    world.run(WEST, &manifest).await.succeeded();
    let shown = rds(&world, &key, WEST, "DescribeDBInstances", &[]);
    assert!(shown.contains("ledger-dr") && !shown.contains("<ReadReplicaSource"), "{shown}");
    assert_eq!(world.changes(), ["rds:PromoteReadReplica"]);
    let promoted =
        world.control.calls().into_iter().find(|c| c.text("action") == "PromoteReadReplica");
    assert!(promoted.unwrap().text("principal").contains(OTHER));
}

/// The way into a new account of an organization.
fn administrator_of_the_other_account(world: &World) -> String {
    let role = format!("arn:aws:iam::{OTHER}:role/OrganizationAccountAccessRole");
    world.assume(ADMINISTRATOR, &role, &[]).done().element("AccessKeyId").to_owned()
}

fn rds(
    world: &World,
    key: &str,
    region: &str,
    action: &str,
    parameters: &[(&str, &str)],
) -> String {
    let parameters: Vec<_> = parameters.iter().map(|(k, v)| (*k, (*v).to_owned())).collect();
    world.control.query(To { service: "rds", region, key }, action, &parameters).done().body
}

/// A primary in the east and its replica in the west, in the other account.
async fn replica(world: &World, key: &str) {
    let primary = [
        ("DBInstanceIdentifier", "ledger"),
        ("DBInstanceClass", "db.t4g.medium"),
        ("Engine", "mysql"),
        ("AllocatedStorage", "20"),
        ("MasterUsername", "admin"),
        ("MasterUserPassword", "correct-horse"),
        ("BackupRetentionPeriod", "7"),
    ];
    rds(world, key, EAST, "CreateDBInstance", &primary);
    available(world, key, EAST).await;
    let source = format!("arn:aws:rds:{EAST}:{OTHER}:db:ledger");
    let replica = [
        ("DBInstanceIdentifier", "ledger-dr"),
        ("SourceDBInstanceIdentifier", source.as_str()),
        ("DBInstanceClass", "db.t4g.medium"),
    ];
    rds(world, key, WEST, "CreateDBInstanceReadReplica", &replica);
    available(world, key, WEST).await;
}

async fn available(world: &World, key: &str, region: &str) {
    for _ in 0..100 {
        let shown = rds(world, key, region, "DescribeDBInstances", &[]);
        if shown.contains("<DBInstanceStatus>available<") {
            return;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    panic!("no instance is available in {region}");
}

/// An ACTIVATE with a resource in the orchestrator's account and two in the other one.
async fn two_accounts(world: &World) -> String {
    let mut there = module_test("There", json!({}));
    let mut promote = resource(
        "PromoteRDSReadReplica",
        "Ledger",
        json!({
            "RDSInstanceIdentifier": "ledger-dr",
            "TargetClusterIdentifier": format!("arn:aws:rds:{WEST}:{OTHER}:db:ledger-dr"),
        }),
    );
    there["accountId"] = json!(OTHER);
    promote["accountId"] = json!(OTHER);
    let layers = application(&[&[module_test("Here", json!({})), there], &[promote]]);
    world.upload(WEST, "two-accounts-app1.json", layers).await;
    let mut manifest = product("two-accounts", "ACTIVATE", WEST, &[&["two-accounts-app1.json"]]);
    manifest["primary_region"] = json!(EAST);
    manifest["secondary_region"] = json!(WEST);
    world.upload(WEST, "two-accounts.json", manifest).await
}
