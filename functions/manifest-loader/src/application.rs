//! The rules of an application manifest, and its one normal form.

use crate::items;
use crate::path;
use crate::problem::Report;
use crate::registry::{Kind, Registry};
use crate::schema::shown;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use shared::nearest::did_you_mean;
use shared::tokens::Token;
use shared::{ErrorType, Phase};

/// Resources of one manifest.
const LIMIT: usize = 400;
/// Bytes of the resources with their names and places: what a state machine may carry is 256 KiB.
const STATE_LIMIT: usize = 240_000;

/// An application manifest in its normal form.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Application {
    /// In the order in which they run.
    pub layers: Vec<Layer>,
}

/// Resources side by side.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Layer {
    /// Counted from one, for readers.
    pub layer: usize,
    /// In the order of the manifest.
    pub resources: Vec<Resource>,
}

/// One resource.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Resource {
    /// The type.
    pub resource_type: String,
    /// The name for people.
    pub resource_name: String,
    /// One object; tokens unresolved.
    pub parameters: Value,
    /// None: the orchestrator's own.
    pub account_id: Option<String>,
}

impl Application {
    /// Number of resources.
    pub fn count(&self) -> usize {
        self.layers.iter().map(|l| l.resources.len()).sum()
    }
}

/// Checks everything at once. Without a phase the phase's rules are left out. The answer is
/// complete only when nothing was reported.
pub fn check(
    registry: &Registry,
    file: &str,
    value: &Value,
    phase: Option<Phase>,
    report: &mut Report,
) -> Application {
    registry.application.check(file, "$", value, report);
    let mut rules = Rules { registry, file, phase, report };
    let layers = value.as_array().into_iter().flatten().enumerate();
    let layers: Vec<Layer> = layers.map(|(n, layer)| rules.layer(n, layer)).collect();
    let application = Application { layers };
    rules.size(&application);
    application
}

struct Rules<'a> {
    registry: &'a Registry,
    file: &'a str,
    phase: Option<Phase>,
    report: &'a mut Report,
}

impl<'a> Rules<'a> {
    fn layer(&mut self, n: usize, layer: &Value) -> Layer {
        let at = path::key(&path::index("$", n), "resources");
        let resources = layer["resources"].as_array().into_iter().flatten().enumerate();
        let resources = resources.filter_map(|(i, resource)| {
            resource.as_object().map(|r| self.resource(&path::index(&at, i), r))
        });
        Layer { layer: n + 1, resources: resources.collect() }
    }

    fn resource(&mut self, at: &str, resource: &Map<String, Value>) -> Resource {
        let kind = self.kind(at, resource);
        let (place, mut parameters) = parameters_of(at, resource);
        let own = kind.is_some_and(|k| has_parameter(k, "AccountId"));
        let account_id = self.account(at, resource, &place, &mut parameters, own);
        for (name, value) in &parameters {
            let at = path::key(&place, name);
            if value.is_null() {
                self.wrong_parameter(&at, "is null; give a value or leave the parameter out");
            }
            self.tokens(&at, value);
        }
        parameters.retain(|_, value| !value.is_null());
        let parameters = Value::Object(parameters);
        if let Some(kind) = kind {
            kind.parameters.check(self.file, &place, &parameters, self.report);
        }
        Resource {
            resource_type: text(resource, "resourceType")
                .or(text(resource, "action"))
                .unwrap_or_default(),
            resource_name: text(resource, "resourceName").unwrap_or_default(),
            parameters,
            account_id,
        }
    }

