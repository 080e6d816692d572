//! A thousand mutated calls of the page: no panic, no status of a broken server, no key for an id
//! that is not exactly ours, no answer without a whole form, no page that a text can break.
//!
//! The same on every machine. `DR_FUZZ_CASES=100000` asks for more of them.

mod events;
mod expected;
mod html;

use crate::decide::{self, Next};
use crate::page::Page;
use crate::request::{Method, Request};
use expected::Typed;
use fastrand::Rng;
use serde_json::{Value, json};
use shared::pending::{Decision, Pending};

/// Each case has this plus its number.
const SEED: u64 = 20_260_102;
/// Before the approval ends, and after it.
const TIMES: [i64; 3] = [1_767_225_600, 1_767_229_199, 1_767_229_200];

/// How many calls came how far: a mutator that breaks everything tests only the door.
#[derive(Debug, Default)]
struct Counts {
    cases: usize,
    without_key: usize,
    pages: usize,
    answers: usize,
}

/// What a failing test prints.
struct Case(u64, Value);

impl Drop for Case {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let event: String = self.1.to_string().chars().take(3000).collect();
            eprintln!("seed {SEED}, case {}, begins with:\n{event}", self.0);
        }
    }
}

fn cases() -> u64 {
    std::env::var("DR_FUZZ_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(1000)
}

/// An open approval whose every text is evil; perhaps answered, perhaps delivered, perhaps with
/// something to lose, perhaps one that only IAM identities approve.
fn pending(rng: &mut Rng) -> Pending {
    let evil = "<script>alert(\"1\")</script>'&";
    let fact = json!({"label": evil, "value": evil});
    let item = json!({"mark": evil, "name": evil, "text": evil});
    let answer =
        json!({"decision": "REJECTED", "approver": evil, "reason": evil, "at": evil, "via": evil});
    let alarms = if rng.bool() { vec![item.clone()] } else { vec![] };
    let mut value = json!({
        "taskToken": "SECRET-TOKEN", "execution": "arn", "executionName": evil, "product": evil,
        "action": "ACTIVATE", "region": "us-west-2", "folder": "f/", "digest": "d",
        "createdAt": "2026-01-01T00:00:00Z", "expiresAt": "2026-01-01T01:00:00Z",
        "card": {"title": evil, "facts": [fact], "warnings": [evil], "alarms": alarms,
            "groups": [{"title": evil, "items": [item]}], "manifests": [fact]},
    });
    if rng.u8(..4) == 0 {
        value["answer"] = answer;
        value["delivered"] = events::pick(rng, &[json!(null), json!(true), json!(false)]).clone();
    }
    if rng.u8(..8) == 0 {
        value["rule"] = json!({"required": rng.u8(1..3), "approvers": [evil]});
        value["approvals"] = json!([{"decision": "APPROVED", "approver": evil, "reason": evil,
            "at": evil, "via": "iam"}]);
    }
    serde_json::from_value(value).unwrap()
}

fn of_page(page: &Page, typed: Option<&Typed>) {
    let answer = page.response(false);
    let status = answer["statusCode"].as_u64().unwrap();
    assert!((200..=499).contains(&status), "{status}");
    let body = answer["body"].as_str().unwrap();
    assert!(!body.contains("SECRET"), "{body}");
    html::check(body);
    if let Some(typed) = typed.filter(|_| body.contains("<textarea")) {
        assert_eq!(html::inside(body, "name=\"approver\" value=\"", "\""), typed.approver);
        let area = body.split_once("<textarea").map_or("", |(_, area)| area);
        assert_eq!(html::inside(area, ">", "</textarea>"), typed.reason);
        if area.contains("<label for=\"confirmation\"") {
            let kept = html::inside(area, "name=\"confirmation\" value=\"", "\"");
            assert_eq!(kept, typed.shown_confirmation());
        }
    }
    assert_eq!(page.response(true)["body"], "");
}

/// Which key, as the documentation of the link says; else a page of the right status.
fn of_key(event: &Value, request: &Request) -> bool {
    let wanted = expected::key(event);
    match decide::key(request) {
        Ok(key) => assert_eq!(Some(key), wanted),
        Err(page) => {
            assert_eq!(wanted, None);
            assert_eq!(page.status, if request.method == Method::Other { 405 } else { 400 });
            of_page(&page, None);
        }
    }
    wanted.is_some()
}

fn of_next(rng: &mut Rng, event: &Value, request: &Request, counts: &mut Counts) {
    let (pending, now) = (pending(rng), *events::pick(rng, &TIMES));
    let typed = Typed::of(event);
    let open = pending.answer.is_none() && now < TIMES[2] && request.method == Method::Post;
    let wanted = typed.decision().filter(|_| open);
    let wanted = wanted.filter(|d| *d == Decision::Rejected || typed.confirms(&pending));
    match decide::next(request, &pending, now) {
        Next::Show(page) => {
            assert_eq!(wanted, None, "a whole form is no answer");
            of_page(&page, Some(&typed).filter(|_| open).or(Some(&Typed::default())));
            counts.pages += 1;
        }
        Next::First(answer) => {
            assert_eq!(Some(answer.decision), wanted);
            assert_eq!((answer.approver, answer.reason), (typed.approver, typed.reason));
            counts.answers += 1;
        }
        Next::Again(form) => {
            assert!(request.method == Method::Post && pending.answer.is_some());
            assert_eq!(form.asks_to_resend(), typed.decision == "RESEND");
        }
    }
}

#[test]
fn every_mutated_call_is_answered_with_a_page_and_only_a_whole_form_is_an_answer() {
    let mut counts = Counts::default();
    for n in 0..cases() {
        let mut rng = Rng::with_seed(SEED + n);
        let case = Case(n, events::event(&mut rng));
        let request = Request::new(&case.1);
        counts.cases += 1;
        if of_key(&case.1, &request) {
            of_next(&mut rng, &case.1, &request, &mut counts);
        } else {
            counts.without_key += 1;
        }
    }
    eprintln!("{counts:?}");
    assert!(counts.without_key * 3 >= counts.cases, "{counts:?}");
    assert!(counts.pages * 10 >= counts.cases, "{counts:?}");
    assert!(counts.answers * 50 >= counts.cases, "{counts:?}");
}
