//! The operations: thin I/O around the rules of the library.

pub mod again;
mod approved;
mod bucket;
mod dashboard;
mod holder;
pub mod load;
mod lock;
mod peer;
pub mod phase;
pub mod plan;
mod subscription;
mod written;

use manifest_loader::problem::{Problem, Report, lines_within};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use shared::names::run_folder;
use shared::text::sentence;
use shared::{Context, Error, ErrorType, Frame, Phase, Result, consent};

/// Characters of a message in an answer.
const MESSAGE: usize = 1000;

/// What a machine says of its execution.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Start {
    /// ARN.
    pub execution: String,
    /// Its last part.
    pub execution_name: String,
    /// RFC 3339.
    pub started_at: String,
    /// The phase machine's own phase.
    pub phase: Option<Phase>,
    /// What it was started with.
    pub input: Value,
}

/// Why an operation answers FAILED.
pub struct Failure {
    /// One of the closed set.
    pub error_type: ErrorType,
    /// At most 1,000 characters.
    pub message: String,
    /// One sentence.
    pub next_step: String,
    /// How many problems there are.
    pub problems: usize,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self {
            error_type: error.error_type,
            message: shared::names::cut(&error.message, MESSAGE),
            next_step: error.next_step,
            problems: 1,
        }
    }
}

/// The same run, holding its product's lock, with the root of the first run since the product's
/// last success.
///
/// # Errors
/// `Dr.Locked` when another run of the product is under way, here or, as far as it can be seen, in
/// the other Region.
pub async fn locked(
    frame: &Frame,
    context: Context,
    phase: Phase,
    report: &mut Report,
) -> Result<Context> {
    lock::wait(frame, &context.product).await?;
    let unseen = peer::must_be_free(frame, &context, phase).await?;
    let taken = lock::take(frame, &context, phase).await?;
    for warning in unseen.into_iter().chain(taken.warning) {
        report.warn("run lock", "", warning);
    }
    Ok(Context { root: taken.root, ..context })
}

/// Where a run's objects are, once its product is known.
pub fn folder_of(product: Option<&str>, start: &Start) -> String {
    run_folder(product.unwrap_or("unknown-product"), &start.execution_name)
}

/// The problems as a failure: all of them in the run's folder, as many as fit in the message.
pub async fn refuse(
    frame: &Frame,
    start: &Start,
    product: Option<&str>,
    report: &Report,
) -> Failure {
    let key = format!("{}problems.json", folder_of(product, start));
    let whole = json!({
        "product": product,
        "execution": start.execution,
        "errorType": report.error_type(),
        "problems": report.problems,
        "warnings": report.warnings,
    });
    let mut place = frame.store.url(&key);
    if let Err(error) = frame.store.put_json(&key, &whole).await {
        tracing::error!(%key, %error, "the problems could not be written");
        place = "see the log of manifest-loader".to_owned();
    }
    for problem in &report.problems {
        tracing::warn!(event = "problem", product, execution = start.execution, line = %problem);
    }
    let lines: Vec<String> = report.problems.iter().map(Problem::to_string).collect();
    Failure {
        error_type: report.error_type(),
        message: sentence(&lines_within(&lines, MESSAGE, &place)),
        next_step: next_step(report),
        problems: report.problems.len(),
    }
}

fn next_step(report: &Report) -> String {
    match report.error_type() {
        ErrorType::AccessDenied => {
            "Nothing was changed. Grant manifest-loader access to the object, then start again."
        }
        ErrorType::NotFound => "Nothing was changed. Upload what is missing, then start again.",
        _ => "Nothing was changed. Correct the manifests (bash scripts/validate.sh checks them offline), upload them and start again.",
    }
    .to_owned()
}

/// Reads an operation's payload.
pub fn request<T: DeserializeOwned>(payload: Value) -> Result<T> {
    T::deserialize(payload).map_err(|e| Error::internal(format!("the request is malformed: {e}")))
}

/// A run-level context.
pub fn context_of(
    frame: &Frame,
    start: &Start,
    product: &str,
    regions: &manifest_loader::product::Regions,
) -> Context {
    Context {
        product: product.to_owned(),
        app: None,
        file: None,
        layer: None,
        index: None,
        siblings: None,
        execution: start.execution.clone(),
        root: start.execution_name.clone(),
        started_at: start.started_at.clone(),
        region: frame.env.region.clone(),
        primary_region: regions.primary_region.clone(),
        secondary_region: regions.secondary_region.clone(),
        unplanned: regions.unplanned,
        approved: vec![],
        direct: false,
        hold_seconds: 0,
        answers: consent::parameter(product, &start.execution_name),
        folder: run_folder(product, &start.execution_name),
    }
}
