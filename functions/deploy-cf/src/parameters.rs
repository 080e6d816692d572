//! Parameters of DeployCF, and what can be wrong with them before any call.

use crate::location::Location;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::Value;
use shared::coerce::{Flag, Int, List};
use shared::{Cx, Error, Result};
use std::borrow::Cow;
use std::collections::BTreeMap;

const CAPABILITIES: [&str; 3] =
    ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"];

/// The value of a stack's parameter or tag: CloudFormation knows texts only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text(pub String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        text_of(&value).map(Self).ok_or_else(|| {
            D::Error::custom(format!("{value} is not a text, a number, a boolean or a list"))
        })
    }
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Array(items) if !items.iter().any(Value::is_array) => {
            Some(items.iter().map(text_of).collect::<Option<Vec<_>>>()?.join(","))
        }
        _ => None,
    }
}

impl JsonSchema for Text {
    fn schema_name() -> Cow<'static, str> {
        "Text".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let scalar = ["string", "number", "boolean"];
        json_schema!({
            "x-dr-wants": "a text, a number, a boolean or a list of them (joined with commas)",
            "anyOf": [{"type": scalar}, {"type": "array", "items": {"type": scalar}}]
        })
    }
}

/// What CloudFormation does when a creation fails.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OnFailure {
    /// Takes the change back.
    #[default]
    Rollback,
    /// Leaves everything as it is, for a look.
    DoNothing,
    /// Deletes the stack; only for a creation, an update is rolled back.
    Delete,
}

/// Parameters of DeployCF.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct Parameters {
    /// Name of the stack.
    pub stack_name: String,
    /// Template in S3: https://<bucket>.s3.<region>.amazonaws.com/<key>.
    #[serde(rename = "TemplateURL")]
    pub template_url: Option<String>,
    /// Key of the template in the orchestrator's bucket of the executing Region.
    #[serde(rename = "TemplateS3Key")]
    pub template_s3_key: Option<String>,
    /// Values of the template's parameters; left out: the stack's present value, else the default.
    #[serde(default)]
    pub parameters: BTreeMap<String, Text>,
    /// CAPABILITY_IAM, CAPABILITY_NAMED_IAM, CAPABILITY_AUTO_EXPAND.
    pub capabilities: Option<List>,
    /// Service role by which CloudFormation makes the stack's resources.
    #[serde(rename = "RoleARN")]
    pub role_arn: Option<String>,
    /// Region of the stack; default the executing one.
    pub region: Option<String>,
    /// Tags of the stack; left out: as they are.
    pub tags: Option<BTreeMap<String, Text>>,
    /// What happens when a creation fails: ROLLBACK (default), DO_NOTHING or DELETE.
    #[serde(default)]
    pub on_failure: OnFailure,
    /// Deadline of the attempt, minutes; default 120.
    pub timeout_in_minutes: Option<Int>,
    /// Whether a stack whose creation failed may be deleted and created anew; default false.
    pub allow_replace_failed: Option<Flag>,
    /// Whether an update may replace or remove databases and other stores; default false.
    pub allow_stateful_replacement: Option<Flag>,
    /// Whether termination protection is switched on at the end; false leaves it as it is.
    pub enable_termination_protection: Option<Flag>,
}

impl Parameters {
    /// Whether a consent was given.
    pub fn allows(flag: Option<Flag>) -> bool {
        flag.is_some_and(|f| f.0)
    }

    /// All that can be wrong without a call.
    ///
    /// # Errors
    /// `Dr.InvalidParameters`; `Dr.Refused` for a service role of another account.
    pub fn check(&self, cx: &Cx) -> Result<()> {
        let legal = |c: char| c.is_ascii_alphanumeric() || c == '-';
        let name = &self.stack_name;
        let starts = name.starts_with(|c: char| c.is_ascii_alphabetic());
        if !starts || name.len() > 128 || !name.chars().all(legal) {
            return Err(Error::invalid_parameters(format!(
                "parameters.StackName \"{name}\" must begin with a letter and hold letters, digits \
                 and hyphens only, at most 128"
            )));
        }
        let capabilities = self.capabilities.iter().flat_map(|c| &c.0);
        if let Some(wrong) = capabilities.into_iter().find(|c| !CAPABILITIES.contains(&c.as_str()))
        {
            let known = CAPABILITIES.join(", ");
            return Err(Error::invalid_parameters(format!(
                "parameters.Capabilities: \"{wrong}\" is none of {known}"
            )));
        }
        if let Some(minutes) = self.timeout_in_minutes.filter(|m| m.0 < 1) {
            return Err(Error::invalid_parameters(format!(
                "parameters.TimeoutInMinutes is {}, and must be 1 or more",
                minutes.0
            )));
        }
        self.role_arn.as_deref().map_or(Ok(()), |arn| check_role(arn, cx))
    }

