//! The status table and the guards.

use super::*;
use crate::observed::LastOperation;
use crate::tests::{observed, parameters, stack, wanted_of};
use serde_json::{Value, json};
use shared::progress::{Act, sample_cx};
use shared::{ChangeClass, Classified, Phase};

fn cx() -> Cx {
    sample_cx(Phase::Instantiate)
}

/// Wants Size 3 where the stack has 2.
fn differs() -> Parameters {
    parameters(json!({"Parameters": {"Size": 3}}))
}

fn with(p: &Parameters, status: &str) -> Observed {
    observed(p, Some(stack(status)))
}

/// The stack's last operation was of this run, `seconds` after the attempt began.
fn by_us(mut o: Observed, seconds: i64) -> Observed {
    let token = Names::new(&o.wanted, &cx()).change_set(None);
    o.last = Some(LastOperation { token, at: cx().progress.since + seconds });
    o
}

fn change_set(mut o: Observed, status: &str, execution: &str, reason: &str) -> Observed {
    let (status, execution, reason) = (status.into(), execution.into(), reason.into());
    o.change_set = Some(ChangeSet { status, execution, reason, losses: vec![] });
    o
}

/// `done`, `wait`, `refuse`, the error type or the name of the change; and its text.
fn verdict_in(p: &Parameters, o: &Observed, cx: &Cx) -> (String, String) {
    match decide(p, o, cx) {
        Step::Done(outcome) => ("done".into(), outcome.summary),
        Step::Wait(why) => ("wait".into(), why),
        Step::Change(change) => (change.name().into(), change.summary()),
        Step::Fail(error_type, why, next) => (error_type.as_str().into(), format!("{why}|{next}")),
        Step::Refuse(why, _) => ("refuse".into(), why),
        Step::Unknown(_, why) => ("unknown".into(), why),
    }
}

fn verdict_of(p: &Parameters, o: &Observed) -> (String, String) {
    verdict_in(p, o, &cx())
}

#[test]
fn every_status_of_a_stack_that_differs_has_its_answer() {
    let p = differs();
    let cases = [
        ("REVIEW_IN_PROGRESS", "CreateChangeSet"),
        ("CREATE_IN_PROGRESS", "wait"),
        ("UPDATE_IN_PROGRESS", "wait"),
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "wait"),
        ("ROLLBACK_IN_PROGRESS", "wait"),
        ("UPDATE_ROLLBACK_IN_PROGRESS", "wait"),
        ("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", "wait"),
        ("DELETE_IN_PROGRESS", "wait"),
        ("IMPORT_IN_PROGRESS", "wait"),
        ("IMPORT_ROLLBACK_IN_PROGRESS", "wait"),
        ("DELETE_COMPLETE", "CreateChangeSet"),
        ("CREATE_COMPLETE", "CreateChangeSet"),
        ("UPDATE_COMPLETE", "CreateChangeSet"),
        ("IMPORT_COMPLETE", "CreateChangeSet"),
        ("UPDATE_ROLLBACK_COMPLETE", "CreateChangeSet"),
        ("IMPORT_ROLLBACK_COMPLETE", "CreateChangeSet"),
        ("ROLLBACK_COMPLETE", "Dr.Failed"),
        ("CREATE_FAILED", "Dr.Failed"),
        ("UPDATE_ROLLBACK_FAILED", "Dr.Failed"),
        ("ROLLBACK_FAILED", "Dr.Failed"),
        ("DELETE_FAILED", "Dr.Failed"),
        ("IMPORT_ROLLBACK_FAILED", "Dr.Failed"),
        ("UPDATE_FAILED", "Dr.Failed"),
        ("A_STATUS_OF_TOMORROW", "Dr.Failed"),
    ];
    for (status, wanted) in cases {
        assert_eq!(verdict_of(&p, &with(&p, status)).0, wanted, "{status}");
    }
    let (name, text) = verdict_of(&p, &observed(&p, None));
    assert_eq!(
        (name.as_str(), text.as_str()),
        ("CreateChangeSet", "creates stack shop from s3://b/t.yaml",)
    );
}

