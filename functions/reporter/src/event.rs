//! The event of Step Functions about an execution that failed, timed out or was stopped. Pure.

use crate::end::{DIRECT, End, UNKNOWN};
use serde_json::Value;
use shared::cause::{stopped, unwrap};
use shared::{Phase, clock};

/// The parts of the event that matter.
#[derive(Debug, Clone)]
pub struct Event {
    /// ARN.
    pub execution: String,
    machine: String,
    name: String,
    status: String,
    started_ms: i64,
    input: Option<String>,
    error: Option<String>,
    cause: Option<String>,
}

/// Who started the execution.
#[derive(Debug, PartialEq, Eq)]
pub enum Started {
    /// A person, on the product machine.
    AsProduct,
    /// A person, on a phase machine.
    Directly,
    /// One of our own machines: its parent reports. Or it is none of ours.
    Elsewhere,
}

impl Event {
    /// None: the payload is not an event.
    pub fn new(payload: &Value) -> Option<Self> {
        if payload["source"] != "aws.states" {
            return None;
        }
        let detail = &payload["detail"];
        let text = |name: &str| detail[name].as_str().map(str::to_owned);
        Some(Self {
            execution: text("executionArn").unwrap_or_default(),
            machine: text("stateMachineArn").unwrap_or_default(),
            name: text("name").unwrap_or_default(),
            status: text("status").unwrap_or_default(),
            started_ms: detail["startDate"].as_i64().unwrap_or_default(),
            input: text("input"),
            error: text("error"),
            cause: text("cause"),
        })
    }

    /// Whether input and cause came with it.
    pub fn is_whole(&self) -> bool {
        self.input.is_some() && (self.cause.is_some() || self.status != "FAILED")
    }

    /// With what Step Functions knows.
    pub fn completed(self, input: Option<&str>, error: Option<&str>, cause: Option<&str>) -> Self {
        let known = |own: Option<String>, other: Option<&str>| own.or(other.map(str::to_owned));
        Self {
            input: known(self.input, input),
            error: known(self.error, error),
            cause: known(self.cause, cause),
            ..self
        }
    }

    /// Decides from the machine and the input.
    pub fn started(&self) -> Started {
        let input = self.input();
        match (self.machine_name(), self.phase()) {
            ("product-orchestrator", _) => Started::AsProduct,
            // Our own machines give a context; people give a payload.
            (_, Some(_)) if input["context"].is_null() && !input["StatePayload"].is_null() => {
                Started::Directly
            }
            _ => Started::Elsewhere,
        }
    }

    fn input(&self) -> Value {
        let text = self.input.as_deref().unwrap_or_default();
        serde_json::from_str(text).unwrap_or_default()
    }

    fn machine_name(&self) -> &str {
        let name = self.machine.rsplit(':').next().unwrap_or_default();
        name.rsplit_once("-stepfunction-").map_or(name, |(_, last)| last)
    }

    fn phase(&self) -> Option<Phase> {
        match self.machine_name() {
            "FAILOVER" => Some(Phase::Activate),
            "FAILBACK" => Some(Phase::Replicate),
            name => Phase::ALL.into_iter().find(|p| p.as_str() == name),
        }
    }

    /// The end of the run; product and folder are still to be found.
    pub fn end(&self, now: &str) -> End {
        let input = self.input();
        let (error_type, lines) = self.why();
        let product = match self.started() {
            Started::Directly => input["product"].as_str().unwrap_or(DIRECT).to_owned(),
            _ => UNKNOWN.to_owned(),
        };
        let started_at = match self.started_ms {
            0 => now.to_owned(),
            ms => clock::rfc3339(ms / 1000),
        };
        End {
            outcome: self.status.clone(),
            execution: self.execution.clone(),
            execution_name: self.name.clone(),
            started_at,
            phase: self.phase(),
            input,
            error_type: Some(error_type),
            lines,
            next_step: None,
            approval: None,
            context: None,
            product,
            folder: String::new(),
        }
    }

    fn why(&self) -> (String, Vec<String>) {
        let failure = match self.status.as_str() {
            "ABORTED" => stopped(&self.name, self.error.as_deref(), self.cause.as_deref()),
            "TIMED_OUT" => unwrap("States.Timeout", "the whole execution ran into its time limit"),
            _ => unwrap(
                self.error.as_deref().unwrap_or_default(),
                self.cause.as_deref().unwrap_or_default(),
            ),
        };
        let own = if failure.message.is_empty() { vec![] } else { vec![failure.message] };
        let lines = if failure.lines.is_empty() { own } else { failure.lines };
        (failure.error_type.to_string(), lines)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn event(machine: &str, status: &str, input: Option<Value>) -> Event {
        let arn = format!("arn:aws:states:us-west-2:123456789012:stateMachine:{machine}");
        Event::new(&json!({
            "source": "aws.states", "detail-type": "Step Functions Execution Status Change",
            "detail": {
                "executionArn": "arn:aws:states:us-west-2:123456789012:execution:m:run-1",
                "stateMachineArn": arn, "name": "run-1", "status": status,
                "startDate": 1_767_225_600_000_i64, "input": input.map(|i| i.to_string()),
                "error": null, "cause": "drill over"
            }
        }))
        .unwrap()
    }

    #[test]
    fn only_what_people_started_is_reported() {
        let prefix = "aws-dr-orchestrator-stepfunction-";
        let child = json!({"mode": "EXECUTE", "file": {}, "context": {"product": "shop"}});
        let direct = json!({"StatePayload": []});
        let cases = [
            ("product-orchestrator", json!({"productmanifestpath": "a"}), Started::AsProduct),
            ("ACTIVATE", direct.clone(), Started::Directly),
            ("ACTIVATE", child.clone(), Started::Elsewhere),
            ("resource", child, Started::Elsewhere),
            ("resource", direct, Started::Elsewhere),
            ("ACTIVATE", json!({}), Started::Elsewhere),
        ];
        for (machine, input, wanted) in cases {
            let event = event(&format!("{prefix}{machine}"), "FAILED", Some(input.clone()));
            assert_eq!(event.started(), wanted, "{machine} {input}");
        }
        let old = event(
            "dr-orchestrator-stepfunction-FAILBACK",
            "FAILED",
            Some(json!({"StatePayload": []})),
        );
        assert_eq!(old.started(), Started::Directly);
        assert_eq!(old.phase(), Some(Phase::Replicate));
    }

    #[test]
    fn a_stopped_run_says_who_said_what() {
        let machine = "aws-dr-orchestrator-stepfunction-product-orchestrator";
        let end = event(machine, "ABORTED", Some(json!({}))).end("2026-01-01T01:00:00Z");
        assert_eq!(end.outcome, "ABORTED");
        assert_eq!(end.started_at, "2026-01-01T00:00:00Z");
        assert!(end.lines[0].contains("was stopped by somebody before it ended (drill over)"));
    }

    #[test]
    fn a_request_is_not_an_event() {
        assert!(Event::new(&json!({"operation": "report"})).is_none());
    }

    #[test]
    fn an_event_without_its_input_is_completed() {
        let event = event("aws-dr-orchestrator-stepfunction-ACTIVATE", "ABORTED", None);
        assert!(!event.is_whole());
        let event = event.completed(Some("{\"StatePayload\":[],\"product\":\"shop\"}"), None, None);
        assert!(event.is_whole());
        assert_eq!(event.end("").product, "shop");
    }
}
