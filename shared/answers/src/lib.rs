//! Recording one answer of an open approval and sending it, however it came. The record comes first:
//! whatever happens after it, every later attempt sends the same answer, and never another one.

use aws_sdk_sfn::config::retry::RetryConfig;
use aws_sdk_sfn::{Client, Config};
use shared::pending::{Answer, Pending, answer_key};
use shared::store::Object;
use shared::{Doing, Error, ErrorType, Frame, Nature, Result};
use std::time::Duration;
use tokio::time::sleep;

/// Codes of an execution that does not wait any more.
const GONE: [&str; 3] = ["TaskTimedOut", "TaskDoesNotExist", "InvalidToken"];
/// Between attempts; a person waits for the page.
const PAUSES_MS: [u64; 4] = [200, 500, 1000, 2000];

/// How it went.
pub enum Outcome {
    /// The waiting execution has this answer now.
    Sent(Box<Pending>),
    /// Another answer was recorded before.
    Answered(Box<Pending>),
    /// There is an answer, nobody waits any more, and only the execution knows whether it got it.
    Over(Box<Pending>),
    /// Nobody waited for this answer.
    Closed(Box<Pending>),
    /// A service did not answer; the same form can be sent again.
    Later,
}

/// What sending an answer came to.
enum Sent {
    Yes,
    /// Nobody waits. `maybe`: an earlier attempt, whose answer got lost, may have been the reason.
    Gone {
        maybe: bool,
    },
}

/// Reads an open approval, with its tag for a conditional write. Without `s3:ListBucket` a missing
/// object shows as a refusal.
///
/// # Errors
/// As the service says; when the object is not what it should be.
pub async fn open(frame: &Frame, key: &str) -> Result<Option<(Pending, String)>> {
    match frame.store.get(key).await {
        Err(error) if error.error_type == ErrorType::AccessDenied => Ok(None),
        other => other?.map(read).transpose(),
    }
}

fn read(object: Object) -> Result<(Pending, String)> {
    let pending = serde_json::from_slice(&object.bytes).map_err(|e| {
        // Not with the text: it could quote the token.
        Error::internal(format!("an open approval is not as expected, line {}", e.line()))
    })?;
    Ok((pending, object.etag))
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
        Ok(true) => deliver(frame, key, pending, true).await,
        // Somebody was first, or it was this call itself and its answer got lost.
        Ok(false) => match open(frame, key).await {
            Ok(Some((known, _))) if known.answer.as_ref() == Some(&answer) => {
                deliver(frame, key, known, true).await
            }
            Ok(Some((known, _))) if known.answer.is_some() => Outcome::Answered(Box::new(known)),
            Ok(Some((known, _))) if known.closed_at.is_some() => Outcome::Closed(Box::new(known)),
            // One of several approvals was recorded meanwhile: it is still open.
            _ => Outcome::Later,
        },
        Err(error) => later(&error),
    }
}

/// There is an answer already. When nobody knows whether it arrived, it is sent again. `mine`: the
/// caller gave that very answer, or asks to send it once more.
pub async fn again(frame: &Frame, key: &str, pending: Pending, mine: bool) -> Outcome {
    match pending.delivered {
        Some(true) => Outcome::Answered(Box::new(pending)),
        Some(false) => Outcome::Closed(Box::new(pending)),
        None => match deliver(frame, key, pending, false).await {
            // It has arrived now, but it is not the answer that this person gave.
            Outcome::Sent(known) if !mine => Outcome::Answered(known),
            other => other,
        },
    }
}

/// Sends the recorded answer. `fresh`: it was recorded by this very call.
async fn deliver(frame: &Frame, key: &str, mut pending: Pending, fresh: bool) -> Outcome {
    let Some(answer) = pending.answer.clone() else { return Outcome::Later };
    match send(frame, &pending.task_token, &answer).await {
        Ok(Sent::Yes) => {
            pending.delivered = Some(true);
            remember(frame, key, &pending, &answer).await;
            Outcome::Sent(Box::new(pending))
        }
        Ok(Sent::Gone { maybe: false }) if fresh => gone(frame, key, pending).await,
        // The attempt whose answer got lost has ended the waiting.
        Ok(Sent::Gone { maybe: true }) if fresh => Outcome::Sent(Box::new(pending)),
        Ok(Sent::Gone { .. }) => Outcome::Over(Box::new(pending)),
        Err(error) => later(&error),
    }
}

/// Without the SDK's own retries: they would hide that an earlier attempt may have arrived.
async fn send(frame: &Frame, token: &str, answer: &Answer) -> Result<Sent> {
    let output = serde_json::to_string(answer)
        .map_err(|e| Error::internal(format!("the answer is not serialisable: {e}")))?;
    let config = Config::from(&frame.config).to_builder().retry_config(RetryConfig::disabled());
    let client = Client::from_conf(config.build());
    let (mut maybe, mut pauses) = (false, PAUSES_MS.iter());
    loop {
        let call = client.send_task_success().task_token(token).output(&output);
        let error = match call.send().await.doing("send the answer to the waiting execution") {
            Ok(_) => return Ok(Sent::Yes),
            Err(error) => error,
        };
        if GONE.iter().any(|code| error.has_code(code)) {
            return Ok(Sent::Gone { maybe });
        }
        maybe |= error.nature == Nature::Uncertain;
        match pauses.next() {
            Some(pause) if error.is_transient() => sleep(Duration::from_millis(*pause)).await,
            _ => return Err(error),
        }
    }
}

/// Best effort: without it a later visitor is told that the arrival is not certain.
async fn remember(frame: &Frame, key: &str, pending: &Pending, answer: &Answer) {
    let writes = [
        frame.store.put_json(key, pending).await,
        frame.store.put_json(&answer_key(&pending.execution), answer).await,
    ];
    for error in writes.into_iter().filter_map(std::result::Result::err) {
        tracing::warn!(%error, "the arrival of an answer could not be noted");
    }
}

/// Nobody waited: it expired, the run was stopped, or another call has just sent this very answer.
async fn gone(frame: &Frame, key: &str, pending: Pending) -> Outcome {
    let Ok(Some((mut known, etag))) = open(frame, key).await else {
        return Outcome::Over(Box::new(pending));
    };
    if known.delivered == Some(true) {
        return Outcome::Sent(Box::new(known));
    }
    known.delivered = Some(false);
    if let Err(error) = frame.store.put_if(key, &known, &etag).await {
        tracing::warn!(%error, "that an answer came too late could not be noted");
    }
    Outcome::Closed(Box::new(known))
}

fn later(error: &Error) -> Outcome {
    tracing::error!(%error, "an answer could not be recorded or sent");
    Outcome::Later
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::ErrorType;

    #[test]
    fn an_approval_that_cannot_be_read_is_told_without_its_text() {
        let bytes = b"{\n\"taskToken\": \"secret\"\n}".to_vec();
        let error = read(Object { bytes, etag: String::new() }).err().unwrap();
        assert_eq!(error.error_type, ErrorType::Internal);
        assert_eq!(error.message, "an open approval is not as expected, line 3");
    }
}
