//! Recording one answer and sending it. The record comes first: whatever happens after it, every
//! later attempt sends the same answer, and never another one.

use crate::form::Form;
use aws_sdk_sfn::Client;
use serde_json::json;
use shared::pending::{Answer, Pending, answer_key};
use shared::{Doing, Error, Frame, Result};

/// Codes of an execution that does not wait any more.
const GONE: [&str; 3] = ["TaskTimedOut", "TaskDoesNotExist", "InvalidToken"];

/// How it went.
pub enum Outcome {
    /// The waiting execution has this answer now.
    Sent(Box<Pending>),
    /// Another answer was recorded before.
    Answered(Box<Pending>),
    /// Nobody waits for an answer any more.
    Closed(Box<Pending>),
    /// A service did not answer; the same form can be sent again.
    Later,
}

/// The first answer: only one can be recorded.
pub async fn first(
    frame: &Frame,
    key: &str,
    mut pending: Pending,
    etag: &str,
    answer: Answer,
) -> Outcome {
    pending.answer = Some(answer.clone());
    match frame.store.put_if(key, &pending, etag).await {
        Ok(true) => deliver(frame, key, pending).await,
        // Somebody was first, or it was this call itself and its answer got lost.
        Ok(false) => match reload(frame, key).await {
            Ok(Some(known)) if known.answer.as_ref() == Some(&answer) => {
                deliver(frame, key, known).await
            }
            Ok(Some(known)) => Outcome::Answered(Box::new(known)),
            _ => Outcome::Later,
        },
        Err(error) => later(&error),
    }
}

/// There is an answer already. When nobody knows whether it arrived, it is sent again.
pub async fn again(frame: &Frame, key: &str, pending: Pending, form: &Form) -> Outcome {
    let mine = pending.answer.as_ref().is_some_and(|known| form.repeats(known));
    match pending.delivered {
        Some(true) => Outcome::Answered(Box::new(pending)),
        Some(false) => Outcome::Closed(Box::new(pending)),
        None if mine || form.asks_to_resend() => deliver(frame, key, pending).await,
        None => match deliver(frame, key, pending).await {
            // It has arrived now, but it is not the answer that this person gave.
            Outcome::Sent(known) => Outcome::Answered(known),
            other => other,
        },
    }
}

async fn deliver(frame: &Frame, key: &str, mut pending: Pending) -> Outcome {
    let Some(answer) = pending.answer.clone() else { return Outcome::Later };
    match send(frame, &pending.task_token, &answer).await {
        Ok(()) => {
            pending.delivered = Some(true);
            remember(frame, key, &pending, &answer).await;
            Outcome::Sent(Box::new(pending))
        }
        Err(error) if GONE.iter().any(|code| error.has_code(code)) => {
            gone(frame, key, pending).await
        }
        Err(error) => later(&error),
    }
}

async fn send(frame: &Frame, token: &str, answer: &Answer) -> Result<()> {
    let output = serde_json::to_string(answer)
        .map_err(|e| Error::internal(format!("the answer is not serialisable: {e}")))?;
    Client::new(&frame.config)
        .send_task_success()
        .task_token(token)
        .output(output)
        .send()
        .await
        .doing("send the answer to the waiting execution")
        .map(|_| ())
}

/// Best effort: without it a later visitor is told that the arrival is not certain.
async fn remember(frame: &Frame, key: &str, pending: &Pending, answer: &Answer) {
    let without_token = json!(answer);
    let writes = [
        frame.store.put_json(key, pending).await,
        frame.store.put_json(&answer_key(&pending.execution), &without_token).await,
    ];
    for error in writes.into_iter().filter_map(std::result::Result::err) {
        tracing::warn!(%error, "the arrival of an answer could not be noted");
    }
}

/// Nobody waits: it expired, the run was stopped, or another call has just sent this very answer.
async fn gone(frame: &Frame, key: &str, pending: Pending) -> Outcome {
    let Ok(Some(object)) = frame.store.get(key).await else {
        return Outcome::Closed(Box::new(pending));
    };
    let Ok(mut known) = serde_json::from_slice::<Pending>(&object.bytes) else {
        return Outcome::Closed(Box::new(pending));
    };
    if known.delivered == Some(true) {
        return Outcome::Sent(Box::new(known));
    }
    known.delivered = Some(false);
    if let Err(error) = frame.store.put_if(key, &known, &object.etag).await {
        tracing::warn!(%error, "that an answer came too late could not be noted");
    }
    Outcome::Closed(Box::new(known))
}

async fn reload(frame: &Frame, key: &str) -> Result<Option<Pending>> {
    Ok(frame.store.get(key).await?.and_then(|o| serde_json::from_slice(&o.bytes).ok()))
}

fn later(error: &Error) -> Outcome {
    tracing::error!(%error, "an answer could not be recorded or sent");
    Outcome::Later
}
