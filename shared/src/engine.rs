//! The loop: observe, decide, act, observe again, until done or until the next wait does not fit.

use crate::clock;
use crate::context::Mode;
use crate::error::{Error, ErrorType, Nature, Result};
use crate::permit::permit;
use crate::progress::{Act, Cx};
use crate::request::{Response, Status};
use crate::resource::{Classified, Outcome, Resource, Step};
use serde_json::Value;
use std::time::{Duration, Instant};

/// How long an accepted call may stay invisible before it counts as not reflected.
const GRACE_S: i64 = 120;
/// How long to look for the effect of a call whose answer was lost, before it may be sent again.
const LOST_ANSWER_S: i64 = 15;
/// How often AWS may refuse a change for the resource's state before the attempt fails.
const STATE_FAULTS: u32 = 5;
/// What the function's own timeout leaves beyond the budget of the loop, for a call that takes long.
const BEYOND_BUDGET: Duration = Duration::from_secs(7);

/// Tells somebody what happens; the journal in production.
pub(crate) trait Watch: Send {
    /// `event` is `change` or `waiting`.
    fn note(&mut self, event: &'static str, text: &str) -> impl Future<Output = ()> + Send;

    /// Whether the run holds its product's lock at this moment.
    fn holds_lock(&self) -> impl Future<Output = Result<bool>> + Send;

    /// Waits; a test's time does not pass.
    fn pause(&self, length: Duration) -> impl Future<Output = ()> + Send {
        tokio::time::sleep(length)
    }
}

/// Limits of one invocation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// How long the loop may stay in this invocation.
    pub budget: Duration,
    /// End of the attempt, seconds since 1970.
    pub deadline: i64,
}

/// What any call may take: the SDK's timeout of an attempt.
const USUAL_CALL: Duration = Duration::from_secs(10);

enum Turn {
    Answer(Box<Response>),
    Pause(String),
    /// The next call takes longer than this invocation lasts.
    HandBack(String),
}

pub(crate) async fn operate<R: Resource, W: Watch>(
    resource: &R,
    p: &R::Parameters,
    cx: &mut Cx,
    limits: Limits,
    watch: &mut W,
) -> Response {
    let started = Instant::now();
    let mut pauses = 0u32;
    loop {
        cx.tick();
        let left = (limits.budget + BEYOND_BUDGET).saturating_sub(started.elapsed());
        let why = match turn(resource, p, cx, left, watch).await {
            Turn::Answer(response) => return finish(*response, cx, limits),
            Turn::HandBack(why) => return finish(unfinished(&why, 1, cx), cx, limits),
            Turn::Pause(why) => why,
        };
        cx.tick();
        if cx.now >= limits.deadline && cx.mode == Mode::Execute {
            return finish(too_late(&why, cx), cx, limits);
        }
        let gap = gap_seconds(cx, pauses).min((limits.deadline - cx.now).max(1));
        watch.note("waiting", &why).await;
        if started.elapsed() + Duration::from_secs(gap.unsigned_abs()) > limits.budget {
            return finish(unfinished(&why, gap, cx), cx, limits);
        }
        watch.pause(Duration::from_secs(gap.unsigned_abs())).await;
        pauses += 1;
    }
}

fn finish(mut response: Response, cx: &Cx, limits: Limits) -> Response {
    response.changed = cx.changed();
    response.deadline = Some(clock::rfc3339(limits.deadline));
    response.progress = serde_json::to_value(&cx.progress).unwrap_or(Value::Null);
    response
}

fn too_late(why: &str, cx: &Cx) -> Response {
    let waited = clock::human(cx.waited());
    Response::failed(&Error::new(ErrorType::TimedOut, format!("gave up after {waited}: {why}")))
}

fn unfinished(why: &str, gap: i64, cx: &Cx) -> Response {
    if cx.mode == Mode::Plan {
        let message = format!("could not look: {why}");
        return Response::failed(&Error::new(ErrorType::TimedOut, message));
    }
    Response { wait_seconds: gap, ..Response::new(Status::InProgress, why) }
}

/// 5 % of the time already waited, 1 to 60 s, and never more than ten looks a second in a layer.
fn gap_seconds(cx: &Cx, pauses: u32) -> i64 {
    let since = cx.progress.acts.values().map(|a| a.at).max().unwrap_or(cx.progress.since);
    let waited = (cx.now - since).max(i64::from(pauses));
    let crowd = i64::from(cx.context.siblings.unwrap_or(1).div_ceil(10));
    (waited / 20).clamp(1, 60).max(crowd)
}

async fn turn<R: Resource, W: Watch>(
    resource: &R,
    p: &R::Parameters,
    cx: &mut Cx,
    left: Duration,
    watch: &mut W,
) -> Turn {
    let observed = match resource.observe(p, cx).await {
        Ok(observed) => observed,
        Err(error) if error.is_transient() => return Turn::Pause(error.message),
        Err(error) => return answer(Response::failed(&error)),
    };
    cx.remember(&R::signs(&observed));
    let step = R::decide(p, &observed, cx);
    if cx.mode == Mode::Plan {
        return answer(plan::<R>(p, &observed, step, cx));
    }
    let seen = if matches!(step, Step::Done(_)) { cx.progress.steady + 1 } else { 0 };
    cx.progress.steady = seen;
    match step {
        Step::Done(outcome) if seen < R::steady(p) => {
            Turn::Pause(format!("{}; looking once more", outcome.summary))
        }
        Step::Done(outcome) => answer(done(outcome)),
        Step::Wait(why) => Turn::Pause(why),
        Step::Change(change) if change.takes().max(USUAL_CALL) > left => {
            Turn::HandBack(change.summary())
        }
        Step::Change(change) => act(resource, p, change, cx, watch).await,
        other => answer(Response::failed(&stopped(other))),
    }
}

