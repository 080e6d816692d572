//! A whole cycle calls nothing beyond what its types declare.

use crate::cycle::product;
use e2e::sessions::{Contract, execution_role};
use e2e::{Call, EAST, WEST, World};
use shared::context::Mode;
use shared::tokens;
use std::collections::{BTreeMap, BTreeSet};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_call_of_a_cycle_lacks_a_permission_or_leaves_its_contract() {
    let world = World::new();
    for (region, phase) in
        [(WEST, "INSTANTIATE"), (WEST, "ACTIVATE"), (EAST, "CLEANUP"), (WEST, "REPLICATE")]
    {
        world.run(region, &product(phase)).await.succeeded();
    }
    // What other tests find empty is not empty here.
    assert!(world.changes().iter().any(|a| a == "rds:PromoteReadReplica"), "{:?}", world.changes());
    let calls = world.control.calls();
    let asked = |answer: &str| {
        let of_functions = calls.iter().filter(|c| !c.function().is_empty());
        let found = of_functions.filter(|c| c.text("iam") == answer);
        found.map(|c| format!("{} {}", c.function(), c.action())).collect::<Vec<_>>()
    };
    assert!(asked("allowed").len() > 50, "{}", asked("allowed").len());
    assert_eq!(asked("denied"), Vec::<String>::new());
    all_within(&world);
}

/// Fails the test when a call of the DR execution role was none that its type declares.
pub fn all_within(world: &World) {
    let calls = world.control.calls();
    assert_eq!(outside_of_contract(&calls), Vec::<String>::new());
    assert!(used(&calls).len() > 10, "{:?}", used(&calls));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn until_the_approval_every_session_may_only_read() {
    let world = World::new();
    let arn = world.start(WEST, &product("INSTANTIATE")).await;
    world.approval_link(&arn).await;
    assert_eq!(modes(&world), BTreeSet::from(["PLAN"]));
    world.control.clear_calls();
    world.approve(&arn).await;
    world.wait(&arn, 120).await.succeeded();
    assert_eq!(modes(&world), BTreeSet::from(["EXECUTE"]));
}

/// The modes of all sessions. Each has exactly the policy that its type declares.
fn modes(world: &World) -> BTreeSet<&'static str> {
    let calls = world.control.calls();
    let mut contracts = contracts();
    // Without writes the modes do not differ.
    contracts.retain(|_, contract| !contract.writes.is_empty());
    let sessions = calls.iter().filter(|c| c.text("action") == "AssumeRole");
    let sessions = sessions.filter(|c| contracts.contains_key(c.function()));
    let mode = |call: &Call| {
        let contract = &contracts[call.function()];
        let policy = call.0["request"]["Policy"].as_str().expect("a session policy");
        [("PLAN", Mode::Plan), ("EXECUTE", Mode::Execute)]
            .into_iter()
            .find(|(_, mode)| contract.policy(*mode) == policy)
            .unwrap_or_else(|| panic!("{}: {policy}", call.function()))
            .0
    };
    let modes: BTreeSet<_> = sessions.map(mode).collect();
    assert!(!modes.is_empty());
    modes
}

fn contracts() -> BTreeMap<String, Contract> {
    Contract::all().into_iter().map(|c| (c.function(), c)).collect()
}

/// Function and IAM action of each call that the DR execution role made.
fn used(calls: &[Call]) -> BTreeSet<(String, String)> {
    let of_role = calls.iter().filter(|c| c.text("principal") == execution_role());
    let action = |c: &Call| match c.action().as_str() {
        "lambda:Invoke" => "lambda:InvokeFunction".to_owned(),
        other => other.to_owned(),
    };
    of_role.map(|c| (c.function().to_owned(), action(c))).collect()
}

fn outside_of_contract(calls: &[Call]) -> Vec<String> {
    let contracts = contracts();
    let declared = |function: &str, action: &str| {
        let contract = contracts.get(function);
        let own = contract.is_some_and(|c| c.reads.iter().chain(&c.writes).any(|a| a == action));
        own || tokens::READS.contains(&action)
    };
    let used = used(calls);
    let outside = used.iter().filter(|(function, action)| !declared(function, action));
    outside.map(|(function, action)| format!("{function} {action}")).collect()
}