    /// Where the template is.
    ///
    /// # Errors
    /// `Dr.InvalidParameters` unless exactly one way is given, and for what is not in S3.
    pub fn location(&self, bucket: &str, executing: &str, partition: &str) -> Result<Location> {
        match (&self.template_url, &self.template_s3_key) {
            (Some(url), None) => Location::from_url(url, executing),
            (None, Some(key)) => Location::in_bucket(bucket, key, executing, partition),
            _ => Err(Error::invalid_parameters(
                "parameters: give exactly one of TemplateURL and TemplateS3Key",
            )),
        }
    }
}

fn check_role(arn: &str, cx: &Cx) -> Result<()> {
    let fields: Vec<&str> = arn.split(':').collect();
    let account = match fields.as_slice() {
        ["arn", _, "iam", "", account, role] if role.starts_with("role/") => account,
        _ => {
            return Err(Error::invalid_parameters(format!(
                "parameters.RoleARN: {arn} is no role; write arn:aws:iam::<account>:role/<name>"
            )));
        }
    };
    if *account != cx.account {
        let why = format!("RoleARN is in account {account}, the stack in {}", cx.account);
        return Err(Error::refused(why).next("Name a role of the stack's own account."));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use shared::progress::sample_cx;
    use shared::{ErrorType, Phase};

    fn read(value: Value) -> Parameters {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn values_become_texts() {
        let p = read(json!({"StackName": "s", "Parameters": {"A": 1, "B": true, "C": ["x", 2]}}));
        let texts: Vec<_> = p.parameters.values().map(|t| t.0.as_str()).collect();
        assert_eq!(texts, ["1", "true", "x,2"]);
        for wrong in [json!(null), json!({"a": 1}), json!([[1]])] {
            let given = json!({"StackName": "s", "Parameters": {"A": wrong}});
            assert!(serde_json::from_value::<Parameters>(given).is_err());
        }
    }

    #[test]
    fn cloning_from_git_is_an_unknown_parameter() {
        let given = json!({"StackName": "s", "GitRepo": "x"});
        assert!(serde_json::from_value::<Parameters>(given).is_err());
    }

    #[test]
    fn what_is_wrong_needs_no_call() {
        let cx = sample_cx(Phase::Activate);
        let own = "arn:aws:iam::123456789012:role/dr-orchestrator/cf";
        let other = "arn:aws:iam::999999999999:role/cf";
        let user = "arn:aws:iam::123456789012:user/cf";
        let cases = [
            (json!({"StackName": "shop-app"}), None),
            (json!({"StackName": "shop_app"}), Some(ErrorType::InvalidParameters)),
            (json!({"StackName": "1shop"}), Some(ErrorType::InvalidParameters)),
            (
                json!({"StackName": "s", "Capabilities": "CAPABILITY_IAN"}),
                Some(ErrorType::InvalidParameters),
            ),
            (json!({"StackName": "s", "Capabilities": ["CAPABILITY_IAM"]}), None),
            (json!({"StackName": "s", "TimeoutInMinutes": 0}), Some(ErrorType::InvalidParameters)),
            (json!({"StackName": "s", "RoleARN": own}), None),
            (json!({"StackName": "s", "RoleARN": other}), Some(ErrorType::Refused)),
            (json!({"StackName": "s", "RoleARN": "cf"}), Some(ErrorType::InvalidParameters)),
            (json!({"StackName": "s", "RoleARN": user}), Some(ErrorType::InvalidParameters)),
        ];
        for (given, wanted) in cases {
            let got = read(given.clone()).check(&cx).err().map(|e| e.error_type);
            assert_eq!(got, wanted, "{given}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_its_value_and_what_would_be_right() {
        let told = |name: &str, value: Value| {
            let given = read(json!({"StackName": "s", name: value}));
            given.check(&sample_cx(Phase::Activate)).unwrap_err().message
        };
        let user = told("RoleARN", json!("arn:aws:iam::123456789012:user/cf"));
        assert!(user.contains("user/cf is no role") && user.contains(":role/<name>"), "{user}");
        let never = told("TimeoutInMinutes", json!(0));
        assert_eq!(never, "parameters.TimeoutInMinutes is 0, and must be 1 or more");
    }

    #[test]
    fn exactly_one_template_is_named() {
        let url = "https://b.s3.us-west-2.amazonaws.com/t.yaml";
        let cases = [
            (json!({"StackName": "s"}), false),
            (json!({"StackName": "s", "TemplateURL": url}), true),
            (json!({"StackName": "s", "TemplateS3Key": "t.yaml"}), true),
            (json!({"StackName": "s", "TemplateS3Key": "t.yaml", "TemplateURL": url}), false),
        ];
        for (given, legal) in cases {
            let location = read(given.clone()).location("b", "us-west-2", "aws");
            assert_eq!(location.is_ok(), legal, "{given}");
        }
    }
}
