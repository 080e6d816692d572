//! What an invocation's answer means, and what to do next: pure, with its tests.

use crate::Change;
use crate::parameters::{Completion, InvocationType, Parameters};
use serde::{Deserialize, Serialize};
use shared::{Cx, ErrorType, Outcome, Step};

/// A callee that answers synchronously must be configured to end within this many seconds.
pub const ANSWERS_WITHIN_S: i32 = 45;

/// What one look at the function sees.
#[derive(Debug, Clone, Default)]
pub struct Observed {
    /// Name, with its qualifier.
    pub function: String,
    /// `Active`, `Pending`, `Inactive`, `Failed`.
    pub state: String,
    /// Why it is in that state.
    pub state_reason: String,
    /// `Successful`, `InProgress`, `Failed`.
    pub last_update: String,
    /// Why the last update failed.
    pub last_update_reason: String,
    /// Its configured timeout, seconds.
    pub timeout_s: i32,
}

/// What one invocation answered; kept in `progress`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// HTTP status: 200 answered, 202 accepted.
    pub http: i32,
    /// `errorType: errorMessage` of a callee that raised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Its field `status`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Its field `message`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

pub(crate) fn decide(p: &Parameters, o: &Observed, cx: &Cx) -> Step<Change> {
    match last_answer(cx) {
        Some(answer) => judge(p, o, &answer),
        None => begin(p, o),
    }
}

/// The newest answer: of a poll, else of the invocation. A lost one is no answer.
fn last_answer(cx: &Cx) -> Option<Answer> {
    ["Poll", "Invoke"]
        .iter()
        .filter_map(|name| cx.act(name))
        .find_map(|act| serde_json::from_value(act.result.clone()).ok())
}

fn begin(p: &Parameters, o: &Observed) -> Step<Change> {
    let synchronous = p.invocation_type == InvocationType::RequestResponse;
    if synchronous && p.completion == Completion::Response && o.timeout_s > ANSWERS_WITHIN_S {
        let why = format!(
            "{} may take {} s, but an answer is awaited for {ANSWERS_WITHIN_S} s",
            o.function, o.timeout_s
        );
        let next = "Set InvocationType Event with Completion STATUS_FIELD, or lower the function's \
                    timeout.";
        return Step::Fail(ErrorType::InvalidParameters, why, next.into());
    }
    let reason = |text: &str| if text.is_empty() { String::new() } else { format!(": {text}") };
    match (o.state.as_str(), o.last_update.as_str()) {
        ("Pending", _) => Step::Wait(format!("{} is Pending", o.function)),
        (_, "InProgress") => Step::Wait(format!("{} is being updated", o.function)),
        ("Failed", _) => {
            fail(format!("{} is in state Failed{}", o.function, reason(&o.state_reason)))
        }
        (_, "Failed") => fail(format!(
            "the last update of {} failed{}",
            o.function,
            reason(&o.last_update_reason)
        )),
        // An Inactive function becomes Pending, then Active, by being invoked.
        _ => Step::Change(Change::Invoke { function: o.function.clone() }),
    }
}

fn fail(why: String) -> Step<Change> {
    Step::Fail(ErrorType::Failed, why, "Repair the function, then start again.".into())
}

fn judge(p: &Parameters, o: &Observed, answer: &Answer) -> Step<Change> {
    let function = &o.function;
    if let Some(error) = &answer.error {
        let next = "Read the function's log, remove the cause and start again: it is then invoked \
                    again with the same drIdempotencyKey if the run is the same.";
        return Step::Fail(ErrorType::Failed, format!("{function} raised {error}"), next.into());
    }
    if p.completion == Completion::Response {
        return Step::Done(Outcome::new(if answer.http == 202 {
            format!("{function}: invocation accepted; whether it succeeded is not known")
        } else {
            format!("{function} answered without an error")
        }));
    }
    if answer.http == 202 {
        return Step::Change(Change::Poll { function: function.clone() });
    }
    by_status(function, answer)
}

