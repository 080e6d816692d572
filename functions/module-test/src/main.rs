//! `ModuleTest`: the smoke step of every drill. It changes nothing in AWS.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use shared::coerce::{Flag, Int, List};
use shared::{
    ChangeClass, Classified, Clients, ControlPlane, Cx, Doing, Error, ErrorType, Outcome, Phase,
    Resource, Result, Step,
};
use std::time::Duration;

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::result::Result<(), lambda_runtime::Error> {
    shared::main::<ModuleTest>().await
}

/// How the test is to end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum Ending {
    /// Succeeds.
    #[default]
    Done,
    /// Fails.
    Fail,
    /// Never ends, so that the deadline does.
    Timeout,
}

/// Parameters of ModuleTest.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Parameters {
    /// Shown in the result.
    echo: Option<Value>,
    /// Seconds to take.
    sleep: Option<Int>,
    /// How the test ends; default DONE.
    #[serde(default)]
    outcome: Ending,
    /// Values whose tokens must resolve; the values themselves are not shown.
    resolve_tokens: Option<List>,
    /// Whether to ask STS who the assumed role is; default true.
    assume_role: Option<Flag>,
    /// Deadline of the attempt, minutes; default 10.
    timeout_minutes: Option<Int>,
}

/// Proves the way to a resource: tokens, coercion, the role in the account, the loop, the end.
///
/// **Reads:** `sts:GetCallerIdentity` with the assumed role, unless `AssumeRole` is false.
/// **Changes:** nothing.
/// **Done when:** `Sleep` seconds have passed and `Outcome` is DONE.
/// **Refuses when:** the assumed role is in another account than the one wanted.
/// **Safe to repeat because:** it changes nothing.
struct ModuleTest {
    sts: aws_sdk_sts::Client,
}

/// It has no change to make.
enum Never {}

impl Classified for Never {
    fn name(&self) -> &'static str {
        match *self {}
    }
    fn class(&self) -> ChangeClass {
        match *self {}
    }
    fn summary(&self) -> String {
        match *self {}
    }
}

impl Resource for ModuleTest {
    const TYPE: &'static str = "ModuleTest";
    const PHASES: &'static [Phase] = &Phase::ALL;
    const READS: &'static [&'static str] = &["sts:GetCallerIdentity"];
    const WRITES: &'static [&'static str] = &[];
    const CONTROL_PLANE: ControlPlane = ControlPlane::None;
    const TIMEOUT: Duration = Duration::from_secs(600);
    const TYPICAL: Duration = Duration::from_secs(5);
    const CLASS: ChangeClass = ChangeClass::Create;
    type Parameters = Parameters;
    /// The account that STS names; None when it was not asked.
    type Observed = Option<String>;
    type Change = Never;

    async fn connect(clients: &Clients, p: &Parameters, _: &Cx) -> Result<Self> {
        check(p)?;
        Ok(Self { sts: aws_sdk_sts::Client::new(&clients.here()?) })
    }

    async fn observe(&self, p: &Parameters, _: &Cx) -> Result<Option<String>> {
        if !p.assume_role.unwrap_or(Flag(true)).0 {
            return Ok(None);
        }
        let answer = self.sts.get_caller_identity().send().await.doing("ask STS who is calling")?;
        Ok(Some(answer.account().unwrap_or_default().to_owned()))
    }

    fn decide(p: &Parameters, account: &Option<String>, cx: &Cx) -> Step<Never> {
        if let Some(account) = account.as_ref().filter(|a| **a != cx.account) {
            let why = format!("the role is in account {account}, wanted {}", cx.account);
            return Step::Refuse(why, "Correct accountId or the role's name.".into());
        }
        let sleep = p.sleep.unwrap_or_default().0;
        if cx.waited() < sleep && cx.mode == shared::Mode::Execute {
            return Step::Wait(format!("sleeps {sleep} s"));
        }
        match p.outcome {
            Ending::Done => Step::Done(Outcome::new(line(p, account.as_deref()))),
            Ending::Timeout => Step::Wait("waits for its deadline, as asked".into()),
            // A failure in the plan would be a blocker: it is the run's failure that is tested.
            Ending::Fail if cx.mode == shared::Mode::Plan => Step::Wait("fails".into()),
            Ending::Fail => Step::Fail(
                ErrorType::Failed,
                "the test failed, as its parameter Outcome asked".into(),
                "Set Outcome to DONE.".into(),
            ),
        }
    }

    fn outlook(p: &Parameters, _: &Option<String>, _: &Cx) -> Option<(ChangeClass, String)> {
        let text = match p.outcome {
            Ending::Done => return None,
            Ending::Fail => "fails when it runs, as its parameter Outcome asks",
            Ending::Timeout => "waits for its deadline, as its parameter Outcome asks",
        };
        Some((Self::CLASS, text.to_owned()))
    }

    async fn apply(&self, _: &Parameters, change: Never, _: &Cx) -> Result<Value> {
        match change {}
    }

    fn timeout(p: &Parameters) -> Duration {
        p.timeout_minutes.map_or(Self::TIMEOUT, |m| Duration::from_secs(m.0.unsigned_abs() * 60))
    }
}

