//! What a person starts an execution with.

use crate::key;
use crate::problem::Report;
use crate::product::Regions;
use crate::registry::Registry;
use crate::schema::{Schema, shown};
use serde_json::{Value, json};
use shared::nearest::did_you_mean;
use shared::{Error, Phase};

/// Where problems of the start input are.
pub const INPUT: &str = "input";
/// Step Functions adds it to the input of a nested execution.
const STARTED_BY: &str = "AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID";
const PATH: &str = "productmanifestpath";
const PLAN_ONLY: &str = "planOnly";

/// A start of the product machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Key of the product manifest.
    pub key: String,
    /// Whether the run ends with its plan: nobody is asked, nothing is changed.
    pub plan_only: bool,
}

/// What is asked for by `{"productmanifestpath": "<S3 key>", "planOnly": false}`.
pub fn asked(input: &Value, bucket: &str, report: &mut Report) -> Option<Asked> {
    let Some(map) = input.as_object() else {
        let text = format!("is {}, must be {{\"{PATH}\": \"<S3 key>\"}}", shown(input));
        report.wrong(INPUT, "$", text);
        return None;
    };
    for name in map.keys().filter(|k| ![PATH, PLAN_ONLY, STARTED_BY].contains(&k.as_str())) {
        let hint = did_you_mean(name, [PATH, PLAN_ONLY]);
        let text = format!("unknown key \"{name}\".{hint} Legal: {PATH}, {PLAN_ONLY}.");
        report.wrong(INPUT, "$", text);
    }
    let plan_only = plan_only(map.get(PLAN_ONLY), report);
    let key = product_key(map.get(PATH), bucket, report);
    Some(Asked { key: key?, plan_only })
}

fn plan_only(given: Option<&Value>, report: &mut Report) -> bool {
    match given {
        None => false,
        Some(Value::Bool(plan_only)) => *plan_only,
        Some(other) => {
            let text = format!("is {}, must be true or false", shown(other));
            report.wrong(INPUT, &format!("$.{PLAN_ONLY}"), text);
            true
        }
    }
}

fn product_key(given: Option<&Value>, bucket: &str, report: &mut Report) -> Option<String> {
    let at = format!("$.{PATH}");
    match given {
        None => {
            let text = format!("the key \"{PATH}\" is missing: the S3 key of the product manifest");
            report.wrong(INPUT, "$", text);
            None
        }
        Some(Value::String(text)) => {
            key::of(text, Some(bucket)).map_err(|why| report.wrong(INPUT, &at, why)).ok()
        }
        Some(other) => {
            let text = format!("is {}, must be the S3 key of a product manifest", shown(other));
            report.wrong(INPUT, &at, text);
            None
        }
    }
}

/// A start of one phase by a person, without a product manifest.
#[derive(Debug, Clone, PartialEq)]
pub struct Direct {
    /// The application manifest.
    pub payload: Value,
    /// The product it is counted to.
    pub product: String,
    /// As given.
    pub regions: Regions,
}

/// `{"StatePayload": [...], "product", "primary_region", "secondary_region", "unplanned"}`.
///
/// # Errors
/// A defect of the build.
pub fn direct(
    registry: &Registry,
    input: &Value,
    phase: Phase,
    here: &str,
    report: &mut Report,
) -> Result<Direct, Error> {
    read(registry, INPUT, input, (Some(phase), Some(here)), report)
}

/// The same, of an input that lies in `file`; phase and Region where they are known.
///
/// # Errors
/// As [`direct`].
pub fn read(
    registry: &Registry,
    file: &str,
    input: &Value,
    (phase, here): (Option<Phase>, Option<&str>),
    report: &mut Report,
) -> Result<Direct, Error> {
    let mut asked = input.clone();
    // Step Functions adds it for its console; it is nobody's to know or to name.
    asked.as_object_mut().map(|a| a.remove(STARTED_BY));
    schema(registry).map_err(Error::internal)?.check(file, "$", &asked, report);
    let regions = Regions { region: None, ..Regions::of(input) };
    regions.check(file, "$", phase, here, report);
    let product = input["product"].as_str().filter(|n| crate::product::is_name(n));
    Ok(Direct {
        payload: input["StatePayload"].clone(),
        product: product.unwrap_or("direct").to_owned(),
        regions,
    })
}

fn schema(registry: &Registry) -> Result<Schema, String> {
    let of_product = &registry.product.document()["properties"];
    Schema::of_manifest(json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["StatePayload"],
        "properties": {
            "StatePayload": {"description": "the application manifest"},
            "product": of_product["product_name"],
            "primary_region": of_product["primary_region"],
            "secondary_region": of_product["secondary_region"],
            "unplanned": of_product["unplanned"],
        },
    }))
}
