//! The page: HTML made on the server, no script, nothing loaded from elsewhere. Pure.

use crate::choice::{self, word};
use crate::form::Form;
use crate::html::{errors, escape, facts, form as form_html, plan, recorded, run};
use serde_json::{Value, json};
use shared::pending::{Kind, Pending};

const STYLE: &str = include_str!("page.css");

/// A status and a whole document.
#[derive(Debug)]
pub struct Page {
    /// HTTP status.
    pub status: u16,
    html: String,
}

impl Page {
    fn new(status: u16, title: &str, body: &str) -> Self {
        let title = escape(title);
        let html = format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"robots\" content=\"noindex\">\n<title>{title} - DR Orchestrator</title>\n\
             <style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n{body}</main>\n\
             </body>\n</html>\n"
        );
        Self { status, html }
    }

    /// For the function URL.
    pub fn response(&self, head: bool) -> Value {
        let mut headers = json!({
            "content-type": "text/html; charset=utf-8",
            "cache-control": "no-store",
            "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; \
                form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
            "referrer-policy": "no-referrer",
            "strict-transport-security": "max-age=31536000",
            "x-content-type-options": "nosniff",
            "x-frame-options": "DENY",
            "x-robots-tag": "noindex",
        });
        if self.status == 405 {
            headers["allow"] = json!("GET, HEAD, POST");
        }
        let body = if head { "" } else { self.html.as_str() };
        json!({
            "statusCode": self.status,
            "headers": headers,
            "body": body,
            "isBase64Encoded": false,
        })
    }
}

/// The plan and the form; with problems when the form came back incomplete.
pub fn ask(pending: &Pending, id: &str, form: &Form, problems: &[String]) -> Page {
    let title = choice::question(pending);
    let body = format!(
        "{}{}{}{}",
        errors(problems),
        facts(&pending.card.facts),
        plan(&pending.card, pending.kind),
        form_html(id, pending, form, !problems.is_empty())
    );
    Page::new(if problems.is_empty() { 200 } else { 400 }, &title, &body)
}

/// The answer has arrived.
pub fn thanks(pending: &Pending) -> Page {
    let done = pending.answer.as_ref().map_or("answered", |a| word(a.decision));
    let title = match pending.kind {
        Kind::Approval => format!("You {done} {}", pending.card.title),
        Kind::Hold => format!("Your decision: {done}"),
    };
    let doubt = match pending.delivered {
        Some(true) => "",
        _ => {
            "<p>The connection broke while it was sent; the execution does not wait any more.</p>\n"
        }
    };
    let body = format!(
        "{}{}{doubt}<p>The link is used up. You can close this page; a mail tells what comes next.</p>\n",
        recorded(pending),
        run(pending)
    );
    Page::new(200, &title, &body)
}

/// Somebody has answered before.
pub fn answered(pending: &Pending, id: &str) -> Page {
    if pending.delivered == Some(false) {
        return closed(pending);
    }
    let resend = if pending.delivered.is_none() { resend(id) } else { String::new() };
    let body = format!(
        "<p>This link was used before. Nothing was changed now.</p>\n{}{}{resend}",
        recorded(pending),
        run(pending)
    );
    Page::new(409, "Already answered", &body)
}

/// The recorded answer may not have arrived.
fn resend(id: &str) -> String {
    format!(
        "<p>It is not certain that this answer has reached the execution. Sending it again does \
         no harm.</p>\n<form method=\"post\" action=\"?id={}\">\n\
         <button class=\"plain\" name=\"decision\" value=\"RESEND\">Send this answer again</button>\n\
         </form>\n",
        escape(id)
    )
}

/// The time is over.
pub fn expired(pending: &Pending) -> Page {
    let body = format!(
        "<p>The request could be answered until {}. {}</p>\n{}",
        escape(&pending.expires_at),
        choice::after_the_end(pending.kind),
        run(pending)
    );
    Page::new(410, "This request has expired", &body)
}

/// There is an answer, and nobody waits any more.
pub fn over(pending: &Pending) -> Page {
    let body = format!(
        "<p>This answer was recorded, and the execution does not wait for one any more. Either it \
         has this answer, or the request had expired or the run was stopped before; the report \
         tells. Nothing was changed now.</p>\n{}{}",
        recorded(pending),
        run(pending)
    );
    Page::new(409, "Already answered", &body)
}

/// Nobody waited for the answer.
pub fn closed(pending: &Pending) -> Page {
    let body = format!(
        "<p>The execution does not wait for an answer any more: the request has expired, the run \
         was stopped, or the question was asked anew in a newer mail. No answer to this one counts \
         any more.</p>\n{}",
        run(pending)
    );
    Page::new(410, "This request is no longer open", &body)
}

/// The id cannot be one of ours.
pub fn bad_link() -> Page {
    let text = "<p>The link is incomplete or was changed on its way. Copy the whole link from the \
                mail; some mail programs break it into two lines.</p>\n";
    Page::new(400, "This link is not complete", text)
}

/// No such id.
pub fn unknown() -> Page {
    let text = "<p>There is no request with this link. Use the link of the newest mail.</p>\n";
    Page::new(404, "Unknown request", text)
}

/// PUT, DELETE and the like.
pub fn method_not_allowed() -> Page {
    Page::new(405, "This page can only be opened", "<p>Open the link of the mail.</p>\n")
}

