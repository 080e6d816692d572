//! What to expect of a run: how long it takes along its critical path, and how much may be lost.
//! Pure.

use serde_json::Value;
use shared::durations::Durations;
use shared::folder::{Plan, PlanEntry};
use shared::{Status, clock};
use std::collections::BTreeMap;

/// The duration to expect, seconds.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Duration {
    /// Along the critical path.
    pub seconds: i64,
    /// Steps on it that are still to be done.
    pub steps: usize,
    /// How many of them an earlier run has measured; the others are the catalogue's.
    pub measured: usize,
}

impl Duration {
    /// For people.
    pub fn text(&self) -> String {
        let Self { seconds, steps, measured } = self;
        let source = match (steps, measured) {
            (0, _) => return "nothing is left to do".to_owned(),
            (all, known) if all == known => "measured in earlier runs".to_owned(),
            (_, 0) => "by the catalogue; no earlier run has measured it".to_owned(),
            (all, known) => format!("{known} of {all} steps measured in earlier runs"),
        };
        format!("about {} ({source})", clock::human(*seconds))
    }

    fn then(self, next: Self) -> Self {
        Self {
            seconds: self.seconds + next.seconds,
            steps: self.steps + next.steps,
            measured: self.measured + next.measured,
        }
    }

    fn longer(self, other: Self) -> Self {
        if other.seconds > self.seconds { other } else { self }
    }
}

/// App layers one after the other; the files of a layer side by side, their layers one after the
/// other, the resources of those side by side.
pub fn duration(phase: &str, plan: &Plan, run: &Value, known: &Durations) -> Duration {
    let mut files: BTreeMap<&str, BTreeMap<u32, Duration>> = BTreeMap::new();
    for entry in &plan.entries {
        let file = files.entry(entry.file.as_deref().unwrap_or_default()).or_default();
        let layer = file.entry(entry.layer.unwrap_or_default()).or_default();
        *layer = std::mem::take(layer).longer(of_entry(phase, entry, known));
    }
    let mut whole = Duration::default();
    for layer in list(&run["layers"]) {
        let names = list(&layer["apps"]).flat_map(|app| list(&app["files"]));
        let names = names.filter_map(Value::as_str);
        whole = whole.then(longest(names.filter_map(|name| files.remove(name))));
    }
    // Never shorter than the plan: a file that stands in no layer counts as if it came last.
    whole.then(longest(files.into_values()))
}

fn longest(files: impl Iterator<Item = BTreeMap<u32, Duration>>) -> Duration {
    let in_turn = |layers: BTreeMap<u32, Duration>| {
        layers.into_values().fold(Duration::default(), Duration::then)
    };
    files.map(in_turn).fold(Duration::default(), Duration::longer)
}

