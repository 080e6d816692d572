//! What the versions of a parameter come to. Pure.

use crate::history::Written;
use shared::clock;
use shared::consent::{identity, spoken};
use shared::pending::{Answer, Pending};

/// The state of an open approval.
#[derive(Debug, Default)]
pub struct Tally {
    /// Answers that count, each identity once.
    pub approvals: Vec<Answer>,
    /// The answer, when there are enough of them or somebody rejects.
    pub answer: Option<Answer>,
    /// What did not count, and why.
    pub ignored: Vec<String>,
}

/// Counts. Whoever may write the parameter may end something, which changes nothing in the world;
/// the first rejection or abort counts, also after approvals.
pub fn count(pending: &Pending, written: &[Written]) -> Tally {
    let mut tally = Tally { approvals: pending.approvals.clone(), ..Tally::default() };
    for one in written {
        match vote(pending, one) {
            Err(why) => tally.ignored.push(format!("version {}: {why}", one.version)),
            Ok(vote) if !vote.decision.goes_on() => {
                tally.answer = Some(vote);
                return tally;
            }
            Ok(vote) => add(&mut tally, vote),
        }
    }
    tally.answer = enough(&tally.approvals, pending.rule.required.max(1));
    tally
}

/// As many identities as are asked for, of the same mind.
fn enough(votes: &[Answer], required: usize) -> Option<Answer> {
    votes.iter().find_map(|one| {
        let same: Vec<&Answer> = votes.iter().filter(|v| v.decision == one.decision).collect();
        (same.len() >= required).then(|| joined(&same)).flatten()
    })
}

fn vote(pending: &Pending, one: &Written) -> Result<Answer, String> {
    let asked = clock::parse(&pending.created_at).unwrap_or(i64::MAX);
    let end = clock::parse(&pending.expires_at).unwrap_or(i64::MIN);
    if one.at < asked {
        return Err("it was written before the request".to_owned());
    }
    if one.at >= end {
        return Err("it was written after the request had expired".to_owned());
    }
    let (decision, reason) = spoken(&one.value, pending.choices())?;
    if identity(&one.user).is_none() {
        return Err("Parameter Store names no IAM user or role that wrote it".to_owned());
    }
    if decision.goes_on() && !pending.rule.admits(&one.user) {
        return Err(format!("{} is not one of the approvers in the manifest", one.user));
    }
    Ok(Answer {
        decision,
        approver: one.user.clone(),
        reason,
        at: clock::rfc3339(one.at),
        via: "iam".to_owned(),
    })
}

/// The same identity counts once: with its first reason, and with what it decided last.
fn add(tally: &mut Tally, vote: Answer) {
    let who = identity(&vote.approver);
    match tally.approvals.iter_mut().find(|known| identity(&known.approver) == who) {
        Some(known) if known.decision == vote.decision => {}
        Some(known) => *known = vote,
        None => tally.approvals.push(vote),
    }
}

