//! What to do with a stack, by its status: pure, with its tests in `decide_tests.rs`.

use crate::change::{Change, Verdict};
use crate::guard::removed;
use crate::observed::{ChangeSet, Difference, Names, Observed, Stack};
use crate::parameters::Parameters;
use shared::names::cut;
use shared::nearest::did_you_mean;
use shared::{Cx, ErrorType, Outcome, Step};

type Next = Step<Change>;

pub(crate) fn decide(p: &Parameters, o: &Observed, cx: &Cx) -> Next {
    if let Some(wrong) = wrong_values(p, o) {
        return wrong;
    }
    let Some(stack) = &o.stack else { return create(p, o, cx) };
    if let Some(end) = verdict(p, o, stack, cx) {
        return end;
    }
    match stack.status.as_str() {
        "DELETE_COMPLETE" if executed(cx).as_deref() == Some(&stack.id) => failed(p, o, stack),
        "DELETE_COMPLETE" | "REVIEW_IN_PROGRESS" => create(p, o, cx),
        "CREATE_COMPLETE"
        | "UPDATE_COMPLETE"
        | "IMPORT_COMPLETE"
        | "UPDATE_ROLLBACK_COMPLETE"
        | "IMPORT_ROLLBACK_COMPLETE" => update(p, o, stack, cx),
        "ROLLBACK_COMPLETE" | "CREATE_FAILED" => replace(p, o, stack, cx),
        busy if busy.ends_with("_IN_PROGRESS") => {
            Step::Wait(format!("stack {} is in {busy}", p.stack_name))
        }
        _ => failed(p, o, stack),
    }
}

/// Parameters that the template does not know, or lacks; a capability that it needs.
fn wrong_values(p: &Parameters, o: &Observed) -> Option<Next> {
    let declared = o.wanted.template.parameters();
    let invalid = |why: String, next: &str| {
        Some(Step::Fail(ErrorType::InvalidParameters, why, next.to_owned()))
    };
    if let Some(name) = p.parameters.keys().find(|n| !declared.contains_key(*n)) {
        let hint = did_you_mean(name, declared.keys().map(String::as_str));
        let why = format!("the template {} has no parameter \"{name}\".{hint}", o.wanted.from);
        return invalid(why, "Correct the names under Parameters.");
    }
    let present = |name: &str| updatable(o).is_some_and(|s| s.parameters.contains_key(name));
    let missing: Vec<_> = declared
        .iter()
        .filter(|(n, d)| d.default.is_none() && !p.parameters.contains_key(*n) && !present(n))
        .map(|(n, _)| n.as_str())
        .collect();
    if !missing.is_empty() {
        let why = format!("the template {} needs values of {}", o.wanted.from, missing.join(", "));
        return invalid(why, "Give them under Parameters.");
    }
    let consents = p.capabilities.as_ref().map_or(&[][..], |c| c.0.as_slice());
    if o.wanted.template.makes_iam() && !consents.iter().any(|c| c.ends_with("_IAM")) {
        let why = format!("the template {} makes IAM resources", o.wanted.from);
        return invalid(why, "Add CAPABILITY_IAM or CAPABILITY_NAMED_IAM to Capabilities.");
    }
    None
}

/// The stack whose present values an update may keep.
fn updatable(o: &Observed) -> Option<&Stack> {
    let gone = ["DELETE_COMPLETE", "REVIEW_IN_PROGRESS", "ROLLBACK_COMPLETE", "CREATE_FAILED"];
    o.stack.as_ref().filter(|s| !gone.contains(&s.status.as_str()))
}

/// The id of the stack on which this attempt has executed a change set.
pub(crate) fn executed(cx: &Cx) -> Option<String> {
    let id = cx.act("ExecuteChangeSet")?.result.get("stackId")?.as_str()?;
    Some(id.to_owned())
}

