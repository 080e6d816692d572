//! What an ended run gives back: its product's lock, and the approvals that nobody may answer now.

use crate::end::End;
use crate::holds;
use crate::report::Report;
use crate::resources::{Resource, State};
use shared::durations::{self, Durations};
use shared::folder::position;
use shared::pending::{self, Pending};
use shared::skips::{self, Skip, Skips};
use shared::{Error, ErrorType, Frame, Result, clock, lock};

/// A state's time-out and the time that its request tells differ by the way to the function.
const SOON_S: i64 = 5;

/// Best effort: an ended run's lock can be taken over, and its approvals answer nobody.
pub async fn close(frame: &Frame, end: &End, report: Option<&Report>) {
    if let Err(error) = durations(frame, end, report).await {
        tracing::warn!(%error, "the durations of this run are not kept for the next plan");
    }
    if let Err(error) = skips(frame, end, report).await {
        tracing::warn!(%error, "what was skipped will not stand in the next plan");
    }
    if let Err(error) = give_back(frame, end, report).await {
        tracing::error!(%error, "the run lock could not be given back: it can be taken over in 120 s");
    }
    if let Err(error) = approvals(frame, end).await {
        tracing::warn!(%error, "an open approval could not be closed");
    }
}

/// What was changed and reached its end tells the next approver how long that takes. Written while
/// the run holds the lock: nobody else writes it.
async fn durations(frame: &Frame, end: &End, report: Option<&Report>) -> Result<()> {
    let Some(report) = report.filter(|r| !r.plan_only) else { return Ok(()) };
    let done = report.resources.iter().filter(|r| r.status == State::Done && r.changed);
    let measured: Vec<_> = done.filter_map(|r| Some((r, r.seconds?))).collect();
    if measured.is_empty() {
        return Ok(());
    }
    let key = durations::key(&end.product);
    let mut known: Durations = frame.store.get_json(&key).await?.unwrap_or_default();
    for (r, seconds) in measured {
        known.set(&report.action, &r.resource_type, &r.resource_name, seconds);
    }
    frame.store.put_json(&key, &known).await
}

/// What was skipped stands in every plan until a run has done it. Written while the run holds the
/// lock, as the durations are.
async fn skips(frame: &Frame, end: &End, report: Option<&Report>) -> Result<()> {
    let Some(report) = report.filter(|r| !r.plan_only) else { return Ok(()) };
    let key = skips::key(&end.product);
    let before: Skips = frame.store.get_json(&key).await?.unwrap_or_default();
    let mut after = before.clone();
    for r in &report.resources {
        match r.status {
            State::Done => after.done(&skip(report, r)),
            State::Skipped => after.set(skip(report, r)),
            _ => {}
        }
    }
    if after == before { Ok(()) } else { frame.store.put_json(&key, &after).await }
}

fn skip(report: &Report, resource: &Resource) -> Skip {
    let at = position(resource.file.as_deref(), resource.layer, resource.index);
    let held = holds::skip(&report.decisions, &at).cloned().unwrap_or_default();
    Skip {
        phase: report.action.clone(),
        file: resource.file.clone().unwrap_or_default(),
        resource_type: resource.resource_type.clone(),
        resource_name: resource.resource_name.clone(),
        run: report.execution_name.clone(),
        at: clock::to_the_second(&held.at),
        approver: held.approver.unwrap_or_default(),
        reason: held.reason.unwrap_or_default(),
    }
}

/// A run that was stopped, ran out of time or crashed may leave executions and functions that still
/// act: its lock is left to the rule of taking over, which looks at them. Until then it says that the
/// run is over, so that a redrive changes nothing with the old approval.
async fn give_back(frame: &Frame, end: &End, report: Option<&Report>) -> Result<()> {
    let internal = end.error_type.as_deref() == Some(ErrorType::Internal.as_str());
    if internal || matches!(end.outcome.as_str(), "ABORTED" | "TIMED_OUT") {
        let why = format!("the run has ended ({}); start again, a redrive is refused", end.outcome);
        lock::abort(&frame.store, &end.product, &end.execution, &why).await?;
        return Ok(());
    }
    let whole = report.is_none_or(|r| r.skipped() == 0);
    // Without what was skipped the product's work is not done: the next start goes on with its keys.
    let outcome = if whole { end.outcome.as_str() } else { "SKIPPED" };
    let given = lock::release(&frame.store, &end.product, &end.execution, outcome).await?;
    if given {
        tracing::info!(event = "lock released", product = end.product, execution = end.execution);
    }
    Ok(())
}

/// Links that were not used lead to a page that says so from now on. Those whose time is over say
/// that by themselves.
async fn approvals(frame: &Frame, end: &End) -> Result<()> {
    if end.error_type.as_deref() == Some(ErrorType::ApprovalTimedOut.as_str()) {
        return Ok(());
    }
    let folder = pending::index(&end.product, &end.execution_name);
    for index in frame.store.list(&folder).await? {
        let Some(key) = pending::key(index.rsplit('/').next().unwrap_or_default()) else {
            continue;
        };
        let Some(object) = frame.store.get(&key).await? else { continue };
        let open: Pending = serde_json::from_slice(&object.bytes)
            // Not with the text: it could quote the token.
            .map_err(|_| Error::internal("an open approval is not as expected"))?;
        // What is over, or within moments of it, says so by itself.
        if open.folder == end.folder && open.is_open(clock::epoch() + SOON_S) {
            let closed = Pending { closed_at: Some(clock::now()), ..open };
            // Answered at this very moment: then it needs no closing.
            frame.store.put_if(&key, &closed, &object.etag).await?;
        }
    }
    Ok(())
}