/// One answer of all who decided so.
fn joined(votes: &[&Answer]) -> Option<Answer> {
    let all = |part: fn(&Answer) -> &str, by: &str| {
        votes.iter().map(|a| part(a)).collect::<Vec<_>>().join(by)
    };
    Some(Answer {
        approver: all(|a| &a.approver, " and "),
        reason: all(|a| &a.reason, "; "),
        ..(*votes.last()?).clone()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use shared::consent::Rule;
    use shared::pending::{Decision, Kind};

    const ANN: &str = "arn:aws:sts::123456789012:assumed-role/Lead/ann";
    const ANN_AGAIN: &str = "arn:aws:sts::123456789012:assumed-role/Lead/someone-else";
    const BOB: &str = "arn:aws:iam::123456789012:user/bob";

    fn pending(required: usize, approvers: &[&str]) -> Pending {
        let mut pending: Pending = serde_json::from_value(json!({
            "taskToken": "SECRET", "execution": "arn", "executionName": "run-1", "product": "shop",
            "action": "ACTIVATE", "region": "us-west-2", "folder": "f/", "digest": "d",
            "createdAt": "1970-01-01T00:01:40Z", "expiresAt": "1970-01-01T00:03:20Z",
            "card": {"title": "t", "facts": [], "alarms": [], "groups": [], "manifests": []},
        }))
        .unwrap();
        let approvers = approvers.iter().map(|a| (*a).to_owned()).collect();
        pending.rule = Rule { required, approvers };
        pending
    }

    fn written(all: &[(&str, &str, i64)]) -> Vec<Written> {
        let one = |(n, (user, value, at)): (usize, &(&str, &str, i64))| Written {
            user: (*user).to_owned(),
            value: (*value).to_owned(),
            at: *at,
            version: i64::try_from(n).unwrap() + 1,
        };
        all.iter().enumerate().map(one).collect()
    }

    fn decided(pending: &Pending, all: &[(&str, &str, i64)]) -> Option<(Decision, String)> {
        count(pending, &written(all)).answer.map(|a| (a.decision, a.approver))
    }

    #[test]
    fn one_identity_is_enough_unless_two_are_asked_for() {
        let yes = (ANN, "APPROVE drill", 150);
        assert_eq!(decided(&pending(1, &[]), &[yes]), Some((Decision::Approved, ANN.into())));
        assert_eq!(decided(&pending(2, &[]), &[yes]), None);
        assert_eq!(decided(&pending(2, &[]), &[yes, (ANN_AGAIN, "APPROVE again", 160)]), None);
        let both = decided(&pending(2, &[]), &[yes, (BOB, "APPROVE seen", 160)]);
        assert_eq!(both, Some((Decision::Approved, format!("{ANN} and {BOB}"))));
    }

    #[test]
    fn an_approval_that_was_recorded_before_counts_with_the_next() {
        let mut open = pending(2, &[]);
        open.approvals = count(&open, &written(&[(ANN, "APPROVE drill", 150)])).approvals;
        assert_eq!(open.approvals.len(), 1);
        let answer = count(&open, &written(&[(BOB, "APPROVE seen", 160)])).answer.unwrap();
        assert_eq!((answer.reason.as_str(), answer.via.as_str()), ("drill; seen", "iam"));
    }

    #[test]
    fn any_rejection_ends_it() {
        let open = pending(2, &["arn:aws:iam::123456789012:role/Lead"]);
        let all = [(ANN, "APPROVE drill", 150), (BOB, "REJECT wrong Region", 160)];
        assert_eq!(decided(&open, &all), Some((Decision::Rejected, BOB.into())));
    }

    #[test]
    fn a_hold_needs_the_same_decision_of_both() {
        let mut hold = pending(2, &[]);
        hold.kind = Kind::Hold;
        let retry = (ANN, "RETRY corrected", 150);
        assert_eq!(decided(&hold, &[retry, (BOB, "SKIP not needed", 160)]), None);
        let changed = [retry, (BOB, "SKIP x", 155), (ANN_AGAIN, "SKIP agreed", 160)];
        let both = Some((Decision::Skip, format!("{ANN_AGAIN} and {BOB}")));
        assert_eq!(decided(&hold, &changed), both);
        let ended = [retry, (BOB, "ABORT_RUN stop it", 160)];
        assert_eq!(decided(&hold, &ended), Some((Decision::AbortRun, BOB.into())));
        assert_eq!(decided(&hold, &[(ANN, "APPROVE it", 150)]), None);
    }

    #[test]
    fn what_does_not_count_is_told_and_changes_nothing() {
        let open = pending(1, &["arn:aws:iam::123456789012:role/Lead"]);
        let all = [
            (ANN, "APPROVE early", 99),
            (ANN, "APPROVE late", 200),
            (ANN, "approve", 150),
            (ANN, "APPROVE", 150),
            (BOB, "APPROVE not named", 150),
            ("N/A", "APPROVE nobody", 150),
            ("", "REJECT nobody", 150),
        ];
        let tally = count(&open, &written(&all));
        assert!(tally.answer.is_none() && tally.approvals.is_empty());
        assert_eq!(tally.ignored.len(), all.len(), "{:?}", tally.ignored);
    }
}
