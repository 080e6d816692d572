//! `approval`: the plan of a run, and the question whether it may begin.

use crate::card::{self, Known};
use crate::mail::Mail;
use crate::open::{link, new_id, open, page, publish, rule};
use serde::Deserialize;
use serde_json::{Value, json};
use shared::consent::Rule;
use shared::durations;
use shared::folder::Plan;
use shared::pending::{Kind, Pending};
use shared::{Context, Error, Frame, Result, clock, skips};

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

/// The operation.
///
/// # Errors
/// When nobody could be asked.
pub async fn approval(frame: &Frame, payload: Value) -> Result<Value> {
    let request = Request::deserialize(payload)
        .map_err(|e| Error::internal(format!("the request is malformed: {e}")))?;
    let (plan, run) = read(frame, &request.context).await?;
    let known = known(frame, &request.context.product).await;
    let page = page(frame).await;
    let id = new_id()?;
    let pending = pending_of(frame, &request, &plan, &run, &known, rule(&run)?);
    open(frame, &pending, &id).await?;
    note(frame, &request, &pending).await;
    let whole_plan = frame.store.url(&format!("{}plan.json", request.context.folder));
    let link = page.map(|page| link(&page, &id));
    let mail = Mail {
        pending: &pending,
        link: link.as_deref(),
        whole_plan: &whole_plan,
        seconds: request.approval_seconds,
    };
    publish(frame, &pending, mail.subject(), mail.body()).await;
    Ok(json!({"status": "REQUESTED", "expiresAt": pending.expires_at}))
}

/// Plan and record of a run.
pub async fn read(frame: &Frame, context: &Context) -> Result<(Plan, Value)> {
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

/// What earlier runs left; without it the catalogue's figures count.
pub async fn known(frame: &Frame, product: &str) -> Known {
    let (durations_key, skips_key) = (durations::key(product), skips::key(product));
    let (durations, skips) =
        tokio::join!(frame.store.get_json(&durations_key), frame.store.get_json(&skips_key));
    Known {
        durations: durations.unwrap_or_default().unwrap_or_default(),
        skips: skips.unwrap_or_default().unwrap_or_default(),
    }
}

fn pending_of(
    frame: &Frame,
    request: &Request,
    plan: &Plan,
    run: &Value,
    known: &Known,
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
        known,
        rule: &rule,
    };
    Pending {
        kind: Kind::Approval,
        position: None,
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