fn by_status(function: &str, answer: &Answer) -> Step<Change> {
    let said = answer.message.as_deref().map(|m| format!(": {m}")).unwrap_or_default();
    match answer.status.as_deref() {
        Some("DONE") => Step::Done(Outcome::new(format!("{function} says DONE{said}"))),
        Some("IN_PROGRESS") => Step::Change(Change::Poll { function: function.to_owned() }),
        Some("FAILED") => fail(format!("{function} says FAILED{said}")),
        other => Step::Fail(
            ErrorType::Failed,
            format!(
                "{function} answered with status {}, not DONE, IN_PROGRESS or FAILED",
                other.map_or("(none)".to_owned(), |s| format!("\"{s}\""))
            ),
            "Let the function answer {\"status\": \"DONE\"}, or set Completion RESPONSE.".into(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{observed, parameters};
    use serde_json::{Value, json};
    use shared::progress::{Act, sample_cx};
    use shared::{Classified, Phase};

    fn cx(acts: &[(&str, bool, Value)]) -> Cx {
        let mut cx = sample_cx(Phase::Activate);
        for (name, certain, result) in acts {
            let act = Act { at: cx.now - 5, certain: *certain, result: result.clone() };
            cx.progress.acts.insert((*name).to_owned(), act);
        }
        cx
    }

    /// `done`, `wait`, `fail` or the name of the change, with its text.
    fn verdict(step: Step<Change>) -> (String, String) {
        match step {
            Step::Done(outcome) => ("done".into(), outcome.summary),
            Step::Wait(why) => ("wait".into(), why),
            Step::Change(change) => (change.name().into(), change.summary()),
            Step::Fail(error_type, why, _) => (error_type.as_str().into(), why),
            Step::Refuse(why, _) => ("refuse".into(), why),
            Step::Unknown(_, why) => ("unknown".into(), why),
        }
    }

    #[test]
    fn the_functions_state_decides_whether_it_is_invoked() {
        let cases = [
            ("Active", "Successful", "Invoke"),
            ("", "", "Invoke"),
            ("Inactive", "Successful", "Invoke"),
            ("Pending", "Successful", "wait"),
            ("Active", "InProgress", "wait"),
            ("Failed", "Successful", "Dr.Failed"),
            ("Active", "Failed", "Dr.Failed"),
        ];
        for (state, last_update, wanted) in cases {
            let o = Observed { state: state.into(), last_update: last_update.into(), ..observed() };
            let got = verdict(decide(&parameters(json!({})), &o, &cx(&[]))).0;
            assert_eq!(got, wanted, "{state} {last_update}");
        }
    }

    #[test]
    fn a_callee_that_may_take_long_needs_event_and_status_field() {
        let cases = [
            (json!({}), 45, "Invoke"),
            (json!({}), 46, "Dr.InvalidParameters"),
            (json!({"InvocationType": "Event"}), 900, "Invoke"),
            (json!({"Completion": "STATUS_FIELD"}), 900, "Invoke"),
            (json!({"InvocationType": "Event", "Completion": "STATUS_FIELD"}), 900, "Invoke"),
        ];
        for (given, timeout_s, wanted) in cases {
            let o = Observed { timeout_s, ..observed() };
            let got = verdict(decide(&parameters(given.clone()), &o, &cx(&[]))).0;
            assert_eq!(got, wanted, "{given} {timeout_s}");
        }
    }

    #[test]
    fn answers_are_judged_by_completion() {
        let (response, status) = (json!({}), json!({"Completion": "STATUS_FIELD"}));
        let raised = json!({"http": 200, "error": "ValueError: no"});
        let cases = [
            (&response, json!({"http": 200}), "done", "answered without an error"),
            (&response, json!({"http": 202}), "done", "accepted; whether it succeeded"),
            (&response, raised.clone(), "Dr.Failed", "raised ValueError: no"),
            (&status, raised, "Dr.Failed", "raised ValueError: no"),
            (&status, json!({"http": 202}), "Poll", "asks"),
            (&status, json!({"http": 200, "status": "DONE"}), "done", "says DONE"),
            (&status, json!({"http": 200, "status": "IN_PROGRESS"}), "Poll", "asks"),
            (
                &status,
                json!({"http": 200, "status": "FAILED", "message": "disk full"}),
                "Dr.Failed",
                "says FAILED: disk full",
            ),
            (&status, json!({"http": 200, "status": "done"}), "Dr.Failed", "status \"done\""),
            (&status, json!({"http": 200}), "Dr.Failed", "status (none)"),
        ];
        for (given, answer, wanted, text) in cases {
            let cx = cx(&[("Invoke", true, answer.clone())]);
            let got = verdict(decide(&parameters(given.clone()), &observed(), &cx));
            assert_eq!(got.0, wanted, "{answer}");
            assert!(got.1.contains(text), "{}", got.1);
        }
    }

    #[test]
    fn a_polls_answer_counts_more_than_the_first() {
        let p = parameters(json!({"Completion": "STATUS_FIELD"}));
        let first = ("Invoke", true, json!({"http": 202}));
        for (status, wanted) in [("DONE", "done"), ("IN_PROGRESS", "Poll"), ("FAILED", "Dr.Failed")]
        {
            let poll = ("Poll", true, json!({"http": 200, "status": status}));
            let got = verdict(decide(&p, &observed(), &cx(&[first.clone(), poll]))).0;
            assert_eq!(got, wanted);
        }
    }

    #[test]
    fn a_lost_answer_is_no_answer() {
        let cx = cx(&[("Invoke", false, Value::Null)]);
        assert_eq!(verdict(decide(&parameters(json!({})), &observed(), &cx)).0, "Invoke");
    }
}
