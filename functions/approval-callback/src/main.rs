//! approval-callback: the page behind the link of an approval mail (a Lambda function URL).
//!
//! **GET** shows the plan and a form; it never acts, for mail scanners open links.
//! **POST** from that form records one answer and sends it to the waiting execution.
//! **Reads and writes:** the open approval under `pending/`, nothing else; `states:SendTaskSuccess`.
//! **Whoever calls it is unknown:** ids are checked before any call, texts are escaped, bad input is
//! answered with 4xx, and no answer tells a secret.

mod answer;
mod decide;
mod form;
mod html;
mod page;
mod request;

#[cfg(test)]
mod fuzz_tests;

use answer::Outcome;
use decide::Next;
use page::Page;
use request::{Method, Request};
use serde_json::Value;
use shared::pending::{Decision, Pending};
use shared::store::Object;
use shared::{ErrorType, Frame, Result, clock};

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::result::Result<(), lambda_runtime::Error> {
    shared::serve(handle).await
}

async fn handle(frame: Frame, payload: Value) -> Result<Value> {
    let request = Request::new(&payload);
    let page = match decide::key(&request) {
        Ok(key) => serve(&frame, &request, &key).await,
        Err(page) => page,
    };
    tracing::info!(event = "approval page", status = page.status);
    Ok(page.response(request.method == Method::Head))
}

async fn serve(frame: &Frame, request: &Request, key: &str) -> Page {
    let (pending, etag) = match open(frame, key).await {
        Ok(Some(found)) => found,
        Ok(None) => return page::unknown(),
        Err(error) => {
            tracing::error!(%error, "an open approval could not be read");
            return page::try_again();
        }
    };
    match decide::next(request, &pending, clock::epoch()) {
        Next::Show(page) => page,
        Next::Again(form) => answer::again(frame, key, pending, &form).await.page(&request.id),
        Next::First(answer) => {
            answer::first(frame, key, pending, &etag, answer).await.page(&request.id)
        }
    }
}

/// Without `s3:ListBucket` a missing object shows as a refusal.
async fn open(frame: &Frame, key: &str) -> Result<Option<(Pending, String)>> {
    match frame.store.get(key).await {
        Err(error) if error.error_type == ErrorType::AccessDenied => Ok(None),
        other => other?.map(read).transpose(),
    }
}

fn read(object: Object) -> Result<(Pending, String)> {
    let pending = serde_json::from_slice(&object.bytes).map_err(|e| {
        // Not with the text: it could quote the token.
        shared::Error::internal(format!("an open approval is not as expected, line {}", e.line()))
    })?;
    Ok((pending, object.etag))
}

impl Outcome {
    fn page(self, id: &str) -> Page {
        match self {
            Self::Sent(pending) => page::thanks(&pending),
            Self::Answered(pending) => page::answered(&pending, id),
            Self::Over(pending) => page::over(&pending),
            Self::Closed(pending) => page::closed(&pending),
            Self::Later => page::try_again(),
        }
    }
}

/// For people.
fn word(decision: Decision) -> &'static str {
    match decision {
        Decision::Approved => "approved",
        Decision::Rejected => "rejected",
    }
}
