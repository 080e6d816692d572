//! What must hold at the end of a run.

use crate::matrix::case::Case;
use crate::matrix::runner::Ended;
use crate::matrix::topology::{differences, topology};
use e2e::{Call, World};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// The clean run: what all others are compared with.
pub struct Reference {
    /// The function's calls, in their order.
    pub calls: Vec<Call>,
    /// How often each change was accepted.
    pub counts: BTreeMap<String, usize>,
    /// The world at last.
    pub last: Value,
}

/// Services that hold the orchestrator's own notes.
const OWN: [&str; 7] = ["s3", "sns", "logs", "states", "sts", "cloudwatch", "ssm"];

/// Whether `service:Action` is about the orchestrator's own notes.
pub fn is_own(action: &str) -> bool {
    action.split_once(':').is_some_and(|(service, _)| OWN.contains(&service))
}

/// Whether the call changes databases.
pub fn is_change(call: &Call) -> bool {
    call.mutates() && !OWN.contains(&call.text("service"))
}

/// How often each change was accepted, whatever became of the answer.
pub fn changes(calls: &[Call]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    let done = |c: &&Call| c.0["status"].as_u64().is_some_and(|s| (200..300).contains(&s));
    for call in calls.iter().filter(|c| is_change(c) && !c.function().is_empty()).filter(done) {
        *counts.entry(call.action()).or_default() += 1;
    }
    counts
}

/// DONE, and nothing else.
pub fn is_done(ended: &Ended) -> Result<(), String> {
    if ended.text("status") == "DONE" {
        Ok(())
    } else {
        Err(format!("not done: {}", ended.trouble()))
    }
}

/// What the case says must be true at the moment of DONE. Null is also what is not there.
pub async fn proven(world: &World, case: &Case, other_rules: bool) -> Result<(), String> {
    let shown = topology(world, &case.regions(), case.caches()).await;
    let wrong = disproved(&case.proof, &shown);
    let instead = other_rules && !case.or_else.is_empty();
    if wrong.is_empty() || (instead && disproved(&case.or_else, &shown).is_empty()) {
        return Ok(());
    }
    Err(format!("DONE was reported too early: {}", wrong.join("; ")))
}

fn disproved(proof: &[(&'static str, Value)], shown: &Value) -> Vec<String> {
    proof
        .iter()
        .map(|(at, wanted)| (at, wanted, shown.pointer(at).cloned().unwrap_or_default()))
        .filter(|(_, wanted, is)| *wanted != is)
        .map(|(at, wanted, is)| format!("{at} is {is}, wanted {wanted}"))
        .collect()
}

/// An unplanned failover calls nothing in the Region that served.
pub fn kept_away(case: &Case, calls: &[Call]) -> Result<(), String> {
    let there = |c: &&Call| c.text("region") == case.primary && !c.function().is_empty();
    let calls: Vec<String> = calls
        .iter()
        .filter(there)
        .map(|c| format!("{} {}", c.action(), c.text("result")))
        .collect();
    if !case.is_cut_off() || calls.is_empty() {
        return Ok(());
    }
    Err(format!("calls to {}, which is lost: {calls:?}", case.primary))
}

/// No change is accepted more often than in the clean run. Where AWS behaves in another way, other
/// changes may be right: then none is made twice.
pub fn no_more_changes(
    case: &Case,
    clean: &Reference,
    calls: &[Call],
    other_rules: bool,
) -> Result<(), String> {
    let once_more = |action: &str| usize::from(case.repeatable.contains(&action));
    let too_many: Vec<String> = changes(calls)
        .into_iter()
        .map(|(action, n)| {
            (clean.counts.get(&action).copied().unwrap_or(usize::from(other_rules)), action, n)
        })
        .filter(|(wanted, action, n)| *n > wanted + once_more(action))
        .map(|(wanted, action, n)| {
            format!("{action} was accepted {n} times, in the clean run {wanted}")
        })
        .collect();
    if too_many.is_empty() { Ok(()) } else { Err(too_many.join("; ")) }
}

/// The world when nothing moves any more: the same in three looks.
pub async fn settled(world: &World, case: &Case) -> Value {
    let mut last = Value::Null;
    let mut same = 0;
    let end = Instant::now() + Duration::from_secs(15);
    while same < 2 && Instant::now() < end {
        let shown = topology(world, &case.regions(), case.caches()).await;
        same = if shown == last { same + 1 } else { 0 };
        last = shown;
        tokio::time::sleep(Duration::from_millis(700)).await;
    }
    last
}

/// Equal, or where they differ.
pub fn same(wanted: &Value, shown: &Value) -> Result<(), String> {
    let differ = differences(wanted, shown, "");
    if differ.is_empty() {
        Ok(())
    } else {
        Err(format!("the world differs: {}", differ.join("; ")))
    }
}

/// The world becomes that of the clean run within seconds.
pub async fn same_at_last(world: &World, case: &Case, clean: &Reference) -> Result<(), String> {
    let end = Instant::now() + Duration::from_secs(10);
    loop {
        let shown = topology(world, &case.regions(), case.caches()).await;
        let result = same(&clean.last, &shown);
        if result.is_ok() || Instant::now() > end {
            return result;
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}
