//! approval-iam: takes the answer of a person who proves an IAM identity. It works without mail and
//! without the public page.
//!
//! The person writes a parameter, `/dr-orchestrator/approvals/<product>/<execution name>`, with the
//! value `APPROVE <reason>` or `REJECT <reason>`. Parameter Store itself records who wrote it
//! (`LastModifiedUser`), and IAM decides who may. EventBridge then calls this function; if it is
//! late, a person calls it with `{"name": "<parameter>"}`, which answers what came of it.
//!
//! Why a parameter: a function URL with `AWS_IAM` knows its caller too, but no plain command of the
//! AWS CLI signs such a request; an invoked function is not told who invoked it, so that a name in
//! its payload would prove nothing.
//!
//! **Reads:** the parameter's history, the run's open approvals. **Writes:** those approvals;
//! `states:SendTaskSuccess`. **What does not count** (an unknown run, one that is over or answered,
//! somebody who is not named) changes nothing; the log says why. No log holds token or id.

mod answer;
#[cfg(test)]
mod fuzz_tests;
mod history;
mod request;
mod votes;

use serde_json::{Value, json};
use shared::{Frame, Result};

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::result::Result<(), lambda_runtime::Error> {
    shared::serve(handle).await
}

async fn handle(frame: Frame, payload: Value) -> Result<Value> {
    let Some(asked) = request::asked(&payload) else {
        let text = "the request names no parameter below /dr-orchestrator/approvals/";
        tracing::warn!(event = "answer ignored", line = text);
        return Ok(json!({"status": "IGNORED", "message": text}));
    };
    let told = answer::answer(&frame, &asked).await?;
    tracing::info!(
        event = "answer by parameter",
        product = asked.product,
        parameter = asked.name,
        status = told.status,
        line = told.message,
    );
    Ok(json!({"status": told.status, "message": told.message}))
}
