//! The one error type, and the closed set of `errorType` strings that state machines and people see.

use crate::text::sentence;
use serde::{Deserialize, Serialize};

/// `Result` with [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The closed set of `errorType` values. The strings are an API: state machines and reports use them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ErrorType {
    /// A manifest, or the start input, breaks a rule.
    #[serde(rename = "Dr.InvalidManifest")]
    InvalidManifest,
    /// A parameter of a resource is unknown, missing or of the wrong type.
    #[serde(rename = "Dr.InvalidParameters")]
    InvalidParameters,
    /// Something that the manifest names does not exist.
    #[serde(rename = "Dr.NotFound")]
    NotFound,
    /// A guard refused: nothing was changed.
    #[serde(rename = "Dr.Refused")]
    Refused,
    /// Someone else is changing the same resource.
    #[serde(rename = "Dr.Conflict")]
    Conflict,
    /// An IAM permission is missing.
    #[serde(rename = "Dr.AccessDenied")]
    AccessDenied,
    /// The deadline of the attempt passed before the wanted state was observed.
    #[serde(rename = "Dr.TimedOut")]
    TimedOut,
    /// AWS reports a state that cannot lead to the wanted one.
    #[serde(rename = "Dr.Failed")]
    Failed,
    /// A defect or an outage of the orchestrator's own parts.
    #[serde(rename = "Dr.Internal")]
    Internal,
    /// A layer of resources failed.
    #[serde(rename = "Dr.LayerFailed")]
    LayerFailed,
    /// An application layer failed.
    #[serde(rename = "Dr.AppLayerFailed")]
    AppLayerFailed,
    /// The plan has blockers.
    #[serde(rename = "Dr.PlanFailed")]
    PlanFailed,
    /// The approver rejected the run.
    #[serde(rename = "Dr.Rejected")]
    Rejected,
    /// Nobody answered the approval in time.
    #[serde(rename = "Dr.ApprovalTimedOut")]
    ApprovalTimedOut,
    /// Another run holds the product's lock.
    #[serde(rename = "Dr.Locked")]
    Locked,
    /// Somebody aborted the run before this resource began.
    #[serde(rename = "Dr.Aborted")]
    Aborted,
}

impl ErrorType {
    /// Every member, for tests over the state machines.
    pub const ALL: [Self; 16] = [
        Self::InvalidManifest,
        Self::InvalidParameters,
        Self::NotFound,
        Self::Refused,
        Self::Conflict,
        Self::AccessDenied,
        Self::TimedOut,
        Self::Failed,
        Self::Internal,
        Self::LayerFailed,
        Self::AppLayerFailed,
        Self::PlanFailed,
        Self::Rejected,
        Self::ApprovalTimedOut,
        Self::Locked,
        Self::Aborted,
    ];

    /// The string on the wire, for example `Dr.Refused`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidManifest => "Dr.InvalidManifest",
            Self::InvalidParameters => "Dr.InvalidParameters",
            Self::NotFound => "Dr.NotFound",
            Self::Refused => "Dr.Refused",
            Self::Conflict => "Dr.Conflict",
            Self::AccessDenied => "Dr.AccessDenied",
            Self::TimedOut => "Dr.TimedOut",
            Self::Failed => "Dr.Failed",
            Self::Internal => "Dr.Internal",
            Self::LayerFailed => "Dr.LayerFailed",
            Self::AppLayerFailed => "Dr.AppLayerFailed",
            Self::PlanFailed => "Dr.PlanFailed",
            Self::Rejected => "Dr.Rejected",
            Self::ApprovalTimedOut => "Dr.ApprovalTimedOut",
            Self::Locked => "Dr.Locked",
            Self::Aborted => "Dr.Aborted",
        }
    }
}

impl std::fmt::Display for ErrorType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a failed call means for the next step of the loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nature {
    /// Repeating the call would fail again.
    Final,
    /// Refused for its rate: nothing was done; try again.
    Throttled,
    /// The answer is missing or 5xx: the call may have been done; look, then decide again.
    Uncertain,
    /// The resource is in a state that forbids the call; look again.
    StateFault,
    /// The thing does not exist: often an observation, not an error.
    NotFound,
}

