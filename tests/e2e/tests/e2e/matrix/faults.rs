//! The rows: what is done to each case.

use crate::matrix::case::Case;
use crate::matrix::checks::{self, Reference};
use e2e::{Call, World};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How late a role changes in the rows about that.
const LATE_S: u64 = 6;

/// One thing that is done to a case.
#[derive(Clone, Default)]
pub struct Row {
    /// For people.
    pub label: String,
    /// Faults of the local AWS.
    pub faults: Vec<Value>,
    /// How long things take.
    pub timings: Value,
    /// What AWS does not document.
    pub unknowns: Value,
    /// The Region that served goes dark after the first change.
    pub darkens: bool,
    /// The end cannot come earlier.
    pub least: Duration,
    /// Another setting of the local AWS: another way to the end may show in the last details.
    pub other_rules: bool,
    /// Waits for time-outs.
    pub slow: bool,
    /// The fault must have hit.
    pub must_hit: bool,
}

/// Whether every row is wanted, also those that differ from another one only in a look that repeats
/// itself: `DR_MATRIX_ALL=1`. It takes several times as long.
fn every() -> bool {
    std::env::var("DR_MATRIX_ALL").is_ok_and(|v| v == "1")
}

/// All rows of a case.
pub fn rows(case: &Case, clean: &Reference, seeded: &World) -> Vec<Row> {
    let mut rows = killed(&clean.calls);
    rows.extend(dropped(&clean.calls));
    rows.push(Row { label: shows_late(""), timings: late_to_show(), ..Row::default() });
    rows.extend(["throttle", "5xx", "timeout"].map(troubled));
    rows.extend(other_rules(case, &seeded.control.get("unknowns")));
    if case.is_cut_off() {
        let label = format!("{} goes dark after the first change", case.primary);
        rows.push(Row { label, darkens: true, other_rules: true, ..Row::default() });
    }
    rows
}

/// Killed after each call. Of looks that repeat themselves, the first and the last.
fn killed(calls: &[Call]) -> Vec<Row> {
    let mut chosen = BTreeSet::new();
    let mut seen: BTreeMap<(usize, String), Vec<usize>> = BTreeMap::new();
    let mut changes = 0;
    for (n, call) in calls.iter().enumerate() {
        seen.entry((changes, call.action())).or_default().push(n);
        changes += usize::from(checks::is_change(call));
    }
    for ((_, action), places) in &seen {
        chosen.extend(places.first());
        // Its own notes look the same to the next start, whichever of them was the last.
        chosen.extend(places.last().filter(|_| !checks::is_own(action)));
    }
    if !every() {
        chosen = around_changes(calls);
    }
    let rows: Vec<Row> = chosen.into_iter().map(|n| killed_after(n, &calls[n])).collect();
    let late = rows.iter().filter(|r| r.must_hit && every()).map(Row::showing_late).collect();
    [rows, late].concat()
}

/// Each change, the look before it, the look after it, and the last call of all.
fn around_changes(calls: &[Call]) -> BTreeSet<usize> {
    let is_look =
        |n: &usize| !checks::is_own(&calls[*n].action()) && !checks::is_change(&calls[*n]);
    let mut chosen: BTreeSet<usize> = calls.len().checked_sub(1).into_iter().collect();
    for n in (0..calls.len()).filter(|n| checks::is_change(&calls[*n])) {
        chosen.insert(n);
        chosen.extend((0..n).rev().find(is_look));
        chosen.extend((n + 1..calls.len()).find(is_look));
    }
    chosen
}

fn killed_after(n: usize, call: &Call) -> Row {
    Row {
        label: format!("killed after call {} ({})", n + 1, call.action()),
        faults: vec![json!({"kind": "kill", "after": n, "times": 1})],
        must_hit: checks::is_change(call),
        ..Row::default()
    }
}

fn shows_late(label: &str) -> String {
    format!("{label} what was accepted shows late").trim().to_owned()
}

/// For so long AWS goes on showing the world before a call.
fn late_to_show() -> Value {
    json!({"visible": 3})
}

/// The answer of each change is lost; the answer of each kind of look is lost once.
fn dropped(calls: &[Call]) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for call in calls {
        let nth = seen.entry(call.action()).or_default();
        if checks::is_change(call) {
            let row = lost(call, *nth);
            rows.extend(every().then(|| row.showing_late()));
            rows.push(row);
        }
        *nth += 1;
    }
    let changes: BTreeSet<String> =
        calls.iter().filter(|c| checks::is_change(c)).map(Call::action).collect();
    let looks = seen.keys().filter(|a| !changes.contains(*a)).filter_map(|a| a.split_once(':'));
    let faults = looks
        .map(|(service, action)| json!({"kind": "drop", "service": service, "action": action}))
        .collect();
    rows.push(Row {
        label: "each kind of look lost once".into(),
        faults,
        must_hit: true,
        ..Row::default()
    });
    rows
}

fn lost(call: &Call, nth: usize) -> Row {
    let (service, action) = (call.text("service"), call.text("action"));
    let fault = json!({"kind": "drop", "service": service, "action": action, "after": nth});
    let label = format!("answer {} of {} lost", nth + 1, call.action());
    Row { label, faults: vec![fault], must_hit: true, slow: true, ..Row::default() }
}

/// Each kind of call meets this once.
fn troubled(kind: &str) -> Row {
    let fault = json!({"kind": kind, "service": "*", "action": "*", "times": 1, "each": true});
    let label = format!("each kind of call: {kind} once");
    Row { label, faults: vec![fault], slow: true, must_hit: true, ..Row::default() }
}

/// Roles that change late, and what AWS does not document either way.
fn other_rules(case: &Case, unknowns: &Value) -> Vec<Row> {
    let known = unknowns.as_object().into_iter().flatten();
    let ours = known.filter(|(name, _)| concerns(case, name));
    let mut rows: Vec<Row> = ours.clone().flat_map(|(name, u)| each_choice(name, u)).collect();
    let words = format!("{}status_words", case.family);
    let Some(late) = case.late else { return rows };
    for choice in ours.filter(|(name, _)| **name == words).flat_map(|(_, u)| choices(u)) {
        rows.push(with_rule(&words, choice).and_late(late));
    }
    if rows.iter().all(|r| r.least.is_zero()) {
        rows.push(Row { label: String::new(), ..Row::default() }.and_late(late));
    }
    rows
}

/// Single DB instances have nothing to do with what is unknown of Aurora.
fn concerns(case: &Case, unknown: &str) -> bool {
    let aurora = case.function.contains("aurora") || unknown == "rds.final_snapshot_failed";
    unknown.starts_with(case.family) && (case.family != "rds." || aurora)
}

fn choices(unknown: &Value) -> Vec<&str> {
    unknown["choices"].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Each choice but the one that all other rows have.
fn each_choice(name: &str, unknown: &Value) -> Vec<Row> {
    let others = choices(unknown).into_iter().filter(|c| unknown["value"] != *c);
    others.map(|choice| with_rule(name, choice)).collect()
}

fn with_rule(name: &str, choice: &str) -> Row {
    let label = format!("{name} is {choice}");
    Row { label, unknowns: json!({name: choice}), other_rules: true, ..Row::default() }
}

impl Row {
    fn showing_late(&self) -> Self {
        Self { label: shows_late(&self.label), timings: late_to_show(), ..self.clone() }
    }

    fn and_late(self, timing: &str) -> Self {
        let label = format!("{} {timing} takes {LATE_S} s", self.label).trim().to_owned();
        let timings = json!({timing: LATE_S});
        Self { label, timings, least: Duration::from_secs(LATE_S), other_rules: true, ..self }
    }
}
