//! The frame of every function: parsing, tokens, role, deadline, loop, plan entry, journal, once.

use crate::clients::{Clients, own_config, session_policy};
use crate::clock;
use crate::context::Mode;
use crate::engine::{Limits, operate, unknown};
use crate::env::Env;
use crate::error::{Error, ErrorType, Result};
use crate::journal::Journal;
use crate::lock;
use crate::progress::{Cx, Progress};
use crate::request::{Request, Response, Status};
use crate::resource::Resource;
use crate::store::Store;
use crate::tokens::{self, Resolved, redact};
use crate::{describe, telemetry};
use aws_config::SdkConfig;
use lambda_runtime::{LambdaEvent, service_fn};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// How long one invocation may look and wait; the function's own timeout is 60 s.
const BUDGET: Duration = Duration::from_secs(50);
/// PLAN waits only for transient errors.
const PLAN_BUDGET: Duration = Duration::from_secs(20);

/// What a function has at hand: settings, its own role's clients, the bucket.
#[derive(Debug, Clone)]
pub struct Frame {
    /// Settings.
    pub env: Env,
    /// The function's own role in the executing Region.
    pub config: SdkConfig,
    /// The bucket.
    pub store: Store,
}

impl Frame {
    async fn load() -> Result<Self> {
        let env = Env::load()?;
        let config = own_config().await;
        let store = Store::new(&config, &env.bucket);
        Ok(Self { env, config, store })
    }
}

/// The `main` of a resource type. With the argument `--describe` it prints its description.
///
/// # Errors
/// As the runtime says.
pub async fn main<R: Resource>() -> std::result::Result<(), lambda_runtime::Error> {
    if std::env::args().nth(1).as_deref() == Some("--describe") {
        println!("{:#}", describe::describe::<R>());
        return Ok(());
    }
    telemetry::init();
    let frame = &Frame::load().await?;
    let handler = |event: LambdaEvent<Value>| async move {
        // Boxed: the futures of a whole resource type are too deep for the compiler in one piece.
        Ok::<_, Error>(Box::pin(handle::<R>(frame, event.payload)).await)
    };
    lambda_runtime::run(service_fn(handler)).await
}

/// The `main` of a core function: `handler` gets the frame and the payload.
///
/// # Errors
/// As the runtime says.
pub async fn serve<F, Fut, T>(handler: F) -> std::result::Result<(), lambda_runtime::Error>
where
    F: Fn(Frame, Value) -> Fut + Copy,
    Fut: Future<Output = Result<T>>,
    T: Serialize,
{
    telemetry::init();
    let frame = Frame::load().await?;
    let frame = &frame;
    let service = |event: LambdaEvent<Value>| handler(frame.clone(), event.payload);
    lambda_runtime::run(service_fn(service)).await
}

async fn handle<R: Resource>(frame: &Frame, payload: Value) -> Response {
    let request = match request_of(payload) {
        Ok(request) => request,
        Err(error) => return Response::failed(&error),
    };
    let started = Instant::now();
    let mut secrets = Vec::new();
    let response = match prepare::<R>(frame, &request).await {
        Ok((_, resolved)) if !resolved.missing.is_empty() => missing::<R>(&request, &resolved),
        Ok((clients, resolved)) => {
            secrets = resolved.secrets;
            operate_on::<R>(frame, &request, &clients, &resolved.value, &secrets, started).await
        }
        Err(error) if error.is_transient() && request.mode == Mode::Execute => {
            not_yet::<R>(&request, &error, clock::epoch())
        }
        Err(error) => Response::failed(&error),
    };
    let response = redacted(response, &secrets);
    record(frame, &request, &response, &secrets).await;
    response
}

fn request_of(payload: Value) -> Result<Request> {
    serde_path_to_error::deserialize(payload).map_err(|e| {
        Error::internal(format!("the request is malformed at {}: {}", e.path(), e.inner()))
    })
}

