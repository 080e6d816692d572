//! `load`: the product manifest and every application manifest, checked together, copied, recorded.

use super::bucket::{each, fetch};
use super::written::{FileRef, Loaded, Source, copy_key, pretty, source_key, write};
use super::{Failure, Start, context_of, dashboard, locked, refuse, request, subscription};
use manifest_loader::problem::{Problem, Report};
use manifest_loader::product::Product;
use manifest_loader::registry::Registry;
use manifest_loader::{application, key, product, start, text};
use serde_json::{Value, json};
use shared::pending::Decision;
use shared::{Context, Frame, Phase, Result, clock, consent};
use std::time::Duration;

/// The product manifest's name among the copies.
const PRODUCT_COPY: &str = "product-manifest";
/// What a dashboard or a subscription may cost a run, seconds.
const PATIENCE: Duration = Duration::from_secs(8);

/// The operation.
///
/// # Errors
/// Only for a malformed request: all else is data.
pub async fn load(frame: &Frame, payload: Value) -> Result<Value> {
    let start: Start = request(payload)?;
    let mut report = Report::default();
    let (context, phase, answer) = match gather(frame, &start, &mut report).await {
        Err(error) => (None, None, Err(Failure::from(error))),
        Ok(run) => {
            let name = run.product.as_ref().and_then(|p| p.name.as_deref());
            let phase = run.product.as_ref().and_then(|p| p.action);
            let regions = run.product.as_ref().map(|p| p.regions.clone()).unwrap_or_default();
            let hold_seconds = run.product.as_ref().map_or(0, |p| p.hold_seconds);
            let context =
                name.map(|n| Context { hold_seconds, ..context_of(frame, &start, n, &regions) });
            let answer = match (&context, phase, report.is_clean()) {
                (Some(context), Some(phase), true) => {
                    begin(frame, context.clone(), phase, &run, &mut report).await
                }
                _ => Err(refuse(frame, &start, name, &report).await),
            };
            (context, phase, answer)
        }
    };
    let answer = answer.unwrap_or_else(|failure| failed(&failure, context.as_ref(), phase));
    Ok(answer)
}

/// A run that changes things first takes its product's lock.
async fn begin(
    frame: &Frame,
    context: Context,
    phase: Phase,
    run: &Run,
    report: &mut Report,
) -> Result<Value, Failure> {
    let context = match run.plan_only {
        true => context,
        false => locked(frame, context, phase, report).await?,
    };
    Ok(record(frame, &context, phase, run, report).await?)
}

/// What was read.
#[derive(Default)]
struct Run {
    plan_only: bool,
    manifest: Option<Source>,
    product: Option<Product>,
    files: Vec<Loaded>,
}

async fn gather(frame: &Frame, start: &Start, report: &mut Report) -> Result<Run> {
    let registry = Registry::get()?;
    let bucket = frame.store.bucket();
    let mut run = Run::default();
    let Some(asked) = start::asked(&start.input, bucket, report) else { return Ok(run) };
    run.plan_only = asked.plan_only;
    let key = asked.key;
    let Some(bytes) = fetch(&frame.store, &key, report).await else { return Ok(run) };
    let (value, format) = match text::parse(&key, &bytes) {
        Ok(parsed) => parsed,
        Err(problem) => {
            report.problems.push(problem);
            return Ok(run);
        }
    };
    let here = Some(frame.env.region.as_str());
    let product = product::check(registry, &key, &value, here, Some(bucket), report);
    run.files = files(frame, start, &product, report).await?;
    run.manifest = Some(Source { key, bytes, format });
    run.product = Some(product);
    Ok(run)
}

/// Every application manifest, some at a time.
async fn files(
    frame: &Frame,
    start: &Start,
    product: &Product,
    report: &mut Report,
) -> Result<Vec<Loaded>> {
    let keys: Vec<String> = product.files().map(|(_, _, key)| key.to_owned()).collect();
    let phase = product.action;
    let answers = each(keys.clone(), |key| {
        let store = frame.store.clone();
        async move {
            let mut report = Report::default();
            let bytes = fetch(&store, &key, &mut report).await;
            let loaded = bytes.and_then(|b| checked(&key, b, phase, &mut report));
            (loaded, report)
        }
    });
    // The product manifest's copy has its own name.
    let reserved = std::iter::once(PRODUCT_COPY);
    let names = key::short_names(reserved.chain(keys.iter().map(String::as_str)));
    let mut files = Vec::new();
    let places = product.files().zip(&names[1..]);
    for ((answer, found), ((layer, app, _), name)) in answers.await?.into_iter().zip(places) {
        report.extend(found);
        if let Some((source, application)) = answer {
            let reference =
                FileRef::new(&app.name, layer, name, &source.sha256(), &start.execution);
            files.push(Loaded { reference, source, application });
        }
    }
    Ok(files)
}

