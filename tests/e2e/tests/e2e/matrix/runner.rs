//! One attempt: invokes the function as a resource machine does, until it ends.

use crate::matrix::case::Case;
use aws_sdk_lambda::primitives::Blob;
use e2e::World;
use serde_json::{Value, json};
use shared::lock::{Lock, State};
use std::time::{Duration, Instant};

const PRODUCT: &str = "matrix";

/// How an attempt ended.
#[derive(Debug, Clone)]
pub struct Ended {
    /// The last answer.
    pub answer: Value,
    /// How long it took.
    pub took: Duration,
}

impl Ended {
    /// A field of the answer as text.
    pub fn text(&self, field: &str) -> &str {
        self.answer[field].as_str().unwrap_or_default()
    }

    /// Error type, message and next step in one text.
    pub fn trouble(&self) -> String {
        let fields = ["status", "errorType", "message", "nextStep", "summary"];
        let texts: Vec<&str> =
            fields.iter().map(|f| self.text(f)).filter(|t| !t.is_empty()).collect();
        texts.join(" | ")
    }
}

/// EXECUTE until it ends. A killed function is started again as somebody else would start it: with
/// neither progress nor deadline, and as a new run.
pub async fn execute(world: &World, case: &Case, limit: Duration) -> Result<Ended, String> {
    let lambda = world.lambda(case.region);
    let (started, mut kills, mut last) = (Instant::now(), 0, Value::Null);
    hold_lock(world, case, kills).await;
    while started.elapsed() < limit {
        let request = request(case, "EXECUTE", kills, &last);
        let Some(answer) = invoke(&lambda, case, &request, limit).await? else {
            kills += 1;
            hold_lock(world, case, kills).await;
            last = Value::Null;
            continue;
        };
        if answer["status"] != "IN_PROGRESS" {
            return Ok(Ended { answer, took: started.elapsed() });
        }
        let pause = answer["waitSeconds"].as_u64().unwrap_or(1);
        tokio::time::sleep(Duration::from_secs(pause)).await;
        last = answer;
    }
    Err(format!("no end after {} s; last answer: {last}", limit.as_secs()))
}

/// PLAN.
pub async fn plan(world: &World, case: &Case) -> Result<Ended, String> {
    let started = Instant::now();
    let lambda = world.lambda(case.region);
    let request = request(case, "PLAN", 0, &Value::Null);
    let answer = invoke(&lambda, case, &request, Duration::from_secs(60)).await?;
    let answer = answer.ok_or("the function was killed in PLAN")?;
    Ok(Ended { answer, took: started.elapsed() })
}

/// One invocation; None when the sandbox ended before it answered.
async fn invoke(
    lambda: &aws_sdk_lambda::Client,
    case: &Case,
    request: &Value,
    limit: Duration,
) -> Result<Option<Value>, String> {
    let name = format!("aws-dr-orchestrator-{}", case.function);
    let call = lambda.invoke().function_name(name).payload(Blob::new(request.to_string()));
    let answer = tokio::time::timeout(limit + Duration::from_secs(30), call.send()).await;
    let answer = answer.map_err(|_| "the invocation never ended".to_owned())?;
    let answer = answer.map_err(|e| format!("Lambda refused the invocation: {e:?}"))?;
    let body = answer.payload().map(|b| b.as_ref().to_vec()).unwrap_or_default();
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    match answer.function_error() {
        None => Ok(Some(body)),
        Some(_) if ended_early(&body) => Ok(None),
        Some(error) => Err(format!("the function ended with {error}: {body}")),
    }
}

/// Killed, or at the end of its own time: the invocation leaves nothing.
fn ended_early(body: &Value) -> bool {
    body["errorType"] == "Runtime.ExitError" || body["errorType"] == "Sandbox.Timedout"
}

/// The run of this attempt holds its product's lock, as manifest-loader takes it.
async fn hold_lock(world: &World, case: &Case, kills: u32) {
    let lock = Lock {
        state: State::Held,
        product: PRODUCT.to_owned(),
        action: serde_json::from_value(json!(case.phase)).unwrap(),
        execution: if case.locked { execution(case, kills) } else { "another".to_owned() },
        execution_name: root(kills),
        root: root(kills),
        taken_at: "2026-01-01T00:00:00Z".to_owned(),
        released_at: None,
        outcome: None,
        aborted: None,
    };
    let body = serde_json::to_vec(&lock).unwrap();
    let put = world.s3(case.region).put_object().bucket(World::bucket(case.region));
    put.key(shared::lock::key(PRODUCT)).body(body.into()).send().await.unwrap();
}

fn root(kills: u32) -> String {
    format!("matrix-{kills}")
}

fn execution(case: &Case, kills: u32) -> String {
    format!("arn:aws:states:{}:123456789012:execution:m:{}", case.region, root(kills))
}

fn request(case: &Case, mode: &str, kills: u32, last: &Value) -> Value {
    let root = root(kills);
    json!({
        "mode": mode,
        "phase": case.phase,
        "resourceType": case.kind,
        "resourceName": case.name,
        "parameters": case.parameters,
        "accountId": null,
        "context": {
            "product": PRODUCT,
            "app": "app1", "file": "app1", "layer": 0, "index": 0, "siblings": 1,
            "execution": execution(case, kills),
            "root": root,
            "startedAt": "2026-01-01T00:00:00Z",
            "region": case.region,
            "primaryRegion": case.primary,
            "secondaryRegion": case.secondary(),
            "unplanned": case.unplanned,
            "approved": case.approved,
            "folder": shared::names::run_folder(PRODUCT, &root),
        },
        "deadline": last["deadline"],
        "progress": last["progress"],
    })
}