/// Nothing could be looked at yet: the attempt goes on until its deadline.
fn not_yet<R: Resource>(request: &Request, error: &Error, now: i64) -> Response {
    let given = request.deadline.as_deref().and_then(clock::parse);
    let deadline = given.unwrap_or(now.saturating_add_unsigned(R::TIMEOUT.as_secs()));
    if now >= deadline {
        return Response::failed(&Error::new(ErrorType::TimedOut, error.message.clone()));
    }
    Response {
        deadline: Some(clock::rfc3339(deadline)),
        wait_seconds: 5,
        progress: request.progress.clone().unwrap_or(Value::Null),
        ..Response::new(Status::InProgress, &error.message)
    }
}

/// Whether this function may do it in this phase.
fn legal<R: Resource>(request: &Request) -> Result<()> {
    if request.resource_type != R::TYPE {
        let text = format!("this function is {}, not {}", R::TYPE, request.resource_type);
        return Err(Error::internal(text));
    }
    if !R::PHASES.contains(&request.phase) {
        let legal: Vec<_> = R::PHASES.iter().map(|p| p.as_str()).collect();
        let text =
            format!("{} is not legal in {}, only in {}", R::TYPE, request.phase, legal.join(", "));
        return Err(Error::new(ErrorType::InvalidManifest, text));
    }
    Ok(())
}

/// Checks the phase, assumes the role, resolves the tokens.
async fn prepare<R: Resource>(frame: &Frame, request: &Request) -> Result<(Clients, Resolved)> {
    legal::<R>(request)?;
    if request.mode == Mode::Execute && is_first(request) {
        patiently(|| still_wanted(frame, request)).await?;
    }
    let lost = request.context.lost_region(request.phase);
    let policy = session_policy(R::READS, R::WRITES, request.mode);
    let account = request.account_id.as_deref();
    let clients = patiently(|| {
        Clients::assume(&frame.config, &frame.env, account, &request.context, &policy, lost)
    })
    .await?;
    let here = clients.here()?;
    let parameters = one_object(&request.parameters)?;
    no_nulls(&parameters)?;
    let resolved = patiently(|| tokens::resolve(&parameters, &here)).await?;
    Ok((clients, resolved))
}

/// Whether this attempt has not looked at anything yet.
fn is_first(request: &Request) -> bool {
    request.deadline.is_none() || request.progress.as_ref().is_none_or(Value::is_null)
}

/// An attempt does not begin in a run that is over.
async fn still_wanted(frame: &Frame, request: &Request) -> Result<()> {
    let context = &request.context;
    let over = lock::over(&frame.store, &context.product, &context.execution).await?;
    over.map_or(Ok(()), Err)
}

/// Manifests may give `parameters` as an object or as an array of one object.
fn one_object(parameters: &Value) -> Result<Value> {
    match parameters {
        Value::Object(_) => Ok(parameters.clone()),
        Value::Null => Ok(json!({})),
        Value::Array(items) if items.len() == 1 && items[0].is_object() => Ok(items[0].clone()),
        _ => Err(Error::invalid_parameters(
            "parameters must be one object, or an array of one object",
        )),
    }
}

/// `null` is what a missing value looks like after a conversion: never a legal parameter.
fn no_nulls(parameters: &Value) -> Result<()> {
    let null = parameters.as_object().and_then(|p| p.iter().find(|(_, v)| v.is_null()));
    null.map_or(Ok(()), |(name, _)| {
        Err(Error::invalid_parameters(format!(
            "parameters.{name} is null; give a value or leave it out"
        )))
    })
}

/// Repeats a read for a while when it is throttled or gets no answer.
async fn patiently<T, F, Fut>(call: F) -> Result<T>
where
    F: Fn() -> Fut,
    Fut: Future<Output = Result<T>>,
{
    for pause_s in [1, 1, 2, 3, 5, 8] {
        match call().await {
            Err(error) if error.is_transient() => {
                tokio::time::sleep(Duration::from_secs(pause_s)).await
            }
            other => return other,
        }
    }
    call().await
}

fn missing<R: Resource>(request: &Request, resolved: &Resolved) -> Response {
    let hints: Vec<_> = resolved.missing.iter().map(|(_, hint)| hint.as_str()).collect();
    let why = hints.join(" ");
    if request.mode == Mode::Plan {
        let depends_on = resolved.missing.iter().map(|(t, _)| t.dependency()).collect();
        return unknown::<R>(depends_on, &why);
    }
    Response::failed(&Error::new(ErrorType::NotFound, why))
}