#[test]
fn a_stack_as_wanted_is_left_alone() {
    let p = parameters(json!({"Parameters": {"Size": 2}}));
    for status in ["CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"] {
        let (name, text) = verdict_of(&p, &with(&p, status));
        assert_eq!(name, "done", "{status}");
        assert!(text.contains("already"), "{text}");
    }
}

#[test]
fn an_update_names_its_changes() {
    let p = differs();
    let (_, text) = verdict_of(&p, &with(&p, "CREATE_COMPLETE"));
    assert_eq!(text, "updates stack shop: parameters change: Size");
}

#[test]
fn what_an_update_leaves_out_keeps_its_value() {
    let p = differs();
    let Step::Change(Change::Update { previous, .. }) =
        decide(&p, &with(&p, "CREATE_COMPLETE"), &cx())
    else {
        panic!("an update");
    };
    assert_eq!(previous, ["Nets", "Secret"]);
}

#[test]
fn our_token_is_the_proof_where_values_are_hidden() {
    let p = parameters(json!({"Parameters": {"Secret": "new"}}));
    let o = with(&p, "UPDATE_COMPLETE");
    assert_eq!(verdict_of(&p, &o).0, "CreateChangeSet");
    assert_eq!(verdict_of(&p, &by_us(o, -9999)).0, "done");
}

#[test]
fn a_rollback_of_ours_fails_with_the_resources_reason_and_never_counts_as_success() {
    let failure = || Some("Table (AWS::DynamoDB::Table) UPDATE_FAILED: no quota".to_owned());
    let p = parameters(json!({
        "Parameters": {"Size": 3}, "AllowReplaceFailed": true,
    }));
    for status in ["UPDATE_ROLLBACK_COMPLETE", "ROLLBACK_COMPLETE", "CREATE_FAILED"] {
        let mut o = by_us(with(&p, status), 50);
        o.failure = failure();
        let (name, text) = verdict_of(&p, &o);
        assert_eq!(name, "Dr.Failed", "{status}");
        assert!(text.contains("Table (AWS::DynamoDB::Table) UPDATE_FAILED: no quota"), "{text}");
    }
    let mut silent = by_us(with(&p, "UPDATE_ROLLBACK_COMPLETE"), 50);
    silent.stack.as_mut().unwrap().reason = "Access denied for the operation".into();
    let (name, text) = verdict_of(&p, &silent);
    assert_eq!(name, "Dr.Failed", "without an event the stack's own reason counts");
    let why = "stack shop is in UPDATE_ROLLBACK_COMPLETE: Access denied for the operation|Remove";
    assert!(text.starts_with(why), "{text}");
    // The operator removed the cause and started again: the old rollback is history.
    let o = by_us(with(&p, "UPDATE_ROLLBACK_COMPLETE"), -50);
    assert_eq!(verdict_of(&p, &o).0, "CreateChangeSet");
}

#[test]
fn a_failed_creation_gives_way_only_with_consent_and_without_protection() {
    let consent = |given: bool| parameters(json!({"AllowReplaceFailed": given}));
    for status in ["ROLLBACK_COMPLETE", "CREATE_FAILED"] {
        let (name, text) = verdict_of(&consent(false), &with(&consent(false), status));
        assert_eq!(name, "Dr.Failed");
        assert!(text.contains("AllowReplaceFailed"), "{text}");
        let p = consent(true);
        let Step::Change(change) = decide(&p, &with(&p, status), &cx()) else {
            panic!("a deletion");
        };
        assert_eq!((change.name(), change.class()), ("DeleteStack", ChangeClass::Destructive));
        let mut o = with(&p, status);
        if let Some(stack) = &mut o.stack {
            stack.protected = true;
        }
        assert_eq!(verdict_of(&p, &o).0, "refuse");
    }
}