fn check(p: &Parameters) -> Result<()> {
    let negative = p.sleep.filter(|s| s.0 < 0);
    negative.map_or(Ok(()), |s| {
        let text = format!("parameters.Sleep must not be negative: {}", s.0);
        Err(Error::invalid_parameters(text))
    })
}

fn line(p: &Parameters, account: Option<&str>) -> String {
    let who = account.map_or("no role asked for".to_owned(), |a| format!("role in account {a}"));
    let tokens = p.resolve_tokens.as_ref().map_or(0, |t| t.0.len());
    let echo = p.echo.as_ref().map(|e| format!(", echo {e}")).unwrap_or_default();
    format!("test passed: {who}, {tokens} values resolved{echo}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parameters(value: Value) -> Parameters {
        serde_json::from_value(value).unwrap()
    }

    fn step(value: Value, waited_s: i64) -> Step<Never> {
        let mut cx = shared::progress::sample_cx(shared::Phase::Activate);
        cx.now = cx.progress.since + waited_s;
        ModuleTest::decide(&parameters(value), &Some(cx.account.clone()), &cx)
    }

    #[test]
    fn it_sleeps_then_ends_as_asked() {
        assert!(matches!(step(json!({"Sleep": "5"}), 4), Step::Wait(_)));
        assert!(matches!(step(json!({"Sleep": 5}), 5), Step::Done(_)));
        assert!(matches!(step(json!({"Outcome": "FAIL"}), 0), Step::Fail(..)));
        assert!(matches!(step(json!({"Outcome": "TIMEOUT"}), 9999), Step::Wait(_)));
    }

    #[test]
    fn a_failure_that_was_asked_for_does_not_block_the_plan() {
        let mut cx = shared::progress::sample_cx(shared::Phase::Activate);
        cx.mode = shared::Mode::Plan;
        let p = parameters(json!({"Outcome": "FAIL"}));
        let account = Some(cx.account.clone());
        assert!(matches!(ModuleTest::decide(&p, &account, &cx), Step::Wait(_)));
        let told = ModuleTest::outlook(&p, &account, &cx).unwrap().1;
        assert!(told.starts_with("fails when it runs"), "{told}");
    }

    #[test]
    fn nobody_sleeps_less_than_not_at_all() {
        let error = check(&parameters(json!({"Sleep": "-5"}))).unwrap_err();
        assert_eq!(error.error_type, ErrorType::InvalidParameters);
        assert_eq!(error.message, "parameters.Sleep must not be negative: -5");
        assert!(check(&parameters(json!({"Sleep": 0}))).is_ok());
        assert!(check(&parameters(json!({}))).is_ok());
    }

    #[test]
    fn another_account_is_refused() {
        let cx = shared::progress::sample_cx(shared::Phase::Activate);
        let step = ModuleTest::decide(&parameters(json!({})), &Some("999".into()), &cx);
        assert!(matches!(step, Step::Refuse(..)));
    }

    #[test]
    fn the_committed_schema_is_the_description() {
        let committed = include_str!("../../../samples/schema/ModuleTest.schema.json");
        let committed: Value = serde_json::from_str(committed).unwrap();
        assert_eq!(committed, shared::describe::describe::<ModuleTest>());
    }

    #[test]
    fn unknown_parameters_are_errors() {
        assert!(serde_json::from_value::<Parameters>(json!({"Ehco": 1})).is_err());
    }
}
