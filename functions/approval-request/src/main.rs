//! approval-request: asks people, by a mail with one link to the approval page and one command. Called
//! with a task token by `lambda:invoke.waitForTaskToken`; approval-callback or approval-iam answers it.
//!
//! **Operations:** `approval` of a planned run, `hold` of a resource that failed, `show` of a run that
//! only plans.
//! **Reads:** `plan.json` and `run.json` of the run's folder, what else of the run waits for an answer,
//! the page's address in Parameter Store.
//! **Writes:** `pending/<id>.json`, `approval.json` or `journal/holds/` in the run's folder, one mail. `show`: `card.json` and
//! `card.txt` in the run's folder, and no mail.
//! **Secrets:** the token stays in the bucket, the id goes into the mail; neither is logged.

mod answer;
mod approval;
mod card;
mod dry;
mod expected;
mod hold;
mod hold_card;
mod hold_mail;
mod mail;
mod open;

use serde_json::Value;
use shared::{Frame, Result};

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::result::Result<(), lambda_runtime::Error> {
    shared::serve(handle).await
}

async fn handle(frame: Frame, payload: Value) -> Result<Value> {
    match payload["operation"].as_str() {
        Some("hold") => hold::hold(&frame, payload).await,
        Some("show") => dry::show(&frame, payload).await,
        _ => approval::approval(&frame, payload).await,
    }
}
