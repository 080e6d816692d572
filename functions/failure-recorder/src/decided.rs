//! `decided`: what a person made of a failed resource; recorded before it counts.

use crate::held::{Held, Retry, write};
use serde::Deserialize;
use serde_json::{Value, json};
use shared::names::cut;
use shared::pending::{self, Answer, Decision, Kind};
use shared::text::{one_line, sentence};
use shared::{Error, Frame, Result, clock, lock};

/// Characters of a cause.
const CAUSE: usize = 1200;

/// What the resource machine sends.
#[derive(Debug, Deserialize)]
pub struct Request {
    #[serde(flatten)]
    held: Held,
    answer: Given,
    why: Why,
    weighed: Retry,
}

/// A person's answer, or why there is none.
#[derive(Debug, Clone, Deserialize)]
struct Given {
    /// A [`Decision`], or NONE.
    decision: String,
    approver: String,
    reason: String,
    at: String,
    via: String,
}

/// How the attempt failed.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Why {
    error_type: String,
    message: String,
    cause: String,
}

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    /// The plan that was shown.
    Run,
    /// The manifest, again.
    Read,
    Skip,
    Fail,
}

impl Next {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Run => "RUN",
            Self::Read => "READ",
            Self::Skip => "SKIP",
            Self::Fail => "FAIL",
        }
    }
}

/// The operation.
///
/// # Errors
/// When it could not be recorded: then it does not count.
pub async fn decided(frame: &Frame, payload: Value) -> Result<Value> {
    let request = Request::deserialize(payload)
        .map_err(|e| Error::internal(format!("the request is malformed: {e}")))?;
    let decision = Decision::parse(&request.answer.decision);
    if decision == Some(Decision::AbortRun) {
        abort_run(frame, &request).await?;
    }
    write(frame, &request.held, "decided", record(&request)).await?;
    note(&request);
    let next = next(decision, request.weighed.runnable);
    Ok(json!({"next": next.as_str(), "cause": cause(&request, decision)}))
}

/// Everything that is no clear word ends the resource.
fn next(decision: Option<Decision>, runnable: bool) -> Next {
    match decision {
        Some(Decision::Retry) if runnable => Next::Run,
        Some(Decision::Retry) => Next::Read,
        Some(Decision::Skip) => Next::Skip,
        _ => Next::Fail,
    }
}

fn record(request: &Request) -> Value {
    let Request { answer, why, held, .. } = request;
    json!({
        "askedAt": held.asked.at,
        "waitedSeconds": waited(&held.asked.at, &answer.at),
        "decision": answer.decision,
        "approver": one_line(&answer.approver),
        "reason": one_line(&answer.reason),
        "via": answer.via,
        "errorType": why.error_type,
        "message": one_line(&why.message),
    })
}

fn waited(from: &str, to: &str) -> Option<i64> {
    Some((clock::parse(to)? - clock::parse(from)?).max(0))
}

/// The event that the dashboards show.
fn note(request: &Request) {
    let Request { held, answer, why, .. } = request;
    tracing::info!(
        event = "decision",
        product = held.context.product,
        execution = held.context.execution,
        phase = held.phase,
        resourceType = held.resource_type,
        resourceName = held.resource_name,
        errorType = why.error_type,
        decision = answer.decision,
        via = answer.via,
        line = format!(
            "{} {}: {} {}: {}",
            held.resource_type, held.resource_name, answer.decision, answer.approver, answer.reason
        ),
        "a failed resource was decided on"
    );
}

/// The cause of the resource's failure, when it fails now. A crash brings lines: they stay lines.
fn cause(request: &Request, decision: Option<Decision>) -> String {
    let Given { approver, reason, .. } = &request.answer;
    let end = match decision {
        Some(Decision::AbortRun) => format!("The run was aborted by {approver}: {reason}"),
        Some(_) => format!("Aborted by {approver}: {reason}"),
        None => reason.clone(),
    };
    let cause = &request.why.cause;
    if serde_json::from_str::<Value>(cause).is_ok_and(|v| v.is_object()) {
        return cause.clone();
    }
    format!("{} {}", cut(cause, CAUSE), sentence(&one_line(&end)))
}

