//! approval-request: mails the plan with the ways to answer: one link to the approval page, where one
//! is deployed, and the command for an IAM identity. Called with a task token by
//! `lambda:invoke.waitForTaskToken`; approval-callback or approval-iam answers the
//! token.
//!
//! **Reads:** `plan.json` and `run.json` of the run's folder, the page's address in Parameter Store.
//! **Writes:** `pending/<id>.json`, `approval.json` in the run's folder, one mail. For a run that only
//! plans: `card.json` and `card.txt` in its folder, and no mail.
//! **Secrets:** the token stays in the bucket, the id goes into the mail; neither is logged.

mod answer;
mod card;
mod dry;
mod expected;
mod mail;

use mail::Mail;
use serde::Deserialize;
use serde_json::{Value, json};
use shared::consent::{self, Rule};
use shared::durations::{self, Durations};
use shared::folder::Plan;
use shared::pending::{self, Pending};
use shared::{Context, Doing, Error, Frame, Result, clock};

/// Written by the stack of the approval page.
const URL_PARAMETER: &str = "/dr-orchestrator/approval-url";

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::result::Result<(), lambda_runtime::Error> {
    shared::serve(handle).await
}

/// What the product machine sends. No `Debug`: it holds the task token.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    task_token: String,
    context: Context,
    phase: String,
    execution: String,
    approval_seconds: i64,
    #[serde(default)]
    execution_name: Option<String>,
}

async fn handle(frame: Frame, payload: Value) -> Result<Value> {
    if payload["planOnly"] == true {
        return dry::show(&frame, payload).await;
    }
    let request = Request::deserialize(payload)
        .map_err(|e| Error::internal(format!("the request is malformed: {e}")))?;
    let (plan, run) = read(&frame, &request.context).await?;
    let durations = durations(&frame, &request.context.product).await;
    let page = page(&frame).await?;
    let id = new_id()?;
    let pending = pending_of(&frame, &request, &plan, &run, &durations, rule(&run)?);
    let key = pending::key(&id).ok_or_else(|| Error::internal("a made id is not valid"))?;
    // Before the mail: nobody may hold a link that leads nowhere.
    frame.store.put_json(&key, &pending).await?;
    index(&frame, &pending, &id).await?;
    note(&frame, &request, &pending).await;
    let whole_plan = frame.store.url(&format!("{}plan.json", request.context.folder));
    let link = page.map(|page| link(&page, &id));
    let mail = Mail {
        pending: &pending,
        link: link.as_deref(),
        whole_plan: &whole_plan,
        seconds: request.approval_seconds,
    };
    if let Err(error) = publish(&frame, &mail).await {
        // Not the end: the console shows the command that answers without a mail.
        tracing::error!(%error, event = "approval mail failed", product = pending.product);
    }
    tracing::info!(
        event = "approval requested",
        product = pending.product,
        execution = pending.execution,
        expiresAt = pending.expires_at,
    );
    Ok(json!({"status": "REQUESTED", "expiresAt": pending.expires_at}))
}

/// By the execution's name, and by the parameter's where that is another one.
async fn index(frame: &Frame, pending: &Pending, id: &str) -> Result<()> {
    let segment = consent::segment(&pending.execution_name);
    for name in [&pending.execution_name, &segment] {
        let folder = pending::index(&pending.product, name);
        frame.store.put(&format!("{folder}{id}"), vec![]).await?;
    }
    Ok(())
}

async fn read(frame: &Frame, context: &Context) -> Result<(Plan, Value)> {
    let key = format!("{}plan.json", context.folder);
    let plan = frame.store.get_json(&key).await?.ok_or_else(|| {
        Error::internal(format!(
            "there is no plan to approve: {} is missing",
            frame.store.url(&key)
        ))
    })?;
    let run = frame.store.get_json(&format!("{}run.json", context.folder)).await?;
    Ok((plan, run.unwrap_or_default()))
}

