//! What every question needs: an id, its object and index, the page's address, a mail.

use serde::Deserialize;
use serde_json::Value;
use shared::consent::{self, Rule};
use shared::pending::{self, Pending};
use shared::{Doing, Error, Frame, Result};

/// Written by the stack of the approval page.
const URL_PARAMETER: &str = "/dr-orchestrator/approval-url";

/// Keeps the question, before anybody can hold a link to it.
///
/// # Errors
/// As the bucket says.
pub async fn open(frame: &Frame, pending: &Pending, id: &str) -> Result<()> {
    let key = pending::key(id).ok_or_else(|| Error::internal("a made id is not valid"))?;
    frame.store.put_json(&key, pending).await?;
    // By the run's name, and by the parameter's where that is another one.
    let segment = consent::segment(&pending.execution_name);
    for name in [&pending.execution_name, &segment] {
        let folder = pending::index(&pending.product, name);
        frame.store.put(&format!("{folder}{id}"), vec![]).await?;
    }
    Ok(())
}

/// Never a guess: who may approve must be known.
///
/// # Errors
/// `Dr.Internal` when `run.json` does not tell.
pub fn rule(run: &Value) -> Result<Rule> {
    Rule::deserialize(&run["approval"])
        .map_err(|e| Error::internal(format!("run.json does not tell who may approve: {e}")))
}

/// The page's address; None where `ApprovalLinks` is DISABLED, and where it cannot be read: the
/// command works without it.
pub async fn page(frame: &Frame) -> Option<String> {
    let what = format!("read the parameter {URL_PARAMETER}");
    let client = aws_sdk_ssm::Client::new(&frame.config);
    match client.get_parameter().name(URL_PARAMETER).send().await.doing(&what) {
        Err(error) if error.is_not_found() => None,
        Err(error) => {
            tracing::error!(%error, "the mail will hold no link");
            None
        }
        Ok(answer) => {
            let value = answer.parameter().and_then(|p| p.value()).unwrap_or_default();
            Some(value.to_owned()).filter(|v| !v.is_empty())
        }
    }
}

/// 32 random bytes in hexadecimal.
///
/// # Errors
/// `Dr.Internal`, never in practice.
pub fn new_id() -> Result<String> {
    let mut bytes = [0u8; pending::ID_LENGTH / 2];
    getrandom::fill(&mut bytes)
        .map_err(|e| Error::internal(format!("no random bytes for a link: {e}")))?;
    Ok(bytes.iter().map(|b| format!("{b:02x}")).collect())
}

/// The page of one question.
pub fn link(page: &str, id: &str) -> String {
    let separator = if page.contains('?') { '&' } else { '?' };
    format!("{page}{separator}id={id}")
}

/// A mail that does not leave is not the end: the console shows the command that answers without it.
pub async fn publish(frame: &Frame, pending: &Pending, subject: String, body: String) {
    let topic = &frame.env.topic_arn;
    let client = aws_sdk_sns::Client::new(&frame.config);
    let mail = client.publish().topic_arn(topic).subject(subject).message(body);
    let sent = mail.send().await.doing(&format!("mail the question through {topic}"));
    if let Err(error) = sent {
        tracing::error!(%error, event = "approval mail failed", product = pending.product);
    }
    tracing::info!(
        event = "approval requested",
        product = pending.product,
        execution = pending.execution,
        line = pending.card.title,
        expiresAt = pending.expires_at,
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_valid_keys_and_never_the_same() {
        let (one, other) = (new_id().unwrap(), new_id().unwrap());
        assert!(pending::key(&one).is_some());
        assert_ne!(one, other);
    }

    #[test]
    fn the_link_holds_the_id_alone() {
        assert_eq!(link("https://x.on.aws/", "ab"), "https://x.on.aws/?id=ab");
    }
}
