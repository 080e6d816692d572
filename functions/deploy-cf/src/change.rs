//! The changes that DeployCF makes, one mutating call each.

use serde::{Deserialize, Serialize};
use shared::{ChangeClass, Classified};

/// Why a change set is deleted; kept in `progress`, since the change set itself is then gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// CloudFormation found nothing to do: the stack is as wanted.
    NoChange,
    /// It cannot be carried out.
    Failed(String),
    /// It would lose data.
    Refused(String),
    /// Something else happened to the stack in between: another one is made.
    Obsolete,
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Makes the change set of a new stack.
    Create {
        /// Of the change set.
        name: String,
        /// For people.
        summary: String,
    },
    /// Makes the change set of an update.
    Update {
        /// Of the change set.
        name: String,
        /// For people.
        summary: String,
        /// Parameters that keep their present values.
        previous: Vec<String>,
        /// Whether stores may be replaced.
        loses: bool,
    },
    /// Carries out a change set.
    Execute {
        /// Of the change set.
        name: String,
        /// Name of the stack.
        stack: String,
        /// ARN of the stack.
        stack_id: String,
    },
    /// Takes a change set away.
    DeleteChangeSet {
        /// Of the change set.
        name: String,
        /// Why.
        verdict: Verdict,
    },
    /// Deletes a stack whose creation failed.
    DeleteStack {
        /// ARN of the stack.
        stack_id: String,
        /// `ClientRequestToken`.
        token: String,
        /// For people.
        summary: String,
    },
    /// Switches termination protection on.
    Protect {
        /// Name of the stack.
        stack: String,
    },
}

impl Classified for Change {
    fn name(&self) -> &'static str {
        match self {
            Self::Create { .. } | Self::Update { .. } => "CreateChangeSet",
            Self::Execute { .. } => "ExecuteChangeSet",
            Self::DeleteChangeSet { .. } => "DeleteChangeSet",
            Self::DeleteStack { .. } => "DeleteStack",
            Self::Protect { .. } => "UpdateTerminationProtection",
        }
    }

    fn class(&self) -> ChangeClass {
        match self {
            Self::Create { .. } => ChangeClass::Create,
            Self::Update { loses: true, .. } | Self::DeleteStack { .. } => ChangeClass::Destructive,
            _ => ChangeClass::Modify,
        }
    }

    fn summary(&self) -> String {
        match self {
            Self::Create { summary, .. }
            | Self::Update { summary, .. }
            | Self::DeleteStack { summary, .. } => summary.clone(),
            Self::Execute { name, stack, .. } => {
                format!("carries out change set {name} of stack {stack}")
            }
            Self::DeleteChangeSet { name, verdict } => {
                let why = match verdict {
                    Verdict::NoChange => "it has no changes",
                    Verdict::Failed(_) => "it failed",
                    Verdict::Refused(_) => "it may lose data",
                    Verdict::Obsolete => "it is obsolete",
                };
                format!("deletes change set {name}: {why}")
            }
            Self::Protect { stack } => format!("protects stack {stack} against deletion"),
        }
    }
}
