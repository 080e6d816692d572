//! What a type says of itself: the JSON Schema of its parameters with the contract as extension keys.
//! The committed copies under `samples/schema/` are the registry that the loader validates with.

use crate::resource::{ControlPlane, Resource};
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

/// The description of a type.
pub fn describe<R: Resource>() -> Value {
    let generator = SchemaSettings::draft2020_12().into_generator();
    let mut schema = generator.into_root_schema_for::<R::Parameters>().to_value();
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

fn control_plane(plane: ControlPlane) -> String {
    match plane {
        ControlPlane::None => "none".to_owned(),
        ControlPlane::Regional => "regional".to_owned(),
        ControlPlane::Fixed(region) => region.to_owned(),
    }
}
