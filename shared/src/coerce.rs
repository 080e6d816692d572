//! Parameter values as people write them: CloudFormation exports can only be strings, older
//! manifests write "True" and "Yes", lists come as comma-separated text.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use std::borrow::Cow;

/// What a token looks like; a JSON Schema of a parameter that is not a string admits it beside the value.
pub const TOKEN_PATTERN: &str = r"^(!Import\s+\S+|resolve:ssm:\S+)$";

/// A boolean: `true`, `false`, or `True/False/Yes/No/1/0` as a string. `""` is an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flag(pub bool);

/// A whole number: a JSON integer or a decimal string.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Int(pub i64);

/// A list of texts: a JSON array of strings or one comma-separated string. Never empty entries.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct List(pub Vec<String>);

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let text = match &value {
            Value::Bool(b) => return Ok(Self(*b)),
            Value::String(s) => s.to_ascii_lowercase(),
            other => other.to_string(),
        };
        match text.as_str() {
            "true" | "yes" | "1" => Ok(Self(true)),
            "false" | "no" | "0" => Ok(Self(false)),
            _ => Err(D::Error::custom(format!(
                "{value} is not a boolean (true, false, \"True\", \"Yes\", \"1\" ...)"
            ))),
        }
    }
}

impl<'de> Deserialize<'de> for Int {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let number = match &value {
            Value::Number(n) => n.as_i64(),
            Value::String(s) => s.parse().ok(),
            _ => None,
        };
        number
            .map(Self)
            .ok_or_else(|| D::Error::custom(format!("{value} is not a whole number (7 or \"7\")")))
    }
}

impl<'de> Deserialize<'de> for List {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let items: Option<Vec<String>> = match &value {
            Value::Array(items) => items.iter().map(|i| i.as_str().map(str::to_owned)).collect(),
            Value::String(s) => Some(s.split(',').map(|p| p.trim().to_owned()).collect()),
            _ => None,
        };
        items.filter(|i| i.iter().all(|t| !t.is_empty())).map(Self).ok_or_else(|| {
            D::Error::custom(format!("{value} is not a list ([\"a\", \"b\"] or \"a,b\")"))
        })
    }
}

impl JsonSchema for Flag {
    fn schema_name() -> Cow<'static, str> {
        "Flag".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "x-dr-wants": "a boolean (true, false, \"True\", \"False\", \"Yes\", \"No\", \"1\", \"0\") or a token",
            "anyOf": [
                {"type": "boolean"},
                {"type": "string", "pattern": "^([Tt]rue|TRUE|[Ff]alse|FALSE|[Yy]es|YES|[Nn]o|NO|1|0)$"},
                {"type": "string", "pattern": TOKEN_PATTERN}
            ]
        })
    }
}

impl JsonSchema for Int {
    fn schema_name() -> Cow<'static, str> {
        "Int".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "x-dr-wants": "a whole number (7 or \"7\") or a token",
            "anyOf": [
                {"type": "integer"},
                {"type": "string", "pattern": "^-?[0-9]+$"},
                {"type": "string", "pattern": TOKEN_PATTERN}
            ]
        })
    }
}

impl JsonSchema for List {
    fn schema_name() -> Cow<'static, str> {
        "List".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "x-dr-wants": "a list ([\"a\", \"b\"] or \"a,b\") or a token",
            "anyOf": [
                {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1},
                {"type": "string", "minLength": 1}
            ]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{from_value, json};

    #[test]
    fn flags_read_every_documented_form_and_no_other() {
        for yes in [json!(true), json!("True"), json!("yes"), json!("1"), json!(1)] {
            assert_eq!(from_value::<Flag>(yes).unwrap(), Flag(true));
        }
        for wrong in [json!(""), json!(null), json!("maybe"), json!([true])] {
            assert!(from_value::<Flag>(wrong).is_err());
        }
    }

    #[test]
    fn ints_read_decimal_strings_and_refuse_floats() {
        assert_eq!(from_value::<Int>(json!("3787")).unwrap(), Int(3787));
        for wrong in [json!(1.5), json!(""), json!("1.0"), json!(" 7")] {
            assert!(from_value::<Int>(wrong).is_err());
        }
    }

    #[test]
    fn lists_read_comma_separated_text() {
        let wanted = List(vec!["a".into(), "b".into()]);
        assert_eq!(from_value::<List>(json!("a, b")).unwrap(), wanted);
        assert_eq!(from_value::<List>(json!(["a", "b"])).unwrap(), wanted);
        for wrong in [json!(""), json!("a,,b"), json!({"a": 1}), json!([1])] {
            assert!(from_value::<List>(wrong).is_err());
        }
    }
}
