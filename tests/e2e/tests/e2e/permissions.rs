//! Least privilege, enforced: the local AWS refuses what a role, its session policy or a trust does
//! not allow, as IAM does.

mod accounts;
pub mod contracts;
pub mod missing;
mod writes;

use e2e::World;
use e2e::sessions::{Contract, execution_role};
use shared::context::Mode;

/// Where the functions' roles lie, and how those that may assume the DR execution role are called.
const PATH: &str = "/dr-orchestrator/";
const NAME: &str = "aws-dr-orchestrator-resource-test";

#[test]
fn a_plan_that_wants_to_write_is_stopped_by_iam() {
    let world = World::new();
    let caller = world.caller(PATH, NAME);
    for contract in Contract::all() {
        let session = world.session(&caller, &contract.policy(Mode::Plan));
        for action in &contract.writes {
            // The name of a database and of a stack that exist.
            for name in ["orders-db-dr", "sampleproduct-network"] {
                let answer = writes::call(&world, &contract, action, &session, name);
                assert!(answer.denied(), "{}: {action}: {answer:?}", contract.kind);
            }
        }
    }
    assert_eq!(accepted_writes(&world), Vec::<String>::new());
}

/// The calls of the test above are refused because of the mode, not of what they ask for.
#[test]
fn an_execution_may_do_what_its_type_declares() {
    let world = World::new();
    let caller = world.caller(PATH, NAME);
    let mut tried = 0;
    for contract in Contract::all() {
        let session = world.session(&caller, &contract.policy(Mode::Execute));
        // Keys of KMS are used through RDS and ElastiCache alone.
        for action in contract.writes.iter().filter(|a| !a.starts_with("kms:")) {
            let answer = writes::call(&world, &contract, action, &session, "absent");
            assert!(!answer.denied(), "{}: {action}: {answer:?}", contract.kind);
            tried += 1;
        }
    }
    assert!(tried > 40, "{tried}");
    assert_ne!(accepted_writes(&world), Vec::<String>::new());
}

#[test]
fn a_type_may_not_do_what_another_type_may() {
    let world = World::new();
    let caller = world.caller(PATH, NAME);
    let all = Contract::all();
    let promote = all.iter().find(|c| c.kind == "PromoteRDSReadReplica").unwrap();
    let session = world.session(&caller, &promote.policy(Mode::Execute));
    for other in &all {
        for action in other.writes.iter().filter(|a| !promote.writes.contains(a)) {
            let answer = writes::call(&world, other, action, &session, "orders-db-dr");
            assert!(answer.denied(), "{action}: {answer:?}");
        }
    }
    assert_eq!(accepted_writes(&world), Vec::<String>::new());
}

/// Calls of the DR execution role that changed something.
fn accepted_writes(world: &World) -> Vec<String> {
    let calls = world.control.calls();
    let of_role = calls.iter().filter(|c| c.text("principal") == execution_role());
    of_role.filter(|c| c.mutates() && c.accepted()).map(|c| c.action()).collect()
}