/// What earlier runs took; without it the catalogue's figures count.
async fn durations(frame: &Frame, product: &str) -> Durations {
    let known = frame.store.get_json(&durations::key(product)).await;
    known.unwrap_or_default().unwrap_or_default()
}

/// The page's address; None where `ApprovalLinks` is DISABLED.
async fn page(frame: &Frame) -> Result<Option<String>> {
    let what = format!("read the parameter {URL_PARAMETER}");
    let answer = aws_sdk_ssm::Client::new(&frame.config)
        .get_parameter()
        .name(URL_PARAMETER)
        .send()
        .await
        .doing(&what);
    match answer {
        Err(error) if error.is_not_found() => Ok(None),
        other => {
            let answer = other?;
            let value = answer.parameter().and_then(|p| p.value()).unwrap_or_default();
            Ok(Some(value.to_owned()).filter(|v| !v.is_empty()))
        }
    }
}

/// 32 random bytes in hexadecimal.
fn new_id() -> Result<String> {
    let mut bytes = [0u8; pending::ID_LENGTH / 2];
    getrandom::fill(&mut bytes)
        .map_err(|e| Error::internal(format!("no random bytes for a link: {e}")))?;
    Ok(bytes.iter().map(|b| format!("{b:02x}")).collect())
}

fn link(page: &str, id: &str) -> String {
    let separator = if page.contains('?') { '&' } else { '?' };
    format!("{page}{separator}id={id}")
}

/// Never a guess: who may approve must be known.
fn rule(run: &Value) -> Result<Rule> {
    Rule::deserialize(&run["approval"])
        .map_err(|e| Error::internal(format!("run.json does not tell who may approve: {e}")))
}

fn pending_of(
    frame: &Frame,
    request: &Request,
    plan: &Plan,
    run: &Value,
    durations: &Durations,
    rule: Rule,
) -> Pending {
    let now = clock::epoch();
    let expires_at = clock::rfc3339(now.saturating_add(request.approval_seconds));
    let context = &request.context;
    let last = request.execution.rsplit(':').next().unwrap_or_default();
    let name = request.execution_name.as_deref().unwrap_or(last);
    let about = card::About {
        context,
        phase: &request.phase,
        execution: &request.execution,
        execution_name: name,
        account: &frame.env.account,
        expires_at: &expires_at,
        durations,
        rule: &rule,
    };
    Pending {
        card: card::build(&about, plan, run),
        task_token: request.task_token.clone(),
        execution: request.execution.clone(),
        execution_name: name.to_owned(),
        product: context.product.clone(),
        action: request.phase.clone(),
        region: context.region.clone(),
        folder: context.folder.clone(),
        digest: plan.digest.clone(),
        created_at: clock::rfc3339(now),
        expires_at,
        rule,
        approvals: vec![],
        answer: None,
        delivered: None,
        closed_at: None,
    }
}

/// When it was asked and what was shown, for the report and for later readers; without the id, which would let its reader approve.
async fn note(frame: &Frame, request: &Request, pending: &Pending) {
    let key = format!("{}approval.json", request.context.folder);
    let value = json!({
        "requestedAt": pending.created_at,
        "expiresAt": pending.expires_at,
        "approvalSeconds": request.approval_seconds,
        "digest": pending.digest,
        "card": pending.card,
    });
    if let Err(error) = frame.store.put_json(&key, &value).await {
        tracing::warn!(%key, %error, "the time of the request could not be noted");
    }
}

async fn publish(frame: &Frame, mail: &Mail<'_>) -> Result<()> {
    aws_sdk_sns::Client::new(&frame.config)
        .publish()
        .topic_arn(&frame.env.topic_arn)
        .subject(mail.subject())
        .message(mail.body())
        .send()
        .await
        .doing(&format!("mail the approval request through {}", frame.env.topic_arn))
        .map(|_| ())
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
