//! `phase`: one application manifest, from the run's copy or from a person's direct start.

use super::approved::{Approved, approved};
use super::written::{FileRef, Loaded, Source, source_key, write};
use super::{Failure, Start, context_of, locked, refuse, request};
use manifest_loader::application::{self, Application};
use manifest_loader::problem::{Problem, Report, lines_within};
use manifest_loader::registry::Registry;
use manifest_loader::text::Format;
use manifest_loader::{items, start, text};
use serde::Deserialize;
use serde_json::{Value, json};
use shared::folder::position;
use shared::names::{PREFIX, sha256, slug};
use shared::{ChangeClass, Context, Error, ErrorType, Frame, Mode, Phase, Result, clock};

/// Bytes that a direct start's input and its resources may have together: the state holds both.
const DIRECT_LIMIT: usize = 240_000;
/// What a direct start counts as approved: everything but destruction.
const APPROVED: [ChangeClass; 4] =
    [ChangeClass::Create, ChangeClass::Modify, ChangeClass::Traffic, ChangeClass::DataLoss];

/// What the product machine, or a direct start for its own plan, sends.
#[derive(Debug, Deserialize)]
struct Nested {
    mode: Mode,
    file: FileRef,
    context: Context,
}

struct Ready {
    direct: bool,
    mode: Mode,
    context: Context,
    file: FileRef,
    application: Application,
    /// By position; None: what the context says holds for all.
    approved: Option<Approved>,
}

/// The operation.
///
/// # Errors
/// Only for a malformed request: all else is data.
pub async fn phase(frame: &Frame, payload: Value) -> Result<Value> {
    let start: Start = request(payload)?;
    let phase = start.phase.ok_or_else(|| Error::internal("the request names no phase"))?;
    let ready = if start.input.get("mode").is_some() {
        nested(frame, &start, phase).await.map_err(Failure::from)
    } else {
        direct(frame, &start, phase).await
    };
    Ok(match ready {
        Ok(ready) => answer(&ready, &start.execution),
        Err(failure) => failed(&failure),
    })
}

/// The run's copy, which must still be what was approved.
async fn nested(frame: &Frame, start: &Start, phase: Phase) -> Result<Ready> {
    let nested = Nested::deserialize(&start.input).map_err(|e| {
        Error::new(
            ErrorType::InvalidManifest,
            format!("the input is not the product machine's: {e}"),
        )
        .next("Start the product, or this phase with {\"StatePayload\": [...]}.")
    })?;
    let Nested { mode, file, context } = nested;
    belongs_here(frame, &context, &file)?;
    let (bytes, format) = copy(frame, &context, &file).await?;
    if sha256(&bytes) != file.sha256 {
        let key = source_key(&context, &file.file, format);
        let text = format!(
            "{} is not what was checked and approved: its sha256 differs",
            frame.store.url(&key)
        );
        return Err(Error::refused(text).next("Start the product again."));
    }
    let name = format!("{}.{}", file.file, format.extension());
    let mut report = Report::default();
    let application = check(&name, &bytes, phase, &mut report)?;
    if !report.is_clean() {
        let lines: Vec<String> = report.problems.iter().map(Problem::to_string).collect();
        let whole = frame.store.url(&source_key(&context, &file.file, format));
        return Err(Error::new(report.error_type(), lines_within(&lines, 1000, &whole)));
    }
    let approved = match mode {
        Mode::Execute => Some(approved(frame, &context).await?),
        Mode::Plan => None,
    };
    let context = context.at_file(&file.app, &file.file);
    Ok(Ready { direct: false, mode, context, file, application, approved })
}

/// The input decides which objects are read: only those of a run in this Region.
fn belongs_here(frame: &Frame, context: &Context, file: &FileRef) -> Result<()> {
    let runs = format!("{PREFIX}runs/");
    let plain = file.file == slug(&file.file, 40) && !context.folder.contains("..");
    if context.region == frame.env.region && context.folder.starts_with(&runs) && plain {
        return Ok(());
    }
    let text = format!("the input's context is of no run in {}", frame.env.region);
    Err(Error::new(ErrorType::InvalidManifest, text).next("Start the product in this Region."))
}