/// An error with what was attempted, why it failed and what a person can do next.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// One of the closed set.
    pub error_type: ErrorType,
    /// One sentence: what was attempted and why it failed.
    pub message: String,
    /// What the operator should do next, one sentence.
    pub next_step: String,
    /// What it means for the loop.
    pub nature: Nature,
    /// The error code of the AWS service, when it came from one.
    pub code: Option<String>,
}

impl Error {
    /// A final error.
    pub fn new(error_type: ErrorType, message: impl Into<String>) -> Self {
        let next_step = default_next_step(error_type).to_owned();
        Self { error_type, message: message.into(), next_step, nature: Nature::Final, code: None }
    }

    /// The same error with another next step.
    pub fn next(mut self, step: impl Into<String>) -> Self {
        self.next_step = step.into();
        self
    }

    /// The same error with another nature.
    pub fn nature(mut self, nature: Nature) -> Self {
        self.nature = nature;
        self
    }

    /// A wrong parameter.
    pub fn invalid_parameters(message: impl Into<String>) -> Self {
        Self::new(ErrorType::InvalidParameters, message)
    }

    /// A guard's refusal.
    pub fn refused(message: impl Into<String>) -> Self {
        Self::new(ErrorType::Refused, message)
    }

    /// A defect or outage of our own parts.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(ErrorType::Internal, message)
    }

    /// Whether looking again may help: throttled or uncertain.
    pub fn is_transient(&self) -> bool {
        matches!(self.nature, Nature::Throttled | Nature::Uncertain)
    }

    /// Whether the service said that the thing does not exist.
    pub fn is_not_found(&self) -> bool {
        self.nature == Nature::NotFound
    }

    /// Whether the service answered with this error code.
    pub fn has_code(&self, code: &str) -> bool {
        self.code.as_deref() == Some(code)
    }
}

fn default_next_step(error_type: ErrorType) -> &'static str {
    match error_type {
        ErrorType::InvalidManifest | ErrorType::InvalidParameters => {
            "Correct the manifest, upload it and start the execution again."
        }
        ErrorType::NotFound => "Create what is missing or correct the name, then start again.",
        ErrorType::Refused => "Nothing was changed. Remove the reason, then start again.",
        ErrorType::Conflict => "Wait until the other operation has ended, then start again.",
        ErrorType::AccessDenied => {
            "Grant the action in role-templates/TargetAccountsAssumeRole.yaml, deploy it, start again."
        }
        ErrorType::TimedOut => "Look at the resource in the console; starting again resumes.",
        _ => {
            "Read the run's journal, remove the cause and start the same manifest again: it resumes."
        }
    }
}

/// `lambda_runtime` shows `errorType` to Step Functions: ours, never a Rust type name.
impl From<Error> for lambda_runtime::Diagnostic {
    fn from(error: Error) -> Self {
        Self {
            error_type: error.error_type.as_str().to_owned(),
            error_message: format!("{} {}", sentence(&error.message), error.next_step),
        }
    }
}

/// What a service shows must be what was asked for: never act on another one.
///
/// # Errors
/// `Dr.Refused` for anything else.
pub fn must_be<T: PartialEq + std::fmt::Display>(
    asked: &T,
    shown: &T,
    service: &str,
) -> Result<()> {
    if asked == shown {
        return Ok(());
    }
    let text = format!("wanted {asked}, but {service} shows {shown}");
    Err(Error::refused(text).next("Correct the identifier, its Region or the step's accountId."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strings_are_the_serialised_ones() {
        for error_type in ErrorType::ALL {
            assert_eq!(serde_json::to_value(error_type).unwrap(), error_type.as_str());
        }
    }

    #[test]
    fn a_diagnostic_carries_our_error_type() {
        let diagnostic = lambda_runtime::Diagnostic::from(Error::refused("no."));
        assert_eq!(diagnostic.error_type, "Dr.Refused");
        assert!(diagnostic.error_message.starts_with("no. Nothing was changed"));
    }

    #[test]
    fn what_is_shown_of_another_place_is_refused() {
        let (asked, shown) = ("arn:aws:rds:us-west-2:1:db:x", "arn:aws:rds:us-east-1:1:db:x");
        assert!(must_be(&asked, &asked, "RDS").is_ok());
        let error = must_be(&asked, &shown, "RDS").unwrap_err();
        assert_eq!(error.error_type, ErrorType::Refused);
        assert_eq!(error.message, format!("wanted {asked}, but RDS shows {shown}"));
        assert!(error.next_step.contains("accountId"), "{}", error.next_step);
    }
}
