//! A JSON Schema that speaks in our words: its errors name the value, what would be right and the
//! nearest legal name.

use crate::path;
use crate::problem::Report;
use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use jsonschema::{JsonType, ValidationError, Validator};
use serde_json::Value;
use shared::ErrorType;
use shared::names::cut;
use shared::nearest::did_you_mean;
use shared::tokens::Token;

/// What the schema of a type's parameters calls them. There alone a token stands for a value.
const PARAMETER: &str = "parameter";

/// A compiled schema.
pub struct Schema {
    document: Value,
    validator: Validator,
    noun: &'static str,
    error_type: ErrorType,
}

impl Schema {
    /// Compiles the schema of a manifest.
    ///
    /// # Errors
    /// When the document is no schema.
    pub fn of_manifest(document: Value) -> Result<Self, String> {
        let validator = jsonschema::draft202012::new(&document).map_err(|e| e.to_string())?;
        Ok(Self { document, validator, noun: "key", error_type: ErrorType::InvalidManifest })
    }

    /// Compiles the schema of a type's parameters.
    ///
    /// # Errors
    /// When the document is no schema.
    pub fn of_parameters(document: Value) -> Result<Self, String> {
        let manifest = Self::of_manifest(document)?;
        Ok(Self { noun: PARAMETER, error_type: ErrorType::InvalidParameters, ..manifest })
    }

    /// The schema as it was given.
    pub fn document(&self) -> &Value {
        &self.document
    }

    /// Adds every way in which `value` breaks the schema.
    pub fn check(&self, file: &str, base: &str, value: &Value, report: &mut Report) {
        for error in self.validator.iter_errors(value) {
            if self.noun == PARAMETER && waits_for_its_token(&error) {
                continue;
            }
            let place = path::pointer(base, error.instance_path().as_str(), value);
            match error.kind() {
                Kind::AdditionalProperties { unexpected } => {
                    for name in unexpected {
                        let at = path::key(&place, name);
                        report.wrong_as(self.error_type, file, &at, self.unknown(&error, name));
                    }
                }
                _ => report.wrong_as(self.error_type, file, &place, self.text(&error)),
            }
        }
    }

    fn unknown(&self, error: &ValidationError<'_>, name: &str) -> String {
        let legal = self.parent(error)["properties"].as_object();
        let legal: Vec<&str> = legal.iter().flat_map(|p| p.keys()).map(String::as_str).collect();
        let hint = did_you_mean(name, legal.iter().copied());
        let list = if legal.is_empty() { "none".to_owned() } else { legal.join(", ") };
        format!("unknown {} \"{name}\".{hint} Legal: {list}.", self.noun)
    }

    fn text(&self, error: &ValidationError<'_>) -> String {
        let value = error.instance();
        match error.kind() {
            Kind::Required { property } => self.missing(error, property),
            Kind::MaxItems { limit } => format!("has more than {limit} items"),
            Kind::MaxLength { limit } => format!("is longer than {limit} characters"),
            Kind::Minimum { limit } => format!("is {value}, must be at least {limit}"),
            Kind::Maximum { limit } => format!("is {value}, must be at most {limit}"),
            _ => {
                let node = self.parent(error);
                let hint = self.hint(node, value);
                format!("is {}, must be {}{hint}", shown(value), self.wanted(node, 0))
            }
        }
    }

    /// The likely correction.
    fn hint(&self, node: &Value, value: &Value) -> String {
        let wanted = self.wanted(node, 0);
        match value {
            Value::Number(_) | Value::Bool(_) if any_text(node) => {
                format!("; put it in quotes: \"{value}\"")
            }
            Value::String(text) if matches!(Token::parse(text), Ok(Some(_))) => {
                "; tokens are resolved in parameters alone: write the value itself".to_owned()
            }
            Value::Null => "; give a value or leave the key out".to_owned(),
            Value::String(wrong) => {
                // The legal values are those that stand in quotes.
                let quoted: Vec<&str> = wanted.split('"').skip(1).step_by(2).collect();
                let hint = did_you_mean(wrong, quoted);
                if hint.is_empty() { hint } else { format!(".{hint}") }
            }
            _ => String::new(),
        }
    }

