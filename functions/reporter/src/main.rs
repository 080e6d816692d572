//! reporter: at every end of a run, good or bad, a report in the bucket and a mail.
//!
//! **Called by** the product machine as its last step, and by EventBridge for executions that could not
//! call it: stopped, timed out, or failed in a phase that was started directly.
//! **Reads:** the run's folder; the product manifest when the run was never loaded.
//! **Writes:** `report.json`, once; who writes it also sends the mail. A run that only plans mails
//! nothing: it may be scheduled. Then it gives the run lock back and closes open approvals.

mod close;
mod end;
mod event;
mod gather;
mod holds;
mod mail;
mod next;
mod report;
mod resources;

use end::End;
use event::{Event, Started};
use report::Report;
use serde_json::{Value, json};
use shared::{Doing, Error, Frame, Result, clock};

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::result::Result<(), lambda_runtime::Error> {
    shared::serve(handle).await
}

async fn handle(frame: Frame, payload: Value) -> Result<Value> {
    let end = match Event::new(&payload) {
        None => End::of_request(&payload)?,
        Some(event) => {
            let event = whole(&frame, event).await;
            match event.started() {
                Started::Elsewhere => return Ok(answer("IGNORED", None, false)),
                Started::Directly | Started::AsProduct => event.end(&clock::now()),
            }
        }
    };
    let end = gather::place(&frame, end).await;
    let mut report = None;
    let answer = match gather::is_reported(&frame, &end).await {
        true => Ok(answer("ALREADY_REPORTED", None, false)),
        false => finish(&frame, &end, &mut report).await,
    };
    close::close(&frame, &end, report.as_ref()).await;
    answer
}

/// Long inputs are left out of events; Step Functions still has them.
async fn whole(frame: &Frame, event: Event) -> Event {
    if event.is_whole() {
        return event;
    }
    let described = aws_sdk_sfn::Client::new(&frame.config)
        .describe_execution()
        .execution_arn(&event.execution)
        .send()
        .await
        .doing("read the input of an execution");
    match described {
        Ok(known) => event.completed(known.input(), known.error(), known.cause()),
        Err(error) => {
            tracing::warn!(%error, "the report goes without the execution's input");
            event
        }
    }
}

async fn finish(frame: &Frame, end: &End, written: &mut Option<Report>) -> Result<Value> {
    let found = gather::read(frame, end).await;
    let mut report = report::build(end, &found, &frame.env.region);
    report.report_id = new_id();
    let key = format!("{}report.json", end.folder);
    match gather::write(frame, &key, &report).await {
        Ok(true) => {}
        Ok(false) => return Ok(answer("ALREADY_REPORTED", None, false)),
        Err(error) => report.warnings.push(format!("This report could not be written: {error}.")),
    }
    note(&report);
    let report = &*written.insert(report);
    if end.is_plan_only() {
        let url = frame.store.url(&key);
        return Ok(answer("REPORTED", Some((report, &url)), false));
    }
    let mailed = publish(frame, report, &frame.store.url(&end.folder)).await;
    if let Err(error) = &mailed {
        tracing::error!(%error, "the report could not be mailed");
    }
    Ok(answer("REPORTED", Some((report, &frame.store.url(&key))), mailed.is_ok()))
}

/// Small: it becomes the output of the product execution.
fn answer(status: &str, told: Option<(&Report, &str)>, mailed: bool) -> Value {
    let report = told.map(|(report, _)| report);
    json!({
        "status": status,
        "outcome": report.map(|r| &r.outcome),
        "seconds": report.map(|r| r.seconds),
        "recoverySeconds": report.and_then(|r| r.recovery_seconds.as_ref()),
        "rpoSeconds": report.and_then(|r| r.rpo_seconds),
        "report": told.map(|(_, url)| url),
        "mailed": mailed,
        "nextStep": report.map(|r| &r.next_step),
    })
}

/// The event that the dashboards show.
fn note(report: &Report) {
    tracing::info!(
        event = "report",
        product = report.product.as_str(),
        action = report.action.as_str(),
        execution = report.execution.as_str(),
        outcome = report.outcome.as_str(),
        planOnly = report.plan_only,
        errorType = report.error_type.as_deref().unwrap_or_default(),
        line = report.lines.first().map(String::as_str).unwrap_or_default(),
        RTO = report.seconds,
        RPO = report.rpo_seconds,
        "a run has ended"
    );
}

async fn publish(frame: &Frame, report: &Report, folder: &str) -> Result<()> {
    aws_sdk_sns::Client::new(&frame.config)
        .publish()
        .topic_arn(&frame.env.topic_arn)
        .subject(mail::subject(report))
        .message(mail::body(report, folder))
        .send()
        .await
        .doing(&format!("mail the report through {}", frame.env.topic_arn))
        .map(|_| ())
}

/// Tells our own report from another's when the answer to its writing got lost.
fn new_id() -> String {
    let mut bytes = [0u8; 8];
    match getrandom::fill(&mut bytes) {
        Ok(()) => bytes.iter().map(|b| format!("{b:02x}")).collect(),
        Err(_) => clock::now(),
    }
}

/// For requests that are no requests.
fn malformed(why: impl std::fmt::Display) -> Error {
    Error::internal(format!("the request is malformed: {why}"))
}
