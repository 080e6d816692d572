//! The form of the page: who, why, and which button. Pure.

use crate::choice;
use crate::request::parameter;
use shared::pending::{Answer, Decision, Pending};

/// Characters of a name.
pub const NAME: usize = 200;
/// Characters of a reason.
pub const REASON: usize = 1000;

/// What was typed, trimmed.
#[derive(Debug, Default)]
pub struct Form {
    /// Who.
    pub approver: String,
    /// Why.
    pub reason: String,
    /// Product and Region, as typed, without the blanks around them.
    pub confirmation: String,
    decision: String,
}

impl Form {
    /// From a form's body.
    pub fn new(body: &[u8]) -> Self {
        let text = |name: &str| tidy(&parameter(body, name));
        Self {
            approver: text("approver"),
            reason: text("reason"),
            confirmation: parameter(body, "confirmation").trim().to_owned(),
            decision: text("decision"),
        }
    }

    /// The answer, or everything that is wrong with it.
    pub fn answer(&self, pending: &Pending, now: &str) -> Result<Answer, Vec<&'static str>> {
        let mut problems = Vec::new();
        if self.approver.is_empty() {
            problems.push("Your name is missing.");
        }
        if self.approver.chars().count() > NAME {
            problems.push("Your name is longer than 200 characters.");
        }
        if self.reason.is_empty() {
            problems.push("The reason is missing.");
        }
        if self.reason.chars().count() > REASON {
            problems.push("The reason is longer than 1000 characters.");
        }
        let decision = self.decision().filter(|d| pending.choices().contains(d));
        match decision {
            Some(decision) if problems.is_empty() => Ok(Answer {
                decision,
                approver: self.approver.clone(),
                reason: self.reason.clone(),
                at: now.to_owned(),
                via: "link".to_owned(),
            }),
            Some(_) => Err(problems),
            None => {
                problems.push(choice::press(pending.kind));
                Err(problems)
            }
        }
    }

    /// Whether somebody presses the same button for the same reason once more.
    pub fn repeats(&self, pending: &Pending) -> bool {
        let known = pending.answer.as_ref();
        known.is_some_and(|k| self.answer(pending, &k.at).is_ok_and(|answer| answer == *k))
    }

    /// The button that was pressed.
    pub fn decision(&self) -> Option<Decision> {
        Decision::parse(&self.decision)
    }

    /// Whether somebody asks to send the recorded answer once more.
    pub fn asks_to_resend(&self) -> bool {
        self.decision == "RESEND"
    }
}

/// One line without control characters: names and reasons go into mails and logs.
fn tidy(text: &str) -> String {
    shared::text::one_line(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::tests::pending;
    use shared::pending::Kind;

    fn hold() -> Pending {
        Pending { kind: Kind::Hold, ..pending() }
    }

    fn form(body: &str) -> Form {
        Form::new(body.as_bytes())
    }

    #[test]
    fn a_whole_form_is_an_answer() {
        let form = form("approver=+Ann+M%C3%BCller+&reason=Drill%0D%0A2&decision=APPROVED");
        let answer = form.answer(&pending(), "2026-01-01T00:00:00Z").unwrap();
        assert_eq!(answer.approver, "Ann M\u{fc}ller");
        assert_eq!(answer.reason, "Drill 2");
        assert_eq!(answer.decision, Decision::Approved);
        assert!(form.repeats(&Pending { answer: Some(answer), ..pending() }));
        assert!(!form.repeats(&pending()));
    }

    #[test]
    fn a_hold_has_choices_of_its_own() {
        let typed = |decision: &str| form(&format!("approver=a&reason=b&decision={decision}"));
        for (decision, wanted) in [("RETRY", true), ("ABORT_RUN", true), ("APPROVED", false)] {
            assert_eq!(typed(decision).answer(&hold(), "").is_ok(), wanted, "{decision}");
            assert_eq!(typed(decision).answer(&pending(), "").is_ok(), !wanted, "{decision}");
        }
    }

    #[test]
    fn every_problem_is_told_at_once() {
        let long =
            format!("approver={}&reason={}&decision=REJECTED", "n".repeat(201), "r".repeat(1001));
        let cases = [
            ("", 3),
            ("approver=+&reason=%20&decision=APPROVED", 2),
            ("approver=a&reason=b&decision=MAYBE", 1),
            ("approver=a&reason=b", 1),
            (long.as_str(), 2),
        ];
        for (body, problems) in cases {
            assert_eq!(form(body).answer(&pending(), "").unwrap_err().len(), problems, "{body}");
        }
    }
}
