//! `hold`: a resource failed, and the question what becomes of it.

use crate::hold_card::{About, build};
use crate::hold_mail::{HoldMail, Other};
use crate::open::{link, new_id, open, page, publish, rule};
use serde::Deserialize;
use serde_json::{Value, json};
use shared::lock;
use shared::pending::{self, Answer, Decision, Kind, Pending};
use shared::{ChangeClass, Context, Doing, Error, Frame, Result, Status, clock};

/// Open decisions that a mail lists.
const OTHERS: usize = 40;

/// What the resource machine sends. No `Debug`: it holds the task token.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    task_token: String,
    context: Context,
    phase: String,
    execution: String,
    resource_type: String,
    resource_name: String,
    why: Why,
    /// Tells this question from others about the same resource.
    question: String,
    again: Option<Again>,
    plan: Option<Planned>,
}

/// Why it failed.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Why {
    /// One of the closed set, or what a crash left.
    pub error_type: String,
    /// For people.
    pub message: String,
    /// What to do; empty where nobody knows.
    pub next_step: String,
}

/// What reading the manifest again found.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Again {
    /// READ or FAILED.
    pub status: String,
    /// Why it could not be taken.
    pub message: Option<String>,
    /// Whether this resource says something else than before.
    pub changed: bool,
    /// Key of the manifest.
    pub key: Option<String>,
    /// Of the manifest as it is now.
    pub sha256: Option<String>,
}

/// What planning it again found.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Planned {
    /// PLANNED, or why it cannot be tried.
    pub status: Status,
    /// What it would do.
    pub summary: String,
    /// Whether it would only wait for what is under way.
    #[serde(default)]
    pub waits: bool,
    /// Its class.
    pub change_class: Option<ChangeClass>,
    /// Why it cannot be tried.
    pub message: Option<String>,
}

/// The operation.
///
/// # Errors
/// When nobody could be asked.
pub async fn hold(frame: &Frame, payload: Value) -> Result<Value> {
    let request = Request::deserialize(payload)
        .map_err(|e| Error::internal(format!("the request is malformed: {e}")))?;
    let context = &request.context;
    let run: Value =
        frame.store.get_json(&format!("{}run.json", context.folder)).await?.unwrap_or_default();
    let (page, id) = (page(frame).await, new_id()?);
    let pending = Pending { rule: rule(&run)?, ..pending_of(&request) };
    close_older(frame, &pending).await;
    let asked_at = clock::moment();
    open(frame, &pending, &id).await?;
    // After the question can be found: whoever aborts the run looks for open ones after he has said so.
    let over = lock::over(&frame.store, &context.product, &context.execution).await;
    if let Some(why) = over.unwrap_or_default() {
        return aborted(frame, &pending, &why.message).await;
    }
    note(frame, &request, &pending, &asked_at).await;
    let others = others(frame, &pending, &id, page.as_deref()).await;
    let link = page.map(|page| link(&page, &id));
    let seconds = context.hold_seconds;
    let mail = HoldMail { pending: &pending, link: link.as_deref(), others: &others, seconds };
    publish(frame, &pending, mail.subject(), mail.body()).await;
    Ok(json!({"status": "REQUESTED", "expiresAt": pending.expires_at}))
}

fn pending_of(request: &Request) -> Pending {
    let context = &request.context;
    let now = clock::epoch();
    let expires_at = clock::rfc3339(now.saturating_add(context.hold_seconds));
    let about = About {
        context,
        phase: &request.phase,
        resource: &format!("{} {}", request.resource_type, request.resource_name),
        execution: &request.execution,
        expires_at: &expires_at,
        why: &request.why,
        again: request.again.as_ref(),
        plan: request.plan.as_ref(),
    };
    Pending {
        card: build(&about),
        kind: Kind::Hold,
        position: Some(format!("{}-{}", context.position(), request.question)),
        task_token: request.task_token.clone(),
        execution: request.execution.clone(),
        execution_name: context.execution.rsplit(':').next().unwrap_or_default().to_owned(),
        product: context.product.clone(),
        action: request.phase.clone(),
        region: context.region.clone(),
        folder: context.folder.clone(),
        digest: request.again.as_ref().and_then(|a| a.sha256.clone()).unwrap_or_default(),
        created_at: clock::rfc3339(now),
        expires_at,
        rule: Default::default(),
        approvals: vec![],
        answer: None,
        delivered: None,
        closed_at: None,
    }
}

/// For whoever watches the run: the newest question about this resource. Without the id.
async fn note(frame: &Frame, request: &Request, pending: &Pending, asked_at: &str) {
    let context = &request.context;
    let key = format!("{}journal/holds/{}-asked.json", context.folder, context.position());
    let value = json!({
        "event": "asked",
        "at": asked_at,
        "expiresAt": pending.expires_at,
        "title": pending.card.title,
        "app": context.app,
        "file": context.file,
        "layer": context.layer,
        "index": context.index,
        "resourceType": request.resource_type,
        "resourceName": request.resource_name,
    });
    if let Err(error) = frame.store.put_json(&key, &value).await {
        tracing::warn!(%key, %error, "the question could not be noted");
    }
}

/// The same question of an attempt that got lost: its token is dead, its link says so.
async fn close_older(frame: &Frame, own: &Pending) {
    let index = pending::index(&own.product, &own.execution_name);
    let keys = frame.store.list(&index).await.unwrap_or_default();
    for key in keys.iter().filter_map(|key| pending::key(key.rsplit('/').next()?)) {
        let Ok(Some(object)) = frame.store.get(&key).await else { continue };
        let Ok(known) = serde_json::from_slice::<Pending>(&object.bytes) else { continue };
        if known.parameter() == own.parameter() && known.is_open(clock::epoch()) {
            let closed = Pending { closed_at: Some(clock::now()), ..known };
            // Answered at this very moment: the answer went to nobody, and this question stays.
            let _ = frame.store.put_if(&key, &closed, &object.etag).await;
        }
    }
}

/// Nobody is asked in a run that is over.
async fn aborted(frame: &Frame, pending: &Pending, why: &str) -> Result<Value> {
    let answer = Answer {
        decision: Decision::Abort,
        approver: "DR Orchestrator".to_owned(),
        reason: why.to_owned(),
        at: clock::now(),
        via: "run".to_owned(),
    };
    let client = aws_sdk_sfn::Client::new(&frame.config);
    let call = client.send_task_success().task_token(&pending.task_token);
    let output = json!(answer).to_string();
    call.output(output).send().await.doing("end the hold of an aborted run")?;
    Ok(json!({"status": "ABORTED", "expiresAt": pending.expires_at}))
}

/// Best effort: a list that cannot be read does not keep anybody from deciding.
async fn others(frame: &Frame, own: &Pending, id: &str, page: Option<&str>) -> Vec<Other> {
    let index = pending::index(&own.product, &own.execution_name);
    let keys = frame.store.list(&index).await.unwrap_or_default();
    let ids = keys.iter().filter_map(|key| key.rsplit('/').next()).filter(|other| *other != id);
    let mut others = Vec::new();
    for id in ids.take(OTHERS) {
        let Some(key) = pending::key(id) else { continue };
        let Ok(Some(other)) = frame.store.get_json::<Pending>(&key).await else { continue };
        if other.kind == Kind::Hold && other.is_open(clock::epoch()) {
            let link = page.map(|page| link(page, id));
            others.push(Other { title: other.card.title, expires_at: other.expires_at, link });
        }
    }
    others
}