/// One of the services that the page needs did not answer.
pub fn try_again() -> Page {
    let text = "<p>A service that this page needs did not answer. Go back and send the form again \
                in a few seconds; an answer counts once, however often it is sent.</p>\n";
    Page::new(503, "Please try again", text)
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use shared::consent::Rule;
    use shared::pending::{Answer, Card, Decision, Fact, Group, Item};

    const EVIL: &str = "<script>alert(\"1\")</script>'&";

    fn item(mark: &str) -> Item {
        Item { mark: mark.into(), name: EVIL.into(), text: EVIL.into() }
    }

    pub fn pending() -> Pending {
        let evil = |label: &str| Fact { label: label.into(), value: EVIL.into() };
        Pending {
            kind: Kind::Approval,
            position: None,
            task_token: "SECRET-TOKEN".into(),
            execution: "arn:aws:states:us-west-2:123456789012:execution:m:run-1".into(),
            execution_name: EVIL.into(),
            product: EVIL.into(),
            action: "ACTIVATE".into(),
            region: "us-west-2".into(),
            folder: "f/".into(),
            digest: "d".into(),
            created_at: "2026-01-01T00:00:00Z".into(),
            expires_at: "2026-01-01T01:00:00Z".into(),
            rule: Rule::default(),
            approvals: vec![],
            answer: None,
            delivered: None,
            closed_at: None,
            card: Card {
                title: "ACTIVATE of shop in us-west-2".into(),
                facts: vec![evil("Product"), evil("")],
                warnings: vec![EVIL.into()],
                alarms: vec![item("destructive")],
                groups: vec![Group { title: EVIL.into(), items: vec![item("create")] }],
                manifests: vec![evil(EVIL)],
            },
        }
    }

    /// The same as a hold that has planned again.
    fn hold() -> Pending {
        Pending { kind: Kind::Hold, position: Some("app1-0-2".into()), ..pending() }
    }

    fn answered_by(name: &str, delivered: Option<bool>) -> Pending {
        let answer = Answer {
            decision: Decision::Approved,
            approver: name.into(),
            reason: EVIL.into(),
            at: "2026-01-01T00:10:00Z".into(),
            via: "link".into(),
        };
        Pending { answer: Some(answer), delivered, ..pending() }
    }

    fn every_page() -> Vec<(u16, Page)> {
        let form = Form::new(b"approver=%3Cb%3E&reason=%22%3E");
        let id = "0a".repeat(32);
        vec![
            (200, ask(&pending(), &id, &Form::default(), &[])),
            (400, ask(&pending(), &id, &form, &["Press Approve or Reject.".into()])),
            (200, ask(&hold(), &id, &Form::default(), &[])),
            (400, ask(&hold(), &id, &form, &["Press Retry.".into()])),
            (410, expired(&hold())),
            (200, thanks(&answered_by(EVIL, Some(true)))),
            (409, answered(&answered_by(EVIL, Some(true)), &id)),
            (409, answered(&answered_by(EVIL, None), &id)),
            (410, answered(&answered_by(EVIL, Some(false)), &id)),
            (409, over(&answered_by(EVIL, None))),
            (410, expired(&pending())),
            (410, closed(&pending())),
            (400, bad_link()),
            (404, unknown()),
            (405, method_not_allowed()),
            (503, try_again()),
        ]
    }

    #[test]
    fn every_page_is_escaped_quiet_about_secrets_and_has_its_status() {
        for (status, page) in every_page() {
            assert_eq!(page.status, status);
            for wrong in ["<script", "SECRET", "<b>", "value=\"\">\""] {
                assert!(!page.html.contains(wrong), "{wrong} in {}", page.html);
            }
            assert!(page.html.starts_with("<!DOCTYPE html>\n<html lang=\"en\">"));
            assert_eq!(page.html.matches("<h1>").count(), 1);
        }
    }

    #[test]
    fn every_page_has_the_headers_that_keep_it_safe() {
        for (_, page) in every_page() {
            let response = page.response(false);
            let headers = &response["headers"];
            let policy = headers["content-security-policy"].as_str().unwrap();
            assert!(
                policy.starts_with(
                    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'"
                )
            );
            assert_eq!(headers["cache-control"], "no-store");
            assert_eq!(headers["x-frame-options"], "DENY");
            assert_eq!(headers["referrer-policy"], "no-referrer");
        }
    }

    #[test]
    fn head_has_no_body() {
        assert_eq!(bad_link().response(true)["body"], "");
        assert_ne!(bad_link().response(false)["body"], "");
    }

    #[test]
    fn the_form_has_labels_and_keeps_what_was_typed() {
        let form = Form::new(b"approver=Ann&reason=");
        let html =
            ask(&pending(), &"0a".repeat(32), &form, &["The reason is missing.".into()]).html;
        for wanted in [
            "<label for=\"approver\">",
            "<label for=\"reason\">",
            "value=\"Ann\"",
            "method=\"post\"",
            "role=\"alert\"",
            "aria-invalid=\"true\"",
            "proves nobody's identity",
        ] {
            assert!(html.contains(wanted), "{wanted}");
        }
        assert_eq!(html.matches("aria-invalid=").count(), 1);
    }

    #[test]
    fn a_hold_tells_what_each_button_does() {
        let html = ask(&hold(), &"0a".repeat(32), &Form::default(), &[]).html;
        for value in ["RETRY", "SKIP", "ABORT", "ABORT_RUN"] {
            assert!(html.contains(&format!("value=\"{value}\"")), "{value}");
        }
        assert!(html.contains("What Retry will do") && html.contains("/app1-0-2"));
        assert!(!html.contains("APPROVE"), "{html}");
    }

    #[test]
    fn only_an_uncertain_answer_can_be_sent_again() {
        let id = "0a".repeat(32);
        assert!(answered(&answered_by("Ann", None), &id).html.contains("RESEND"));
        assert!(!answered(&answered_by("Ann", Some(true)), &id).html.contains("RESEND"));
    }
}
