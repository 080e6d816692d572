//! Templates: reading JSON and YAML with CloudFormation's short tags, and what they say of
//! themselves: parameters, exports, needed capabilities.

use serde_json::{Map, Value, json};
use serde_yaml::Value as Yaml;
use shared::{Error, Result};
use std::collections::BTreeMap;

/// A template with full function names (`Fn::Sub`), whatever its text used.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    /// As it was written.
    pub text: String,
    /// As it was meant: equal for two texts that differ in comments and layout alone.
    pub body: Value,
}

/// One parameter that a template declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    /// `String`, `Number`, `CommaDelimitedList`, `AWS::SSM::Parameter::Value<String>` ...
    pub kind: String,
    /// Its default.
    pub default: Option<String>,
    /// Whether CloudFormation hides its value.
    pub no_echo: bool,
}

impl Declared {
    /// Whether blanks around commas mean nothing.
    pub fn is_list(&self) -> bool {
        self.kind == "CommaDelimitedList" || self.kind.contains("List<")
    }
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// `Dr.InvalidParameters` with the place of the mistake.
    pub fn parse(text: &str, name: &str) -> Result<Self> {
        let wrong = |e: String| {
            Error::invalid_parameters(format!("the template {name} cannot be read: {e}"))
                .next("Correct the template, upload it and start again.")
        };
        let body = if text.trim_start().starts_with('{') {
            serde_json::from_str(text).map_err(|e| wrong(e.to_string()))?
        } else {
            plain(serde_yaml::from_str(text).map_err(|e| wrong(e.to_string()))?)
        };
        if !body.get("Resources").is_some_and(Value::is_object) {
            return Err(wrong("it has no Resources".to_owned()));
        }
        Ok(Self { text: text.to_owned(), body })
    }

    /// The declared parameters.
    pub fn parameters(&self) -> BTreeMap<String, Declared> {
        let declared = self.body.get("Parameters").and_then(Value::as_object);
        let read = |(name, body): (&String, &Value)| {
            let no_echo = body.get("NoEcho").and_then(scalar);
            let parameter = Declared {
                kind: body.get("Type").and_then(scalar).unwrap_or_default(),
                default: body.get("Default").and_then(scalar),
                no_echo: no_echo.is_some_and(|t| t.eq_ignore_ascii_case("true")),
            };
            (name.clone(), parameter)
        };
        declared.into_iter().flatten().map(read).collect()
    }

    /// The names of its exports, as far as they can be told before the stack exists. `known` gives
    /// the values of parameters and pseudo parameters.
    pub fn exports(&self, known: &dyn Fn(&str) -> Option<String>) -> Vec<String> {
        let outputs = self.body.get("Outputs").and_then(Value::as_object);
        outputs
            .into_iter()
            .flat_map(Map::values)
            .filter_map(|o| resolve(o.get("Export")?.get("Name")?, known))
            .collect()
    }

    /// Whether it makes IAM resources, which asks for a capability.
    pub fn makes_iam(&self) -> bool {
        let resources = self.body.get("Resources").and_then(Value::as_object);
        resources
            .into_iter()
            .flat_map(Map::values)
            .filter_map(|r| r.get("Type")?.as_str())
            .any(|t| t.starts_with("AWS::IAM::"))
    }
}

/// YAML as JSON: `!Sub x` becomes `{"Fn::Sub": "x"}`, keys become texts.
fn plain(yaml: Yaml) -> Value {
    match yaml {
        Yaml::Null => Value::Null,
        Yaml::Bool(b) => Value::Bool(b),
        Yaml::Number(n) => serde_json::to_value(n).unwrap_or_default(),
        Yaml::String(text) => Value::String(text),
        Yaml::Sequence(items) => items.into_iter().map(plain).collect(),
        Yaml::Mapping(map) => {
            Value::Object(map.into_iter().map(|(k, v)| (key(plain(k)), plain(v))).collect())
        }
        Yaml::Tagged(tagged) => {
            let tag = tagged.tag.to_string();
            function(tag.trim_start_matches('!'), plain(tagged.value))
        }
    }
}

fn key(value: Value) -> String {
    scalar(&value).unwrap_or_else(|| value.to_string())
}

fn function(tag: &str, value: Value) -> Value {
    let name =
        if matches!(tag, "Ref" | "Condition") { tag.to_owned() } else { format!("Fn::{tag}") };
    let split = value.as_str().filter(|_| tag == "GetAtt").and_then(|t| t.split_once('.'));
    let value = split.map_or(value.clone(), |(resource, attribute)| json!([resource, attribute]));
    Value::Object(Map::from_iter([(name, value)]))
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        _ => None,
    }
}

