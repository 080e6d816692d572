//! Taking the product's run lock, by conditional writes alone.

use super::holder;
use shared::lock::{self, Lock, State};
use shared::{Context, Error, ErrorType, Frame, Phase, Result, clock};
use std::time::Duration;

/// Tries before many starts at the same moment are told to come again.
const TRIES: u32 = 5;

/// Seconds that a start waits for the lock of a run that has ended by itself.
const PATIENCE_S: u32 = 10;

/// Taken: what the run must know.
#[derive(Debug)]
pub struct Taken {
    /// What its idempotency keys derive from.
    pub root: String,
    /// For people: whose lock was taken over.
    pub warning: Option<String>,
}

/// Waits while the holder has ended by itself a moment ago: its lock comes back, a direct start's
/// through an event. Takes nothing; what else must be free is looked at afterwards.
///
/// # Errors
/// As the bucket and Step Functions say.
pub async fn wait(frame: &Frame, product: &str) -> Result<()> {
    for _ in 0..PATIENCE_S {
        let object = frame.store.get(&lock::key(product)).await?;
        let held = object.and_then(|o| lock::read(&o.bytes)).filter(|l| l.state == State::Held);
        let Some(held) = held else { return Ok(()) };
        if !holder::gives_back(frame, &held).await? {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    Ok(())
}

/// Takes the lock for this run, or finds that it has it already.
///
/// # Errors
/// `Dr.Locked` with the holder when another run has it or may still act; `Dr.Internal` when the
/// object is no lock.
pub async fn take(frame: &Frame, context: &Context, phase: Phase) -> Result<Taken> {
    let key = lock::key(&context.product);
    for _ in 0..TRIES {
        let Some(object) = frame.store.get(&key).await? else {
            let fresh = ours(context, phase, None);
            if frame.store.put_new(&key, &fresh).await? {
                return Ok(taken(fresh, None));
            }
            continue;
        };
        let known = lock::read(&object.bytes).ok_or_else(|| no_lock(&frame.store.url(&key)))?;
        if known.is_of(&context.execution) {
            return known.aborted.clone().map_or_else(|| Ok(taken(known, None)), over);
        }
        if known.state == State::Held {
            holder::must_be_at_rest(frame, &known).await?;
        }
        let fresh = ours(context, phase, Some(&known));
        if frame.store.put_if(&key, &fresh, &object.etag).await? {
            return Ok(taken(fresh, Some(&known)));
        }
    }
    let text = format!("other runs of {} are starting at this moment", context.product);
    Err(Error::new(ErrorType::Locked, text).next("Look at them, then start again if need be."))
}

fn ours(context: &Context, phase: Phase, before: Option<&Lock>) -> Lock {
    Lock {
        state: State::Held,
        product: context.product.clone(),
        action: phase,
        execution: context.execution.clone(),
        execution_name: name(&context.execution).to_owned(),
        root: before.and_then(Lock::unfinished).unwrap_or(&context.root).to_owned(),
        taken_at: clock::now(),
        released_at: None,
        outcome: None,
        aborted: None,
    }
}

/// This very run was aborted, or has ended before.
fn over(why: String) -> Result<Taken> {
    let text = format!("this run is over: {why}");
    Err(Error::new(ErrorType::Aborted, text).next("Start the same manifest again."))
}

fn name(execution: &str) -> &str {
    execution.rsplit(':').next().unwrap_or_default()
}

fn taken(lock: Lock, before: Option<&Lock>) -> Taken {
    let left = before.filter(|b| b.state == State::Held);
    let warning = left.map(|b| {
        format!(
            "the run {} ({}) has ended without giving back the lock of {}: taken over",
            b.execution_name, b.action, b.product
        )
    });
    Taken { root: lock.root, warning }
}

fn no_lock(url: &str) -> Error {
    Error::internal(format!("{url} is not a run lock")).next(
        "Nothing was changed. Make sure that no run of the product is under way, delete the object, start again.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context() -> Context {
        serde_json::from_value(serde_json::json!({
            "product": "shop", "execution": "arn:x:run-3", "root": "run-3", "startedAt": "t",
            "region": "us-west-2", "unplanned": false, "folder": "f/"
        }))
        .unwrap()
    }

    #[test]
    fn a_root_goes_on_until_a_run_succeeds() {
        let first = ours(&context(), Phase::Activate, None);
        assert_eq!((first.root.as_str(), first.execution_name.as_str()), ("run-3", "run-3"));
        let failed = Lock { root: "run-1".into(), outcome: Some("FAILED".into()), ..first.clone() };
        assert_eq!(ours(&context(), Phase::Activate, Some(&failed)).root, "run-1");
        let done = Lock { outcome: Some(lock::SUCCEEDED.into()), ..failed };
        assert_eq!(ours(&context(), Phase::Activate, Some(&done)).root, "run-3");
    }

    #[test]
    fn only_a_lock_that_was_left_is_told() {
        let left = ours(&context(), Phase::Activate, None);
        let text = taken(left.clone(), Some(&left)).warning.unwrap();
        assert!(text.contains("run-3 (ACTIVATE)"), "{text}");
        let back = Lock { state: State::Released, ..left.clone() };
        assert!(taken(left, Some(&back)).warning.is_none());
    }
}
