//! A resource that waits for a decision, and the record of what became of it.

use serde::Deserialize;
use serde_json::Value;
use shared::names::sha256;
use shared::{Context, Frame, Result, clock};

/// Which resource, and since when.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Held {
    /// Its place in the run.
    pub context: Context,
    /// The phase.
    pub phase: String,
    /// The type.
    pub resource_type: String,
    /// The name.
    pub resource_name: String,
    /// When somebody was asked.
    pub asked: Asked,
}

/// When somebody was asked.
#[derive(Debug, Deserialize)]
pub struct Asked {
    /// RFC 3339.
    pub at: String,
}

/// What a retry would do, as far as it was looked at.
#[derive(Debug, Deserialize)]
pub struct Retry {
    /// Whether the plan that was shown can be carried out.
    pub runnable: bool,
}

/// `journal/holds/<position>-<hash>.json`. Written again by a repeated call: the same object.
///
/// # Errors
/// As the bucket says.
pub async fn write(frame: &Frame, held: &Held, event: &str, mut record: Value) -> Result<()> {
    let context = &held.context;
    if let (Some(fields), Ok(Value::Object(place))) =
        (record.as_object_mut(), serde_json::to_value(place(held)))
    {
        fields.extend(place);
        fields.insert("event".to_owned(), event.into());
        fields.insert("at".to_owned(), clock::moment().into());
    }
    let hash = sha256(format!("{event}{}", held.asked.at).as_bytes());
    let key =
        format!("{}journal/holds/{}-{}.json", context.folder, context.position(), &hash[..12]);
    frame.store.put_json(&key, &record).await
}

fn place(held: &Held) -> Value {
    let Context { product, app, file, layer, index, execution, .. } = &held.context;
    serde_json::json!({
        "product": product,
        "execution": execution,
        "app": app,
        "file": file,
        "layer": layer,
        "index": index,
        "phase": held.phase,
        "resourceType": held.resource_type,
        "resourceName": held.resource_name,
    })
}
