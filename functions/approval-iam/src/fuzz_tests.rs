//! A thousand mutated names and values of parameters: no panic, no name that is not exactly ours, no
//! approval without the word, a reason, an identity and the time, and none that the rule does not admit.
//!
//! The same on every machine. `DR_FUZZ_CASES=100000` asks for more of them.

use crate::history::Written;
use crate::request::asked;
use crate::votes::count;
use fastrand::Rng;
use serde_json::{Value, json};
use shared::consent::{Rule, identity};
use shared::pending::{Decision, Pending};

/// Each case has this plus its number.
const SEED: u64 = 20_260_303;
const LEAD: &str = "arn:aws:iam::123456789012:role/Lead";
const PIECES: [&str; 22] = [
    "APPROVE",
    "REJECT",
    "approve",
    " ",
    "\n",
    "\t",
    "\u{a0}",
    "\u{202e}",
    "\u{0}",
    "because",
    "APPROVE drill",
    "REJECT no",
    "\u{feff}",
    "/",
    "..",
    "%2f",
    ":",
    "arn:aws:iam::1:root",
    "{",
    "\"",
    "\u{1f600}",
    "-",
];
const WRITERS: [&str; 9] = [
    LEAD,
    "arn:aws:sts::123456789012:assumed-role/Lead/ann",
    "arn:aws:sts::123456789012:assumed-role/Leader/ann",
    "arn:aws:iam::123456789012:user/Lead",
    "arn:aws:iam::210987654321:role/Lead",
    "arn:aws:sts::123456789012:federated-user/Lead",
    "arn:aws:iam::123456789012:root",
    "N/A",
    "",
];

fn cases() -> impl Iterator<Item = Rng> {
    let wanted = std::env::var("DR_FUZZ_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(1000);
    (0..wanted).map(|case| Rng::with_seed(SEED + case))
}

fn text(rng: &mut Rng) -> String {
    (0..rng.usize(..5)).map(|_| PIECES[rng.usize(..PIECES.len())]).collect()
}

fn pending(rng: &mut Rng) -> Pending {
    let mut pending: Pending = serde_json::from_value(json!({
        "taskToken": "SECRET", "execution": "arn", "executionName": "run-1", "product": "shop",
        "action": "ACTIVATE", "region": "us-west-2", "folder": "f/", "digest": "d",
        "createdAt": "1970-01-01T00:01:40Z", "expiresAt": "1970-01-01T00:03:20Z",
        "card": {"title": "t", "facts": [], "alarms": [], "groups": [], "manifests": []},
    }))
    .unwrap();
    let approvers = if rng.bool() { vec![LEAD.to_owned()] } else { vec![] };
    pending.rule = Rule { required: rng.usize(1..3), approvers };
    pending
}

fn written(rng: &mut Rng, version: i64) -> Written {
    Written {
        user: WRITERS[rng.usize(..WRITERS.len())].to_owned(),
        value: if rng.u8(..3) == 0 { "APPROVE drill".to_owned() } else { text(rng) },
        at: rng.i64(90..210),
        version,
    }
}

/// What a version must be to count, told once more and without the code under test.
fn may_count(one: &Written, word: &str) -> bool {
    let mut words = one.value.split_whitespace();
    let named = one.user.starts_with("arn:") && !one.user.contains("federated");
    named && (100..200).contains(&one.at) && words.next() == Some(word) && words.next().is_some()
}

#[test]
fn no_mutated_value_approves_what_nobody_approved() {
    let (mut approved, mut rejected) = (0, 0);
    for mut rng in cases() {
        let open = pending(&mut rng);
        let all: Vec<_> = (1..rng.i64(2..6)).map(|n| written(&mut rng, n)).collect();
        let tally = count(&open, &all);
        let Some(answer) = tally.answer else { continue };
        assert!(!answer.reason.is_empty() && answer.via == "iam", "{answer:?} {all:?}");
        if answer.decision == Decision::Rejected {
            rejected += 1;
            assert!(all.iter().any(|w| visible(w, "REJECT")), "{answer:?} {all:?}");
            continue;
        }
        approved += 1;
        let who = all.iter().filter(|w| visible(w, "APPROVE") && open.rule.admits(&w.user));
        let who: std::collections::BTreeSet<_> = who.filter_map(|w| identity(&w.user)).collect();
        assert!(who.len() >= open.rule.required, "{answer:?} {all:?}");
    }
    assert!(
        approved > 20 && rejected > 20,
        "{approved} {rejected}: the mutations test the door only"
    );
}

/// Signs that cannot be seen are dropped before the value is read.
fn visible(one: &Written, word: &str) -> bool {
    may_count(&Written { value: shared::text::one_line(&one.value), ..one.clone() }, word)
}

#[test]
fn no_mutated_name_is_taken_for_one_of_ours() {
    let mut ours = 0;
    for mut rng in cases() {
        let whole = "/dr-orchestrator/approvals/shop/run-1";
        let cut = rng.usize(..=whole.len());
        let name = match rng.u8(..4) {
            0 => whole.to_owned(),
            1 => format!("{}{}{}", &whole[..cut], text(&mut rng), &whole[cut..]),
            2 => whole[..cut].to_owned(),
            _ => format!("/dr-orchestrator/approvals/{}", text(&mut rng)),
        };
        let event = match rng.u8(..3) {
            0 => json!({"name": name}),
            1 => json!({"detail": {"name": name, "operation": text(&mut rng)}}),
            _ => json!({"detail": text(&mut rng), "name": name}),
        };
        let Some(found) = asked(&event) else { continue };
        ours += 1;
        assert_eq!(found.name, name);
        let own = format!("/dr-orchestrator/approvals/{}/{}", found.product, found.run);
        let below = name.strip_prefix(&own).expect("its own name");
        assert!(below.is_empty() || below.starts_with('/'), "{name}");
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        assert!(found.run.chars().all(plain) && found.product.chars().all(plain), "{name}");
    }
    assert!(ours > 100, "{ours}: the mutations test the door only");
}

#[test]
fn what_is_no_call_at_all_is_nothing() {
    for odd in [Value::Null, json!(1), json!([]), json!({"detail": {"name": []}}), json!("x")] {
        assert_eq!(asked(&odd), None);
    }
}
