//! What Approve asks for beside name and reason, and the way that proves an identity. The server
//! checks it, never the browser. Pure.

use crate::form::Form;
use crate::html::escape;
use shared::consent::command;
use shared::pending::Pending;

/// Why this form does not approve; nothing is asked of one that rejects.
pub fn problem(form: &Form, pending: &Pending) -> Option<&'static str> {
    if !form.approves() {
        return None;
    }
    if pending.rule.needs_identity() {
        return Some(
            "This run cannot be approved with a link: use the command on this page. Reject works.",
        );
    }
    let wanted = pending.confirmation()?;
    (form.confirmation != wanted).then_some(
        "To approve, type the product and the Region exactly as the form shows them: this run \
         destroys something or may lose data.",
    )
}

/// The field of the typed confirmation, where there is something to confirm. Not `required`: the
/// browser would ask for it before it rejects.
pub fn confirmation(pending: &Pending, typed: &Form, invalid: bool) -> String {
    let Some(wanted) = pending.confirmation().filter(|_| !pending.rule.needs_identity()) else {
        return String::new();
    };
    let wrong = invalid && typed.approves() && typed.confirmation != wanted;
    format!(
        "<label for=\"confirmation\">To approve, type: <code>{}</code></label>\n\
         <input id=\"confirmation\" name=\"confirmation\" value=\"{}\" autocomplete=\"off\" \
         autocapitalize=\"none\" spellcheck=\"false\" aria-describedby=\"confirm-why\"{}>\n\
         <p class=\"note\" id=\"confirm-why\">The product and the Region, because this run destroys \
         something or may lose data. Not needed to reject.</p>\n",
        escape(&wanted),
        escape(&shared::text::one_line(&typed.confirmation)),
        if wrong { " aria-invalid=\"true\"" } else { "" },
    )
}

/// None where a link cannot approve.
pub fn approve_button(pending: &Pending) -> &'static str {
    match pending.rule.needs_identity() {
        true => "",
        false => {
            "<button class=\"approve\" name=\"decision\" value=\"APPROVED\">Approve</button>\n"
        }
    }
}

/// What stands above the form of a run that asks for IAM identities.
pub fn only_by_identity(pending: &Pending) -> String {
    if !pending.rule.needs_identity() {
        return String::new();
    }
    let given: String = pending
        .approvals
        .iter()
        .map(|a| format!("<li>{}, at {}</li>\n", escape(&a.approver), escape(&a.at)))
        .collect();
    let given = match given.as_str() {
        "" => "<p>Nobody has approved yet.</p>\n".to_owned(),
        some => format!("<p>Approved so far by:</p>\n<ul>\n{some}</ul>\n"),
    };
    format!(
        "<p><strong>A link cannot approve this run, it can only reject it.</strong> Its manifest \
         asks for the approval of {}. Each of them runs this command:</p>\n{}{given}",
        escape(&pending.rule.text()),
        lines(pending)
    )
}

/// The command as the second way, where the link is the first.
pub fn other_way(pending: &Pending) -> String {
    if pending.rule.needs_identity() {
        return String::new();
    }
    format!(
        "<details>\n<summary>Answer with your IAM identity instead</summary>\n{}\
         <p class=\"note\">REJECT instead of APPROVE rejects.</p>\n</details>\n",
        lines(pending)
    )
}

fn lines(pending: &Pending) -> String {
    let lines = command(&pending.region, &pending.product, &pending.execution_name);
    format!("<pre>{}</pre>\n", escape(&lines.join("\n")))
}

#[cfg(test)]
mod tests {
    use super::*;
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
    fn a_link_never_approves_where_identities_are_asked_for() {
        let approvers = vec!["arn:aws:iam::123456789012:role/Lead".to_owned()];
        for rule in [Rule { required: 2, approvers: vec![] }, Rule { required: 1, approvers }] {
            let asked = Pending { rule, ..risky() };
            let typed = form("decision=APPROVED&confirmation=shop+us-west-2");
            assert!(problem(&typed, &asked).is_some_and(|p| p.contains("command")));
            assert_eq!(problem(&form("decision=REJECTED"), &asked), None);
            assert!(only_by_identity(&asked).contains("aws ssm put-parameter"));
            assert_eq!(approve_button(&asked), "");
        }
    }
}