#[test]
fn change_sets_are_waited_for_carried_out_or_taken_away() {
    let none = "The submitted information didn't contain changes.";
    let cases = [
        ("CREATE_PENDING", "UNAVAILABLE", "", "wait", ""),
        ("CREATE_IN_PROGRESS", "UNAVAILABLE", "", "wait", ""),
        ("CREATE_COMPLETE", "UNAVAILABLE", "", "wait", ""),
        ("CREATE_COMPLETE", "AVAILABLE", "", "ExecuteChangeSet", "carries out"),
        ("CREATE_COMPLETE", "EXECUTE_IN_PROGRESS", "", "wait", ""),
        ("CREATE_COMPLETE", "EXECUTE_COMPLETE", "", "wait", ""),
        ("CREATE_COMPLETE", "EXECUTE_FAILED", "", "DeleteChangeSet", "obsolete"),
        ("CREATE_COMPLETE", "OBSOLETE", "", "DeleteChangeSet", "obsolete"),
        ("DELETE_IN_PROGRESS", "UNAVAILABLE", "", "wait", ""),
        ("FAILED", "UNAVAILABLE", none, "DeleteChangeSet", "no changes"),
        (
            "FAILED",
            "UNAVAILABLE",
            "No updates are to be performed.",
            "DeleteChangeSet",
            "no changes",
        ),
        ("FAILED", "UNAVAILABLE", "Parameter X is wrong", "DeleteChangeSet", "it failed"),
    ];
    let p = differs();
    for (status, execution, reason, wanted, text) in cases {
        for stack_status in ["REVIEW_IN_PROGRESS", "UPDATE_COMPLETE"] {
            let o = change_set(with(&p, stack_status), status, execution, reason);
            let got = verdict_of(&p, &o);
            assert_eq!(got.0, wanted, "{status} {execution} {reason}");
            assert!(got.1.contains(text), "{}", got.1);
        }
    }
}

#[test]
fn a_change_set_that_may_lose_data_is_taken_away_unless_that_is_allowed() {
    let p = differs();
    let mut o = change_set(with(&p, "UPDATE_COMPLETE"), "CREATE_COMPLETE", "AVAILABLE", "");
    if let Some(found) = &mut o.change_set {
        found.losses = vec!["Db (AWS::RDS::DBInstance) is replaced".into()];
    }
    let Step::Change(Change::DeleteChangeSet { verdict: Verdict::Refused(why), .. }) =
        decide(&p, &o, &cx())
    else {
        panic!("the change set is taken away");
    };
    assert!(why.contains("Db (AWS::RDS::DBInstance) is replaced"), "{why}");
    assert!(verdict_of(&p, &o).1.ends_with("it may lose data"), "{}", verdict_of(&p, &o).1);
    let allowed = parameters(json!({
        "Parameters": {"Size": 3}, "AllowStatefulReplacement": "True",
    }));
    assert_eq!(verdict_of(&allowed, &o).0, "ExecuteChangeSet");
    let Step::Change(plan) = decide(&allowed, &with(&allowed, "UPDATE_COMPLETE"), &cx()) else {
        panic!("an update");
    };
    assert_eq!(plan.class(), ChangeClass::Destructive);
}

#[test]
fn what_the_template_takes_out_is_refused_in_the_plan() {
    let p = differs();
    let mut o = with(&p, "UPDATE_COMPLETE");
    o.wanted = wanted_of("Parameters: {Size: {Type: String}}\nResources: {X: {Type: T}}", &p);
    let (name, text) = verdict_of(&p, &o);
    assert_eq!(name, "refuse");
    assert!(text.contains("Table (AWS::DynamoDB::Table) is removed"), "{text}");
}

