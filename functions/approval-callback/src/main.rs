//! approval-callback: the page behind the link of a mail that asks for an approval or for a decision
//! about a failed resource (a Lambda function URL).
//!
//! **GET** shows what is asked and a form; it never acts, for mail scanners open links.
//! **POST** from that form records one answer and sends it to the waiting execution. What may lose
//! something for good is approved only with the product and the Region typed; a run that asks for
//! IAM identities can only be rejected here.
//! **Reads and writes:** the open approval under `pending/`, nothing else; `states:SendTaskSuccess`.
//! **Whoever calls it is unknown:** ids are checked before any call, texts are escaped, bad input is
//! answered with 4xx, and no answer tells a secret.

mod choice;
mod consent;
mod decide;
mod form;
mod html;
mod page;
mod request;

#[cfg(test)]
mod fuzz_tests;

use decide::Next;
use page::Page;
use request::{Method, Request};
use serde_json::Value;
use shared::{Frame, Result, clock};
use shared_answers::{self as answers, Outcome};

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
    let (pending, etag) = match answers::open(frame, key).await {
        Ok(Some(found)) => found,
        Ok(None) => return page::unknown(),
        Err(error) => {
            tracing::error!(%error, "an open approval could not be read");
            return page::try_again();
        }
    };
    match decide::next(request, &pending, clock::epoch()) {
        Next::Show(page) => page,
        Next::Again(form) => {
            let mine = form.asks_to_resend() || form.repeats(&pending);
            answered(answers::again(frame, key, pending, mine).await, &request.id)
        }
        Next::First(answer) => {
            answered(answers::first(frame, key, pending, &etag, answer).await, &request.id)
        }
    }
}

fn answered(outcome: Outcome, id: &str) -> Page {
    match outcome {
        Outcome::Sent(pending) => page::thanks(&pending),
        Outcome::Answered(pending) => page::answered(&pending, id),
        Outcome::Over(pending) => page::over(&pending),
        Outcome::Closed(pending) => page::closed(&pending),
        Outcome::Later => page::try_again(),
    }
}
