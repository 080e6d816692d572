//! The words of the page for each decision. Pure.

use crate::html::escape;
use shared::pending::{Decision, Kind, Pending};

/// On its button.
pub const fn label(decision: Decision) -> &'static str {
    match decision {
        Decision::Approved => "Approve",
        Decision::Rejected => "Reject",
        Decision::Retry => "Retry",
        Decision::Skip => "Skip",
        Decision::Abort => "Abort this",
        Decision::AbortRun => "Abort the run",
    }
}

/// As an answer that was given.
pub const fn word(decision: Decision) -> &'static str {
    match decision {
        Decision::Approved => "approved",
        Decision::Rejected => "rejected",
        Decision::Retry => "retry",
        Decision::Skip => "skip",
        Decision::Abort => "abort this resource",
        Decision::AbortRun => "abort the run",
    }
}

const fn class(decision: Decision) -> &'static str {
    match decision {
        Decision::Approved | Decision::Retry => "approve",
        Decision::Skip => "plain",
        Decision::Rejected | Decision::Abort | Decision::AbortRun => "reject",
    }
}

/// What a button of a hold does.
const fn meaning(decision: Decision, planned: bool) -> &'static str {
    match decision {
        Decision::Retry if planned => {
            "Does what the plan above shows, for this resource alone: it approves that change."
        }
        Decision::Retry => {
            "Reads the manifest again and plans this resource again. Begins at once when the \
             manifest says the same and the change only creates or modifies; else you are asked \
             first, with the new plan."
        }
        Decision::Skip => {
            "Goes on as if this resource were done. Later layers run, even if they need it. The \
             report and the next plan show that it was skipped."
        }
        Decision::Abort => {
            "Lets this resource fail. The others of its layer come to their end, later layers do \
             not begin."
        }
        _ => {
            "Ends the whole run: nothing begins any more, other open questions are closed. What is \
             at work makes no further change that destroys, may lose data or moves traffic; what \
             AWS has begun goes on."
        }
    }
}

/// The heading of the page that asks.
pub fn question(pending: &Pending) -> String {
    match pending.kind {
        Kind::Approval => format!("Approve {}?", pending.card.title),
        Kind::Hold => pending.card.title.clone(),
    }
}

/// The heading of the form.
pub const fn form_title(kind: Kind) -> &'static str {
    match kind {
        Kind::Approval => "Your answer",
        Kind::Hold => "Your decision",
    }
}

/// Whether a link may make this choice.
fn by_link(decision: Decision, pending: &Pending) -> bool {
    !decision.goes_on() || !pending.rule.needs_identity()
}

/// A button for each choice that a link may make.
pub fn buttons(pending: &Pending) -> String {
    let may = pending.choices().iter().filter(|decision| by_link(**decision, pending));
    let buttons = may.map(|decision| match pending.kind {
        Kind::Approval => button(*decision, ""),
        Kind::Hold => explained(*decision, pending),
    });
    buttons.collect()
}

fn button(decision: Decision, attributes: &str) -> String {
    format!(
        "<button class=\"{}\" name=\"decision\" value=\"{}\"{attributes}>{}</button>\n",
        class(decision),
        decision.as_str(),
        label(decision)
    )
}

/// A button of a hold beside what it does. What ends the whole run stands apart.
fn explained(decision: Decision, pending: &Pending) -> String {
    let id = format!("does-{}", decision.as_str());
    let apart = if decision == Decision::AbortRun { " apart" } else { "" };
    format!(
        "<div class=\"choice{apart}\">\n{}<p id=\"{id}\">{}</p>\n</div>\n",
        button(decision, &format!(" aria-describedby=\"{id}\"")),
        escape(meaning(decision, !pending.card.groups.is_empty()))
    )
}

/// What those choices of a hold do that have no button.
pub fn meanings(pending: &Pending) -> String {
    if pending.kind == Kind::Approval || !pending.rule.needs_identity() {
        return String::new();
    }
    let others = pending.choices().iter().filter(|decision| !by_link(**decision, pending));
    let rows = others.map(|decision| {
        let meaning = escape(meaning(*decision, !pending.card.groups.is_empty()));
        format!("<dt>{}</dt>\n<dd>{meaning}</dd>\n", label(*decision))
    });
    format!("<dl>\n{}</dl>\n", rows.collect::<String>())
}

/// What happens when nobody answers a hold.
pub fn without_an_answer(pending: &Pending) -> String {
    match pending.kind {
        Kind::Approval => String::new(),
        Kind::Hold => format!(
            "<p>If nobody decides until {}, the resource fails, as with Abort this.</p>\n",
            escape(&pending.expires_at)
        ),
    }
}

/// The choices in one sentence: `Press Approve or Reject.`
pub const fn press(kind: Kind) -> &'static str {
    match kind {
        Kind::Approval => "Press Approve or Reject.",
        Kind::Hold => "Press Retry, Skip, Abort this or Abort the run.",
    }
}

/// What became of a request whose time is over.
pub const fn after_the_end(kind: Kind) -> &'static str {
    match kind {
        Kind::Approval => {
            "The run has ended without an answer and has changed nothing. It can be started again, \
             which makes a new request."
        }
        Kind::Hold => {
            "Nobody decided: the resource has failed, and the later layers of its application do \
             not begin. Starting the product again resumes."
        }
    }
}
