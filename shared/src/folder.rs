//! What a run leaves in its folder, as its readers see it. Readers are lenient: a report about a
//! broken run must not break on what is missing.

use crate::request::Response;
use serde::Deserialize;
use serde_json::Value;

/// `plan.json`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Plan {
    /// When it was made, RFC 3339.
    pub generated_at: String,
    /// Digest of the manifests.
    pub digest: String,
    /// Why it cannot run; texts or objects with a text.
    pub blockers: Vec<Value>,
    /// Every resource, in the order of the run.
    pub entries: Vec<PlanEntry>,
}

/// One resource of the plan.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlanEntry {
    /// Application name.
    #[serde(default)]
    pub app: Option<String>,
    /// Short name of the manifest.
    #[serde(default)]
    pub file: Option<String>,
    /// Zero-based layer.
    #[serde(default)]
    pub layer: Option<u32>,
    /// Zero-based index.
    #[serde(default)]
    pub index: Option<u32>,
    /// The type.
    pub resource_type: String,
    /// The name.
    pub resource_name: String,
    /// What the resource function answered.
    #[serde(flatten)]
    pub response: Response,
}

impl PlanEntry {
    /// `<file>-<layer>-<index>`: as the journal is named.
    pub fn position(&self) -> String {
        position(self.file.as_deref(), self.layer, self.index)
    }

    /// For people, who count from one: `app1, shop-app1, layer 1`.
    pub fn place(&self) -> String {
        place(self.app.as_deref(), self.file.as_deref(), self.layer)
    }
}

/// `<file>-<layer>-<index>`.
pub fn position(file: Option<&str>, layer: Option<u32>, index: Option<u32>) -> String {
    format!("{}-{}-{}", file.unwrap_or("run"), layer.unwrap_or(0), index.unwrap_or(0))
}

/// Application, file and layer for people, who count from one.
pub fn place(app: Option<&str>, file: Option<&str>, layer: Option<u32>) -> String {
    let layer = layer.map(|l| format!("layer {}", l + 1));
    let words: Vec<&str> = [app, file, layer.as_deref()].into_iter().flatten().collect();
    words.join(", ")
}
