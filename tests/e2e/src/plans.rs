//! A plan changes nothing: held against every call that any function made while it worked on an event
//! in mode PLAN, in every test. The local AWS notes the mode, and whether a call may change something
//! (by the service models; see `tests/localaws/mutations.py`).

use crate::control::{Call, Control};
use serde_json::json;
use std::sync::atomic::{AtomicUsize, Ordering};

static CHECKED: AtomicUsize = AtomicUsize::new(0);

/// Every attempt counts, also one that IAM or a fault stopped.
pub fn changes(calls: &[Call]) -> Vec<String> {
    let planned: Vec<&Call> = calls.iter().filter(|c| c.text("mode") == "PLAN").collect();
    CHECKED.fetch_add(planned.len(), Ordering::Relaxed);
    let wrong = planned.into_iter().filter(|c| c.mutates() && !is_expected(c));
    wrong.map(|c| format!("{} by {}: {}", c.action(), c.function(), c.0["request"])).collect()
}

/// What a plan does beyond reading:
/// * `sts:AssumeRole`: how it gets the credentials under which it cannot change anything. It makes a
///   session, and changes nothing that anybody else sees.
/// * `s3:PutObject` of its own entry: its answer, in the folder that its run alone writes.
///
/// Its log lines are no calls: Lambda itself takes them from its output.
fn is_expected(call: &Call) -> bool {
    match call.action().as_str() {
        "sts:AssumeRole" => true,
        "s3:PutObject" => is_entry(call),
        _ => false,
    }
}

/// `runs/<product>/<execution>/plan/<entry>.json` in a bucket of the orchestrator.
fn is_entry(call: &Call) -> bool {
    let request = &call.0["request"];
    let text = |name: &str| request[name].as_str().unwrap_or_default();
    let key = text("Key").strip_prefix("dr-orchestration-artifacts/runs/").unwrap_or_default();
    let parts: Vec<&str> = key.split('/').collect();
    let [_product, _execution, "plan", entry] = parts[..] else { return false };
    text("Bucket").starts_with("dr-orchestrator-123456789012-") && entry.ends_with(".json")
}

impl Control {
    /// What plans changed, or tried to, in the call log; the log is empty afterwards. For tests that
    /// plant such a plan; for all others `clear_calls` and the end of a world fail.
    pub fn take_plan_changes(&self) -> Vec<String> {
        let found = changes(&self.calls());
        self.forget_calls();
        found
    }
}

/// Fails the test when plans have changed something, or tried to.
pub fn none(found: &[String]) {
    let checked = CHECKED.load(Ordering::Relaxed);
    eprintln!("{checked} calls of plans were held against the service models so far");
    assert!(found.is_empty(), "a PLAN did more than read: {:#}", json!(found));
}