fn of_entry(phase: &str, entry: &PlanEntry, known: &Durations) -> Duration {
    if matches!(entry.response.status, Status::Done) {
        return Duration::default();
    }
    let measured = known.get(phase, &entry.resource_type, &entry.resource_name);
    let seconds = measured.or(entry.response.expected_seconds).unwrap_or(60);
    // Never nothing: what is to be done counts as a step, however short.
    Duration { seconds: seconds.max(1), steps: 1, measured: usize::from(measured.is_some()) }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// What may be lost: the worst known figure and whose it is, and whose is not known.
pub fn loss(plan: &Plan) -> Option<String> {
    let risky = plan.entries.iter().filter(|e| {
        e.response.status != Status::Done
            && e.response.change_class == Some(shared::ChangeClass::DataLoss)
    });
    let (known, unknown): (Vec<_>, Vec<_>) = risky.partition(|e| e.response.rpo_seconds.is_some());
    let worst = known.iter().filter_map(|e| Some((e.response.rpo_seconds?, &e.resource_name)));
    let worst = worst.max_by(|a, b| a.0.total_cmp(&b.0));
    let mut texts: Vec<String> =
        worst.into_iter().map(|(s, name)| format!("the last {s} s of writes ({name})")).collect();
    if !unknown.is_empty() {
        let names: Vec<&str> = unknown.iter().map(|e| e.resource_name.as_str()).collect();
        texts.push(format!("not known for {}", names.join(", ")));
    }
    (!texts.is_empty()).then(|| texts.join("; "))
}

/// Where the expectation breaks what the manifest wants.
pub fn warnings(run: &Value, duration: &Duration, plan: &Plan) -> Vec<String> {
    let mut out = Vec::new();
    if let Some(minutes) = run["rtoMinutes"].as_i64().filter(|m| duration.seconds > m * 60) {
        let text = clock::human(duration.seconds);
        out.push(format!("the run is expected to take {text}; rto_minutes is {minutes}"));
    }
    let Some(limit) = run["rpoSeconds"].as_i64() else { return out };
    let open = plan.entries.iter().filter(|e| e.response.status != Status::Done);
    for entry in open {
        let limit_s = f64::from(i32::try_from(limit).unwrap_or(i32::MAX));
        if let Some(seconds) = entry.response.rpo_seconds.filter(|s| *s > limit_s) {
            let name = &entry.resource_name;
            out.push(format!("{name} may lose {seconds} s of writes; rpo_seconds is {limit}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use shared::{ChangeClass, Response};

    fn entry(file: &str, layer: u32, name: &str, response: Response) -> PlanEntry {
        let response = serde_json::to_value(response).unwrap();
        let mut value = json!({
            "app": "a", "file": file, "layer": layer, "index": 0,
            "resourceType": "T", "resourceName": name,
        });
        value.as_object_mut().unwrap().extend(response.as_object().unwrap().clone());
        serde_json::from_value(value).unwrap()
    }

    fn takes(seconds: i64) -> Response {
        Response { expected_seconds: Some(seconds), ..Response::new(Status::Planned, "x") }
    }

    fn plan(entries: Vec<PlanEntry>) -> Plan {
        Plan { entries, ..Plan::default() }
    }

    fn run() -> Value {
        json!({"rtoMinutes": 5, "rpoSeconds": 3, "layers": [
            {"apps": [{"name": "a", "files": ["one", "two"]}]},
            {"apps": [{"name": "b", "files": ["three"]}]},
        ]})
    }

    #[test]
    fn the_critical_path_is_the_longest_file_of_each_app_layer() {
        let plan = plan(vec![
            entry("one", 0, "a", takes(60)),
            entry("one", 0, "b", takes(200)),
            entry("one", 1, "c", takes(100)),
            entry("two", 0, "d", takes(250)),
            entry("three", 0, "e", Response::new(Status::Done, "there")),
        ]);
        let mut known = Durations::default();
        known.set("ACTIVATE", "T", "c", 20);
        let found = duration("ACTIVATE", &plan, &run(), &known);
        assert_eq!(found, Duration { seconds: 250, steps: 1, measured: 0 });
        known.set("ACTIVATE", "T", "b", 300);
        let found = duration("ACTIVATE", &plan, &run(), &known);
        assert_eq!(found, Duration { seconds: 320, steps: 2, measured: 2 });
        assert_eq!(found.text(), "about 5 min 20 s (measured in earlier runs)");
        let warned = warnings(&run(), &found, &plan);
        assert_eq!(warned, ["the run is expected to take 5 min 20 s; rto_minutes is 5"]);
    }

    #[test]
    fn what_may_be_lost_is_told_with_what_is_not_known() {
        let risky = |seconds| Response {
            change_class: Some(ChangeClass::DataLoss),
            rpo_seconds: seconds,
            ..takes(1)
        };
        let plan = plan(vec![
            entry("one", 0, "orders", risky(Some(4.5))),
            entry("one", 0, "cache", risky(None)),
        ]);
        let text = loss(&plan).unwrap();
        assert_eq!(text, "the last 4.5 s of writes (orders); not known for cache");
        let warned = warnings(&run(), &Duration::default(), &plan);
        assert_eq!(warned, ["orders may lose 4.5 s of writes; rpo_seconds is 3"]);
        assert_eq!(loss(&Plan::default()), None);
    }
}
