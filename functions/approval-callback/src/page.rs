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
#[path = "page_tests.rs"]
pub mod tests;
