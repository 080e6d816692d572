//! `InvokeLambda`: a step of the operator's own, as a Lambda function.

mod decide;
mod function;

use aws_config::timeout::TimeoutConfig;
use aws_sdk_lambda::Client;
use aws_sdk_lambda::operation::invoke::InvokeOutput;
use aws_sdk_lambda::primitives::Blob;
use decide::{Answer, Observed};
use function::FunctionRef;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use shared::coerce::Int;
use shared::names::cut;
use shared::{
    ChangeClass, Classified, Clients, ControlPlane, Cx, Doing, Error, ErrorType, Nature, Phase,
    Resource, Result, Step,
};
use std::time::Duration;

/// The callee's 45 s and a slow cold start.
const INVOKE_TAKES: Duration = Duration::from_secs(52);
/// A question about progress is a quick one.
const POLL_TAKES: Duration = Duration::from_secs(20);
/// Names that the function may not use in its payload: they are ours.
const RESERVED: [&str; 2] = ["drIdempotencyKey", "drContext"];

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::result::Result<(), lambda_runtime::Error> {
    shared::main::<InvokeLambda>().await
}

/// How the function is invoked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
enum InvocationType {
    /// Waits for the answer.
    #[default]
    RequestResponse,
    /// Lambda queues the event.
    Event,
}

/// When the step counts as done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Completion {
    /// The function answered without an error; with Event: Lambda accepted the event.
    #[default]
    Response,
    /// The function's answer has `"status": "DONE"`; at IN_PROGRESS it is asked again.
    StatusField,
}

/// What is sent.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "not an object and not a text")]
enum Payload {
    /// Sent with `drIdempotencyKey` and `drContext` added.
    Object(serde_json::Map<String, Value>),
    /// JSON text, sent as it is; other text is sent as a JSON string.
    Text(String),
}

/// Parameters of InvokeLambda.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Parameters {
    /// Name, partial ARN or full ARN, with or without a version or alias.
    function_name: String,
    /// What the function gets; default {}.
    payload: Option<Payload>,
    /// Version or alias.
    qualifier: Option<String>,
    /// RequestResponse (default) or Event.
    #[serde(default)]
    invocation_type: InvocationType,
    /// RESPONSE (default) or STATUS_FIELD.
    #[serde(default)]
    completion: Completion,
    /// Region of the function; default that of the ARN, else the executing one.
    region: Option<String>,
    /// Deadline of the attempt, 1 to 900 seconds; default 900.
    timeout_seconds: Option<Int>,
}

/// Invokes a function of the application account and judges its answer.
///
/// **Reads:** the function's configuration.
/// **Changes:** whatever the function does: opaque to the plan.
/// **Done when:** the answer is HTTP 200 without `FunctionError` (RESPONSE), or has the status DONE
/// (STATUS_FIELD); with Event and RESPONSE, when Lambda accepted the event.
/// **Refuses when:** the function is one of the orchestrator's own, or in another account.
/// **Safe to repeat because:** the function is told a key that stays the same over repetitions;
/// it is invoked at least once and must itself do nothing twice.
struct InvokeLambda {
    client: Client,
    function: FunctionRef,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Change {
    Invoke { function: String },
    Poll { function: String },
}

impl Classified for Change {
    fn name(&self) -> &'static str {
        match self {
            Self::Invoke { .. } => "Invoke",
            Self::Poll { .. } => "Poll",
        }
    }
    fn class(&self) -> ChangeClass {
        ChangeClass::Modify
    }
    fn summary(&self) -> String {
        match self {
            Self::Invoke { function } => {
                format!("opaque: invokes {function}; what it does is not known to the plan")
            }
            Self::Poll { function } => format!("asks {function} whether it has ended"),
        }
    }
    fn is_question(&self) -> bool {
        matches!(self, Self::Poll { .. })
    }
    fn takes(&self) -> Duration {
        match self {
            Self::Invoke { .. } => INVOKE_TAKES,
            Self::Poll { .. } => POLL_TAKES,
        }
    }
}

impl Resource for InvokeLambda {
    const TYPE: &'static str = "InvokeLambda";
    const PHASES: &'static [Phase] = &Phase::ALL;
    const READS: &'static [&'static str] = &["lambda:GetFunctionConfiguration"];
    const WRITES: &'static [&'static str] = &["lambda:InvokeFunction"];
    const CONTROL_PLANE: ControlPlane = ControlPlane::Regional;
    const TIMEOUT: Duration = Duration::from_secs(900);
    const CLASS: ChangeClass = ChangeClass::Modify;
    type Parameters = Parameters;
    type Observed = Observed;
    type Change = Change;

    async fn connect(clients: &Clients, p: &Parameters, cx: &Cx) -> Result<Self> {
        let function = check(p, cx)?;
        let region = function.region_to_call(p.region.as_deref(), clients.executing_region())?;
        Ok(Self { client: Client::new(&clients.region(&region)?), function })
    }

    async fn observe(&self, _: &Parameters, _: &Cx) -> Result<Observed> {
        let answer = self
            .client
            .get_function_configuration()
            .function_name(&self.function.name)
            .set_qualifier(self.function.qualifier.clone())
            .send()
            .await
            .doing(&format!("look at the function {}", self.shown()))?;
        let text = |t: Option<&str>| t.unwrap_or_default().to_owned();
        Ok(Observed {
            function: self.shown(),
            state: text(answer.state().map(|s| s.as_str())),
            state_reason: text(answer.state_reason()),
            last_update: text(answer.last_update_status().map(|s| s.as_str())),
            last_update_reason: text(answer.last_update_status_reason()),
            // Lambda's own default.
            timeout_s: answer.timeout().unwrap_or(3),
        })
    }

    fn decide(p: &Parameters, o: &Observed, cx: &Cx) -> Step<Change> {
        decide::decide(p, o, cx)
    }

    async fn apply(&self, p: &Parameters, change: Change, cx: &Cx) -> Result<Value> {
        let poll = change.is_question();
        let kind = if poll { "RequestResponse" } else { kind(p.invocation_type) };
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(3))
            .operation_attempt_timeout(change.takes())
            .build();
        let answer = self
            .client
            .invoke()
            .function_name(&self.function.name)
            .set_qualifier(self.function.qualifier.clone())
            .invocation_type(kind.into())
            .payload(Blob::new(payload(p, cx, poll)))
            .customize()
            .config_override(aws_sdk_lambda::config::Builder::new().timeout_config(timeouts))
            .send()
            .await
            .doing(&format!("invoke {}", self.shown()))
            .map_err(hopeless)?;
        serde_json::to_value(read(&answer)).map_err(|e| Error::internal(e.to_string()))
    }

    fn timeout(p: &Parameters) -> Duration {
        p.timeout_seconds.map_or(Self::TIMEOUT, |s| Duration::from_secs(s.0.unsigned_abs()))
    }
}

