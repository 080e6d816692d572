//! `InvokeLambda`: a step of the operator's own, as a Lambda function.

mod decide;
mod function;
mod parameters;

use aws_config::timeout::TimeoutConfig;
use aws_sdk_lambda::Client;
use aws_sdk_lambda::operation::invoke::InvokeOutput;
use aws_sdk_lambda::primitives::Blob;
use decide::{Answer, Observed};
use function::FunctionRef;
use parameters::{Parameters, check, kind, payload};
use serde_json::Value;
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

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::result::Result<(), lambda_runtime::Error> {
    shared::main::<InvokeLambda>().await
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
    const TYPICAL: Duration = Duration::from_secs(60);
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
    use serde_json::json;

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

    #[test]
    fn the_committed_schema_is_the_description() {
        let committed = include_str!("../../../samples/schema/InvokeLambda.schema.json");
        let committed: Value = serde_json::from_str(committed).unwrap();
        assert_eq!(committed, shared::describe::describe::<InvokeLambda>());
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
