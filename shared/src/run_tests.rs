//! What ends an attempt before the loop begins.

use super::*;
use crate::context::{Phase, sample};
use crate::engine::tests::Scripted;
use crate::tokens::Token;

#[test]
fn secrets_leave_no_trace_in_progress() {
    let mut value = json!({"acts": {"Invoke": {"result": ["pw hunter2!"], "at": 1}}});
    redact_value(&mut value, &["hunter2".to_owned()]);
    assert_eq!(value, json!({"acts": {"Invoke": {"result": ["pw ********!"], "at": 1}}}));
}

#[test]
fn null_and_several_objects_are_no_parameters() {
    assert!(no_nulls(&json!({"A": null})).is_err());
    assert!(one_object(&json!([{}, {}])).is_err());
    assert_eq!(one_object(&json!([{"A": 1}])).unwrap(), json!({"A": 1}));
}

/// A first request that is as it should be.
fn request(mode: Mode) -> Request {
    Request {
        mode,
        phase: Phase::Activate,
        resource_type: "Scripted".into(),
        resource_name: "orders".into(),
        parameters: json!({}),
        account_id: None,
        context: sample(),
        deadline: None,
        progress: None,
    }
}

#[test]
fn a_malformed_request_is_a_defect_and_names_its_place() {
    let error = request_of(json!({"mode": "PLAN", "phase": "NEVER"})).unwrap_err();
    assert_eq!(error.error_type, ErrorType::Internal);
    assert!(error.message.starts_with("the request is malformed at phase: "), "{error}");
}

#[test]
fn another_type_and_another_phase_are_not_served() {
    assert!(legal::<Scripted>(&request(Mode::Execute)).is_ok());
    let other = Request { resource_type: "Other".into(), ..request(Mode::Execute) };
    let error = legal::<Scripted>(&other).unwrap_err();
    assert_eq!(error.error_type, ErrorType::Internal);
    assert_eq!(error.message, "this function is Scripted, not Other");
    let late = Request { phase: Phase::Cleanup, ..request(Mode::Execute) };
    let error = legal::<Scripted>(&late).unwrap_err();
    assert_eq!(error.error_type, ErrorType::InvalidManifest);
    assert_eq!(error.message, "Scripted is not legal in CLEANUP, only in ACTIVATE");
}

#[test]
fn what_a_token_names_and_is_not_there_ends_the_attempt_and_is_open_in_a_plan() {
    let hint = "no export named \"orders-vpc\".".to_owned();
    let missing = vec![(Token::Export("orders-vpc".into()), hint.clone())];
    let resolved = Resolved { missing, ..Resolved::default() };
    let failed = super::missing::<Scripted>(&request(Mode::Execute), &resolved);
    assert_eq!((failed.status, failed.error_type), (Status::Failed, Some(ErrorType::NotFound)));
    assert_eq!(failed.message, Some(hint));
    assert!(failed.next_step.unwrap().starts_with("Create what is missing"));
    let open = super::missing::<Scripted>(&request(Mode::Plan), &resolved);
    assert_eq!(open.status, Status::Unknown);
    assert_eq!(open.depends_on, ["export:orders-vpc"]);
}

#[test]
fn an_attempt_that_cannot_even_look_ends_at_its_deadline() {
    let lost = Error::new(ErrorType::Failed, "could not assume the role: no answer in time");
    let first = not_yet::<Scripted>(&request(Mode::Execute), &lost, 1_700_000_000);
    assert_eq!(first.status, Status::InProgress);
    assert_eq!(first.deadline, Some(clock::rfc3339(1_700_000_060)));
    let again = Request { deadline: first.deadline, ..request(Mode::Execute) };
    let waits = not_yet::<Scripted>(&again, &lost, 1_700_000_059);
    assert_eq!(waits.status, Status::InProgress);
    let over = not_yet::<Scripted>(&again, &lost, 1_700_000_060);
    assert_eq!(over.error_type, Some(ErrorType::TimedOut));
    assert!(over.message.unwrap().contains("could not assume the role"));
}

#[test]
fn a_wrong_parameter_is_named_with_its_path() {
    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "PascalCase")]
    struct Two {
        #[serde(rename = "Name")]
        _name: String,
        #[serde(rename = "Ports")]
        _ports: Vec<u16>,
    }
    for (given, said) in [
        (json!({"Name": "a", "Ports": [1, "x"]}), "parameters.Ports[1]: invalid type"),
        (json!({"Name": "a", "Prots": []}), "parameters.Prots: unknown field `Prots`"),
        (json!({"Name": "a"}), "parameters: missing field `Ports`"),
    ] {
        let error = typed::<Two>(&given).unwrap_err();
        assert_eq!(error.error_type, ErrorType::InvalidParameters);
        assert!(error.message.starts_with(said), "{error}");
    }
}
