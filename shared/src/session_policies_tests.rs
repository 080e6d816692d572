//! The session policies of all types in the registry: within the limits of STS, and no wildcard in them.

use crate::clients::session_policy;
use crate::context::Mode;
use serde_json::Value;
use std::path::Path;

/// STS takes 2,048 characters, and less when it can pack them badly.
const MOST: usize = 1800;

struct Contract {
    kind: String,
    reads: Vec<String>,
    writes: Vec<String>,
}

impl Contract {
    fn policy(&self, mode: Mode) -> String {
        let reads: Vec<&str> = self.reads.iter().map(String::as_str).collect();
        let writes: Vec<&str> = self.writes.iter().map(String::as_str).collect();
        session_policy(&reads, &writes, mode)
    }
}

fn contracts() -> Vec<Contract> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples/schema");
    let files = std::fs::read_dir(folder).unwrap().map(|f| f.unwrap().path());
    let contracts: Vec<_> = files.filter_map(|f| contract(&f)).collect();
    assert!(contracts.len() >= 17, "{}", contracts.len());
    contracts
}

fn contract(path: &Path) -> Option<Contract> {
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let kind = schema["x-dr-type"].as_str()?.to_owned();
    let list = |key: &str| {
        let actions = schema[key].as_array().unwrap().iter();
        actions.map(|a| a.as_str().unwrap().to_owned()).collect()
    };
    Some(Contract { kind, reads: list("x-dr-reads"), writes: list("x-dr-writes") })
}

#[test]
fn each_is_short_enough_in_both_modes() {
    for contract in contracts() {
        for mode in [Mode::Plan, Mode::Execute] {
            let length = contract.policy(mode).len();
            assert!(length < MOST, "{} {mode:?}: {length} characters", contract.kind);
        }
    }
}

#[test]
fn each_action_is_named_in_full() {
    for contract in contracts() {
        for action in contract.reads.iter().chain(&contract.writes) {
            let (service, name) = action.split_once(':').unwrap_or_else(|| panic!("{action}"));
            let letters = |text: &str| {
                !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
            };
            assert!(letters(service) && letters(name), "{}: {action}", contract.kind);
        }
    }
}

#[test]
fn no_write_is_in_a_plan() {
    for contract in contracts() {
        let plan = contract.policy(Mode::Plan);
        for action in &contract.writes {
            assert!(!plan.contains(&format!("\"{action}\"")), "{}: {action}", contract.kind);
        }
    }
}

/// A read may be called so by mistake: what it begins with must say that it changes nothing.
#[test]
fn every_read_is_one_by_its_name() {
    for contract in contracts() {
        for action in &contract.reads {
            let name = action.split(':').nth(1).unwrap_or_default();
            let reads = ["Describe", "Get", "List"].iter().any(|word| name.starts_with(word));
            assert!(reads, "{}: {action}", contract.kind);
        }
    }
}