#[test]
fn why_a_change_set_was_taken_away_is_remembered() {
    let p = differs();
    let cases = [
        (json!("NoChange"), "done", "has no changes to make"),
        (json!({"Failed": "Parameter X is wrong"}), "Dr.Failed", "Parameter X is wrong"),
        (json!({"Refused": "Db is replaced"}), "refuse", "Db is replaced"),
        (json!("Obsolete"), "CreateChangeSet", "updates"),
        (Value::Null, "CreateChangeSet", "updates"),
    ];
    for (result, wanted, text) in cases {
        let mut cx = cx();
        let act = Act { at: cx.now, certain: true, result: result.clone() };
        cx.progress.acts.insert("DeleteChangeSet".into(), act);
        let got = verdict_in(&p, &with(&p, "UPDATE_COMPLETE"), &cx);
        assert_eq!(got.0, wanted, "{result}");
        assert!(got.1.contains(text), "{}", got.1);
    }
}

#[test]
fn a_verdict_survives_the_round_trip_and_is_small() {
    for verdict in [Verdict::NoChange, Verdict::Failed("x".repeat(600)), Verdict::Obsolete] {
        let value = serde_json::to_value(&verdict).unwrap();
        assert!(value.to_string().len() < 1024);
        assert_eq!(serde_json::from_value::<Verdict>(value).unwrap(), verdict);
    }
}

#[test]
fn a_creation_that_deleted_its_stack_is_not_tried_for_ever() {
    let p = differs();
    let mut o = with(&p, "DELETE_COMPLETE");
    o.failure = Some("Table (AWS::DynamoDB::Table) CREATE_FAILED: no quota".into());
    let mut cx = cx();
    let act = Act { at: cx.now, certain: true, result: json!({"stackId": "arn:stack"}) };
    cx.progress.acts.insert("ExecuteChangeSet".into(), act);
    let (name, text) = verdict_in(&p, &o, &cx);
    assert_eq!(name, "Dr.Failed");
    assert!(text.contains("no quota"), "{text}");
}

#[test]
fn protection_is_the_last_step_and_is_never_taken_away() {
    let cases = [(json!(true), false, "UpdateTerminationProtection"), (json!(true), true, "done")];
    let rest = [(json!(false), true, "done"), (json!(false), false, "done")];
    for (given, protected, wanted) in cases.into_iter().chain(rest) {
        let p = parameters(json!({"EnableTerminationProtection": given}));
        let mut o = with(&p, "CREATE_COMPLETE");
        if let Some(stack) = &mut o.stack {
            stack.protected = protected;
        }
        assert_eq!(verdict_of(&p, &o).0, wanted, "{given} {protected}");
    }
}

#[test]
fn wrong_parameters_are_found_before_anything_is_made() {
    let iam = "Parameters: {Size: {Type: Number}}\nResources: {R: {Type: AWS::IAM::Role}}\n";
    let cases = [
        (json!({"Parameters": {"Siez": 1, "Size": 1}}), "no parameter \"Siez\". Did you mean"),
        (json!({}), "needs values of Size"),
        (json!({"Parameters": {"Size": 1}}), "makes IAM resources"),
    ];
    for (given, text) in cases {
        let p = parameters(given);
        let mut o = observed(&p, None);
        o.wanted = wanted_of(iam, &p);
        let got = verdict_of(&p, &o);
        assert_eq!(got.0, "Dr.InvalidParameters");
        assert!(got.1.contains(text), "{}", got.1);
    }
    // An update may keep the present value.
    let p = parameters(json!({"Capabilities": "CAPABILITY_NAMED_IAM"}));
    let mut o = with(&p, "CREATE_COMPLETE");
    o.wanted = wanted_of(&iam.replace("{R:", "{S: {Type: T}, R:"), &p);
    if let Some(stack) = &mut o.stack {
        stack.body = Some(wanted_of(iam, &p).template.body.clone());
    }
    assert_eq!(verdict_of(&p, &o).0, "CreateChangeSet");
}

#[test]
fn a_missing_service_role_is_named_as_the_cause() {
    let p = differs();
    let mut o = by_us(with(&p, "ROLLBACK_COMPLETE"), 1);
    o.failure = Some("Table (T) CREATE_FAILED: User: x is not authorized to perform: y".into());
    assert!(verdict_of(&p, &o).1.contains("Give the step a RoleARN"));
}
