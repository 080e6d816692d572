//! An open approval: the object under `pending/`, written by approval-request and answered by
//! approval-callback or approval-iam. It holds the task token, so nothing here is ever logged or mailed.

use crate::clock;
use crate::consent::Rule;
use crate::names::{PREFIX, sha256};
use serde::{Deserialize, Serialize};

/// Hexadecimal digits of an id: 32 random bytes.
pub const ID_LENGTH: usize = 64;

/// One request for approval. No `Debug`: it holds a task token.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pending {
    /// Answers the waiting state.
    pub task_token: String,
    /// ARN of the waiting execution.
    pub execution: String,
    /// Its name.
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
    /// Approvals of IAM identities while more of them are needed; each identity once.
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
    /// What an approver must type on the page when something may be lost for good.
    pub fn confirmation(&self) -> Option<String> {
        let typed = || format!("{} {}", self.product, self.region);
        (!self.card.alarms.is_empty()).then(typed)
    }

    /// Whether its time is over.
    pub fn is_over(&self, now: i64) -> bool {
        clock::parse(&self.expires_at).is_none_or(|end| now >= end)
    }
}

/// Approved or rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Decision {
    /// Go on.
    Approved,
    /// End the run; nothing was changed.
    Rejected,
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
    fn only_our_own_ids_become_keys() {
        assert!(key(&"0a".repeat(32)).is_some());
        for id in
            ["", "abc", &"0A".repeat(32), &"g".repeat(64), &format!("{}/../x", "0".repeat(59))]
        {
            assert!(key(id).is_none(), "{id}");
        }
    }
}
