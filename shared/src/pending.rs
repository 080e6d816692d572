//! What waits for a person's answer, an approval or a hold: the object under `pending/`, written by
//! approval-request and answered by approval-callback or approval-iam. It holds the task token, so
//! nothing here is ever logged or mailed.

use crate::clock;
use crate::consent::{Rule, hold_parameter, parameter};
use crate::names::{PREFIX, sha256};
use serde::{Deserialize, Serialize};

/// Hexadecimal digits of an id: 32 random bytes.
pub const ID_LENGTH: usize = 64;

/// What is asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Kind {
    /// Whether a planned run may begin.
    #[default]
    Approval,
    /// What becomes of a resource that failed.
    Hold,
}

/// One request for an answer. No `Debug`: it holds a task token.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pending {
    /// What is asked.
    #[serde(default)]
    pub kind: Kind,
    /// `<file>-<layer>-<index>` of the resource that a hold is about.
    #[serde(default)]
    pub position: Option<String>,
    /// Answers the waiting state.
    pub task_token: String,
    /// ARN of the waiting execution.
    pub execution: String,
    /// Name of the run.
    pub execution_name: String,
    /// Product name.
    pub product: String,
    /// The phase that is asked for.
    pub action: String,
    /// The executing Region.
    pub region: String,
    /// The run's folder.
    pub folder: String,
    /// Digest of the manifests.
    pub digest: String,
    /// RFC 3339.
    pub created_at: String,
    /// RFC 3339.
    pub expires_at: String,
    /// What the product manifest asks of an approval.
    #[serde(default)]
    pub rule: Rule,
    /// Answers of IAM identities while more of them are needed; each identity once.
    #[serde(default)]
    pub approvals: Vec<Answer>,
    /// The one answer; written once.
    pub answer: Option<Answer>,
    /// Whether the answer reached the waiting state; None until that is known.
    #[serde(default)]
    pub delivered: Option<bool>,
    /// RFC 3339; set when the run ended without an answer.
    #[serde(default)]
    pub closed_at: Option<String>,
    /// What the approver sees.
    pub card: Card,
}

impl Pending {
    /// What a person must type on the page when something may be lost for good.
    pub fn confirmation(&self) -> Option<String> {
        let typed = || format!("{} {}", self.product, self.region);
        (!self.card.alarms.is_empty()).then(typed)
    }

    /// What can be answered.
    pub fn choices(&self) -> &'static [Decision] {
        match self.kind {
            Kind::Approval => &[Decision::Approved, Decision::Rejected],
            Kind::Hold => &[Decision::Retry, Decision::Skip, Decision::Abort, Decision::AbortRun],
        }
    }

    /// The parameter by which an IAM identity answers.
    pub fn parameter(&self) -> String {
        match &self.position {
            Some(position) => hold_parameter(&self.product, &self.execution_name, position),
            None => parameter(&self.product, &self.execution_name),
        }
    }

    /// Whether it still takes an answer.
    pub fn is_open(&self, now: i64) -> bool {
        self.answer.is_none() && self.closed_at.is_none() && !self.is_over(now)
    }

    /// Whether its time is over.
    pub fn is_over(&self, now: i64) -> bool {
        clock::parse(&self.expires_at).is_none_or(|end| now >= end)
    }
}

/// What a person decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Decision {
    /// Approval: go on.
    Approved,
    /// Approval: end the run; nothing was changed.
    Rejected,
    /// Hold: read the manifest again and try once more.
    Retry,
    /// Hold: go on as if the resource were done.
    Skip,
    /// Hold: the resource has failed.
    Abort,
    /// Hold: the resource has failed, and nothing of the run begins any more.
    AbortRun,
}

impl Decision {
    /// From its name in JSON and in forms.
    pub fn parse(name: &str) -> Option<Self> {
        serde_json::from_value(serde_json::Value::String(name.to_owned())).ok()
    }

    /// In JSON and in forms.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approved => "APPROVED",
            Self::Rejected => "REJECTED",
            Self::Retry => "RETRY",
            Self::Skip => "SKIP",
            Self::Abort => "ABORT",
            Self::AbortRun => "ABORT_RUN",
        }
    }

    /// The first word of a parameter's value.
    pub const fn spoken(self) -> &'static str {
        match self {
            Self::Approved => "APPROVE",
            Self::Rejected => "REJECT",
            other => other.as_str(),
        }
    }

    /// Whether the run goes on by it, so that the manifest's rule of who may approve counts.
    /// Everybody may end something.
    pub const fn goes_on(self) -> bool {
        matches!(self, Self::Approved | Self::Retry | Self::Skip)
    }

    /// Whether something may be changed by it that cannot be taken back.
    pub const fn acts(self) -> bool {
        matches!(self, Self::Approved | Self::Retry)
    }
}

/// An answer: also the output of the waiting state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// What was decided.
    pub decision: Decision,
    /// By link the name as it was typed, which proves nobody's identity; else the ARN that
    /// Parameter Store tells.
    pub approver: String,
    /// As it was typed.
    pub reason: String,
    /// RFC 3339.
    pub at: String,
    /// The way it came: `link` or `iam`.
    pub via: String,
}

/// The plan as people see it, in the mail and on the page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// One line.
    pub title: String,
    /// What, where, when.
    pub facts: Vec<Fact>,
    /// What the checks warned of.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// Everything that cannot be taken back.
    pub alarms: Vec<Item>,
    /// Every resource, in the order of the run.
    pub groups: Vec<Group>,
    /// Source manifests and their digests.
    pub manifests: Vec<Fact>,
}

/// A label and its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// For people.
    pub label: String,
    /// For people.
    pub value: String,
}

/// The resources of one layer of one application manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// Application, file and layer.
    pub title: String,
    /// In order.
    pub items: Vec<Item>,
}

/// One resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// `destructive`, `data-loss`, `traffic`, `modify`, `create`, `not known yet`, `already done`.
    pub mark: String,
    /// Type and name.
    pub name: String,
    /// What will happen.
    pub text: String,
}

impl Item {
    /// Whether it destroys something or may lose data.
    pub fn is_alarm(&self) -> bool {
        matches!(self.mark.as_str(), "destructive" | "data-loss")
    }
}

/// The key of an open approval; None when the id cannot be one of ours.
pub fn key(id: &str) -> Option<String> {
    let ours = id.len() == ID_LENGTH && id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    ours.then(|| format!("{PREFIX}pending/{id}.json"))
}

/// The folder that names a run's requests; its objects are empty and named by their ids. It lies
/// beside them: who may list ids may read the requests anyway.
pub fn index(product: &str, execution_name: &str) -> String {
    format!("{PREFIX}pending/by-run/{product}/{execution_name}/")
}

/// Where an execution's answer is kept without its token, for the report of a stopped run.
pub fn answer_key(execution: &str) -> String {
    format!("{PREFIX}pending/answer-{}.json", sha256(execution.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decision_is_read_as_it_is_written() {
        use Decision::*;
        for decision in [Approved, Rejected, Retry, Skip, Abort, AbortRun] {
            assert_eq!(Decision::parse(decision.as_str()), Some(decision));
            assert_eq!(serde_json::to_value(decision).unwrap(), decision.as_str());
        }
        assert_eq!(Decision::parse("RESEND"), None);
    }

    #[test]
    fn only_our_own_ids_become_keys() {
        assert!(key(&"0a".repeat(32)).is_some());
        for id in
            ["", "abc", &"0A".repeat(32), &"g".repeat(64), &format!("{}/../x", "0".repeat(59))]
        {
            assert!(key(id).is_none(), "{id}");
        }
    }
}
