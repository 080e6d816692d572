//! The resources of a manifest as the phase machine runs them: layers of chunks of 40.

use crate::application::{Application, Layer, Resource};
use serde_json::{Value, json};
use shared::ChangeClass;
use shared::names::{function_name, sha256, slug};

/// What an inline Map runs at once.
const CHUNK: usize = 40;

/// `layers` of the phase's answer: names of executions derive from the phase execution's ARN.
/// `approved` tells the change classes of a zero-based layer and index.
pub fn layers(
    application: &Application,
    execution: &str,
    approved: impl Fn(usize, usize) -> Vec<ChangeClass>,
) -> Vec<Vec<Vec<Value>>> {
    let run = short_hash(execution);
    let layers = application.layers.iter().enumerate();
    layers.map(|(n, layer)| chunks(n, layer, &run, |index| approved(n, index))).collect()
}

/// Bytes of it as JSON.
pub fn size(application: &Application) -> usize {
    json!(layers(application, "", |_, _| vec![ChangeClass::Destructive])).to_string().len()
}

fn chunks(
    n: usize,
    layer: &Layer,
    run: &str,
    approved: impl Fn(usize) -> Vec<ChangeClass>,
) -> Vec<Vec<Value>> {
    let siblings = layer.resources.len();
    let items: Vec<Value> = layer
        .resources
        .iter()
        .enumerate()
        .map(|(index, resource)| item(resource, [n, index, siblings], run, &approved(index)))
        .collect();
    items.chunks(CHUNK).map(<[Value]>::to_vec).collect()
}

fn item(
    resource: &Resource,
    [layer, index, siblings]: [usize; 3],
    run: &str,
    approved: &[ChangeClass],
) -> Value {
    let name = slug(&resource.resource_name, 30);
    json!({
        "resourceType": resource.resource_type,
        "resourceName": resource.resource_name,
        "parameters": resource.parameters,
        "accountId": resource.account_id,
        "function": function_name(&resource.resource_type),
        "executionName": format!("{name}-{layer}-{index}-{run}"),
        "position": {
            "layer": layer,
            "index": index,
            "siblings": siblings,
            "approved": approved,
        },
    })
}

/// Ten hexadecimal digits: executions of one machine must not share a name within 90 days.
pub fn short_hash(text: &str) -> String {
    sha256(text.as_bytes())[..10].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn application(resources: usize) -> Application {
        let resource = Resource {
            resource_type: "ModuleTest".into(),
            resource_name: "A very long name of a resource that people gave it".into(),
            parameters: json!({}),
            account_id: None,
        };
        Application { layers: vec![Layer { layer: 1, resources: vec![resource; resources] }] }
    }

    #[test]
    fn a_wide_layer_is_cut_into_chunks_that_keep_their_places() {
        let layers = layers(&application(81), "arn", |_, _| vec![ChangeClass::Traffic]);
        let sizes: Vec<_> = layers[0].iter().map(Vec::len).collect();
        assert_eq!(sizes, [40, 40, 1]);
        assert_eq!(
            layers[0][2][0]["position"],
            json!({"layer": 0, "index": 80, "siblings": 81, "approved": ["traffic"]})
        );
    }

    #[test]
    fn execution_names_are_short_and_unique() {
        let layers = layers(&application(400), "arn", |_, _| vec![]);
        let names: Vec<_> =
            layers[0].iter().flatten().map(|i| i["executionName"].as_str().unwrap()).collect();
        assert!(names.iter().all(|n| n.len() <= 75));
        let unique: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(unique.len(), 400);
    }
}
