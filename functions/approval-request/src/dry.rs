//! A run that only plans: what an approver would see, into the run's folder. Nobody is asked.

use crate::approval::{known, read};
use crate::card::{self, About};
use crate::mail;
use crate::open::rule;
use serde::Deserialize;
use serde_json::{Value, json};
use shared::{Context, Error, Frame, Result};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    context: Context,
    phase: String,
    execution: String,
    execution_name: String,
}

/// Writes `card.json` and, as the mail would have it, `card.txt`.
pub async fn show(frame: &Frame, payload: Value) -> Result<Value> {
    let request = Request::deserialize(payload)
        .map_err(|e| Error::internal(format!("the request is malformed: {e}")))?;
    let context = &request.context;
    let (plan, run) = read(frame, context).await?;
    let about = About {
        context,
        phase: &request.phase,
        execution: &request.execution,
        execution_name: &request.execution_name,
        account: &frame.env.account,
        // Nothing waits for an answer.
        expires_at: "",
        known: &known(frame, &context.product).await,
        rule: &rule(&run)?,
    };
    let card = card::build(&about, &plan, &run);
    let whole_plan = frame.store.url(&format!("{}plan.json", context.folder));
    let text = mail::sheet(&card, &card.title, "", &whole_plan);
    frame.store.put_json(&format!("{}card.json", context.folder), &card).await?;
    frame.store.put(&format!("{}card.txt", context.folder), text.into_bytes()).await?;
    tracing::info!(event = "plan shown", product = context.product, execution = context.execution);
    Ok(json!({"status": "SHOWN"}))
}