    fn kind(&mut self, at: &str, resource: &Map<String, Value>) -> Option<&'a Kind> {
        let given = ["resourceType", "action"].map(|k| (k, resource.get(k)));
        let (key, name) = match given {
            [(key, Some(name)), (_, None)] | [(_, None), (key, Some(name))] => {
                (key, name.as_str()?)
            }
            [(_, None), (_, None)] => {
                let text = "the key \"resourceType\" is missing: what is done";
                self.report.wrong(self.file, at, text);
                return None;
            }
            _ => {
                let text = "has both resourceType and its older name action; keep resourceType";
                self.report.wrong(self.file, at, text);
                return None;
            }
        };
        let at = path::key(at, key);
        let kind = self.registry.kind(name);
        match (kind, self.phase) {
            (None, _) => self.unknown_type(&at, name),
            (Some(kind), Some(phase)) if !kind.phases.contains(&phase) => {
                let legal: Vec<_> = kind.phases.iter().map(|p| p.as_str()).collect();
                let legal = legal.join(", ");
                let text = format!("{name} is not legal in {phase}, only in {legal}");
                self.report.wrong(self.file, &at, text);
            }
            _ => {}
        }
        kind
    }

    fn unknown_type(&mut self, at: &str, name: &str) {
        let legal = self.registry.names(self.phase);
        let hint = did_you_mean(name, legal.iter().copied());
        let place = self.phase.map(|p| format!(" in {p}")).unwrap_or_default();
        let text = format!(
            "there is no resource type \"{name}\".{hint} Legal{place}: {}.",
            legal.join(", ")
        );
        self.report.wrong(self.file, at, text);
    }

    /// `accountId`, or `AccountId` beside the parameters or among them.
    fn account(
        &mut self,
        at: &str,
        resource: &Map<String, Value>,
        place: &str,
        parameters: &mut Map<String, Value>,
        own_parameter: bool,
    ) -> Option<String> {
        let mut found: Vec<(String, Value)> = Vec::new();
        for name in ["accountId", "AccountId"] {
            found.extend(resource.get(name).map(|v| (path::key(at, name), v.clone())));
        }
        if !own_parameter {
            for name in ["AccountId", "accountId"] {
                found.extend(parameters.shift_remove(name).map(|v| (path::key(place, name), v)));
            }
        }
        let accounts: Vec<&str> = found.iter().filter_map(|(_, v)| v.as_str()).collect();
        if accounts.windows(2).any(|pair| pair[0] != pair[1]) {
            let text = format!("names different accounts: {}", accounts.join(", "));
            self.report.wrong(self.file, at, text);
        }
        for (at, value) in found.iter().filter(|(at, _)| at.starts_with(place) && at != place) {
            if !value.as_str().is_some_and(is_account) {
                let text = format!(
                    "is {}, must be the 12 digits of an AWS account as text (in quotes)",
                    shown(value)
                );
                self.report.wrong(self.file, at, text);
            }
        }
        accounts.first().map(|a| (*a).to_owned())
    }

    fn tokens(&mut self, at: &str, value: &Value) {
        match value {
            Value::String(text) => {
                if let Err(error) = Token::parse(text) {
                    self.wrong_parameter(at, &error.message);
                }
            }
            Value::Array(items) => {
                items.iter().enumerate().for_each(|(n, v)| self.tokens(&path::index(at, n), v));
            }
            Value::Object(map) => map.iter().for_each(|(k, v)| self.tokens(&path::key(at, k), v)),
            _ => {}
        }
    }

    fn wrong_parameter(&mut self, at: &str, text: &str) {
        self.report.wrong_as(ErrorType::InvalidParameters, self.file, at, text);
    }

    fn size(&mut self, application: &Application) {
        let count = application.count();
        if count > LIMIT {
            let text = format!(
                "has {count} resources, the limit is {LIMIT}: split it into several service order files"
            );
            self.report.wrong(self.file, "$", text);
            return;
        }
        let bytes = items::size(application);
        if bytes > STATE_LIMIT {
            let text = format!(
                "takes {bytes} bytes in the state machine, the limit is {STATE_LIMIT}: split it into several service order files"
            );
            self.report.wrong(self.file, "$", text);
        }
    }
}

/// The parameters with their path: an object, or an array of one object.
fn parameters_of(at: &str, resource: &Map<String, Value>) -> (String, Map<String, Value>) {
    let at = path::key(at, "parameters");
    match resource.get("parameters") {
        Some(Value::Object(map)) => (at, map.clone()),
        Some(Value::Array(items)) => {
            let map = items.first().and_then(Value::as_object).cloned().unwrap_or_default();
            (path::index(&at, 0), map)
        }
        _ => (at, Map::new()),
    }
}

fn has_parameter(kind: &Kind, name: &str) -> bool {
    kind.parameters.document()["properties"].get(name).is_some()
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

fn text(map: &Map<String, Value>, key: &str) -> Option<String> {
    map.get(key).and_then(Value::as_str).map(str::to_owned)
}

/// The normal form as JSON.
pub fn normal_form(application: &Application) -> Value {
    json!(application.layers)
}
