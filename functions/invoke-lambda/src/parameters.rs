//! Parameters of InvokeLambda, what can be wrong with them before any call, and what is sent.

use crate::function::FunctionRef;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use shared::coerce::Int;
use shared::{Cx, Error, Result};

/// Names that the manifest may not use in its payload: they are ours.
const RESERVED: [&str; 2] = ["drIdempotencyKey", "drContext"];

/// How the function is invoked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum InvocationType {
    /// Waits for the answer.
    #[default]
    RequestResponse,
    /// Lambda queues the event.
    Event,
}

/// When the step counts as done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Completion {
    /// The function answered without an error; with Event: Lambda accepted the event.
    #[default]
    Response,
    /// The function's answer has `"status": "DONE"`; at IN_PROGRESS it is asked again.
    StatusField,
}

/// What is sent.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "not an object and not a text")]
pub enum Payload {
    /// Sent with `drIdempotencyKey` and `drContext` added.
    Object(serde_json::Map<String, Value>),
    /// JSON text, sent as it is; other text is sent as a JSON string.
    Text(String),
}

/// Parameters of InvokeLambda.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct Parameters {
    /// Name, partial ARN or full ARN, with or without a version or alias.
    pub function_name: String,
    /// What the function gets; default {}.
    pub payload: Option<Payload>,
    /// Version or alias.
    pub qualifier: Option<String>,
    /// RequestResponse (default) or Event.
    #[serde(default)]
    pub invocation_type: InvocationType,
    /// RESPONSE (default) or STATUS_FIELD.
    #[serde(default)]
    pub completion: Completion,
    /// Region of the function; default that of the ARN, else the executing one.
    pub region: Option<String>,
    /// Deadline of the attempt, 1 to 900 seconds; default 900.
    pub timeout_seconds: Option<Int>,
}

/// All that can be wrong without a call.
pub(crate) fn check(p: &Parameters, cx: &Cx) -> Result<FunctionRef> {
    let function = FunctionRef::parse(&p.function_name)?.with_qualifier(p.qualifier.as_deref())?;
    if function.name.starts_with("aws-dr-orchestrator-") {
        let why = format!("{} belongs to the orchestrator and would invoke itself", function.name);
        return Err(Error::refused(why).next("Name a function of the application."));
    }
    if let Some(other) = function.account.as_deref().filter(|a| *a != cx.account) {
        let why = format!("the function is in account {other}, the step in {}", cx.account);
        return Err(Error::refused(why).next("Give the step the accountId of the function."));
    }
    if p.timeout_seconds.is_some_and(|s| !(1..=900).contains(&s.0)) {
        return Err(Error::invalid_parameters("parameters.TimeoutSeconds must be 1 to 900"));
    }
    match &p.payload {
        Some(Payload::Text(_)) if p.completion == Completion::StatusField => {
            Err(Error::invalid_parameters(
                "parameters.Payload must be an object when Completion is STATUS_FIELD",
            ))
        }
        Some(Payload::Object(map)) if RESERVED.iter().any(|name| map.contains_key(*name)) => {
            Err(Error::invalid_parameters(format!(
                "parameters.Payload must not hold {}: the orchestrator adds them",
                RESERVED.join(" or ")
            )))
        }
        _ => Ok(function),
    }
}

/// The word on the wire.
pub(crate) fn kind(invocation_type: InvocationType) -> &'static str {
    match invocation_type {
        InvocationType::RequestResponse => "RequestResponse",
        InvocationType::Event => "Event",
    }
}

/// What is sent: an object with our key and the place in the run; a text as it is.
pub(crate) fn payload(p: &Parameters, cx: &Cx, poll: bool) -> Vec<u8> {
    let mut map = match &p.payload {
        _ if poll => serde_json::Map::from_iter([("poll".to_owned(), json!(true))]),
        Some(Payload::Text(text)) if serde_json::from_str::<Value>(text).is_ok() => {
            return text.clone().into_bytes();
        }
        Some(Payload::Text(text)) => return json!(text).to_string().into_bytes(),
        Some(Payload::Object(map)) => map.clone(),
        None => serde_json::Map::new(),
    };
    let context = json!({
        "product": cx.context.product,
        "phase": cx.phase.as_str(),
        "execution": cx.context.execution,
        "region": cx.context.region,
    });
    map.insert("drIdempotencyKey".to_owned(), json!(cx.key("invoke")));
    map.insert("drContext".to_owned(), context);
    Value::Object(map).to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::parameters;
    use shared::progress::sample_cx;
    use shared::{ErrorType, Phase};

    fn cx() -> Cx {
        sample_cx(Phase::Activate)
    }

    fn named(name: &str) -> Parameters {
        Parameters { function_name: name.into(), ..parameters(json!({})) }
    }

    #[test]
    fn the_orchestrators_own_functions_are_refused() {
        let own = "arn:aws:lambda:us-west-2:123456789012:function:aws-dr-orchestrator-reporter";
        for name in ["aws-dr-orchestrator-module-test", own] {
            let error = check(&named(name), &cx()).unwrap_err();
            assert_eq!(error.error_type, ErrorType::Refused);
        }
        let foreign = "arn:aws:lambda:us-west-2:999999999999:function:f";
        assert_eq!(check(&named(foreign), &cx()).unwrap_err().error_type, ErrorType::Refused);
        assert!(check(&named("f"), &cx()).is_ok());
    }

    #[test]
    fn wrong_combinations_are_invalid() {
        let cases = [
            json!({"TimeoutSeconds": 901}),
            json!({"TimeoutSeconds": "0"}),
            json!({"Completion": "STATUS_FIELD", "Payload": "text"}),
            json!({"Payload": {"drContext": 1}}),
        ];
        for given in cases {
            let error = check(&parameters(given.clone()), &cx()).unwrap_err();
            assert_eq!(error.error_type, ErrorType::InvalidParameters, "{given}");
        }
        let qualified = Parameters { qualifier: Some("old".into()), ..named("f:live") };
        for (given, said) in [(named("a b"), "\"a b\" is not a function"), (qualified, "live")] {
            let error = check(&given, &cx()).unwrap_err();
            assert_eq!(error.error_type, ErrorType::InvalidParameters);
            assert!(error.message.contains(said), "{error}");
        }
    }

    #[test]
    fn task_tokens_are_an_unknown_completion() {
        let given = json!({"FunctionName": "f", "Completion": "TASK_TOKEN"});
        let text = serde_json::from_value::<Parameters>(given).unwrap_err().to_string();
        assert!(text.contains("TASK_TOKEN") && text.contains("STATUS_FIELD"), "{text}");
    }

    #[test]
    fn an_object_gets_the_key_and_the_context_and_a_text_stays() {
        let sent = |given: Value, poll: bool| -> Value {
            serde_json::from_slice(&payload(&parameters(given), &cx(), poll)).unwrap()
        };
        let first = sent(json!({"Payload": {"a": 1}}), false);
        assert_eq!((&first["a"], &first["drContext"]["phase"]), (&json!(1), &json!("ACTIVATE")));
        assert_eq!(first["drIdempotencyKey"], json!(cx().key("invoke")));
        let poll = sent(json!({"Payload": {"a": 1}}), true);
        assert_eq!((&poll["poll"], &poll["a"]), (&json!(true), &Value::Null));
        assert_eq!(poll["drIdempotencyKey"], first["drIdempotencyKey"]);
        assert_eq!(sent(json!({"Payload": "[1]"}), false), json!([1]));
        assert_eq!(sent(json!({"Payload": "plain"}), false), json!("plain"));
    }
}
