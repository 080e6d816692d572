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
fn meaning(decision: Decision, pending: &Pending) -> &'static str {
    match decision {
        Decision::Retry if pending.card.groups.is_empty() => {
            "reads the application manifest again and plans this resource once more. When the \
             manifest says the same as before and the change only creates or modifies, the new \
             attempt begins at once; else you are asked again, with the new plan."
        }
        Decision::Retry => {
            "does what the plan above shows, for this resource alone: it approves that change."
        }
        Decision::Skip => {
            "goes on as if this resource were done. Later layers run, also when they need it. The \
             report and the next plan show that it was skipped."
        }
        Decision::Abort => {
            "lets this resource fail. The others of its layer come to their end, later layers do \
             not begin."
        }
        _ => {
            "nothing begins any more in any application of this run, other open questions are \
             closed, and what is at work makes no further change that destroys, may lose data or \
             moves traffic. What AWS has begun goes on."
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

/// A button for each choice that a link may make.
pub fn buttons(pending: &Pending) -> String {
    let may = |d: &&Decision| !d.goes_on() || !pending.rule.needs_identity();
    let buttons = pending.choices().iter().filter(may).map(|decision| {
        format!(
            "<button class=\"{}\" name=\"decision\" value=\"{}\">{}</button>\n",
            class(*decision),
            decision.as_str(),
            label(*decision)
        )
    });
    buttons.collect()
}

/// What each choice of a hold does; the two of an approval need no words.
pub fn meanings(pending: &Pending) -> String {
    if pending.kind == Kind::Approval {
        return String::new();
    }
    let rows = pending.choices().iter().map(|decision| {
        let meaning = escape(meaning(*decision, pending));
        format!("<dt>{}</dt>\n<dd>{meaning}</dd>\n", label(*decision))
    });
    format!("<dl>\n{}</dl>\n", rows.collect::<String>())
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
