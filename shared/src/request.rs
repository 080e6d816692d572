//! The interface of a resource function: one request, one response.

use crate::context::{Context, Mode, Phase};
use crate::error::{Error, ErrorType};
use crate::names::cut;
use crate::resource::ChangeClass;
use crate::text::sentence;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a phase or resource machine sends.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    /// PLAN or EXECUTE.
    pub mode: Mode,
    /// The phase that runs.
    pub phase: Phase,
    /// The type, as the manifest writes it.
    pub resource_type: String,
    /// The name for people.
    pub resource_name: String,
    /// Unresolved parameters.
    #[serde(default)]
    pub parameters: Value,
    /// The application account; None is the orchestrator's own.
    pub account_id: Option<String>,
    /// The run and the place in it.
    pub context: Context,
    /// End of this attempt, RFC 3339; None at the first call.
    pub deadline: Option<String>,
    /// What the last call answered; None at the first call.
    pub progress: Option<Value>,
}

/// How far the operation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// The post-condition was observed.
    Done,
    /// Call again after `waitSeconds`.
    InProgress,
    /// PLAN: this would be done.
    Planned,
    /// PLAN: cannot be told before what `dependsOn` names exists.
    Unknown,
    /// It ended without the post-condition.
    Failed,
}

/// What every resource function answers. Every field is always present, for a missing path is an
/// uncatchable error in a state machine.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Response {
    /// How far it is.
    pub status: Status,
    /// Whether this attempt changed anything.
    pub changed: bool,
    /// PLAN: the worst class of what would be done.
    pub change_class: Option<ChangeClass>,
    /// One line for people, at most 200 characters.
    pub summary: String,
    /// End of the attempt, RFC 3339.
    pub deadline: Option<String>,
    /// Whole seconds until the next call.
    pub wait_seconds: i64,
    /// Hint for the next call.
    pub progress: Value,
    /// Measured data loss, seconds; in PLAN the loss to expect.
    pub rpo_seconds: Option<f64>,
    /// PLAN: it would first wait for what is under way; its class is then the type's worst.
    #[serde(default)]
    pub waits: bool,
    /// PLAN: how long it usually takes, seconds.
    #[serde(default)]
    pub expected_seconds: Option<i64>,
    /// PLAN: what this resource would create (`export:x`, `ssm:x`, `stack:x`, `rds:<arn>`).
    pub creates: Vec<String>,
    /// PLAN: what is missing.
    pub depends_on: Vec<String>,
    /// One of the closed set, when it failed.
    pub error_type: Option<ErrorType>,
    /// Why it failed, at most 1,000 characters.
    pub message: Option<String>,
    /// What to do, one sentence.
    pub next_step: Option<String>,
}

impl Response {
    /// A response with a status and a line for people, all else empty.
    pub fn new(status: Status, summary: &str) -> Self {
        Self {
            status,
            changed: false,
            change_class: None,
            summary: cut(summary, 200),
            deadline: None,
            wait_seconds: 0,
            progress: Value::Null,
            rpo_seconds: None,
            waits: false,
            expected_seconds: None,
            creates: vec![],
            depends_on: vec![],
            error_type: None,
            message: None,
            next_step: None,
        }
    }

    /// FAILED, from an error.
    pub fn failed(error: &Error) -> Self {
        Self {
            error_type: Some(error.error_type),
            // Machines and mails put the next step behind it.
            message: Some(cut(&sentence(&error.message), 1000)),
            next_step: Some(cut(&error.next_step, 400)),
            ..Self::new(Status::Failed, &error.message)
        }
    }
}
