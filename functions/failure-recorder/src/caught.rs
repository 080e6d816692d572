//! One caught failure: its type, its line, its records. Pure.

use serde_json::{Value, json};
use shared::cause::{Failure, unwrap};
use shared::names::cut;
use shared::text::one_line;
use shared::{Context, Error, ErrorType, Response};

/// Characters of a line.
const LINE: usize = 600;

/// What a Catch handed over. Everything is optional, for nothing may keep a failure from being told.
#[derive(Debug, Default)]
pub struct Caught {
    error: String,
    cause: String,
    place: String,
    mode: Option<String>,
    /// The run, when it was loaded.
    pub context: Option<Context>,
    /// The phase.
    pub phase: Option<String>,
    /// The type, when the failure is of one resource.
    pub resource_type: Option<String>,
    /// Its name.
    pub resource_name: Option<String>,
}

/// What is said about it.
#[derive(Debug, PartialEq)]
pub struct Told {
    /// One of the closed set.
    pub error_type: ErrorType,
    /// Everything in one line.
    pub line: String,
    /// One line per failure below.
    pub lines: Vec<String>,
    /// Whether this level is the first to tell it; a deeper one has recorded its own lines.
    pub is_new: bool,
    message: String,
}

impl Caught {
    /// Reads the request.
    pub fn new(payload: &Value) -> Self {
        let text = |name: &str| payload[name].as_str().map(str::to_owned);
        Self {
            error: text_of(&payload["failure"]["Error"]),
            cause: text_of(&payload["failure"]["Cause"]),
            place: text("where").unwrap_or_default(),
            mode: text("mode"),
            context: serde_json::from_value(payload["context"].clone()).ok(),
            phase: text("phase"),
            resource_type: text("resourceType"),
            resource_name: text("resourceName"),
        }
    }

    /// Unwraps the failure and says it in one line.
    pub fn told(&self) -> Told {
        let failure = unwrap(&self.error, &self.cause);
        let (is_new, lines) = match failure.lines.as_slice() {
            [] => (true, vec![cut(&self.line(&failure), LINE)]),
            known => (false, known.to_vec()),
        };
        let line = match lines.as_slice() {
            [only] => cut(only, LINE),
            [first, rest @ ..] => {
                let more = format!(" (and {} more)", rest.len());
                format!("{}{more}", cut(first, LINE - more.len()))
            }
            [] => String::new(),
        };
        Told { error_type: failure.error_type, line, lines, is_new, message: failure.message }
    }

    fn line(&self, failure: &Failure) -> String {
        let words = [self.prefix(failure), failure.error_type.to_string(), failure.message.clone()];
        let kept: Vec<String> = words.into_iter().filter(|w| !w.is_empty()).collect();
        kept.join(": ")
    }

    /// `<file>, layer n, <type> <name>`: as much of it as is known. People count from one.
    fn prefix(&self, failure: &Failure) -> String {
        let context = self.context.as_ref();
        let file = context.and_then(|c| c.file.clone()).or_else(|| failure.file.clone());
        let layer = context.and_then(|c| c.layer).map(|l| format!("layer {}", l + 1));
        let resource = self.resource_type.as_ref().map(|t| {
            one_line(&format!("{t} {}", self.resource_name.as_deref().unwrap_or_default()))
        });
        let words: Vec<String> = [file, layer, resource].into_iter().flatten().collect();
        if words.is_empty() { self.stage().to_owned() } else { words.join(", ") }
    }

    fn stage(&self) -> &str {
        match self.place.as_str() {
            "load" => "loading the manifests",
            "plan" => "planning",
            "run" | "file" | "resource" => "",
            other => other,
        }
    }

    /// `journal/failures/<hash>.json`.
    pub fn record(&self, told: &Told, now: &str) -> Value {
        let context = self.context.as_ref();
        json!({
            "at": now,
            "product": context.map(|c| &c.product),
            "execution": context.map(|c| &c.execution),
            "app": context.and_then(|c| c.app.as_ref()),
            "file": context.and_then(|c| c.file.as_ref()),
            "layer": context.and_then(|c| c.layer),
            "index": context.and_then(|c| c.index),
            "resourceType": self.resource_type,
            "resourceName": self.resource_name,
            "phase": self.phase,
            "mode": self.mode,
            "where": self.place,
            "caught": one_line(&self.error),
            "errorType": told.error_type,
            "message": told.message,
            "line": told.line,
        })
    }

