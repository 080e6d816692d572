//! How a run ended, from either way of being told. Pure.

use crate::malformed;
use serde::Deserialize;
use serde_json::Value;
use shared::names::run_folder;
use shared::pending::Answer;
use shared::text::one_line;
use shared::{Context, Phase, Result};

/// Product of a run that could not be loaded.
pub const UNKNOWN: &str = "unknown-product";
/// Product of a phase that was started directly without a name.
pub const DIRECT: &str = "direct";

/// The end of a run.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct End {
    /// SUCCEEDED, PLANNED, FAILED, REJECTED, APPROVAL_TIMED_OUT, ABORTED, TIMED_OUT.
    pub outcome: String,
    /// ARN.
    pub execution: String,
    /// Its last part.
    pub execution_name: String,
    /// RFC 3339.
    pub started_at: String,
    /// The start input.
    #[serde(default)]
    pub input: Value,
    /// The phase, when it is known.
    #[serde(default)]
    pub phase: Option<Phase>,
    /// When it failed.
    #[serde(default)]
    pub error_type: Option<String>,
    /// One line per failure.
    #[serde(default, deserialize_with = "lines")]
    pub lines: Vec<String>,
    /// What the failing part advised.
    #[serde(default)]
    pub next_step: Option<String>,
    /// Who approved, or rejected.
    #[serde(default, deserialize_with = "lenient")]
    pub approval: Option<Answer>,
    /// The run, when it was loaded.
    #[serde(default, deserialize_with = "lenient")]
    pub context: Option<Context>,
    /// Product name; found by [`crate::gather::place`].
    #[serde(default)]
    pub product: String,
    /// The run's folder; found by [`crate::gather::place`].
    #[serde(default)]
    pub folder: String,
}

impl End {
    /// From the product machine's request.
    pub fn of_request(payload: &Value) -> Result<Self> {
        Self::deserialize(payload).map_err(malformed)
    }

    /// S3 key of the product manifest.
    pub fn manifest(&self) -> Option<&str> {
        self.input["productmanifestpath"].as_str()
    }

    /// Whether the run was to end with its plan.
    pub fn is_plan_only(&self) -> bool {
        self.input["planOnly"] == true
    }

    /// With a product and its folder.
    pub fn at(self, product: &str) -> Self {
        let folder = run_folder(product, &self.execution_name);
        Self { product: product.to_owned(), folder, ..self }
    }
}

/// The rule of the manifests for product names; anything else must not become a key.
pub fn is_product(name: &str) -> bool {
    name.len() <= 128
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// What cannot be read is as good as missing: the report must not fail for it.
fn lenient<'de, D: serde::Deserializer<'de>, T: serde::de::DeserializeOwned>(
    from: D,
) -> std::result::Result<Option<T>, D::Error> {
    let value = Value::deserialize(from)?;
    Ok(serde_json::from_value(value).ok())
}

fn lines<'de, D: serde::Deserializer<'de>>(from: D) -> std::result::Result<Vec<String>, D::Error> {
    let value = Value::deserialize(from)?;
    Ok(texts(&value))
}

/// Texts as lines; a problem of a manifest as `file:line:column: path: text`.
pub fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::String(text) => vec![one_line(text)],
        Value::Object(_) => vec![problem(value)],
        _ => vec![],
    }
}

fn problem(value: &Value) -> String {
    let text = |name: &str| value[name].as_str().filter(|t| !t.is_empty());
    let Some(what) = text("text") else { return one_line(&value.to_string()) };
    let mut place = text("file").unwrap_or_default().to_owned();
    if let (Some(line), Some(column)) = (value["line"].as_u64(), value["column"].as_u64()) {
        place.push_str(&format!(":{line}:{column}"));
    }
    let parts = [Some(place.as_str()).filter(|p| !p.is_empty()), text("path"), Some(what)];
    one_line(&parts.into_iter().flatten().collect::<Vec<_>>().join(": "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_request_with_nulls_is_read() {
        let end = End::of_request(&json!({
            "operation": "report", "outcome": "FAILED", "execution": "arn:x", "executionName": "run-1",
            "startedAt": "2026-01-01T00:00:00.1Z", "input": {"productmanifestpath": "a.json"},
            "phase": null, "errorType": "Dr.Internal", "lines": ["a\nb"], "nextStep": null,
            "approval": null, "context": null
        }))
        .unwrap();
        assert_eq!(end.lines, ["a b"]);
        assert_eq!(end.manifest(), Some("a.json"));
        assert!(end.context.is_none());
        assert_eq!(
            end.at(UNKNOWN).folder,
            "dr-orchestration-artifacts/runs/unknown-product/run-1/"
        );
    }

    #[test]
    fn a_product_must_not_leave_its_folder() {
        assert!(is_product("shop-2"));
        for name in ["", "../x", "2shop", "a/b", "a b"] {
            assert!(!is_product(name), "{name}");
        }
    }

    #[test]
    fn a_problem_is_told_with_its_place() {
        let value = json!([
            "a",
            {"file": "a.json", "path": "", "line": 3, "column": 7, "text": "not legal"},
            {"file": "a.json", "path": "$[0].layer", "line": null, "column": null, "text": "b"},
            {"odd": 1},
        ]);
        let lines = ["a", "a.json:3:7: not legal", "a.json: $[0].layer: b", "{\"odd\":1}"];
        assert_eq!(texts(&value), lines);
    }
}