/// First the lock says so, then every open hold of the run is answered: one that is asked meanwhile
/// reads the lock itself.
async fn abort_run(frame: &Frame, request: &Request) -> Result<()> {
    let context = &request.held.context;
    let Given { approver, reason, via, .. } = &request.answer;
    let why = one_line(&format!("{approver} ({via}): {reason}"));
    lock::abort(&frame.store, &context.product, &context.execution, &why).await?;
    let run = context.execution.rsplit(':').next().unwrap_or_default();
    for index in frame.store.list(&pending::index(&context.product, run)).await? {
        let id = index.rsplit('/').next().unwrap_or_default();
        let Some(key) = pending::key(id) else { continue };
        if let Err(error) = abort_hold(frame, &key, &why).await {
            // It is not the end: whatever is decided there, its next attempt finds the lock.
            tracing::warn!(%error, "an open question of the run could not be closed");
        }
    }
    Ok(())
}

async fn abort_hold(frame: &Frame, key: &str, why: &str) -> Result<()> {
    let Some((open, etag)) = shared_answers::open(frame, key).await? else { return Ok(()) };
    if open.kind != Kind::Hold || !open.is_open(clock::epoch()) {
        return Ok(());
    }
    let answer = aborted(why);
    // An answer that somebody else gives at this moment counts; its attempt then finds the lock.
    shared_answers::first(frame, key, open, &etag, answer).await;
    Ok(())
}

fn aborted(why: &str) -> Answer {
    Answer {
        decision: Decision::Abort,
        approver: "DR Orchestrator".to_owned(),
        reason: format!("the run was aborted: {why}"),
        at: clock::now(),
        via: "run".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(decision: &str, cause: &str) -> Request {
        Request::deserialize(json!({
            "context": {"product": "shop", "execution": "arn:x:run-1", "root": "run-1",
                "startedAt": "t", "region": "us-west-2", "unplanned": false, "folder": "f/"},
            "phase": "CLEANUP", "resourceType": "T", "resourceName": "n",
            "asked": {"at": "2026-01-01T00:00:00Z"},
            "answer": {"decision": decision, "approver": "Ann", "reason": "no\ntime",
                "at": "2026-01-01T00:01:10Z", "via": "link"},
            "why": {"errorType": "Dr.Failed", "message": "it broke.", "cause": cause},
            "weighed": {"runnable": false, "plan": null},
        }))
        .unwrap()
    }

    #[test]
    fn only_a_clear_word_goes_on() {
        assert_eq!(next(Some(Decision::Retry), true), Next::Run);
        assert_eq!(next(Some(Decision::Retry), false), Next::Read);
        assert_eq!(next(Some(Decision::Skip), false), Next::Skip);
        for other in
            [Some(Decision::Abort), Some(Decision::AbortRun), Some(Decision::Approved), None]
        {
            assert_eq!(next(other, true), Next::Fail, "{other:?}");
        }
    }

    #[test]
    fn the_cause_tells_who_gave_up_and_lines_stay_lines() {
        let plain = request("ABORT", "it broke. Look.");
        let text = cause(&plain, Some(Decision::Abort));
        assert_eq!(text, "it broke. Look. Aborted by Ann: no time.");
        let lines = request("NONE", "{\"lines\":[\"a\"]}");
        assert_eq!(cause(&lines, None), "{\"lines\":[\"a\"]}");
    }

    #[test]
    fn the_record_tells_how_long_it_waited() {
        let record = record(&request("SKIP", ""));
        assert_eq!((&record["waitedSeconds"], &record["reason"]), (&json!(70), &json!("no time")));
    }
}
