//! `plan`: joins the entries that the resource functions wrote into `plan.json`.

use super::bucket::each;
use super::written::{FileRef, copy_key};
use super::{Failure, MESSAGE, request};
use manifest_loader::application::Application;
use manifest_loader::join::{Expected, Joined, join};
use manifest_loader::problem::lines_within;
use serde::Deserialize;
use serde_json::{Value, json};
use shared::folder::PlanEntry;
use shared::names::sha256;
use shared::{Context, Error, ErrorType, Frame, Result, clock};

#[derive(Debug, Deserialize)]
struct Request {
    context: Context,
    files: Vec<FileRef>,
}

/// The operation.
///
/// # Errors
/// Only for a malformed request: all else is data.
pub async fn plan(frame: &Frame, payload: Value) -> Result<Value> {
    let request: Request = request(payload)?;
    Ok(match joined(frame, &request).await {
        Ok((joined, key)) => answer(&joined, &frame.store.url(&key)),
        Err(error) => failed(&Failure::from(error), &Joined::default()),
    })
}

async fn joined(frame: &Frame, request: &Request) -> Result<(Joined, String)> {
    let context = &request.context;
    let run: Value =
        frame.store.get_json(&format!("{}run.json", context.folder)).await?.ok_or_else(|| {
            Error::internal(format!("{}run.json is missing", frame.store.url(&context.folder)))
        })?;
    let expected = expected(frame, request).await?;
    let found = entries(frame, context, &expected).await?;
    let joined = join(&expected, found, run["region"].is_string());
    let key = format!("{}plan.json", context.folder);
    frame.store.put_json(&key, &plan_json(context, &run, &joined, digest(&run))).await?;
    tracing::info!(
        event = "planned",
        product = context.product,
        execution = context.execution,
        planned = joined.planned,
        done = joined.done,
        blocked = joined.blockers.len(),
    );
    Ok((joined, key))
}

/// Every resource of the run's copies, in the order of the run.
async fn expected(frame: &Frame, request: &Request) -> Result<Vec<Expected>> {
    let context = &request.context;
    let keys = request.files.iter().map(|f| copy_key(context, &f.file)).collect();
    let copies = each(keys, |key: String| {
        let store = frame.store.clone();
        async move {
            let copy: Option<Application> = store.get_json(&key).await?;
            copy.ok_or_else(|| Error::internal(format!("{} is missing", store.url(&key))))
        }
    });
    let mut expected = Vec::new();
    for (file, copy) in request.files.iter().zip(copies.await?) {
        for (layer, resources) in copy?.layers.into_iter().enumerate() {
            for (index, resource) in resources.resources.into_iter().enumerate() {
                expected.push(Expected {
                    app_layer: file.app_layer,
                    app: file.app.clone(),
                    file: file.file.clone(),
                    layer,
                    index,
                    resource_type: resource.resource_type,
                    resource_name: resource.resource_name,
                });
            }
        }
    }
    Ok(expected)
}

async fn entries(
    frame: &Frame,
    context: &Context,
    expected: &[Expected],
) -> Result<Vec<Option<PlanEntry>>> {
    let keys = expected.iter().map(|e| format!("{}plan/{}.json", context.folder, e.position()));
    let answers = each(keys.collect(), |key: String| {
        let store = frame.store.clone();
        async move {
            store.get_json(&key).await.unwrap_or_else(|error| {
                // It then counts as missing, which is a blocker.
                tracing::error!(%key, %error, "a plan entry could not be read");
                None
            })
        }
    });
    answers.await
}

/// One digest for everything that decides what runs: independent of the order of the files.
fn digest(run: &Value) -> String {
    let manifest = std::iter::once(&run["manifest"]);
    let files = run["files"].as_array().into_iter().flatten();
    let mut all: Vec<&str> = manifest.chain(files).filter_map(|f| f["sha256"].as_str()).collect();
    all.sort_unstable();
    sha256(all.join("\n").as_bytes())
}

fn plan_json(context: &Context, run: &Value, joined: &Joined, digest: String) -> Value {
    json!({
        "product": context.product,
        "action": run["action"],
        "region": context.region,
        "generatedAt": clock::now(),
        "counts": counts(joined),
        "blockers": joined.blockers,
        "entries": joined.entries,
        "digest": digest,
    })
}

fn counts(joined: &Joined) -> Value {
    json!({
        "planned": joined.planned,
        "done": joined.done,
        "unknown": joined.unknown,
        "blocked": joined.blockers.len(),
    })
}

fn answer(joined: &Joined, url: &str) -> Value {
    if joined.blockers.is_empty() {
        return json!({
            "status": "PLANNED",
            "errorType": null,
            "message": null,
            "nextStep": null,
            "counts": counts(joined),
            "destructive": joined.destructive,
        });
    }
    let failure = Failure {
        error_type: ErrorType::PlanFailed,
        message: lines_within(&joined.blockers, MESSAGE, url),
        next_step: "Nothing was changed. Remove what blocks the plan, then start again.".to_owned(),
        problems: joined.blockers.len(),
    };
    failed(&failure, joined)
}

fn failed(failure: &Failure, joined: &Joined) -> Value {
    json!({
        "status": "FAILED",
        "errorType": failure.error_type,
        "message": failure.message,
        "nextStep": failure.next_step,
        "counts": counts(joined),
        "destructive": joined.destructive,
    })
}