/// What an earlier look found before it deleted the change set.
fn verdict(p: &Parameters, o: &Observed, stack: &Stack, cx: &Cx) -> Option<Next> {
    let act = cx.act("DeleteChangeSet")?;
    match serde_json::from_value(act.result.clone()).ok()? {
        Verdict::NoChange => Some(protect(p, o, stack, "has no changes to make")),
        Verdict::Failed(why) => {
            let next = "Correct the template or its parameters, then start again.";
            Some(Step::Fail(ErrorType::Failed, why, next.into()))
        }
        Verdict::Refused(why) => Some(refuse_loss(why)),
        Verdict::Obsolete => None,
    }
}

fn may_lose(p: &Parameters, losses: &[String]) -> String {
    let why = format!("the update of stack {} may lose data: {}", p.stack_name, losses.join("; "));
    cut(&why, 600)
}

fn refuse_loss(why: String) -> Next {
    let next = "Nothing was changed. Take the change out of the template, or set \
                AllowStatefulReplacement after you have saved the data.";
    Step::Refuse(why, next.into())
}

/// The last operation was ours, in this attempt.
fn ours_now(o: &Observed, cx: &Cx) -> bool {
    let names = Names::new(&o.wanted, cx);
    o.last.as_ref().is_some_and(|l| names.are_ours(&l.token) && l.at >= cx.progress.since)
}

fn create(p: &Parameters, o: &Observed, cx: &Cx) -> Next {
    let name = Names::new(&o.wanted, cx).change_set(None);
    let summary = format!("creates stack {} from {}", p.stack_name, o.wanted.from);
    step_of_change_set(p, o, Change::Create { name, summary })
}

fn update(p: &Parameters, o: &Observed, stack: &Stack, cx: &Cx) -> Next {
    let rolled_back = stack.status.ends_with("ROLLBACK_COMPLETE");
    if rolled_back && ours_now(o, cx) {
        return failed(p, o, stack);
    }
    let names = Names::new(&o.wanted, cx);
    let difference = Difference::of(p, &o.wanted, stack);
    let marked = o.last.as_ref().is_some_and(|l| names.mean_this_content(&l.token));
    if marked && !rolled_back || difference.is_none() && difference.hidden.is_empty() {
        let done = if ours_now(o, cx) { "was deployed" } else { "is as wanted already" };
        return protect(p, o, stack, done);
    }
    let summary = format!("updates stack {}: {}", p.stack_name, difference.text());
    let loses = Parameters::allows(p.allow_stateful_replacement);
    let removed = stack.body.as_ref().map(|b| removed(b, &o.wanted.template.body));
    if let Some(removed) = removed.filter(|r| !r.is_empty() && !loses) {
        return refuse_loss(may_lose(p, &removed));
    }
    let declared = o.wanted.template.parameters();
    let keep = |name: &&String| !p.parameters.contains_key(*name) && declared.contains_key(*name);
    let previous = stack.parameters.keys().filter(keep).cloned().collect();
    let name = names.change_set(Some(stack));
    let change = Change::Update { name, summary: cut(&summary, 200), previous, loses };
    step_of_change_set(p, o, change)
}

/// PLAN looks no further than the first change; EXECUTE goes on with the change set it finds.
fn step_of_change_set(p: &Parameters, o: &Observed, create: Change) -> Next {
    let Some(change_set) = &o.change_set else { return Step::Change(create) };
    let (Change::Create { name, .. } | Change::Update { name, .. }) = create else {
        return Step::Change(create);
    };
    let delete = |verdict| Step::Change(Change::DeleteChangeSet { name: name.clone(), verdict });
    match (change_set.status.as_str(), change_set.execution.as_str()) {
        ("FAILED", _) if says_no_change(change_set) => delete(Verdict::NoChange),
        ("FAILED", _) => {
            let why =
                format!("the change set of stack {} failed: {}", p.stack_name, change_set.reason);
            delete(Verdict::Failed(cut(&why, 600)))
        }
        ("CREATE_COMPLETE", "AVAILABLE") => {
            let allowed = Parameters::allows(p.allow_stateful_replacement);
            if change_set.losses.is_empty() || allowed {
                let stack_id = o.stack.as_ref().map(|s| s.id.clone()).unwrap_or_default();
                let stack = p.stack_name.clone();
                return Step::Change(Change::Execute { name, stack, stack_id });
            }
            delete(Verdict::Refused(may_lose(p, &change_set.losses)))
        }
        (_, "OBSOLETE" | "EXECUTE_FAILED") => delete(Verdict::Obsolete),
        (status, execution) => {
            Step::Wait(format!("change set {name} is in {status}, execution {execution}"))
        }
    }
}

