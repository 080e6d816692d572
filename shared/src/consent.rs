//! Who may approve a run, and the command by which a person's IAM identity does it. Pure.

use crate::names::{cut, sha256};
use crate::pending::Decision;
use serde::{Deserialize, Serialize};

/// Parameters below this path are answers to approval requests.
pub const PARAMETERS: &str = "/dr-orchestrator/approvals/";

/// What the product manifest asks of an approval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// How many different IAM identities must approve.
    pub required: usize,
    /// ARNs of the roles and users that may approve; empty: everybody who may write the parameter.
    pub approvers: Vec<String>,
}

impl Default for Rule {
    fn default() -> Self {
        Self { required: 1, approvers: vec![] }
    }
}

impl Rule {
    /// Whether an approval counts only with an IAM identity, so that a link can only reject.
    pub fn needs_identity(&self) -> bool {
        self.required > 1 || !self.approvers.is_empty()
    }

    /// Whether this identity may approve.
    pub fn admits(&self, arn: &str) -> bool {
        let Some(who) = identity(arn) else { return false };
        let mut named = self.approvers.iter().filter_map(|a| identity(a));
        self.approvers.is_empty() || named.any(|one| one == who)
    }

    /// For people.
    pub fn text(&self) -> String {
        let who = match self.required {
            0 | 1 => "an IAM identity".to_owned(),
            n => format!("{n} different IAM identities"),
        };
        match self.approvers.as_slice() {
            [] => who,
            named => format!("{who} of {}", named.join(", ")),
        }
    }
}

/// What tells two people apart: the account with the user or the role. A session's name does not
/// count, since whoever assumes a role chooses it; for the same reason a federated user is nobody.
pub fn identity(arn: &str) -> Option<String> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let ["arn", _, service, "", account, resource] = parts[..] else { return None };
    let (kind, rest) = resource.split_once('/').unwrap_or((resource, ""));
    let (kind, name) = match (service, kind) {
        ("iam", "root") => ("root", "root"),
        ("iam", "user" | "role") => (kind, rest.rsplit('/').next()?),
        ("sts", "assumed-role") => ("role", rest.split('/').next()?),
        _ => return None,
    };
    (!account.is_empty() && !name.is_empty()).then(|| format!("{account} {kind} {name}"))
}

/// The execution's name where Parameter Store takes no other signs than these; a name with others
/// is told apart by its digest.
pub fn segment(execution_name: &str) -> String {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    if execution_name.chars().all(legal) {
        return execution_name.to_owned();
    }
    let kept: String = execution_name.chars().filter(|c| legal(*c)).take(60).collect();
    format!("{kept}-{}", &sha256(execution_name.as_bytes())[..16])
}

/// The parameter that answers a run's request.
pub fn parameter(product: &str, execution_name: &str) -> String {
    format!("{PARAMETERS}{product}/{}", segment(execution_name))
}

/// The parameter that answers a hold of a run; `position` is `<file>-<layer>-<index>`.
pub fn hold_parameter(product: &str, execution_name: &str, position: &str) -> String {
    format!("{}/{}", parameter(product, execution_name), segment(position))
}

/// The one command that gives an answer, in lines that a terminal joins again.
pub fn command(region: &str, parameter: &str, decision: Decision) -> [String; 3] {
    [
        format!("aws ssm put-parameter --region {region} --type String --overwrite \\"),
        format!("  --name {parameter} \\"),
        format!("  --value \"{} <your reason>\"", decision.spoken()),
    ]
}

/// The same in one line, for the input of the waiting state.
pub fn one_line_command(region: &str, parameter: &str, decision: Decision) -> String {
    let lines = command(region, parameter, decision);
    lines.map(|l| l.trim_matches(|c| " \\".contains(c)).to_owned()).join(" ")
}

