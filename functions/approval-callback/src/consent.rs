//! What a decision asks for beside name and reason, and the way that proves an identity. The server
//! checks it, never the browser. Pure.

use crate::choice::{label, word};
use crate::form::Form;
use crate::html::escape;
use shared::consent::command;
use shared::pending::{Decision, Kind, Pending};

/// Why this form does not decide; nothing is asked of one that ends something.
pub fn problem(form: &Form, pending: &Pending) -> Option<String> {
    let decision = form.decision().filter(|d| d.goes_on())?;
    if pending.rule.needs_identity() {
        return Some(format!(
            "{} needs more than a link: use the command on this page. {} works.",
            label(decision),
            ends(pending)
        ));
    }
    wrong_confirmation(form, pending).then(|| {
        format!(
            "To press {}, type the product and the Region exactly as the form shows them: \
             something is destroyed or data may be lost.",
            label(decision)
        )
    })
}

fn wrong_confirmation(form: &Form, pending: &Pending) -> bool {
    let acts = form.decision().is_some_and(Decision::acts);
    acts && pending.confirmation().is_some_and(|wanted| form.confirmation != wanted)
}

/// The button that anybody may press.
const fn ends(pending: &Pending) -> &'static str {
    match pending.kind {
        Kind::Approval => "Reject",
        Kind::Hold => "Abort",
    }
}

/// The button that acts.
const fn acts(pending: &Pending) -> &'static str {
    match pending.kind {
        Kind::Approval => "Approve",
        Kind::Hold => "Retry",
    }
}

/// The field of the typed confirmation, where there is something to confirm. Not `required`: the
/// browser would ask for it before it rejects.
pub fn confirmation(pending: &Pending, typed: &Form, invalid: bool) -> String {
    let Some(wanted) = pending.confirmation().filter(|_| !pending.rule.needs_identity()) else {
        return String::new();
    };
    let wrong = invalid && wrong_confirmation(typed, pending);
    format!(
        "<label for=\"confirmation\">To press {}, type: <code>{}</code></label>\n\
         <input id=\"confirmation\" name=\"confirmation\" value=\"{}\" autocomplete=\"off\" \
         autocapitalize=\"none\" spellcheck=\"false\" aria-describedby=\"confirm-why\"{}>\n\
         <p class=\"note\" id=\"confirm-why\">The product and the Region, because something is \
         destroyed or data may be lost. The other buttons do not need it.</p>\n",
        acts(pending),
        escape(&wanted),
        escape(&shared::text::one_line(&typed.confirmation)),
        if wrong { " aria-invalid=\"true\"" } else { "" },
    )
}

/// What stands above the form of a run that asks for IAM identities.
pub fn only_by_identity(pending: &Pending) -> String {
    if !pending.rule.needs_identity() {
        return String::new();
    }
    let given: String = pending
        .approvals
        .iter()
        .map(|a| {
            let (who, at) = (escape(&a.approver), escape(&a.at));
            format!("<li>{}: {who}, at {at}</li>\n", word(a.decision))
        })
        .collect();
    let given = match given.as_str() {
        "" => "<p>Nobody has answered yet.</p>\n".to_owned(),
        some => format!("<p>Answered so far by:</p>\n<ul>\n{some}</ul>\n"),
    };
    format!(
        "<p><strong>{}</strong> The manifest asks for {}. Each of them runs this \
         command:</p>\n{}{}{given}",
        only_ends(pending),
        escape(&pending.rule.text()),
        lines(pending),
        words(pending)
    )
}

/// The command as the second way, where the link is the first.
pub fn other_way(pending: &Pending) -> String {
    if pending.rule.needs_identity() {
        return String::new();
    }
    format!(
        "<details>\n<summary>Answer with your IAM identity instead</summary>\n{}{}</details>\n",
        lines(pending),
        words(pending)
    )
}

const fn only_ends(pending: &Pending) -> &'static str {
    match pending.kind {
        Kind::Approval => "A link cannot approve this run, it can only reject it.",
        Kind::Hold => "A link can only abort here, neither retry nor skip.",
    }
}

/// The other words that the command takes.
fn words(pending: &Pending) -> String {
    let others: Vec<&str> = pending.choices().iter().skip(1).map(|d| d.spoken()).collect();
    let first = pending.choices().first().map_or("", |d| d.spoken());
    format!("<p class=\"note\">Instead of {first}: {}.</p>\n", others.join(", "))
}

fn lines(pending: &Pending) -> String {
    let first = pending.choices().first().copied().unwrap_or(Decision::Rejected);
    let lines = command(&pending.region, &pending.parameter(), first);
    format!("<pre>{}</pre>\n", escape(&lines.join("\n")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::choice::buttons;
    use crate::page::tests::pending;
    use shared::consent::Rule;

    fn form(text: &str) -> Form {
        Form::new(format!("approver=Ann&reason=r&{text}").as_bytes())
    }

    fn risky() -> Pending {
        Pending { product: "shop".into(), ..pending() }
    }

    #[test]
    fn only_the_exact_words_approve_what_may_be_lost() {
        for right in ["shop us-west-2", "+shop%20us-west-2%0A"] {
            let typed = form(&format!("decision=APPROVED&confirmation={right}"));
            assert_eq!(problem(&typed, &risky()), None, "{right}");
        }
        let wrong = ["", "shop", "Shop+us-west-2", "shop++us-west-2", "shop+us-east-1", "yes"];
        for wrong in wrong {
            let typed = form(&format!("decision=APPROVED&confirmation={wrong}"));
            assert!(problem(&typed, &risky()).is_some(), "{wrong}");
        }
    }

    #[test]
    fn rejecting_and_a_harmless_plan_need_no_words() {
        assert_eq!(problem(&form("decision=REJECTED"), &risky()), None);
        let mut calm = risky();
        calm.card.alarms.clear();
        assert_eq!(problem(&form("decision=APPROVED"), &calm), None);
        assert_eq!(confirmation(&calm, &Form::default(), false), "");
    }

    #[test]
    fn only_a_retry_that_may_hurt_asks_for_words() {
        let hold = Pending { kind: Kind::Hold, ..risky() };
        assert!(problem(&form("decision=RETRY"), &hold).is_some());
        let typed = "decision=RETRY&confirmation=shop+us-west-2";
        assert_eq!(problem(&form(typed), &hold), None);
        assert_eq!(problem(&form("decision=SKIP"), &hold), None);
        assert!(confirmation(&hold, &Form::default(), false).contains("To press Retry, type"));
    }

    #[test]
    fn a_link_never_approves_where_identities_are_asked_for() {
        let approvers = vec!["arn:aws:iam::123456789012:role/Lead".to_owned()];
        for rule in [Rule { required: 2, approvers: vec![] }, Rule { required: 1, approvers }] {
            let asked = Pending { rule, ..risky() };
            let typed = form("decision=APPROVED&confirmation=shop+us-west-2");
            assert!(problem(&typed, &asked).is_some_and(|p| p.contains("command")));
            assert_eq!(problem(&form("decision=REJECTED"), &asked), None);
            assert!(only_by_identity(&asked).contains("aws ssm put-parameter"));
            assert!(!buttons(&asked).contains("APPROVED") && buttons(&asked).contains("REJECTED"));
            let hold = Pending { kind: Kind::Hold, ..asked };
            assert!(problem(&form("decision=SKIP"), &hold).is_some_and(|p| p.contains("Abort")));
            assert_eq!(problem(&form("decision=ABORT"), &hold), None);
        }
    }
}
