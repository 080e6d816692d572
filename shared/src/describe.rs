//! What a type says of itself: the JSON Schema of its parameters with the contract as extension keys.
//! The committed copies under `samples/schema/` are the registry that the loader validates with.

use crate::resource::{ControlPlane, Resource};
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

/// The description of a type.
pub fn describe<R: Resource>() -> Value {
    let generator = SchemaSettings::draft2020_12().into_generator();
    let mut schema = generator.into_root_schema_for::<R::Parameters>().to_value();
    without_null(&mut schema);
    let extensions = json!({
        "title": format!("Parameters of {}", R::TYPE),
        "x-dr-type": R::TYPE,
        "x-dr-phases": R::PHASES.iter().map(|p| p.as_str()).collect::<Vec<_>>(),
        "x-dr-class": R::CLASS.as_str(),
        "x-dr-reads": R::READS,
        "x-dr-writes": R::WRITES,
        "x-dr-control-plane": control_plane(R::CONTROL_PLANE),
        "x-dr-timeout-minutes": R::TIMEOUT.as_secs() / 60,
    });
    if let (Some(schema), Value::Object(extensions)) = (schema.as_object_mut(), extensions) {
        schema.extend(extensions);
    }
    schema
}

/// An optional parameter may be absent; `null` is always a mistake (an export that was not found).
fn without_null(schema: &mut Value) {
    let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
    for property in properties.into_iter().flat_map(|p| p.values_mut()) {
        let null = json!({"type": "null"});
        let inner = match property.get_mut("anyOf").and_then(Value::as_array_mut) {
            Some(any) if any.len() == 2 && any[1] == null => any.remove(0),
            _ => Value::Null,
        };
        if let (Some(property), Value::Object(inner)) = (property.as_object_mut(), inner) {
            property.remove("anyOf");
            property.extend(inner);
        }
        if let Some(Value::Array(types)) = property.get("type") {
            property["type"] = types[0].clone();
        }
    }
}

fn control_plane(plane: ControlPlane) -> String {
    match plane {
        ControlPlane::None => "none".to_owned(),
        ControlPlane::Regional => "regional".to_owned(),
        ControlPlane::Fixed(region) => region.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_is_no_legal_value_of_an_optional_parameter() {
        let mut schema = json!({"properties": {
            "A": {"description": "a", "anyOf": [{"anyOf": [{"type": "integer"}]}, {"type": "null"}]},
            "B": {"type": ["string", "null"]},
        }});
        without_null(&mut schema);
        let wanted = json!({"properties": {
            "A": {"description": "a", "anyOf": [{"type": "integer"}]},
            "B": {"type": "string"},
        }});
        assert_eq!(schema, wanted);
    }
}
