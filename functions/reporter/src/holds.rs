//! What people decided about failed resources, and how long the run waited for it. Pure.

use serde::{Deserialize, Serialize};
use shared::clock;
use shared::folder::{place, position};

/// A record of `journal/holds/`, as failure-recorder writes it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Held {
    /// `decided`, or `replanned` for what a retry found.
    pub event: String,
    /// RFC 3339.
    pub at: String,
    /// Application name.
    pub app: Option<String>,
    /// Short name of the manifest.
    pub file: Option<String>,
    /// Zero-based layer.
    pub layer: Option<u32>,
    /// Zero-based index.
    pub index: Option<u32>,
    /// The type.
    pub resource_type: String,
    /// The name.
    pub resource_name: String,
    /// RETRY, SKIP, ABORT, ABORT_RUN; NONE when nobody decided.
    pub decision: Option<String>,
    /// A name as typed, or an ARN.
    pub approver: Option<String>,
    /// As typed.
    pub reason: Option<String>,
    /// `link`, `iam`, `timeout` or `run`.
    pub via: Option<String>,
    /// RFC 3339.
    pub asked_at: Option<String>,
    /// From the question to the answer.
    pub waited_seconds: Option<i64>,
    /// Replanned: key of the manifest.
    pub manifest: Option<String>,
    /// Replanned: of the manifest as it was then.
    pub sha256: Option<String>,
    /// Replanned: whether it said something else of this resource than before.
    pub changed: Option<bool>,
}

impl Held {
    /// `<file>-<layer>-<index>`.
    pub fn position(&self) -> String {
        position(self.file.as_deref(), self.layer, self.index)
    }

    /// One line for people.
    pub fn line(&self) -> String {
        let place = place(self.app.as_deref(), self.file.as_deref(), self.layer);
        format!("{} {} ({place}): {}", self.resource_type, self.resource_name, self.what())
    }

    fn what(&self) -> String {
        let Some(decision) = &self.decision else { return self.replanned() };
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let (who, reason) = (text(&self.approver), text(&self.reason));
        let waited = self.waited_seconds.map(|s| format!(" after {}", clock::human(s)));
        let waited = waited.unwrap_or_default();
        let unverified = if self.via.as_deref() == Some("link") { ", not verified" } else { "" };
        match who.as_str() {
            "" => format!("{reason}{waited}"),
            who => format!("{decision}{waited} by {who}{unverified}: {reason}"),
        }
    }

    fn replanned(&self) -> String {
        match (&self.manifest, &self.sha256, self.changed) {
            (Some(key), Some(sha256), changed) => {
                let what = if changed == Some(true) { "changed" } else { "the same for it" };
                format!("read again from {key}, {what}, sha256 {sha256}")
            }
            _ => "it could not be read again".to_owned(),
        }
    }
}

/// Who skipped a resource: the last decision about it.
pub fn skip<'a>(holds: &'a [Held], at: &str) -> Option<&'a Held> {
    let own = holds.iter().filter(|h| h.decision.is_some() && h.position() == at);
    own.max_by(|a, b| a.at.cmp(&b.at)).filter(|h| h.decision.as_deref() == Some("SKIP"))
}

/// Seconds that a resource waited for people.
pub fn waited(holds: &[Held], at: &str) -> i64 {
    let own = holds.iter().filter(|h| h.position() == at);
    own.filter_map(|h| h.waited_seconds).sum()
}

/// Seconds in which at least one resource waited for people: holds may overlap.
pub fn waited_by_the_run(holds: &[Held]) -> i64 {
    let mut spans: Vec<(i64, i64)> = holds.iter().filter_map(span).collect();
    spans.sort_unstable();
    let (mut total, mut until) = (0, i64::MIN);
    for (from, to) in spans {
        total += (to - from.max(until)).max(0);
        until = until.max(to);
    }
    total
}

fn span(held: &Held) -> Option<(i64, i64)> {
    let from = clock::parse(held.asked_at.as_deref()?)?;
    Some((from, from + held.waited_seconds?))
}

#[cfg(test)]
pub mod tests {
    use super::*;

    pub fn held(index: u32, decision: &str, minute: u32, waited: i64) -> Held {
        Held {
            event: "decided".into(),
            at: format!("2026-01-01T00:{:02}:00Z", minute + 1),
            file: Some("shop-app1".into()),
            layer: Some(0),
            index: Some(index),
            resource_type: "DeployCF".into(),
            resource_name: "service".into(),
            decision: Some(decision.into()),
            approver: Some("Ann".into()),
            reason: Some("drill".into()),
            via: Some("link".into()),
            asked_at: Some(format!("2026-01-01T00:{minute:02}:00Z")),
            waited_seconds: Some(waited),
            ..Held::default()
        }
    }

    #[test]
    fn overlapping_waits_count_once() {
        let holds = [held(0, "SKIP", 0, 90), held(1, "RETRY", 1, 60), held(0, "SKIP", 5, 10)];
        assert_eq!(waited_by_the_run(&holds), 130);
        assert_eq!(waited(&holds, "shop-app1-0-0"), 100);
    }

    #[test]
    fn the_last_decision_counts() {
        let holds = [held(0, "RETRY", 1, 5), held(0, "SKIP", 3, 5), held(1, "SKIP", 1, 5)];
        assert!(skip(&holds, "shop-app1-0-0").is_some());
        let again = [held(0, "SKIP", 1, 5), held(0, "ABORT", 3, 5)];
        assert!(skip(&again, "shop-app1-0-0").is_none());
    }

    #[test]
    fn each_record_is_a_line() {
        let line = held(0, "SKIP", 1, 65).line();
        assert!(line.ends_with("SKIP after 1 min 5 s by Ann, not verified: drill"), "{line}");
        let replanned = Held {
            manifest: Some("files/a.json".into()),
            sha256: Some("ab".into()),
            changed: Some(true),
            decision: None,
            ..held(0, "", 1, 0)
        };
        assert!(replanned.line().ends_with("read again from files/a.json, changed, sha256 ab"));
    }
}
