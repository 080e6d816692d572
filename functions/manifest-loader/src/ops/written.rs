//! What a loaded run leaves in its folder, and the file objects that travel through the machines.

use super::bucket::put_all;
use manifest_loader::application::{Application, normal_form};
use manifest_loader::items::short_hash;
use manifest_loader::text::Format;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use shared::names::sha256;
use shared::{Context, Error, Frame, Result};

/// An application manifest as the machines carry it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FileRef {
    /// Application name.
    pub app: String,
    /// Zero-based application layer.
    pub app_layer: usize,
    /// Short name, unique in the run.
    pub file: String,
    /// Of the bytes as uploaded.
    pub sha256: String,
    /// Name of the execution that plans it.
    pub plan_execution_name: String,
    /// Name of the execution that runs it.
    pub execution_name: String,
}

impl FileRef {
    /// A file of a run: names derive from the execution's ARN.
    pub fn new(app: &str, app_layer: usize, file: &str, sha256: &str, execution: &str) -> Self {
        let run = short_hash(execution);
        Self {
            app: app.to_owned(),
            app_layer,
            file: file.to_owned(),
            sha256: sha256.to_owned(),
            plan_execution_name: format!("{file}-plan-{run}"),
            execution_name: format!("{file}-run-{run}"),
        }
    }
}

/// A manifest as it was uploaded.
pub struct Source {
    /// Its key; `input` for a direct start.
    pub key: String,
    /// As uploaded.
    pub bytes: Vec<u8>,
    /// How it is written.
    pub format: Format,
}

impl Source {
    /// Of the bytes.
    pub fn sha256(&self) -> String {
        sha256(&self.bytes)
    }
}

/// A checked application manifest.
pub struct Loaded {
    /// As the machines carry it.
    pub reference: FileRef,
    /// As it was uploaded.
    pub source: Source,
    /// Its normal form.
    pub application: Application,
}

impl Loaded {
    /// Its line in `run.json`.
    pub fn record(&self) -> Value {
        let mut record = json!({
            "key": self.source.key,
            "resources": self.application.count(),
        });
        if let (Some(record), Ok(Value::Object(fields))) =
            (record.as_object_mut(), serde_json::to_value(&self.reference))
        {
            record.extend(fields);
        }
        record
    }
}

/// The key of a source copy.
pub fn source_key(context: &Context, file: &str, format: Format) -> String {
    format!("{}manifests/source/{file}.{}", context.folder, format.extension())
}

/// The key of a normalised copy.
pub fn copy_key(context: &Context, file: &str) -> String {
    format!("{}manifests/{file}.json", context.folder)
}

/// Writes the copies, then `run.json`: a run that has it has everything.
///
/// # Errors
/// The first object that could not be written.
pub async fn write(
    frame: &Frame,
    context: &Context,
    mut copies: Vec<(String, Vec<u8>)>,
    files: &[Loaded],
    run: &Value,
) -> Result<()> {
    for file in files {
        let name = &file.reference.file;
        copies.push((source_key(context, name, file.source.format), file.source.bytes.clone()));
        copies.push((copy_key(context, name), pretty(&normal_form(&file.application))?));
    }
    put_all(&frame.store, copies).await?;
    frame.store.put_json(&format!("{}run.json", context.folder), run).await
}

/// JSON for people.
///
/// # Errors
/// `Dr.Internal`, never in practice.
pub fn pretty(value: &Value) -> Result<Vec<u8>> {
    serde_json::to_vec_pretty(value).map_err(|e| Error::internal(format!("not serialisable: {e}")))
}
