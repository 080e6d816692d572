//! One row per resource: the plan's order, the journal's facts. Pure.

use crate::gather::Found;
use crate::holds::{self, Held};
use serde::{Deserialize, Serialize};
use shared::folder::{PlanEntry, place, position};
use shared::journal::Entry;
use shared::{Status, clock};
use std::collections::BTreeMap;

/// A recorded failure, as failure-recorder writes it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Failed {
    file: Option<String>,
    layer: Option<u32>,
    index: Option<u32>,
    mode: Option<String>,
    message: String,
    line: String,
}

/// How far a resource got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum State {
    /// Its post-condition was observed.
    Done,
    /// It failed.
    Failed,
    /// The run ended while it was at work.
    Running,
    /// The run ended before it.
    NotStarted,
    /// The plan found that it cannot be done.
    Blocked,
    /// It failed, and somebody decided to go on without it.
    Skipped,
}

/// One resource of the report.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Resource {
    /// Application name.
    pub app: Option<String>,
    /// Short name of the manifest.
    pub file: Option<String>,
    /// Zero-based layer.
    pub layer: Option<u32>,
    /// Zero-based index.
    pub index: Option<u32>,
    /// The type.
    pub resource_type: String,
    /// The name.
    pub resource_name: String,
    /// How far it got.
    pub status: State,
    /// One line.
    pub summary: String,
    /// Whether anything was changed.
    pub changed: bool,
    /// What was changed, in order.
    pub changes: Vec<String>,
    /// RFC 3339.
    pub started_at: Option<String>,
    /// RFC 3339.
    pub ended_at: Option<String>,
    /// How long it took, without the time that it waited for people.
    pub seconds: Option<i64>,
    /// How long it waited for people.
    pub waited_seconds: i64,
    /// Measured data loss.
    pub rpo_seconds: Option<f64>,
}

impl Resource {
    /// The word of the mail.
    pub fn word(&self) -> &'static str {
        match (self.status, self.changed) {
            (State::Done, true) => "done",
            (State::Done, false) => "already done",
            (State::Failed, _) => "FAILED",
            (State::Running, _) => "was running",
            (State::NotStarted, _) => "not started",
            (State::Blocked, _) => "BLOCKED",
            (State::Skipped, _) => "SKIPPED",
        }
    }

    /// Application, file and layer.
    pub fn place(&self) -> String {
        place(self.app.as_deref(), self.file.as_deref(), self.layer)
    }
}

/// In the order of the plan; what the plan does not know comes last.
pub fn rows(found: &Found) -> Vec<Resource> {
    let mut journal: BTreeMap<String, &Entry> =
        found.journal.iter().map(|e| (position(e.file.as_deref(), e.layer, e.index), e)).collect();
    let failures: BTreeMap<String, &Failed> = found
        .failures
        .iter()
        .filter(|f| f.index.is_some() && f.mode.as_deref() != Some("PLAN"))
        .map(|f| (position(f.file.as_deref(), f.layer, f.index), f))
        .collect();
    let mut rows: Vec<Resource> = Vec::new();
    for plan in &found.plan.entries {
        let at = plan.position();
        let row = journal.remove(&at).map_or_else(|| of_plan(plan), of_journal);
        let row = with_failure(row, failures.get(&at).copied());
        rows.push(with_holds(row, &found.holds, &at));
    }
    for (at, entry) in journal {
        let row = with_failure(of_journal(entry), failures.get(&at).copied());
        rows.push(with_holds(row, &found.holds, &at));
    }
    rows
}

fn of_plan(plan: &PlanEntry) -> Resource {
    let response = &plan.response;
    let (status, summary) = match response.status {
        Status::Failed => (State::Blocked, response.message.clone().unwrap_or_default()),
        Status::Done => (State::NotStarted, format!("already done: {}", response.summary)),
        _ => (State::NotStarted, response.summary.clone()),
    };
    Resource {
        app: plan.app.clone(),
        file: plan.file.clone(),
        layer: plan.layer,
        index: plan.index,
        resource_type: plan.resource_type.clone(),
        resource_name: plan.resource_name.clone(),
        status,
        summary,
        changed: false,
        changes: vec![],
        started_at: None,
        ended_at: None,
        seconds: None,
        waited_seconds: 0,
        rpo_seconds: None,
    }
}

fn of_journal(entry: &Entry) -> Resource {
    let status = match entry.status {
        Status::Done => State::Done,
        Status::Failed => State::Failed,
        _ => State::Running,
    };
    let words = [entry.message.as_deref(), entry.next_step.as_deref()];
    let summary = match status {
        State::Failed if entry.message.is_some() => words.map(Option::unwrap_or_default).join(" "),
        _ => entry.summary.clone(),
    };
    let changes = entry.events.iter().filter(|e| e.event == "change").map(|e| e.text.clone());
    Resource {
        app: entry.app.clone(),
        file: entry.file.clone(),
        layer: entry.layer,
        index: entry.index,
        resource_type: entry.resource_type.clone(),
        resource_name: entry.resource_name.clone(),
        status,
        summary: summary.trim().to_owned(),
        changed: entry.changed,
        changes: changes.collect(),
        started_at: Some(entry.started_at.clone()),
        ended_at: entry.ended_at.clone(),
        seconds: between(Some(&entry.started_at), entry.ended_at.as_deref()),
        waited_seconds: 0,
        rpo_seconds: entry.rpo_seconds,
    }
}

