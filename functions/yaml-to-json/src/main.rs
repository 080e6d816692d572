//! yaml-to-json: converts a manifest as manifest-loader reads it, for people and their own tools.
//!
//! **Request:** `{"yaml": "<text>"}`, or `{"key": "<S3 key>"}` of an object in the orchestrator's bucket
//! of this Region (`bucket` may be given and must be that one).
//! **Response:** `{"status": "CONVERTED", "json": "<text>", "errorType": null, "message": null, "nextStep": null}`,
//! or `status: FAILED` with `json: null` and why, with line and column. Every field is always present.
//! **Reads:** the object. **Changes:** nothing.

use manifest_loader::problem::Problem;
use manifest_loader::text;
use serde_json::{Value, json};
use shared::{Error, ErrorType, Frame, Result};

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::result::Result<(), lambda_runtime::Error> {
    shared::serve(handle).await
}

async fn handle(frame: Frame, payload: Value) -> Result<Value> {
    Ok(match converted(&frame, &payload).await {
        Ok(json) => answer("CONVERTED", Some(&json), None),
        Err(error) => answer("FAILED", None, Some(&error)),
    })
}

async fn converted(frame: &Frame, payload: &Value) -> Result<String> {
    match request(payload, frame.store.bucket())? {
        Request::Text(text) => convert("yaml", text.as_bytes()),
        Request::Key(key) => {
            let missing = || {
                let text = format!("there is no object {}", frame.store.url(&key));
                Error::new(ErrorType::NotFound, text)
            };
            let size = frame.store.size(&key).await?.ok_or_else(missing)?;
            let size = usize::try_from(size).unwrap_or(usize::MAX);
            if size > text::LIMIT {
                return Err(invalid(&text::too_large(&key, size).to_string()));
            }
            let object = frame.store.get(&key).await?.ok_or_else(missing)?;
            convert(&key, &object.bytes)
        }
    }
}

#[derive(Debug, PartialEq)]
enum Request {
    Text(String),
    Key(String),
}

fn request(payload: &Value, own_bucket: &str) -> Result<Request> {
    let legal = ["yaml", "key", "bucket"];
    let keys = payload.as_object().into_iter().flat_map(|map| map.keys());
    if let Some(name) = keys.into_iter().find(|k| !legal.contains(&k.as_str())) {
        return Err(invalid(&format!("unknown key \"{name}\"; legal: {}", legal.join(", "))));
    }
    let bucket = payload.get("bucket").filter(|b| !b.is_null());
    if let Some(other) = bucket.filter(|b| b.as_str() != Some(own_bucket)) {
        let text = format!("bucket is {other}; only {own_bucket} is read");
        return Err(invalid(&text));
    }
    match (payload["yaml"].as_str(), payload["key"].as_str()) {
        (Some(text), None) => Ok(Request::Text(text.to_owned())),
        (None, Some(key)) => {
            let key = manifest_loader::key::of(key, Some(own_bucket)).map_err(|e| invalid(&e))?;
            Ok(Request::Key(key))
        }
        _ => Err(invalid("give either \"yaml\", a text, or \"key\", an S3 key")),
    }
}

fn convert(name: &str, bytes: &[u8]) -> Result<String> {
    let (value, _) = text::parse(name, bytes).map_err(|p: Problem| invalid(&p.to_string()))?;
    Ok(value.to_string())
}

fn invalid(text: &str) -> Error {
    Error::new(ErrorType::InvalidManifest, text).next("Correct it and call again.")
}

fn answer(status: &str, json: Option<&str>, error: Option<&Error>) -> Value {
    json!({
        "status": status,
        "json": json,
        "errorType": error.map(|e| e.error_type),
        "message": error.map(|e| e.message.as_str()),
        "nextStep": error.map(|e| e.next_step.as_str()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yaml_becomes_json() {
        let json = convert("yaml", b"- layer: 1\n  name: !Import x\n  no: \"yes\"\n").unwrap();
        assert_eq!(json, r#"[{"layer":1,"name":"!Import x","no":"yes"}]"#);
    }

    #[test]
    fn broken_yaml_is_told_with_its_line() {
        let error = convert("yaml", b"a: 1\nb: [1, 2\nc: 3\n").unwrap_err();
        assert!(error.message.starts_with("yaml:3:"), "{}", error.message);
    }

    #[test]
    fn a_request_names_one_source_in_our_bucket() {
        let key = request(&json!({"key": "s3://own/a.yaml", "bucket": "own"}), "own").unwrap();
        assert_eq!(key, Request::Key("a.yaml".into()));
        let wrong = [
            json!({}),
            json!({"yaml": 1}),
            json!({"yaml": "a", "key": "b"}),
            json!({"yml": "a"}),
            json!({"key": "a", "bucket": "other"}),
            json!({"key": "s3://other/a"}),
        ];
        for payload in wrong {
            assert!(request(&payload, "own").is_err(), "{payload}");
        }
    }
}
