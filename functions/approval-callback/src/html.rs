//! Fragments of the page. Every text that comes from elsewhere is escaped here. Pure.

use crate::choice::{self, word};
use crate::consent;
use crate::form::{Form, NAME, REASON};
use shared::pending::{Card, Fact, Group, Item, Kind, Pending};

/// The Enter key presses the first button of a form, and nothing where that one is disabled: nobody
/// shall approve by leaving a field.
const NO_ENTER: &str = "<button disabled hidden></button>\n";

/// What is wrong with the typed.
pub fn errors(problems: &[String]) -> String {
    if problems.is_empty() {
        return String::new();
    }
    let items: String = problems.iter().map(|p| format!("<li>{}</li>\n", escape(p))).collect();
    format!(
        "<div class=\"errors\" role=\"alert\">\n<h2>Nothing was sent</h2>\n<ul>\n{items}</ul>\n\
         <p><a href=\"#answer\">Correct it in the form</a></p>\n</div>\n"
    )
}

/// Labels and values.
pub fn facts(facts: &[Fact]) -> String {
    let rows: String = facts
        .iter()
        .map(|f| match f.label.as_str() {
            "" => format!("<dd>{}</dd>\n", escape(&f.value)),
            label => format!("<dt>{}</dt>\n<dd>{}</dd>\n", escape(label), escape(&f.value)),
        })
        .collect();
    format!("<dl>\n{rows}</dl>\n")
}

fn groups(card: &Card, kind: Kind) -> String {
    if card.groups.is_empty() {
        return String::new();
    }
    let (class, title) = match kind {
        Kind::Approval => ("", "What will happen, in this order"),
        Kind::Hold if card.alarms.is_empty() => ("", "What Retry will do"),
        Kind::Hold => (" class=\"alarms\"", "What Retry will do: destroys or may lose data"),
    };
    let group = |g: &Group| format!("<h3>{}</h3>\n{}", escape(&g.title), list(&g.items));
    let all: String = card.groups.iter().map(group).collect();
    format!("<section{class}>\n<h2>{title}</h2>\n{all}</section>\n")
}

/// The whole plan.
pub fn plan(card: &Card, kind: Kind) -> String {
    let mut out = String::new();
    if !card.warnings.is_empty() {
        let items = card.warnings.iter().map(|w| format!("<li>{}</li>\n", escape(w)));
        let items: String = items.collect();
        out.push_str(&format!("<section>\n<h2>Warnings</h2>\n<ul>\n{items}</ul>\n</section>\n"));
    }
    // The plan of a hold is one step: it is not shown twice.
    if !card.alarms.is_empty() && kind == Kind::Approval {
        out.push_str("<section class=\"alarms\">\n<h2>Destroys or may lose data</h2>\n");
        out.push_str(&list(&card.alarms));
        out.push_str("</section>\n");
    }
    out.push_str(&groups(card, kind));
    if !card.manifests.is_empty() {
        out.push_str("<details>\n<summary>Manifests and their SHA-256</summary>\n");
        out.push_str(&facts(&card.manifests));
        out.push_str("</details>\n");
    }
    out
}

/// A mark is a word, never a colour alone.
fn list(items: &[Item]) -> String {
    let rows: String = items
        .iter()
        .map(|i| {
            let class = if i.is_alarm() { " class=\"alarm\"" } else { "" };
            format!(
                "<li{class}><span class=\"mark\">{}</span> <strong>{}</strong><br>{}</li>\n",
                escape(&i.mark),
                escape(&i.name),
                escape(&i.text)
            )
        })
        .collect();
    format!("<ul class=\"plan\">\n{rows}</ul>\n")
}

/// The form, with what was typed.
pub fn form(id: &str, pending: &Pending, typed: &Form, invalid: bool) -> String {
    let flag = |wrong: bool| if invalid && wrong { " aria-invalid=\"true\"" } else { "" };
    format!(
        "<section id=\"answer\">\n<h2>{title}</h2>\n{end}{meanings}{first}\
         <form method=\"post\" action=\"?id={id}\">\n{NO_ENTER}\
         <label for=\"approver\">Your name</label>\n\
         <input id=\"approver\" name=\"approver\" value=\"{name}\" maxlength=\"{NAME}\" required \
         autocomplete=\"name\"{name_flag}>\n\
         <label for=\"reason\">Reason</label>\n\
         <textarea id=\"reason\" name=\"reason\" rows=\"3\" maxlength=\"{REASON}\" required\
         {reason_flag}>{reason}</textarea>\n{confirmation}\
         <p class=\"note\">Whoever holds this link can answer; it proves nobody's identity. Name and \
         reason are recorded as typed and shown in the report.</p>\n\
         <div class=\"buttons\">\n{buttons}</div>\n</form>\n{last}</section>\n",
        id = escape(id),
        title = choice::form_title(pending.kind),
        end = choice::without_an_answer(pending),
        meanings = choice::meanings(pending),
        first = consent::only_by_identity(pending),
        confirmation = consent::confirmation(pending, typed, invalid),
        buttons = choice::buttons(pending),
        last = consent::other_way(pending),
        name = escape(&typed.approver),
        reason = escape(&typed.reason),
        name_flag = flag(typed.approver.is_empty() || typed.approver.chars().count() > NAME),
        reason_flag = flag(typed.reason.is_empty() || typed.reason.chars().count() > REASON),
    )
}

/// The answer that was recorded.
pub fn recorded(pending: &Pending) -> String {
    let Some(answer) = &pending.answer else { return String::new() };
    let fact = |label: &str, value: &str| Fact { label: label.into(), value: value.into() };
    facts(&[
        fact("Answer", word(answer.decision)),
        fact(
            if answer.via == "iam" { "By IAM identity" } else { "By (as typed)" },
            &answer.approver,
        ),
        fact("Reason", &answer.reason),
        fact("At", &answer.at),
    ])
}

/// Which run it is about.
pub fn run(pending: &Pending) -> String {
    format!(
        "<p class=\"note\">{} of {} in {}, execution {}</p>\n",
        escape(&pending.action),
        escape(&pending.product),
        escape(&pending.region),
        escape(&pending.execution_name)
    )
}

/// Text for HTML, in elements and in quoted attributes.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}