async fn copy(frame: &Frame, context: &Context, file: &FileRef) -> Result<(Vec<u8>, Format)> {
    for format in [Format::Json, Format::Yaml] {
        let key = source_key(context, &file.file, format);
        if let Some(object) = frame.store.get(&key).await? {
            return Ok((object.bytes, format));
        }
    }
    let key = source_key(context, &file.file, Format::Json);
    let text = format!("the run's copy {} is missing", frame.store.url(&key));
    Err(Error::new(ErrorType::NotFound, text).next("Start the product again."))
}

fn check(name: &str, bytes: &[u8], phase: Phase, report: &mut Report) -> Result<Application> {
    let registry = Registry::get()?;
    Ok(match text::parse(name, bytes) {
        Ok((value, _)) => application::check(registry, name, &value, Some(phase), report),
        Err(problem) => {
            report.problems.push(problem);
            Application::default()
        }
    })
}

/// A person's start: checked as a product is, recorded as a run of its own.
async fn direct(frame: &Frame, start: &Start, phase: Phase) -> Result<Ready, Failure> {
    let registry = Registry::get()?;
    let mut report = Report::default();
    let given = start::direct(registry, &start.input, phase, &frame.env.region, &mut report)?;
    let bytes = given.payload.to_string().into_bytes();
    let application = if given.payload.is_null() {
        Application::default()
    } else {
        application::check(registry, "StatePayload", &given.payload, Some(phase), &mut report)
    };
    let carried = items::size(&application) + start.input.to_string().len();
    if bytes.len() > text::LIMIT || carried > DIRECT_LIMIT {
        let text =
            format!("the input has {} bytes: start the product from manifests in S3", bytes.len());
        report.wrong(start::INPUT, "$.StatePayload", text);
    }
    if !report.is_clean() {
        return Err(refuse(frame, start, Some(&given.product), &report).await);
    }
    let mut context = context_of(frame, start, &given.product, &given.regions);
    context.direct = true;
    let mut context = locked(frame, context, phase, &mut report).await?;
    context.approved = APPROVED.to_vec();
    let name = slug(&format!("{}-{phase}", given.product), 40);
    let source = Source { key: start::INPUT.to_owned(), bytes, format: Format::Json };
    let reference = FileRef::new("direct", 0, &name, &source.sha256(), &start.execution);
    let loaded = Loaded { reference: reference.clone(), source, application };
    let run = run_json(&context, phase, &loaded, &report);
    let files = [loaded];
    write(frame, &context, vec![], &files, &run).await?;
    let [Loaded { application, .. }] = files;
    let context = context.at_file(&reference.app, &reference.file);
    let mode = Mode::Execute;
    Ok(Ready { direct: true, mode, context, file: reference, application, approved: None })
}

fn run_json(context: &Context, phase: Phase, file: &Loaded, report: &Report) -> Value {
    let warnings: Vec<String> = report.warnings.iter().map(Problem::to_string).collect();
    json!({
        "product": context.product,
        "action": phase,
        "direct": true,
        "loadedAt": clock::now(),
        "version": std::env::var("ORCHESTRATOR_VERSION").ok(),
        "context": context,
        "region": null,
        "rtoMinutes": null,
        "rpoSeconds": null,
        "approvalSeconds": 0,
        "manifest": null,
        "files": [file.record()],
        "layers": [{"apps": [{"name": file.reference.app, "files": [file.reference.file]}]}],
        "warnings": warnings,
    })
}

fn answer(ready: &Ready, execution: &str) -> Value {
    json!({
        "status": "LOADED",
        "errorType": null,
        "message": null,
        "nextStep": null,
        "direct": ready.direct,
        "mode": ready.mode,
        // All layers of a plan at once: it looks only.
        "layerConcurrency": if ready.mode == Mode::Plan { 0 } else { 1 },
        "context": ready.context,
        "file": ready.file,
        "layers": items::layers(&ready.application, execution, |layer, index| {
            let name = position(Some(&ready.file.file), u32::try_from(layer).ok(), u32::try_from(index).ok());
            match &ready.approved {
                Some(approved) => approved.get(&name).copied().into_iter().collect(),
                None => ready.context.approved.clone(),
            }
        }),
    })
}

fn failed(failure: &Failure) -> Value {
    json!({
        "status": "FAILED",
        "errorType": failure.error_type,
        "message": failure.message,
        "nextStep": failure.next_step,
        "direct": false,
        "mode": null,
        "layerConcurrency": 1,
        "context": null,
        "file": null,
        "layers": [],
    })
}