/// A parameter's value as an answer: one of the choices, and the reason.
///
/// # Errors
/// What is wrong with it.
pub fn spoken(value: &str, choices: &[Decision]) -> Result<(Decision, String), String> {
    let text = crate::text::one_line(value);
    let (word, reason) = text.split_once(' ').unwrap_or((&text, ""));
    let Some(decision) = choices.iter().find(|choice| choice.spoken() == word) else {
        let words: Vec<&str> = choices.iter().map(|choice| choice.spoken()).collect();
        return Err(format!("its value begins with none of {}", words.join(", ")));
    };
    match reason {
        "" => Err(format!("its value has no reason behind {word}")),
        _ => Ok((*decision, cut(reason, 1000))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_one_identity_whatever_its_session_and_path() {
        let role = identity("arn:aws:iam::123456789012:role/a/b/Lead");
        assert!(role.is_some());
        for session in ["ann", "bob"] {
            let arn = format!("arn:aws:sts::123456789012:assumed-role/Lead/{session}");
            assert_eq!(identity(&arn), role);
        }
        let others = [
            "arn:aws:sts::210987654321:assumed-role/Lead/ann",
            "arn:aws:iam::123456789012:user/Lead",
            "arn:aws:sts::123456789012:assumed-role/lead/ann",
        ];
        assert!(others.iter().all(|arn| identity(arn).is_some() && identity(arn) != role));
    }

    #[test]
    fn what_is_no_identity_approves_nothing() {
        let nobody = [
            "",
            "N/A",
            "Lead",
            "arn:aws:iam::123456789012:role/",
            "arn:aws:sts::123456789012:federated-user/ann",
            "arn:aws:lambda:us-west-2:123456789012:function:x",
            "arn:aws:iam:::user/ann",
        ];
        for arn in nobody {
            assert_eq!(identity(arn), None, "{arn}");
            assert!(!Rule::default().admits(arn), "{arn}");
        }
    }

    #[test]
    fn only_the_named_are_admitted() {
        let approvers = vec!["arn:aws:iam::123456789012:role/Lead".to_owned()];
        let rule = Rule { required: 1, approvers };
        assert!(rule.needs_identity() && !Rule::default().needs_identity());
        assert!(rule.admits("arn:aws:sts::123456789012:assumed-role/Lead/ann"));
        assert!(!rule.admits("arn:aws:sts::123456789012:assumed-role/Leader/ann"));
    }

    #[test]
    fn a_parameter_has_a_legal_name_of_its_own() {
        assert_eq!(parameter("shop", "run-1_a.b"), "/dr-orchestrator/approvals/shop/run-1_a.b");
        let odd = ["run+1", "run@1", "r\u{fc}n1", &"+".repeat(80)].map(|n| parameter("shop", n));
        let unique: std::collections::BTreeSet<_> = odd.iter().collect();
        assert_eq!(unique.len(), 4);
        let legal = |c: char| c.is_ascii_alphanumeric() || "/_.-".contains(c);
        assert!(odd.iter().all(|name| name.chars().all(legal) && name.len() < 130));
    }

    #[test]
    fn the_command_is_one_line_too() {
        let name = parameter("shop", "run-1");
        assert_eq!(
            one_line_command("us-west-2", &name, Decision::Approved),
            "aws ssm put-parameter --region us-west-2 --type String --overwrite --name \
             /dr-orchestrator/approvals/shop/run-1 --value \"APPROVE <your reason>\""
        );
        let hold = hold_parameter("shop", "run-1", "shop-app1-0-2");
        assert_eq!(hold, format!("{name}/shop-app1-0-2"));
        assert!(command("us-west-2", &hold, Decision::AbortRun)[2].contains("\"ABORT_RUN <"));
    }

    #[test]
    fn a_value_is_a_word_and_a_reason() {
        let approval = [Decision::Approved, Decision::Rejected];
        let read = |text: &str| spoken(text, &approval);
        assert_eq!(read(" APPROVE  drill\n7 "), Ok((Decision::Approved, "drill 7".to_owned())));
        assert_eq!(read("REJECT not today"), Ok((Decision::Rejected, "not today".to_owned())));
        let wrong =
            ["", "APPROVE", "REJECT \n", "approve x", "APPROVED x", "APPROVE: x", "x", "RETRY x"];
        for wrong in wrong {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        let hold = [Decision::Skip, Decision::AbortRun];
        assert_eq!(spoken("ABORT_RUN enough", &hold).map(|d| d.0), Ok(Decision::AbortRun));
        assert!(spoken("APPROVE x", &hold).is_err_and(|e| e.contains("SKIP, ABORT_RUN")));
    }
}