fn answer(response: Response) -> Turn {
    Turn::Answer(Box::new(response))
}

fn done(outcome: Outcome) -> Response {
    let rpo_seconds = outcome.rpo_seconds;
    Response { rpo_seconds, ..Response::new(Status::Done, &outcome.summary) }
}

/// The error of a step that ends the attempt.
fn stopped<C>(step: Step<C>) -> Error {
    match step {
        Step::Refuse(why, next) => Error::refused(why).next(next),
        Step::Fail(error_type, why, next) => Error::new(error_type, why).next(next),
        Step::Unknown(missing, why) => {
            Error::new(ErrorType::NotFound, format!("{why} (missing: {})", missing.join(", ")))
        }
        _ => Error::internal("a step that does not end the attempt was taken for its end"),
    }
}

fn plan<R: Resource>(
    p: &R::Parameters,
    o: &R::Observed,
    step: Step<R::Change>,
    cx: &Cx,
) -> Response {
    let mut rpo_seconds = None;
    let mut waits = matches!(step, Step::Wait(_));
    let (class, text) = match step {
        Step::Done(outcome) => {
            // What exists already also satisfies whoever depends on it.
            return Response { creates: R::creates(p, o, cx), ..done(outcome) };
        }
        Step::Wait(why) => (R::CLASS, format!("first waits: {why}")),
        Step::Change(change) => {
            rpo_seconds = change.expected_loss();
            (change.class(), change.summary())
        }
        Step::Unknown(depends_on, why) => return unknown::<R>(depends_on, &why),
        other => return Response::failed(&stopped(other)),
    };
    let outlook = R::outlook(p, o, cx);
    waits &= outlook.is_none();
    let (class, text) = outlook.unwrap_or((class, text));
    Response {
        waits,
        change_class: Some(class),
        creates: R::creates(p, o, cx),
        expected_seconds: typical::<R>(),
        rpo_seconds,
        ..Response::new(Status::Planned, &text)
    }
}

/// PLAN: what cannot be told yet, with the worst class the type has.
pub(crate) fn unknown<R: Resource>(depends_on: Vec<String>, why: &str) -> Response {
    Response {
        change_class: Some(R::CLASS),
        expected_seconds: typical::<R>(),
        depends_on,
        ..Response::new(Status::Unknown, why)
    }
}

fn typical<R: Resource>() -> Option<i64> {
    i64::try_from(R::TYPICAL.as_secs()).ok()
}

async fn act<R: Resource, W: Watch>(
    resource: &R,
    p: &R::Parameters,
    change: R::Change,
    cx: &mut Cx,
    watch: &mut W,
) -> Turn {
    let (name, key, question) = (change.name(), change.key(), change.is_question());
    match may_send(&change, cx) {
        Ok(None) => {}
        Ok(Some(why)) => return Turn::Pause(why),
        Err(error) => return answer(Response::failed(&error)),
    }
    if let Err(error) = permit(&change, cx, watch).await {
        return match error.is_transient() {
            true => Turn::Pause(error.message),
            false => answer(Response::failed(&error)),
        };
    }
    let summary = change.summary();
    watch.note("change", &format!("{name}: {summary}")).await;
    match resource.apply(p, change, cx).await {
        Ok(result) => {
            let first = cx.act(&key).filter(|_| question).map(|a| a.at);
            record(cx, &key, true, result);
            // The gap between questions grows with the time since the first of them.
            if let (Some(at), Some(act)) = (first, cx.progress.acts.get_mut(&key)) {
                act.at = at;
            }
            Turn::Pause(format!("{name} was accepted: {summary}"))
        }
        Err(error) if question && error.nature == Nature::Uncertain => Turn::Pause(error.message),
        Err(error) => refused(error, &key, cx),
    }
}

/// None: send it. Some: wait, an earlier call may not show yet.
fn may_send<C: Classified>(change: &C, cx: &Cx) -> Result<Option<String>> {
    let name = change.name();
    let Some(act) = cx.act(&change.key()).filter(|_| !change.is_question()) else {
        return Ok(None);
    };
    let age = cx.now - act.at;
    if act.certain && age < GRACE_S {
        return Ok(Some(format!("{name} was accepted {age} s ago and does not show yet")));
    }
    if !act.certain && age < LOST_ANSWER_S {
        return Ok(Some(format!("the answer to {name} was lost; looking whether it took effect")));
    }
    if change.reissuable() {
        return Ok(None);
    }
    Err(Error::new(ErrorType::Failed, format!("{name} was accepted {age} s ago but not reflected")))
}

fn record(cx: &mut Cx, key: &str, certain: bool, result: Value) {
    let act = Act { at: clock::epoch(), certain, result };
    cx.progress.acts.insert(key.to_owned(), act);
}

fn refused(error: Error, key: &str, cx: &mut Cx) -> Turn {
    match error.nature {
        Nature::Throttled => Turn::Pause(error.message),
        Nature::Uncertain => {
            record(cx, key, false, Value::Null);
            Turn::Pause(error.message)
        }
        Nature::StateFault => {
            let faults = cx.progress.faults.entry(key.to_owned()).or_default();
            *faults += 1;
            if *faults < STATE_FAULTS {
                return Turn::Pause(error.message);
            }
            answer(Response::failed(&error))
        }
        Nature::NotFound | Nature::Final => answer(Response::failed(&error)),
    }
}

#[cfg(test)]
#[path = "engine_tests.rs"]
pub(crate) mod tests;
