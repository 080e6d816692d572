//! What the documentation of link and form says, read from the event in another way.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use shared::pending::{Decision, Pending};

/// The key that the event may lead to: GET, HEAD or POST, and one id of 64 lower-case digits.
pub fn key(event: &Value) -> Option<String> {
    let method = event.pointer("/requestContext/http/method")?.as_str()?;
    let id = one(event.get("rawQueryString")?.as_str()?.as_bytes(), "id");
    let ours = id.chars().count() == 64 && id.chars().all(|c| "0123456789abcdef".contains(c));
    (["GET", "HEAD", "POST"].contains(&method) && ours)
        .then(|| format!("dr-orchestration-artifacts/pending/{id}.json"))
}

/// The form.
#[derive(Debug, Default)]
pub struct Typed {
    pub approver: String,
    pub reason: String,
    pub decision: String,
    pub confirmation: String,
}

impl Typed {
    pub fn of(event: &Value) -> Self {
        let bytes = body(event).unwrap_or_default();
        let field = |name: &str| tidy(&one(&bytes, name));
        Self {
            approver: field("approver"),
            reason: field("reason"),
            decision: field("decision"),
            confirmation: one(&bytes, "confirmation"),
        }
    }

    /// Whether it may approve: no IAM identity is asked for, and what may be lost was typed.
    pub fn confirms(&self, pending: &Pending) -> bool {
        let typed = self.confirmation.trim().split(' ').collect::<Vec<_>>();
        let right = typed == [pending.product.as_str(), pending.region.as_str()];
        pending.rule.approvers.is_empty() && (pending.card.alarms.is_empty() || right)
    }

    /// As the page shows it.
    pub fn shown_confirmation(&self) -> String {
        tidy(&self.confirmation)
    }

    /// Whole: a name of at most 200 characters, a reason of at most 1000, a button.
    pub fn decision(&self) -> Option<Decision> {
        let long = |text: &str, max: usize| (1..=max).contains(&text.chars().count());
        if !long(&self.approver, 200) || !long(&self.reason, 1000) {
            return None;
        }
        match self.decision.as_str() {
            "APPROVED" => Some(Decision::Approved),
            "REJECTED" => Some(Decision::Rejected),
            _ => None,
        }
    }
}

fn body(event: &Value) -> Option<Vec<u8>> {
    let text = event.get("body")?.as_str().filter(|t| t.len() <= 64_000)?;
    match event.get("isBase64Encoded") {
        Some(Value::Bool(true)) => STANDARD.decode(text).ok(),
        _ => Some(text.as_bytes().to_vec()),
    }
}

/// The value of the one field of this name; of none or several: nothing.
fn one(encoded: &[u8], name: &str) -> String {
    let mut values = Vec::new();
    for field in encoded.split(|b| *b == b'&').filter(|f| !f.is_empty()) {
        let cut = field.iter().position(|b| *b == b'=').unwrap_or(field.len());
        if decoded(&field[..cut]) == name {
            values.push(decoded(field.get(cut + 1..).unwrap_or_default()));
        }
    }
    if values.len() == 1 { values.remove(0) } else { String::new() }
}

fn decoded(text: &[u8]) -> String {
    let (mut out, mut n) = (Vec::new(), 0);
    while n < text.len() {
        let pair = text.get(n + 1..n + 3).and_then(|p| std::str::from_utf8(p).ok());
        let pair = pair.filter(|p| p.bytes().all(|b| b.is_ascii_hexdigit()));
        match (text[n], pair) {
            (b'%', Some(pair)) => {
                out.push(u8::from_str_radix(pair, 16).unwrap());
                n += 2;
            }
            (b'+', _) => out.push(b' '),
            (other, _) => out.push(other),
        }
        n += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// One line, single spaces, no control characters.
fn tidy(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control());
    words.filter(|w| !w.is_empty()).collect::<Vec<_>>().join(" ")
}
