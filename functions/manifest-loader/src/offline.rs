//! Manifests checked without AWS: on a desk or in a pipeline, with the rules that a run has.

use crate::key;
use crate::problem::Report;
use crate::product::{self, Product};
use crate::registry::Registry;
use crate::{application, start, text};
use serde_json::{Map, Value};
use shared::Phase;
use std::collections::BTreeSet;

/// A file that was given, or found in a folder that was given.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// As it is shown.
    pub path: String,
    /// Content.
    pub bytes: Vec<u8>,
    /// Whether it was named itself: then it must be a manifest.
    pub named: bool,
}

/// What was checked.
#[derive(Debug, Default)]
pub struct Checked {
    /// All problems and warnings.
    pub report: Report,
    /// Product manifests.
    pub products: usize,
    /// Application manifests.
    pub applications: usize,
    /// Inputs of direct starts of a phase.
    pub starts: usize,
    /// Files in folders that are no manifests.
    pub skipped: Vec<String>,
}

enum Shape {
    Product(Value),
    Application(Value),
    Start(Value),
    Neither,
}

/// Checks everything. Application manifests that a product manifest names are checked in its phase,
/// all others in the phase of their file name, when it has one.
///
/// # Errors
/// A defect of the build.
pub fn check(files: &[Candidate]) -> shared::Result<Checked> {
    let registry = Registry::get()?;
    let mut out = Checked::default();
    let (mut products, mut applications) = (Vec::new(), Vec::new());
    for file in files {
        match shape(file, &mut out) {
            Some(Shape::Product(value)) => products.push((file, value)),
            Some(Shape::Application(value)) => applications.push((file, value)),
            Some(Shape::Start(value)) => check_start(registry, file, &value, &mut out)?,
            Some(Shape::Neither) | None => {}
        }
    }
    out.products = products.len();
    out.applications = applications.len();
    let mut pairs = Vec::new();
    for (file, value) in products {
        let report = &mut out.report;
        let product = product::check(registry, &file.path, &value, None, None, report);
        pairs.extend(named_by(&file.path, &product, &applications, report));
    }
    let named: BTreeSet<usize> = pairs.iter().map(|(n, _)| *n).collect();
    let alone = (0..applications.len()).filter(|n| !named.contains(n));
    pairs.extend(alone.map(|n| (n, key::phase_in_name(&applications[n].0.path))));
    pairs.sort_unstable_by_key(|(n, phase)| (*n, phase.map(Phase::as_str)));
    pairs.dedup();
    for (n, phase) in pairs {
        let (file, value) = &applications[n];
        if let Some(phase) = phase {
            key::warn_of_another_phase(&file.path, phase, &mut out.report);
        }
        application::check(registry, &file.path, value, phase, &mut out.report);
    }
    Ok(out)
}

/// The input of a direct start, in the phase of its file name, when it has one.
fn check_start(
    registry: &Registry,
    file: &Candidate,
    value: &Value,
    out: &mut Checked,
) -> shared::Result<()> {
    out.starts += 1;
    let phase = key::phase_in_name(&file.path);
    let given = start::read(registry, &file.path, value, (phase, None), &mut out.report)?;
    if !given.payload.is_null() {
        let name = format!("{}: StatePayload", file.path);
        application::check(registry, &name, &given.payload, phase, &mut out.report);
    }
    Ok(())
}

/// The given application manifests that a product manifest names, found by their file names.
fn named_by(
    path: &str,
    product: &Product,
    applications: &[(&Candidate, Value)],
    report: &mut Report,
) -> Vec<(usize, Option<Phase>)> {
    let mut pairs = Vec::new();
    for (_, _, key) in product.files() {
        let name = key::file_name(key);
        let same = applications.iter().map(|(file, _)| file.path.as_str()).enumerate();
        let mut same = same.filter(|(_, p)| key::file_name(p) == name).collect::<Vec<_>>();
        // Several of one name: the one beside the product manifest.
        same.sort_by_key(|(_, p)| key::folder(p) != key::folder(path));
        match same.first() {
            Some((n, _)) => pairs.push((*n, product.action)),
            None => {
                report.warn(path, "", format!("\"{key}\" was not checked: no {name} was given"))
            }
        }
    }
    pairs
}

/// What a file is. In a folder, other files lie beside the manifests: those are skipped.
fn shape(file: &Candidate, out: &mut Checked) -> Option<Shape> {
    let file_name = key::file_name(&file.path).to_ascii_lowercase();
    let must =
        file.named || file_name.contains("manifest") || key::phase_in_name(&file.path).is_some();
    let shape = match text::parse(&file.path, &file.bytes) {
        Ok((value, _)) => shape_of(value, must),
        Err(problem) if must => {
            out.report.problems.push(problem);
            return None;
        }
        Err(_) => Shape::Neither,
    };
    if let (Shape::Neither, true) = (&shape, must && !file_name.ends_with(".schema.json")) {
        let text = "is neither a product manifest (an object with action, product_name, product) nor an application manifest (a list of layers), nor the input of a direct start (an object with StatePayload)";
        out.report.wrong(&file.path, "", text);
    } else if matches!(shape, Shape::Neither) {
        out.skipped.push(file.path.clone());
    }
    Some(shape)
}

fn shape_of(value: Value, must: bool) -> Shape {
    match &value {
        Value::Object(map) if map.contains_key("StatePayload") => Shape::Start(value),
        Value::Object(map) if is_product(map) => Shape::Product(value),
        Value::Array(items) => {
            let layers = items.iter().any(|i| i.get("resources").is_some());
            if layers || must { Shape::Application(value) } else { Shape::Neither }
        }
        _ => Shape::Neither,
    }
}

/// Two of its keys, so that one may be misspelt.
fn is_product(map: &Map<String, Value>) -> bool {
    ["product_name", "product", "action"].iter().filter(|k| map.contains_key(**k)).count() >= 2
}