/// The time between attempts belongs to people; a skip is the end of a resource that failed.
fn with_holds(row: Resource, holds: &[Held], at: &str) -> Resource {
    // A wait behind the last attempt is not within its time.
    let within = holds.iter().filter(|h| h.at < *row.ended_at.as_ref().unwrap_or(&h.at));
    let within: Vec<Held> = within.cloned().collect();
    let row = Resource {
        seconds: row.seconds.map(|s| (s - holds::waited(&within, at)).max(0)),
        waited_seconds: holds::waited(holds, at),
        ..row
    };
    match holds::skip(holds, at) {
        Some(held) if row.status != State::Done => {
            let text = |text: &Option<String>| text.clone().unwrap_or_default();
            let (who, why) = (text(&held.approver), text(&held.reason));
            let summary = format!("skipped by {who}: {why}. It had failed: {}", row.summary);
            Resource { status: State::Skipped, summary, ..row }
        }
        _ => row,
    }
}

/// A crash leaves no end in the journal, but a record of the failure.
fn with_failure(row: Resource, failure: Option<&Failed>) -> Resource {
    match failure {
        Some(failure) if matches!(row.status, State::Running | State::NotStarted) => {
            let told = if failure.message.is_empty() { &failure.line } else { &failure.message };
            Resource { status: State::Failed, summary: told.clone(), ..row }
        }
        _ => row,
    }
}

/// Whole seconds between two times.
pub fn between(from: Option<&str>, to: Option<&str>) -> Option<i64> {
    Some((clock::parse(to?)? - clock::parse(from?)?).max(0))
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use serde_json::{Value, json};

    pub fn plan_entry(index: u32, kind: &str, name: &str, status: &str) -> Value {
        json!({
            "app": "app1", "file": "shop-app1", "layer": 0, "index": index, "resourceType": kind,
            "resourceName": name, "status": status, "changed": false, "changeClass": null,
            "summary": "would do it", "deadline": null, "waitSeconds": 0, "progress": null,
            "rpoSeconds": null, "creates": [], "dependsOn": [], "errorType": null,
            "message": "there is no such thing", "nextStep": null
        })
    }

    pub fn entry(index: u32, status: &str, changed: bool) -> Value {
        let ended =
            if status == "IN_PROGRESS" { Value::Null } else { json!("2026-01-01T00:04:10Z") };
        let change = json!({"at": "2026-01-01T00:02:01Z", "event": "change",
            "text": "PromoteReadReplica: promotes DB instance orders-db-west"});
        let failed = status == "FAILED";
        json!({
            "product": "shop", "app": "app1", "file": "shop-app1", "layer": 0, "index": index,
            "resourceType": "PromoteRDSReadReplica", "resourceName": "orders-db",
            "phase": "ACTIVATE", "status": status, "summary": "orders-db-west is standalone",
            "changed": changed, "errorType": if failed { json!("Dr.Failed") } else { Value::Null },
            "message": if failed { json!("it is gone.") } else { Value::Null },
            "nextStep": if failed { json!("Look.") } else { Value::Null },
            "rpoSeconds": 0.5, "startedAt": "2026-01-01T00:02:00Z",
            "updatedAt": "2026-01-01T00:03:00Z", "endedAt": ended,
            "events": if changed { json!([change]) } else { json!([]) }
        })
    }

    pub fn found(plan: Value, journal: Value, failures: Value) -> Found {
        Found {
            plan: serde_json::from_value(json!({"entries": plan})).unwrap(),
            journal: serde_json::from_value(journal).unwrap(),
            failures: serde_json::from_value(failures).unwrap(),
            ..Found::default()
        }
    }

    fn words(found: &Found) -> Vec<&'static str> {
        rows(found).iter().map(Resource::word).collect()
    }

    #[test]
    fn every_state_has_its_word() {
        let plan: Vec<Value> = (0..7)
            .map(|i| plan_entry(i, "T", "n", if i == 6 { "FAILED" } else { "PLANNED" }))
            .collect();
        let journal = json!([
            entry(1, "DONE", false),
            entry(0, "DONE", true),
            entry(2, "FAILED", true),
            entry(3, "IN_PROGRESS", true),
            entry(4, "IN_PROGRESS", false),
        ]);
        let failures = json!([
            {"file": "shop-app1", "layer": 0, "index": 4, "mode": "EXECUTE", "message": "crashed"},
            {"file": null, "layer": null, "index": null, "line": "of the file"},
        ]);
        let found = found(json!(plan), journal, failures);
        assert_eq!(
            words(&found),
            ["done", "already done", "FAILED", "was running", "FAILED", "not started", "BLOCKED"]
        );
        let rows = rows(&found);
        assert_eq!(rows[0].seconds, Some(130));
        assert_eq!(rows[2].summary, "it is gone. Look.");
        assert_eq!(rows[3].seconds, None);
        assert_eq!(rows[4].summary, "crashed");
        assert_eq!(rows[6].summary, "there is no such thing");
    }

    #[test]
    fn a_skip_is_the_end_of_a_failed_resource_and_waiting_is_counted_apart() {
        use crate::holds::tests::held;
        let mut found = found(json!([]), json!([entry(0, "FAILED", true)]), json!([]));
        found.holds = vec![held(0, "RETRY", 2, 30), held(0, "SKIP", 4, 600)];
        let row = &rows(&found)[0];
        assert_eq!((row.word(), row.seconds, row.waited_seconds), ("SKIPPED", Some(100), 630));
        assert!(row.summary.starts_with("skipped by Ann: drill. It had failed: it is gone."));
        found.journal = serde_json::from_value(json!([entry(0, "DONE", true)])).unwrap();
        assert_eq!(rows(&found)[0].word(), "done");
    }

    #[test]
    fn without_a_plan_the_journal_is_enough() {
        let found = found(json!([]), json!([entry(0, "DONE", true)]), json!([]));
        assert_eq!(words(&found), ["done"]);
    }
}