impl InvokeLambda {
    fn shown(&self) -> String {
        let qualifier = self.function.qualifier.as_ref();
        qualifier.map_or(self.function.name.clone(), |q| format!("{}:{q}", self.function.name))
    }
}

/// All that can be wrong without a call.
fn check(p: &Parameters, cx: &Cx) -> Result<FunctionRef> {
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

fn kind(invocation_type: InvocationType) -> &'static str {
    match invocation_type {
        InvocationType::RequestResponse => "RequestResponse",
        InvocationType::Event => "Event",
    }
}

/// What is sent: an object with our key and the place in the run; a text as it is.
fn payload(p: &Parameters, cx: &Cx, poll: bool) -> Vec<u8> {
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

/// Lambda answers 502 for functions that cannot run as they are configured: waiting is no help.
fn hopeless(error: Error) -> Error {
    const CODES: [&str; 5] = [
        "InvalidRuntimeException",
        "InvalidZipFileException",
        "InvalidSecurityGroupIDException",
        "InvalidSubnetIDException",
        "SnapStartException",
    ];
    let code = error.code.clone().unwrap_or_default();
    if CODES.contains(&code.as_str()) || code.starts_with("KMS") {
        return error.nature(Nature::Final).next("Repair the function, then start again.");
    }
    if error.error_type == ErrorType::AccessDenied || error.nature != Nature::Final {
        return error;
    }
    error.next("Correct FunctionName or Payload, then start again.")
}

/// Keeps of an answer what decisions need, never the payload: it may hold secrets.
fn read(answer: &InvokeOutput) -> Answer {
    let body = answer.payload().map(|b| b.as_ref()).unwrap_or_default();
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let field = |name: &str| body.get(name).and_then(Value::as_str).map(|t| cut(t, 300));
    let raised = answer.function_error().is_some();
    let error = || {
        let (kind, text) = (field("errorType"), field("errorMessage"));
        let kind = kind.unwrap_or_else(|| answer.function_error().unwrap_or_default().to_owned());
        format!("{}: {}", cut(&kind, 100), text.unwrap_or_else(|| "no message".to_owned()))
    };
    Answer {
        http: answer.status_code(),
        error: raised.then(error),
        status: field("status").filter(|_| !raised),
        message: field("message").filter(|_| !raised),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::progress::sample_cx;

    pub(crate) fn parameters(mut given: Value) -> Parameters {
        given["FunctionName"] = json!("warm-up");
        serde_json::from_value(given).unwrap()
    }

    pub(crate) fn observed() -> Observed {
        Observed {
            function: "warm-up".into(),
            state: "Active".into(),
            last_update: "Successful".into(),
            timeout_s: 3,
            ..Observed::default()
        }
    }

    fn cx() -> Cx {
        sample_cx(Phase::Activate)
    }

    fn named(name: &str) -> Parameters {
        Parameters { function_name: name.into(), ..parameters(json!({})) }
    }

    #[test]
    fn the_committed_schema_is_the_description() {
        let committed = include_str!("../../../samples/schema/InvokeLambda.schema.json");
        let committed: Value = serde_json::from_str(committed).unwrap();
        assert_eq!(committed, shared::describe::describe::<InvokeLambda>());
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

    #[test]
    fn an_answer_is_cut_to_what_decides() {
        let answer = |error: Option<&str>, body: Value| {
            read(
                &InvokeOutput::builder()
                    .status_code(200)
                    .set_function_error(error.map(str::to_owned))
                    .payload(Blob::new(body.to_string()))
                    .build(),
            )
        };
        let raised =
            answer(Some("Unhandled"), json!({"errorType": "E", "errorMessage": "x".repeat(2000)}));
        assert!(serde_json::to_string(&raised).unwrap().len() < 1024);
        assert!(raised.error.unwrap().starts_with("E: xxx"));
        let nameless = answer(Some("Unhandled"), json!("Task timed out"));
        assert_eq!(nameless.error.unwrap(), "Unhandled: no message");
        let quiet = answer(None, json!({"status": "DONE", "password": "hunter2"}));
        assert_eq!(quiet, Answer { http: 200, status: Some("DONE".into()), ..Answer::default() });
    }

    #[test]
    fn functions_that_cannot_run_are_not_waited_for() {
        let nature = |code: &str| hopeless(shared::aws::from_code("x", code, "", 502)).nature;
        assert_eq!(nature("KMSDisabledException"), Nature::Final);
        assert_eq!(nature("InvalidRuntimeException"), Nature::Final);
        assert_eq!(nature("ServiceException"), Nature::Uncertain);
    }
}
