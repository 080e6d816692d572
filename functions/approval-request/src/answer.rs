//! The part of the mail that says how to answer. Pure.

use crate::mail::Mail;
use shared::clock;
use shared::consent::command;
use shared::pending::Decision;
use shared::text::{heading, wrap};

/// The link first, where there is one and it may approve; the command always.
pub fn section(mail: &Mail) -> String {
    let mut out = heading("YOUR ANSWER");
    match (mail.link, mail.pending.rule.needs_identity()) {
        (Some(link), false) => out.push_str(&by_link(mail, link)),
        (Some(link), true) => out.push_str(&only_rejects(link)),
        (None, _) => {}
    }
    out.push_str(&by_identity(mail));
    let end = format!(
        "If nobody answers within {} (until {}), the run ends as timed out. Then, and when it is \
         rejected, nothing is changed, and it can be started again.",
        clock::human(mail.seconds),
        mail.pending.expires_at
    );
    out.push_str(&wrap(&end, "\n  ", "  "));
    out
}

fn by_link(mail: &Mail, link: &str) -> String {
    let opens = "Opening the link changes nothing: the page shows this plan and asks for your name, \
                 a reason, and Approve or Reject.";
    let holds = "Whoever holds the link can answer, and it proves nobody's identity: do not \
                 forward it to people who may not decide.";
    let mut out = format!("\n{link}\n\n{}", wrap(opens, "  ", "  "));
    if let Some(typed) = mail.pending.confirmation() {
        let text = "Something may be lost for good: to approve, the page asks you to type";
        // On a line of its own: it is typed as it stands.
        out.push_str(&format!("{}    {typed}\n", wrap(text, "  ", "  ")));
    }
    out.push_str(&wrap(holds, "  ", "  "));
    out
}

fn only_rejects(link: &str) -> String {
    let text = "This link can only REJECT: the manifest asks for IAM identities.";
    format!("\n{link}\n\n{}", wrap(text, "  ", "  "))
}

fn by_identity(mail: &Mail) -> String {
    let pending = mail.pending;
    let text = match (mail.link, pending.rule.needs_identity()) {
        (_, true) => format!("To approve, {} must run this command:", pending.rule.text()),
        (Some(_), false) => {
            "Or answer with your IAM identity, also when the page does not open:".to_owned()
        }
        (None, false) => "Answer with your IAM identity:".to_owned(),
    };
    let lines = command(&pending.region, &pending.parameter(), Decision::Approved);
    let lines: String = lines.iter().map(|line| format!("  {line}\n")).collect();
    let note = wrap("REJECT instead of APPROVE rejects. AWS records who ran it.", "  ", "  ");
    format!("{}\n{lines}\n{note}", wrap(&text, "\n  ", "  "))
}

#[cfg(test)]
mod tests {
    use crate::mail::tests::{mail, pending, sample};
    use shared::consent::Rule;

    #[test]
    fn without_a_page_the_mail_tells_the_command_alone() {
        let mut pending = pending(sample::card());
        let (_, body) = mail(&pending, None);
        assert!(!body.contains("http") && !body.contains("link"), "{body}");
        assert!(body.contains("  Answer with your IAM identity:\n\n  aws ssm put-parameter"));
        pending.rule.required = 2;
        assert!(mail(&pending, None).1.contains("To approve, 2 different IAM identities must run"));
    }

    #[test]
    fn where_identities_are_asked_for_the_link_only_rejects() {
        let mut pending = pending(sample::card());
        let approvers = vec!["arn:aws:iam::123456789012:role/Lead".to_owned()];
        pending.rule = Rule { required: 1, approvers };
        let (_, body) = mail(&pending, Some("https://x.on.aws/?id=0123"));
        assert!(body.contains("This link can only REJECT"), "{body}");
        assert!(body.contains("arn:aws:iam::123456789012:role/Lead must run"), "{body}");
        assert!(!body.contains("asks you to type"), "{body}");
    }
}
