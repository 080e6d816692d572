//! failure-recorder: turns what a Catch holds into one plain line, and lines into one cause.
//!
//! **Operations:** `caught` unwraps one failure, `join` collects the lines of many, `decided` records
//! what a person made of one, `weigh` tells whether a retry needs another answer.
//! **Writes:** `journal/failures/<hash>.json`, `journal/holds/`, and in PLAN the resource's plan entry
//! as FAILED; for a run that is aborted its lock and its other open holds.
//! **`caught` and `join` never fail for their input:** they are the last to be asked, so they answer
//! even to nonsense.

mod caught;
mod decided;
mod held;
mod join;
mod weigh;

use caught::{Caught, Told};
use serde::Deserialize;
use serde_json::{Value, json};
use shared::names::sha256;
use shared::{Frame, Result, clock};

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::result::Result<(), lambda_runtime::Error> {
    shared::serve(handle).await
}

async fn handle(frame: Frame, payload: Value) -> Result<Value> {
    match payload["operation"].as_str() {
        Some("join") => Ok(joined(&frame, &payload)),
        Some("decided") => decided::decided(&frame, payload).await,
        Some("weigh") => weigh::weigh(&frame, payload).await,
        _ => caught(&frame, &payload).await,
    }
}

fn joined(frame: &Frame, payload: &Value) -> Value {
    let request = join::Join::deserialize(payload).unwrap_or_default();
    join::answer(&request, |folder| frame.store.url(&format!("{folder}journal/failures/")))
}

async fn caught(frame: &Frame, payload: &Value) -> Result<Value> {
    let request = Caught::new(payload);
    let told = request.told();
    if told.is_new {
        note(&request, &told);
        keep(frame, &request, &told).await;
    }
    Ok(json!({
        "status": "FAILED",
        "errorType": told.error_type,
        "line": told.line,
        "lines": told.lines,
    }))
}

/// The event that the dashboards show.
fn note(request: &Caught, told: &Told) {
    let context = request.context.as_ref();
    tracing::info!(
        event = "failure",
        product = context.map_or("unknown-product", |c| c.product.as_str()),
        execution = context.map_or("", |c| c.execution.as_str()),
        phase = request.phase.as_deref().unwrap_or_default(),
        resourceType = request.resource_type.as_deref().unwrap_or_default(),
        resourceName = request.resource_name.as_deref().unwrap_or_default(),
        errorType = told.error_type.as_str(),
        line = told.line.as_str(),
        "a failure was recorded"
    );
}

/// Best effort: what cannot be written is still answered, and logged.
async fn keep(frame: &Frame, request: &Caught, told: &Told) {
    let Some(context) = &request.context else { return };
    let mut writes = Vec::new();
    let entry = request.record(told, &clock::now());
    let hash = sha256(format!("{}{}", context.position(), told.line).as_bytes());
    writes.push((format!("{}journal/failures/{}.json", context.folder, &hash[..16]), entry));
    if let Some(entry) = request.plan_entry(told) {
        writes.push((context.plan_key(), entry));
    }
    for (key, value) in writes {
        if let Err(error) = frame.store.put_json(&key, &value).await {
            tracing::error!(%key, %error, "the failure could not be written");
        }
    }
}
