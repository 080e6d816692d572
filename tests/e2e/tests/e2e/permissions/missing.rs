//! A permission that the DR execution role lacks: the run ends, and names it.

use crate::cycle::{instances, product};
use e2e::sessions::EXECUTION_ROLE;
use e2e::{Ended, WEST, World};
use serde_json::Value;

const POLICY: &str = "RdsInstances";

fn parameters(more: Option<String>) -> Vec<(&'static str, String)> {
    let role = ("RoleName", EXECUTION_ROLE.to_owned());
    let mut all = vec![role, ("PolicyName", POLICY.to_owned())];
    all.extend(more.map(|document| ("PolicyDocument", document)));
    all
}

pub fn put(world: &World, document: &str) {
    world.iam("PutRolePolicy", &parameters(Some(document.to_owned()))).done();
}

/// Takes one action out of the DR execution role's policy for RDS instances; gives the whole policy.
pub fn take_away(world: &World, action: &str) -> String {
    let answer = world.iam("GetRolePolicy", &parameters(None)).done();
    let text = decoded(answer.element("PolicyDocument"));
    let mut document: Value = serde_json::from_str(&text).expect("a policy");
    let mut found = 0;
    for statement in document["Statement"].as_array_mut().expect("statements") {
        if let Some(actions) = statement["Action"].as_array_mut() {
            found += actions.iter().filter(|a| *a == action).count();
            actions.retain(|a| a != action);
        }
    }
    assert_eq!(found, 1, "{action} in {text}");
    put(world, &document.to_string());
    text
}

/// IAM shows policies percent-encoded.
fn decoded(text: &str) -> String {
    let mut bytes = text.bytes();
    let mut decoded = Vec::new();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let digits = [bytes.next().expect("a digit"), bytes.next().expect("a digit")];
            let digits = std::str::from_utf8(&digits).expect("two digits");
            decoded.push(u8::from_str_radix(digits, 16).expect("hexadecimal"));
        } else {
            decoded.push(if byte == b'+' { b' ' } else { byte });
        }
    }
    String::from_utf8(decoded).expect("text")
}

fn says(ended: &Ended, action: &str) {
    let text = ended.lines().join("\n");
    for wanted in ["Dr.AccessDenied", action, "role-templates/TargetAccountsAssumeRole.yaml"] {
        assert!(text.contains(wanted), "{wanted} in {text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_read_ends_the_run_before_anybody_is_asked() {
    let world = World::new();
    take_away(&world, "rds:DescribeDBInstances");
    let arn = world.start(WEST, &product("ACTIVATE")).await;
    let ended = world.wait(&arn, 90).await;
    assert_eq!(ended.error, "Dr.PlanFailed", "{}", ended.cause);
    says(&ended, "rds:DescribeDBInstances");
    assert!(world.control.mails().iter().all(|m| !m.subject.contains("Approve")));
    assert_eq!(world.changes(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_write_ends_the_run_and_the_granted_one_resumes_it() {
    let world = World::new();
    world.run(WEST, &product("INSTANTIATE")).await.succeeded();
    let whole = take_away(&world, "rds:PromoteReadReplica");
    world.fails_at_once(WEST, &product("ACTIVATE")).await;
    let ended = world.run(WEST, &product("ACTIVATE")).await;
    assert_eq!(ended.error, "Dr.AppLayerFailed", "{}", ended.cause);
    says(&ended, "rds:PromoteReadReplica");
    let source = &instances(&world, WEST).await["orders-db-dr"].1;
    assert!(!source.is_empty(), "it is a replica still");

    put(&world, &whole);
    world.run(WEST, &product("ACTIVATE")).await.succeeded();
    assert_eq!(instances(&world, WEST).await["orders-db-dr"].1, "");
}