fn says_no_change(change_set: &ChangeSet) -> bool {
    ["didn't contain changes", "No updates are to be performed"]
        .iter()
        .any(|text| change_set.reason.contains(text))
}

/// A creation that failed: ours fails; an older one gives way only with consent.
fn replace(p: &Parameters, o: &Observed, stack: &Stack, cx: &Cx) -> Next {
    if ours_now(o, cx) || !Parameters::allows(p.allow_replace_failed) {
        return failed(p, o, stack);
    }
    if stack.protected {
        let why = format!("stack {} is in {} and protected", p.stack_name, stack.status);
        let next = "Switch its termination protection off, or delete the stack yourself.";
        return Step::Refuse(why, next.into());
    }
    let summary = format!(
        "deletes stack {}, whose creation failed ({}), and creates it from {}",
        p.stack_name, stack.status, o.wanted.from
    );
    let token = Names::new(&o.wanted, cx).deletion();
    Step::Change(Change::DeleteStack { stack_id: stack.id.clone(), token, summary })
}

/// The end: what is wrong with the stack, and what a person can do about it.
fn failed(p: &Parameters, o: &Observed, stack: &Stack) -> Next {
    let mut why = format!("stack {} is in {}", p.stack_name, stack.status);
    match (&o.failure, stack.reason.as_str()) {
        (Some(failure), _) => why.push_str(&format!(": {failure}")),
        (None, "") => {}
        (None, reason) => why.push_str(&format!(": {reason}")),
    }
    Step::Fail(ErrorType::Failed, cut(&why, 900), advice(p, stack, &why).to_owned())
}

fn advice(p: &Parameters, stack: &Stack, why: &str) -> &'static str {
    if why.contains("not authorized") && p.role_arn.is_none() {
        return "Give the step a RoleARN: the DR execution role itself may create no resources.";
    }
    match stack.status.as_str() {
        "ROLLBACK_COMPLETE" | "CREATE_FAILED" => {
            "Remove the cause, delete the stack or set AllowReplaceFailed, then start again."
        }
        "DELETE_FAILED" => {
            "Delete the stack yourself, keeping what cannot be deleted, then start again."
        }
        "UPDATE_ROLLBACK_FAILED" => {
            "Remove the cause, run \"aws cloudformation continue-update-rollback\", then start again."
        }
        "UPDATE_FAILED" => {
            "Run \"aws cloudformation rollback-stack\", remove the cause, then start again."
        }
        "ROLLBACK_FAILED" | "IMPORT_ROLLBACK_FAILED" => {
            "Repair or delete the stack in the console, then start again."
        }
        _ => "Remove the cause, then start again.",
    }
}

/// The stack is as wanted: the last step is its protection.
fn protect(p: &Parameters, o: &Observed, stack: &Stack, done: &str) -> Next {
    if Parameters::allows(p.enable_termination_protection) && !stack.protected {
        return Step::Change(Change::Protect { stack: p.stack_name.clone() });
    }
    let text = format!("stack {} {done} ({}, from {})", p.stack_name, stack.status, o.wanted.from);
    Step::Done(Outcome::new(text))
}

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;
