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
            policy.starts_with("default-src 'none'; style-src 'unsafe-inline'; form-action 'self'")
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
    let html = ask(&pending(), &"0a".repeat(32), &form, &["The reason is missing.".into()]).html;
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