    fn missing(&self, error: &ValidationError<'_>, property: &Value) -> String {
        let name = property.as_str().unwrap_or_default();
        let about = self.parent(error)["properties"][name]["description"].as_str();
        let about = about.map(|a| format!(": {a}")).unwrap_or_default();
        format!("the {} \"{name}\" is missing{about}", self.noun)
    }

    /// The schema that holds the keyword which failed.
    fn parent(&self, error: &ValidationError<'_>) -> &Value {
        let path = error.schema_path().as_str();
        let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
        self.document.pointer(parent).unwrap_or(&Value::Null)
    }

    /// What a schema asks for, in words.
    fn wanted(&self, node: &Value, depth: usize) -> String {
        if let Some(words) = node["x-dr-wants"].as_str() {
            return words.to_owned();
        }
        if let Some(target) = node["$ref"].as_str().and_then(|r| r.strip_prefix('#'))
            && depth < 8
            && let Some(target) = self.document.pointer(target)
        {
            return self.wanted(target, depth + 1);
        }
        if let Some(value) = node.get("const") {
            return value.to_string();
        }
        let values = node["enum"].as_array().map(|v| v.iter().map(Value::to_string).collect());
        let several = ["oneOf", "anyOf"].iter().find_map(|k| node[*k].as_array());
        let branches = several.map(|s| s.iter().map(|b| self.wanted(b, depth + 1)).collect());
        if let Some(words) = values.or(branches) {
            return either(words);
        }
        by_type(node)
    }
}

/// A token's value is not known yet: rules about the text itself are the function's to check.
fn waits_for_its_token(error: &ValidationError<'_>) -> bool {
    let token = error.instance().as_str().is_some_and(|t| matches!(Token::parse(t), Ok(Some(_))));
    let whole = matches!(
        error.kind(),
        Kind::Type { kind: TypeKind::Single(JsonType::Object | JsonType::Array) }
    );
    token && !whole
}

/// Whether every text is legal, so that quotes would help.
fn any_text(node: &Value) -> bool {
    node["type"] == "string" && ["pattern", "enum"].iter().all(|k| node.get(*k).is_none())
}

fn either(mut words: Vec<String>) -> String {
    words.dedup();
    match words.pop() {
        Some(last) if !words.is_empty() => format!("{} or {last}", words.join(", ")),
        only => only.unwrap_or_default(),
    }
}

fn by_type(node: &Value) -> String {
    let types = match &node["type"] {
        Value::String(one) => vec![one.as_str()],
        Value::Array(many) => many.iter().filter_map(Value::as_str).collect(),
        _ => vec![],
    };
    let words = types.iter().map(|t| match *t {
        "string" => "a text".to_owned(),
        "integer" => "a whole number".to_owned(),
        "number" => "a number".to_owned(),
        "boolean" => "true or false".to_owned(),
        "array" => "a list".to_owned(),
        "object" => "an object".to_owned(),
        other => other.to_owned(),
    });
    let words = either(words.collect());
    match node["pattern"].as_str() {
        Some(pattern) => format!("{words} that matches {pattern}"),
        None if words.is_empty() => "another value".to_owned(),
        None => words,
    }
}

/// A value in a message: what it is, and enough of it to be found.
pub fn shown(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(b) => format!("the boolean {b}"),
        Value::Number(n) => format!("the number {n}"),
        Value::String(s) => format!("\"{}\"", cut(s, 100)),
        Value::Array(items) if items.is_empty() => "an empty list".to_owned(),
        Value::Array(_) => format!("the list {}", cut(&value.to_string(), 80)),
        Value::Object(_) => format!("the object {}", cut(&value.to_string(), 80)),
    }
}