async fn operate_on<R: Resource>(
    frame: &Frame,
    request: &Request,
    clients: &Clients,
    parameters: &Value,
    secrets: &[String],
    started: Instant,
) -> Response {
    let p = match typed::<R::Parameters>(parameters) {
        Ok(p) => p,
        Err(error) => return Response::failed(&error),
    };
    let mut cx = context_of(request, clients);
    let resource = match R::connect(clients, &p, &cx).await {
        Ok(resource) => resource,
        Err(error) => return Response::failed(&error),
    };
    let limits = limits::<R>(request, &p, cx.now, started.elapsed());
    let silent = request.mode == Mode::Plan;
    let mut journal = Journal::open(&frame.store, request, secrets, silent).await;
    if is_first(request) {
        journal.begin().await;
    }
    operate(&resource, &p, &mut cx, limits, &mut journal).await
}

/// The parameters of the type. The path of what is missing altogether is `.`.
fn typed<P: DeserializeOwned>(parameters: &Value) -> Result<P> {
    serde_path_to_error::deserialize(parameters.clone()).map_err(|e| {
        let path = format!("parameters.{}", e.path());
        let text = format!("{}: {}", path.trim_end_matches('.'), e.inner());
        Error::invalid_parameters(text)
    })
}

fn context_of(request: &Request, clients: &Clients) -> Cx {
    let now = clock::epoch();
    Cx {
        context: request.context.clone(),
        phase: request.phase,
        mode: request.mode,
        resource_name: request.resource_name.clone(),
        account: clients.account().to_owned(),
        partition: clients.partition().to_owned(),
        progress: Progress::from_value(request.progress.as_ref(), now),
        now,
    }
}

/// The function's own timeout counts from its start: what is spent already is no budget.
fn limits<R: Resource>(request: &Request, p: &R::Parameters, now: i64, spent: Duration) -> Limits {
    let given = request.deadline.as_deref().and_then(clock::parse);
    let fresh = now.saturating_add_unsigned(R::timeout(p).as_secs());
    let budget = if request.mode == Mode::Plan { PLAN_BUDGET } else { BUDGET - spent.min(BUDGET) };
    Limits { budget, deadline: given.unwrap_or(fresh) }
}

fn redacted(mut response: Response, secrets: &[String]) -> Response {
    response.summary = redact(&response.summary, secrets);
    response.message = response.message.map(|m| redact(&m, secrets));
    redact_value(&mut response.progress, secrets);
    response
}

/// The texts of a JSON value, at any depth: an execution history shows `progress` too.
fn redact_value(value: &mut Value, secrets: &[String]) {
    match value {
        Value::String(text) => *text = redact(text, secrets),
        Value::Array(items) => items.iter_mut().for_each(|v| redact_value(v, secrets)),
        Value::Object(map) => map.values_mut().for_each(|v| redact_value(v, secrets)),
        _ => {}
    }
}

/// PLAN: the plan entry. EXECUTE: the end of the journal.
async fn record(frame: &Frame, request: &Request, response: &Response, secrets: &[String]) {
    if response.status == Status::InProgress {
        return;
    }
    if request.mode == Mode::Execute {
        return Journal::open(&frame.store, request, secrets, false).await.close(response).await;
    }
    let key = request.context.plan_key();
    if let Err(error) = frame.store.put_json(&key, &plan_entry(request, response)).await {
        // The join of the plan reports a missing entry as a blocker.
        tracing::error!(%key, %error, "the plan entry could not be written");
    }
}

fn plan_entry(request: &Request, response: &Response) -> Value {
    let context = &request.context;
    let mut entry = json!({
        "app": context.app,
        "file": context.file,
        "layer": context.layer,
        "index": context.index,
        "resourceType": request.resource_type,
        "resourceName": request.resource_name,
    });
    if let (Some(entry), Ok(Value::Object(fields))) =
        (entry.as_object_mut(), serde_json::to_value(response))
    {
        entry.extend(fields);
    }
    entry
}

#[cfg(test)]
#[path = "run_tests.rs"]
mod tests;