fn resolve(node: &Value, known: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let Some((name, argument)) = node.as_object().and_then(|m| m.iter().next()) else {
        return scalar(node);
    };
    match (name.as_str(), argument) {
        ("Ref", Value::String(name)) => known(name),
        ("Fn::Sub", Value::String(text)) => substitute(text, known),
        ("Fn::Sub", Value::Array(parts)) => {
            let (text, own) = (parts.first()?.as_str()?, parts.get(1)?.as_object()?);
            let wider = |name: &str| match own.get(name) {
                Some(node) => resolve(node, known),
                None => known(name),
            };
            substitute(text, &wider)
        }
        ("Fn::Join", Value::Array(parts)) => {
            let (delimiter, items) = (parts.first()?.as_str()?, parts.get(1)?.as_array()?);
            let items: Option<Vec<_>> = items.iter().map(|i| resolve(i, known)).collect();
            Some(items?.join(delimiter))
        }
        _ => None,
    }
}

/// `${Name}` is replaced, `${!Name}` stands for itself without the exclamation mark.
fn substitute(text: &str, known: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let (name, tail) = after.split_once('}')?;
        out.push_str(before);
        match name.strip_prefix('!') {
            Some(literal) => out.push_str(&format!("${{{literal}}}")),
            None => out.push_str(&known(name.trim())?),
        }
        rest = tail;
    }
    out.push_str(rest);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    const YAML: &str = r#"
AWSTemplateFormatVersion: 2010-09-09
Parameters:
  Size: {Type: Number, Default: 2}
  Nets: {Type: "List<AWS::EC2::Subnet::Id>"}
  Secret: {Type: String, NoEcho: true}
Mappings:
  Accounts:
    123456789012: {Name: own}
Resources: # comment
  Role:
    Type: AWS::IAM::Role
    Properties:
      Name: !Sub "${AWS::StackName}-role"
      Arn: !GetAtt Other.Arn
      Pick: !If [Yes, !Ref Size, !Ref "AWS::NoValue"]
Outputs:
  A: {Value: 1, Export: {Name: !Sub "${AWS::StackName}-${Size}-${!x}"}}
  B: {Value: 1, Export: {Name: !Join ["-", [!Ref "AWS::Region", b]]}}
  C: {Value: 1, Export: {Name: !Sub ["${Own}-c", {Own: !Ref Size}]}}
  D: {Value: 1, Export: {Name: !Sub "${Role.Arn}"}}
  E: {Value: 1, Export: {Name: plain}}
  F: {Value: 1}
"#;

    fn template() -> Template {
        Template::parse(YAML, "t.yaml").unwrap()
    }

    #[test]
    fn short_tags_become_functions() {
        let properties = template().body["Resources"]["Role"]["Properties"].clone();
        let wanted = json!({
            "Name": {"Fn::Sub": "${AWS::StackName}-role"},
            "Arn": {"Fn::GetAtt": ["Other", "Arn"]},
            "Pick": {"Fn::If": ["Yes", {"Ref": "Size"}, {"Ref": "AWS::NoValue"}]},
        });
        assert_eq!(properties, wanted);
        assert_eq!(template().body["Mappings"]["Accounts"]["123456789012"]["Name"], "own");
    }

    #[test]
    fn layout_and_comments_are_no_difference() {
        let other = YAML
            .replace("# comment", "")
            .replace("{Type: Number, Default: 2}", "\n    Type: Number\n    Default: 2");
        assert_eq!(Template::parse(&other, "t").unwrap().body, template().body);
        let json = template().body.to_string();
        assert_eq!(Template::parse(&json, "t").unwrap().body, template().body);
    }

    #[test]
    fn parameters_are_read_with_their_traits() {
        let declared = template().parameters();
        assert_eq!(declared["Size"].default.as_deref(), Some("2"));
        assert!(declared["Nets"].is_list() && !declared["Size"].is_list());
        assert!(declared["Secret"].no_echo && !declared["Nets"].no_echo);
        assert!(template().makes_iam());
    }

    #[test]
    fn export_names_resolve_as_far_as_they_are_known() {
        let known = |name: &str| match name {
            "AWS::StackName" => Some("shop".to_owned()),
            "AWS::Region" => Some("us-west-2".to_owned()),
            "Size" => Some("2".to_owned()),
            _ => None,
        };
        let wanted = ["shop-2-${x}", "us-west-2-b", "2-c", "plain"];
        assert_eq!(template().exports(&known), wanted);
    }

    #[test]
    fn what_cannot_be_read_names_its_place() {
        for wrong in ["Resources: [", "{\"Resources\": ", "a: 1", "Resources: x"] {
            let error = Template::parse(wrong, "t.yaml").unwrap_err();
            assert!(error.message.starts_with("the template t.yaml cannot be read"), "{wrong}");
        }
        let text = Template::parse("Resources:\n  - {", "t").unwrap_err().message;
        assert!(text.contains("line"), "{text}");
    }
}
