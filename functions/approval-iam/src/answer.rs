//! From a parameter to the open approvals of its run, and to their tokens.

use crate::history::{self, Written};
use crate::request::Asked;
use crate::votes;
use shared::pending::{self, Pending};
use shared::{Error, Frame, Nature, Result, clock};
use shared_answers::{self as answers, Outcome};
use std::time::Duration;
use tokio::time::sleep;

/// Others may write the same open approval at the same time.
const ATTEMPTS: usize = 5;
const PAUSE: Duration = Duration::from_millis(300);

/// What came of it, for the log and for a person who called by hand.
pub struct Told {
    /// ANSWERED, COUNTED or IGNORED.
    pub status: &'static str,
    /// One line.
    pub message: String,
}

impl Told {
    fn ignored(message: impl Into<String>) -> Self {
        Self { status: "IGNORED", message: message.into() }
    }
}

/// A run may have several holds beside its approval, and a repeated request leaves several objects,
/// of which the token of one still lives.
///
/// # Errors
/// When a service did not answer: nothing is lost, the call can be made again.
pub async fn answer(frame: &Frame, asked: &Asked) -> Result<Told> {
    let written = history::read(frame, &asked.name).await?;
    let mut told = Told::ignored("nothing that waits for an answer has this parameter");
    for index in frame.store.list(&pending::index(&asked.product, &asked.run)).await? {
        let Some(key) = pending::key(index.rsplit('/').next().unwrap_or_default()) else {
            continue;
        };
        match one(frame, &key, asked, &written).await? {
            Some(next) if told.status == "IGNORED" => told = next,
            _ => {}
        }
    }
    Ok(told)
}

/// None: it has another parameter.
async fn one(frame: &Frame, key: &str, asked: &Asked, written: &[Written]) -> Result<Option<Told>> {
    for _ in 0..ATTEMPTS {
        let Some((pending, etag)) = answers::open(frame, key).await? else { return Ok(None) };
        if pending.parameter() != asked.name {
            return Ok(None);
        }
        if let Some(why) = refused(&pending, clock::epoch()) {
            return Ok(Some(Told::ignored(why)));
        }
        if let Some(told) = count(frame, key, pending, &etag, written).await? {
            return Ok(Some(told));
        }
        sleep(PAUSE).await;
    }
    let text = "the answer could not be recorded: a service did not answer, or others wrote it too";
    Err(Error::internal(text).nature(Nature::Uncertain).next("Call the function once more."))
}

/// What takes no answer any more.
fn refused(pending: &Pending, now: i64) -> Option<&'static str> {
    let uncertain = pending.answer.is_some() && pending.delivered.is_none();
    if uncertain {
        return None;
    }
    if pending.answer.is_some() {
        return Some("the request has an answer already");
    }
    if pending.closed_at.is_some() {
        return Some("the run has ended and waits for no answer");
    }
    pending.is_over(now).then_some("the request has expired")
}

/// None: somebody else wrote the open approval meanwhile.
async fn count(
    frame: &Frame,
    key: &str,
    pending: Pending,
    etag: &str,
    written: &[Written],
) -> Result<Option<Told>> {
    if pending.answer.is_some() {
        return Ok(told(answers::again(frame, key, pending, true).await));
    }
    let tally = votes::count(&pending, written);
    for line in &tally.ignored {
        tracing::warn!(event = "version ignored", product = pending.product, line);
    }
    let news = tally.approvals != pending.approvals;
    let pending = Pending { approvals: tally.approvals, ..pending };
    match tally.answer {
        Some(answer) => Ok(told(answers::first(frame, key, pending, etag, answer).await)),
        None if !news && pending.approvals.is_empty() => {
            let why = tally.ignored.last().cloned();
            Ok(Some(Told::ignored(why.unwrap_or_else(|| "the parameter has no value".to_owned()))))
        }
        None if news && !frame.store.put_if(key, &pending, etag).await? => Ok(None),
        None => Ok(Some(waits(&pending))),
    }
}

fn waits(pending: &Pending) -> Told {
    let (given, needed) = (pending.approvals.len(), pending.rule.required);
    let names: Vec<&str> = pending.approvals.iter().map(|a| a.approver.as_str()).collect();
    let message = format!(
        "{given} of {needed} answers, by {}: another IAM identity must answer the same",
        names.join(" and ")
    );
    Told { status: "COUNTED", message }
}

fn told(outcome: Outcome) -> Option<Told> {
    match outcome {
        Outcome::Sent(pending) => {
            let by = pending.answer.as_ref().map_or("", |a| a.approver.as_str());
            Some(Told { status: "ANSWERED", message: format!("the run has the answer of {by}") })
        }
        Outcome::Answered(_) => Some(Told::ignored("the request has an answer already")),
        Outcome::Over(_) | Outcome::Closed(_) => {
            Some(Told::ignored("the run waits for no answer any more"))
        }
        Outcome::Later => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn pending(changes: Value) -> Pending {
        let mut value = json!({
            "taskToken": "SECRET", "execution": "arn", "executionName": "run-1", "product": "shop",
            "action": "ACTIVATE", "region": "us-west-2", "folder": "f/", "digest": "d",
            "createdAt": "1970-01-01T00:01:40Z", "expiresAt": "1970-01-01T00:03:20Z",
            "card": {"title": "t", "facts": [], "alarms": [], "groups": [], "manifests": []},
        });
        for (name, change) in changes.as_object().unwrap() {
            value[name] = change.clone();
        }
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn only_what_is_open_takes_an_answer() {
        let answer = json!({"decision": "REJECTED", "approver": "a", "reason": "r", "at": "",
            "via": "link"});
        let cases = [
            (json!({}), 150, None),
            (json!({"answer": answer, "delivered": true}), 150, Some("an answer already")),
            (json!({"answer": answer, "delivered": false}), 150, Some("an answer already")),
            (json!({"answer": answer}), 150, None),
            (json!({"closedAt": "1970-01-01T00:02:00Z"}), 150, Some("has ended")),
            (json!({}), 200, Some("expired")),
        ];
        for (changes, now, wanted) in cases {
            let found = refused(&pending(changes.clone()), now);
            assert_eq!(found.is_some(), wanted.is_some(), "{changes}");
            assert!(found.unwrap_or_default().contains(wanted.unwrap_or_default()), "{changes}");
        }
    }
}
