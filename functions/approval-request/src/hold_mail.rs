//! The mail about a failed resource: plain text for any mail client. Pure.

use crate::mail::{alarms, group, manifests, warnings};
use shared::clock;
use shared::consent::command;
use shared::pending::{Decision, Pending};
use shared::text::{fact, heading, subject, wrap};

/// Another open decision of the same run.
pub struct Other {
    /// Its question.
    pub title: String,
    /// RFC 3339.
    pub expires_at: String,
    /// None where there is no page.
    pub link: Option<String>,
}

/// What is mailed.
pub struct HoldMail<'a> {
    /// The open hold; its token is not mailed.
    pub pending: &'a Pending,
    /// The one link; None where there is no page.
    pub link: Option<&'a str>,
    /// What else of the run waits for somebody.
    pub others: &'a [Other],
    /// How long it stays open.
    pub seconds: i64,
}

fn meaning(decision: Decision, planned: bool) -> &'static str {
    match decision {
        Decision::Retry if planned => {
            "does what is shown above, for this resource alone: it approves that change"
        }
        Decision::Retry => {
            "reads the manifest again and plans again. When it says the same and only creates or \
             modifies, it is tried at once; else you are asked, with the new plan"
        }
        Decision::Skip => "goes on as if it were done: later layers run, also when they need it",
        Decision::Abort => {
            "lets this resource fail: the others of its layer come to their end, later layers do \
             not begin"
        }
        _ => {
            "nothing begins any more in any application of this run, other open questions are \
             closed, and what is at work makes no further change that destroys, may lose data or \
             moves traffic. What AWS has begun goes on"
        }
    }
}

impl HoldMail<'_> {
    /// The subject.
    pub fn subject(&self) -> String {
        let pending = self.pending;
        let product = shared::names::cut(&pending.product, 30);
        subject(&format!(
            "[DR] HELD: {} of {product} in {}: {}",
            pending.action, pending.region, pending.card.title
        ))
    }

    /// The body.
    pub fn body(&self) -> String {
        let card = &self.pending.card;
        let mut out = wrap(&card.title, "", "");
        out.push('\n');
        card.facts.iter().for_each(|f| out.push_str(&fact(&f.label, &f.value)));
        out.push_str(&warnings(&card.warnings));
        out.push_str(&alarms(&card.alarms));
        if !card.groups.is_empty() {
            out.push_str(&heading("WHAT RETRY WILL DO"));
            card.groups.iter().for_each(|g| out.push_str(&group(g)));
        }
        out.push_str(&self.answer());
        out.push_str(&self.others());
        out.push_str(&manifests(card));
        out
    }

    fn answer(&self) -> String {
        let mut out = heading("YOUR DECISION");
        if let Some(link) = self.link {
            out.push_str(&format!("\n{link}\n\n"));
            out.push_str(&wrap(self.what_the_link_is(), "  ", "  "));
        }
        out.push('\n');
        let planned = !self.pending.card.groups.is_empty();
        for choice in self.pending.choices() {
            let word = format!("  {:<10} ", choice.spoken());
            out.push_str(&wrap(meaning(*choice, planned), &word, &" ".repeat(13)));
        }
        out.push_str(&self.by_identity());
        let end = format!(
            "If nobody decides within {} (until {}), the resource has failed. Meanwhile the others \
             go on.",
            clock::human(self.seconds),
            self.pending.expires_at
        );
        out.push_str(&wrap(&end, "\n  ", "  "));
        out
    }

    fn what_the_link_is(&self) -> &'static str {
        match self.pending.rule.needs_identity() {
            true => "This link can only abort: the manifest asks for IAM identities.",
            false => {
                "Opening the link changes nothing. Whoever holds it can decide, and it proves \
                 nobody's identity: do not forward it to people who may not decide."
            }
        }
    }

    fn by_identity(&self) -> String {
        let pending = self.pending;
        let text = match pending.rule.needs_identity() {
            true => format!("To retry or to skip, {} must run this:", pending.rule.text()),
            false => "Or decide with your IAM identity, with one of the four words:".to_owned(),
        };
        let lines = command(&pending.region, &pending.parameter(), Decision::Retry);
        let lines: String = lines.iter().map(|line| format!("  {line}\n")).collect();
        format!("{}\n{lines}", wrap(&text, "\n  ", "  "))
    }

    fn others(&self) -> String {
        if self.others.is_empty() {
            return String::new();
        }
        let mut out = heading("ALSO OPEN IN THIS RUN");
        for other in self.others {
            let text = format!("{} (until {})", other.title, other.expires_at);
            out.push_str(&wrap(&text, "  - ", "    "));
            if let Some(link) = &other.link {
                out.push_str(&format!("    {link}\n"));
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hold_card::tests::{again, card, planned};
    use shared::pending::{Card, Kind};
    use shared::text::WIDTH;
    use shared::{ChangeClass, Status};

    fn pending(card: Card) -> Pending {
        Pending {
            kind: Kind::Hold,
            position: Some("shop-app1-0-1".into()),
            ..crate::mail::tests::pending(card)
        }
    }

    fn body(pending: &Pending) -> String {
        let others = [Other {
            title: "PromoteRDSReadReplica orders-db failed: retry, skip or abort?".into(),
            expires_at: "2026-01-01T00:59:00Z".into(),
            link: Some("https://abc.lambda-url.us-west-2.on.aws/?id=4567".into()),
        }];
        let link = Some("https://abc.lambda-url.us-west-2.on.aws/?id=0123");
        HoldMail { pending, link, others: &others, seconds: 3600 }.body()
    }

    #[test]
    fn the_mail_is_the_golden_one() {
        let plan = planned(Status::Planned, Some(ChangeClass::Destructive));
        let body = body(&pending(card(Some(&again()), Some(&plan))));
        assert_eq!(body, include_str!("../tests/hold.txt"));
        let wide = body.lines().filter(|l| l.len() > WIDTH && !l.contains("http"));
        assert_eq!(wide.collect::<Vec<_>>(), Vec::<&str>::new());
        assert!(!body.contains("SECRET"));
    }

    #[test]
    fn before_a_retry_there_is_nothing_to_approve() {
        let body = body(&pending(card(None, None)));
        assert!(!body.contains("WHAT RETRY WILL DO") && !body.contains("!!"), "{body}");
    }
}