fn checked(
    key: &str,
    bytes: Vec<u8>,
    phase: Option<Phase>,
    report: &mut Report,
) -> Option<(Source, application::Application)> {
    let registry =
        Registry::get().map_err(|e| report.wrong_as(e.error_type, key, "", &e.message)).ok()?;
    let (value, format) = text::parse(key, &bytes).map_err(|p| report.problems.push(p)).ok()?;
    if let Some(phase) = phase {
        key::warn_of_another_phase(key, phase, report);
    }
    let application = application::check(registry, key, &value, phase, report);
    Some((Source { key: key.to_owned(), bytes, format }, application))
}

/// Writes the run's folder and answers LOADED.
async fn record(
    frame: &Frame,
    context: &Context,
    phase: Phase,
    run: &Run,
    report: &mut Report,
) -> Result<Value> {
    let (_, unconfirmed) = tokio::join!(
        tokio::time::timeout(PATIENCE, dashboard::put(frame, context)),
        tokio::time::timeout(PATIENCE, subscription::warning(frame)),
    );
    if let Ok(Some(text)) = unconfirmed {
        report.warn("approval", "", text);
    }
    for warning in &report.warnings {
        tracing::warn!(event = "warning", product = context.product, execution = context.execution, line = %warning);
    }
    let product = run.product.clone().unwrap_or_default();
    let mut copies = Vec::new();
    if let Some(manifest) = &run.manifest {
        copies.push((source_key(context, PRODUCT_COPY, manifest.format), manifest.bytes.clone()));
        copies.push((copy_key(context, PRODUCT_COPY), pretty(&json!(product))?));
    }
    let record = run_json(context, phase, &product, run, &report.warnings);
    write(frame, context, copies, &run.files, &record).await?;
    tracing::info!(
        event = "loaded",
        product = context.product,
        execution = context.execution,
        phase = phase.as_str(),
        files = run.files.len(),
    );
    Ok(loaded(context, phase, &product, run))
}

fn run_json(
    context: &Context,
    phase: Phase,
    product: &Product,
    run: &Run,
    warnings: &[Problem],
) -> Value {
    let manifest = run.manifest.as_ref().map(|m| json!({"key": m.key, "sha256": m.sha256()}));
    let warnings: Vec<String> = warnings.iter().map(Problem::to_string).collect();
    json!({
        "product": context.product,
        "action": phase,
        "direct": false,
        "planOnly": run.plan_only,
        "loadedAt": clock::now(),
        "version": std::env::var("ORCHESTRATOR_VERSION").ok(),
        "context": context,
        "region": product.regions.region,
        "rtoMinutes": product.rto_minutes,
        "rpoSeconds": product.rpo_seconds,
        "approvalSeconds": product.approval_seconds,
        "approval": product.rule,
        "manifest": manifest,
        "files": run.files.iter().map(Loaded::record).collect::<Vec<_>>(),
        "layers": layers(product, &run.files, |f| json!(f.file)),
        "warnings": warnings,
    })
}

/// The shape of the product with its files.
fn layers(product: &Product, files: &[Loaded], show: impl Fn(&FileRef) -> Value) -> Vec<Value> {
    let mut rest = files.iter();
    let mut layers = Vec::new();
    for apps in &product.layers {
        let mut out = Vec::new();
        for app in apps {
            let files: Vec<Value> =
                rest.by_ref().take(app.files.len()).map(|f| show(&f.reference)).collect();
            out.push(json!({"name": app.name, "files": files}));
        }
        layers.push(json!({"apps": out}));
    }
    layers
}

fn loaded(context: &Context, phase: Phase, product: &Product, run: &Run) -> Value {
    let files = &run.files;
    json!({
        "status": "LOADED",
        "errorType": null,
        "message": null,
        "nextStep": null,
        "problems": 0,
        "context": context,
        "phase": phase,
        "planOnly": run.plan_only,
        "approvalSeconds": product.approval_seconds,
        "approveCommand": approve_command(context),
        "files": files.iter().map(|f| &f.reference).collect::<Vec<_>>(),
        "layers": layers(product, files, |f| json!(f)),
    })
}

/// For whoever finds the waiting state before the mail.
fn approve_command(context: &Context) -> String {
    consent::one_line_command(&context.region, &context.answers, Decision::Approved)
}

fn failed(failure: &Failure, context: Option<&Context>, phase: Option<Phase>) -> Value {
    json!({
        "status": "FAILED",
        "errorType": failure.error_type,
        "message": failure.message,
        "nextStep": failure.next_step,
        "problems": failure.problems,
        "context": context,
        "phase": phase,
        "planOnly": false,
        "approvalSeconds": 0,
        "approveCommand": null,
        "files": [],
        "layers": [],
    })
}
