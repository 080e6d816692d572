//! Many failures, one cause: a list of lines that fits into a Fail state.

use serde::Deserialize;
use serde_json::{Value, json};
use shared::ErrorType;
use shared::names::cut;

/// A cause is kept up to 32,768 characters, inside the description of the child that it failed.
const CAUSE: usize = 24_000;
/// Lines that are kept when there are too many for one cause.
const KEPT: usize = 20;
const LINE: usize = 600;

/// The request.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Join {
    results: Value,
    context: Value,
    #[serde(rename = "where")]
    place: Option<String>,
}

/// The answer; `url` names the folder of all failures.
pub fn answer(request: &Join, url: impl Fn(&str) -> String) -> Value {
    let mut lines = Vec::new();
    collect(&request.results, &mut lines);
    if lines.is_empty() {
        lines.push("something failed without a line; open the execution in the console".to_owned());
    }
    let whole = json!({"lines": lines}).to_string();
    if whole.len() > CAUSE {
        let place = request.context["folder"].as_str().map(url).unwrap_or_default();
        lines = first_ones(&lines, &place);
    }
    json!({
        "status": "FAILED",
        "errorType": error_type(request.place.as_deref()),
        "cause": json!({"lines": lines}).to_string(),
        "lines": lines,
    })
}

fn error_type(place: Option<&str>) -> ErrorType {
    let app = place.is_some_and(|p| p.to_ascii_lowercase().contains("app"));
    if app { ErrorType::AppLayerFailed } else { ErrorType::LayerFailed }
}

fn first_ones(lines: &[String], place: &str) -> Vec<String> {
    let mut kept: Vec<String> = lines.iter().take(KEPT).map(|l| cut(l, LINE)).collect();
    if lines.len() > KEPT {
        kept.push(format!("and {} more, see {place}", lines.len() - KEPT));
    }
    kept
}

/// Lines of everything that failed, however deep the lists are nested, each once.
fn collect(value: &Value, lines: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, lines)),
        Value::Object(fields) => {
            if let Some(Value::Array(texts)) = fields.get("lines") {
                texts.iter().filter_map(Value::as_str).for_each(|text| add(text, lines));
            } else if let Some(Value::String(text)) = fields.get("line") {
                add(text, lines);
            } else if let Some(inner) = fields.get("results") {
                collect(inner, lines);
            }
        }
        _ => {}
    }
}

fn add(text: &str, lines: &mut Vec<String>) {
    if !text.is_empty() && !lines.iter().any(|l| l == text) {
        lines.push(text.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(results: Value, place: &str) -> Value {
        let payload = json!({"operation": "join", "results": results, "where": place,
            "context": {"folder": "f/"}});
        answer(&Join::deserialize(&payload).unwrap(), |folder| format!("s3://b/{folder}"))
    }

    #[test]
    fn nested_results_become_one_list() {
        let results = json!([
            {"failed": true, "results": [
                {"failed": false, "results": [{"status": "DONE"}]},
                {"failed": true, "results": [{"status": "FAILED", "line": "a"}, {"status": "DONE"}]},
            ]},
            [{"status": "FAILED", "lines": ["b", "a", "c"]}],
        ]);
        let answer = joined(results, "layer");
        assert_eq!(answer["lines"], json!(["a", "b", "c"]));
        assert_eq!(answer["cause"], "{\"lines\":[\"a\",\"b\",\"c\"]}");
        assert_eq!(answer["errorType"], "Dr.LayerFailed");
        assert_eq!(answer["status"], "FAILED");
    }

    #[test]
    fn an_application_layer_has_its_own_type() {
        assert_eq!(joined(json!([]), "app layer")["errorType"], "Dr.AppLayerFailed");
        assert_eq!(joined(json!([]), "plan")["errorType"], "Dr.LayerFailed");
    }

    #[test]
    fn too_many_lines_are_counted_and_the_place_of_all_is_named() {
        let results: Vec<Value> = (0..200)
            .map(|i| json!({"status": "FAILED", "line": format!("{i} {}", "x".repeat(590))}))
            .collect();
        let answer = joined(json!(results), "layer");
        let lines = answer["lines"].as_array().unwrap();
        assert_eq!(lines.len(), 21);
        assert_eq!(lines[20], "and 180 more, see s3://b/f/");
        assert!(answer["cause"].as_str().unwrap().len() < 30_000);
    }

    #[test]
    fn no_line_at_all_is_told_too() {
        assert_eq!(joined(json!(null), "layer")["lines"].as_array().unwrap().len(), 1);
    }
}