    /// In PLAN a resource whose function crashed still has an entry: a blocker with its reason.
    pub fn plan_entry(&self, told: &Told) -> Option<Value> {
        let context = self.context.as_ref().filter(|c| c.index.is_some())?;
        if self.mode.as_deref() != Some("PLAN") {
            return None;
        }
        let error = Error::new(told.error_type, told.message.clone())
            .next("Remove the cause and start the same manifest again.");
        let mut entry = json!({
            "app": context.app,
            "file": context.file,
            "layer": context.layer,
            "index": context.index,
            "resourceType": self.resource_type.as_deref().unwrap_or_default(),
            "resourceName": self.resource_name.as_deref().unwrap_or_default(),
        });
        let response = serde_json::to_value(Response::failed(&error)).ok()?;
        entry.as_object_mut()?.extend(response.as_object()?.clone());
        Some(entry)
    }
}

/// The cause may come as a text or, from some integrations, as JSON.
fn text_of(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context() -> Value {
        json!({
            "product": "shop", "app": "app1", "file": "shop-app1", "layer": 0, "index": 2,
            "siblings": 3, "execution": "arn:aws:states:us-west-2:123456789012:execution:m:run-1",
            "root": "run-1", "startedAt": "2026-01-01T00:00:00Z", "region": "us-west-2",
            "primaryRegion": null, "secondaryRegion": null, "unplanned": false, "approved": [],
            "folder": "dr-orchestration-artifacts/runs/shop/run-1/"
        })
    }

    fn caught(error: &str, cause: &str) -> Value {
        json!({
            "operation": "caught", "failure": {"Error": error, "Cause": cause},
            "context": context(), "phase": "ACTIVATE", "where": "resource", "mode": "PLAN",
            "resourceType": "ModuleTest", "resourceName": "smoke"
        })
    }

    #[test]
    fn the_line_names_the_place_the_type_and_the_cause() {
        let told = Caught::new(&caught("Dr.Refused", "it is the last copy. Look.")).told();
        assert_eq!(
            told.line,
            "shop-app1, layer 1, ModuleTest smoke: Dr.Refused: it is the last copy. Look."
        );
        assert_eq!(told.lines.join(""), told.line);
        assert!(told.is_new);
    }

    #[test]
    fn lines_of_a_deeper_level_stay_as_they_are() {
        let cause = json!({"lines": ["a: one", "b: two", "c: three"]}).to_string();
        let told = Caught::new(&caught("Dr.LayerFailed", &cause)).told();
        assert_eq!(told.lines, ["a: one", "b: two", "c: three"]);
        assert_eq!(told.line, "a: one (and 2 more)");
        assert!(!told.is_new);
    }

    #[test]
    fn without_a_context_the_stage_is_named() {
        let payload = json!({"operation": "caught", "where": "load", "context": null, "phase": null,
            "failure": {"Error": "Sandbox.Timedout", "Cause": "{\"errorMessage\":\"60 s\"}"}});
        let told = Caught::new(&payload).told();
        assert!(
            told.line.starts_with("loading the manifests: Dr.Internal: the function did not end")
        );
    }

    #[test]
    fn a_child_names_the_file_of_a_failure_that_has_none() {
        let cause = json!({"ExecutionArn": "arn:x:child", "Status": "FAILED", "Error": "Dr.Internal",
            "Cause": "no.", "Input": json!({"file": {"file": "shop-app2"}}).to_string()});
        let mut payload = caught("States.TaskFailed", &cause.to_string());
        payload["context"]["file"] = Value::Null;
        payload["context"]["layer"] = Value::Null;
        payload["resourceType"] = Value::Null;
        let told = Caught::new(&payload).told();
        assert_eq!(told.line, "shop-app2: Dr.Internal: no.");
    }

    #[test]
    fn nonsense_is_answered_too() {
        for payload in [json!(null), json!([1]), json!({"failure": {"Cause": {"a": 1}}})] {
            let told = Caught::new(&payload).told();
            assert_eq!(told.error_type, ErrorType::Internal);
            assert!(!told.line.is_empty());
        }
    }

    #[test]
    fn a_line_has_at_most_600_characters() {
        let told = Caught::new(&caught("Dr.Failed", &"word ".repeat(500))).told();
        assert_eq!(told.line.chars().count(), LINE);
    }

    #[test]
    fn a_crash_in_plan_becomes_a_whole_plan_entry() {
        let request = Caught::new(&caught("Runtime.ExitError", "exit status 101"));
        let told = request.told();
        let entry = request.plan_entry(&told).unwrap();
        assert_eq!(entry["status"], "FAILED");
        assert_eq!(entry["file"], "shop-app1");
        for name in ["changeClass", "deadline", "waitSeconds", "progress", "rpoSeconds", "creates"]
        {
            assert!(entry.get(name).is_some(), "{name}");
        }
        let mut payload = caught("Runtime.ExitError", "");
        payload["mode"] = json!("EXECUTE");
        assert_eq!(Caught::new(&payload).plan_entry(&told), None);
    }
}
