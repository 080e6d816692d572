//! The mail: plain text for any mail client. Pure.

use crate::answer;
use shared::pending::{Card, Group, Item, Pending};
use shared::text::{fact, heading, one_line, subject, wrap};

/// SNS takes 256 KB; what is left is for the parts that are never cut.
const BUDGET: usize = 150_000;
/// Beyond this even the destructive steps are told by name alone.
const ALARMS: usize = 80_000;

/// What is mailed.
pub struct Mail<'a> {
    /// The open approval; its token is not mailed.
    pub pending: &'a Pending,
    /// The one link; None where no approval page is deployed.
    pub link: Option<&'a str>,
    /// Where the whole plan lies.
    pub whole_plan: &'a str,
    /// How long it stays open.
    pub seconds: i64,
}

impl Mail<'_> {
    /// The subject.
    pub fn subject(&self) -> String {
        let pending = self.pending;
        // A product may have 128 characters; what is asked and where must stay readable.
        let product = shared::names::cut(&pending.product, 50);
        subject(&format!("[DR] Approve {} of {product} in {}?", pending.action, pending.region))
    }

    /// The body.
    pub fn body(&self) -> String {
        let card = &self.pending.card;
        let title = format!("Approve {}?", card.title);
        sheet(card, &title, &answer::section(self), self.whole_plan)
    }
}

/// The card as text; `answer` tells how to answer it.
pub fn sheet(card: &Card, title: &str, answer: &str, whole_plan: &str) -> String {
    let mut out = wrap(title, "", "");
    out.push('\n');
    card.facts.iter().for_each(|f| out.push_str(&fact(&f.label, &f.value)));
    out.push_str(&warnings(&card.warnings));
    out.push_str(&alarms(&card.alarms));
    out.push_str(answer);
    steps(card, whole_plan, &mut out);
    out.push_str(&manifests(card));
    out
}

/// Every resource in its order, cut at the budget.
fn steps(card: &Card, whole_plan: &str, out: &mut String) {
    out.push_str(&heading("WHAT WILL HAPPEN, IN THIS ORDER"));
    let mut left: usize = card.groups.iter().map(|g| g.items.len()).sum();
    for group in &card.groups {
        out.push_str(&wrap(&group.title, "\n  ", "  "));
        for item in &group.items {
            if out.len() > BUDGET {
                let text = format!("... and {left} more: see the page or {whole_plan}");
                out.push_str(&wrap(&text, "\n  ", "  "));
                return;
            }
            out.push_str(&line(item, true));
            left -= 1;
        }
    }
}

/// What the checks warned of.
pub fn warnings(warnings: &[String]) -> String {
    if warnings.is_empty() {
        return String::new();
    }
    let mut out = heading("WARNINGS");
    for (shown, warning) in warnings.iter().enumerate() {
        if shown == 20 {
            out.push_str(&wrap(&format!("... and {} more", warnings.len() - shown), "  ", "  "));
            break;
        }
        out.push_str(&wrap(warning, "  - ", "    "));
    }
    out
}

/// What cannot be taken back.
pub fn alarms(items: &[Item]) -> String {
    if items.is_empty() {
        return String::new();
    }
    let mut out = heading("DESTROYS OR MAY LOSE DATA");
    for item in items {
        let with_text = out.len() < ALARMS;
        out.push_str(&line(item, with_text));
    }
    out
}

/// One layer of one manifest.
pub fn group(group: &Group) -> String {
    let items: String = group.items.iter().map(|item| line(item, true)).collect();
    format!("{}{items}", wrap(&group.title, "\n  ", "  "))
}

/// The mark in a column of its own, so that the eye finds the dangerous ones.
fn line(item: &Item, with_text: bool) -> String {
    let mark = if item.is_alarm() {
        format!("!! {}", item.mark.to_uppercase())
    } else {
        format!("   {}", item.mark)
    };
    let mut out = wrap(&one_line(&item.name), &format!("  {mark:<18}"), &" ".repeat(20));
    if with_text && !item.text.is_empty() {
        out.push_str(&wrap(&item.text, &" ".repeat(20), &" ".repeat(20)));
    }
    out
}

/// Every manifest and its digest.
pub fn manifests(card: &Card) -> String {
    if card.manifests.is_empty() {
        return String::new();
    }
    let mut out = heading("MANIFESTS (what is approved is what runs), with their SHA-256");
    for (shown, manifest) in card.manifests.iter().enumerate() {
        if shown == 100 {
            let text = format!("... and {} more", card.manifests.len() - shown);
            out.push_str(&wrap(&text, "  ", "  "));
            break;
        }
        out.push_str(&wrap(&manifest.label, "  ", "  "));
        out.push_str(&wrap(&manifest.value, "    ", "    "));
    }
    out
}

#[cfg(test)]
pub mod tests {
    use super::*;
    pub use crate::card::tests as sample;
    use shared::consent::Rule;
    use shared::text::WIDTH;

    pub fn pending(card: Card) -> Pending {
        Pending {
            kind: Default::default(),
            position: None,
            task_token: "SECRET-TOKEN".into(),
            execution: "arn:aws:states:us-west-2:123456789012:execution:m:run-1".into(),
            execution_name: "run-1".into(),
            product: "shop".into(),
            action: "ACTIVATE".into(),
            region: "us-west-2".into(),
            folder: "dr-orchestration-artifacts/runs/shop/run-1/".into(),
            digest: "d".repeat(64),
            created_at: "2026-01-01T00:00:00Z".into(),
            expires_at: "2026-01-01T01:00:00Z".into(),
            rule: Rule::default(),
            approvals: vec![],
            answer: None,
            delivered: None,
            closed_at: None,
            card,
        }
    }

    const LINK: Option<&str> = Some("https://abc.lambda-url.us-west-2.on.aws/?id=0123");

    pub fn mail(pending: &Pending, link: Option<&str>) -> (String, String) {
        let mail = Mail { pending, link, whole_plan: "s3://bucket/plan.json", seconds: 3600 };
        (mail.subject(), mail.body())
    }

    #[test]
    fn the_mail_is_the_golden_one() {
        let (subject, body) = mail(&pending(sample::card()), LINK);
        assert_eq!(subject, "[DR] Approve ACTIVATE of shop in us-west-2?");
        assert_eq!(body, include_str!("../tests/mail.txt"));
    }

    #[test]
    fn no_token_is_mailed_and_lines_fit() {
        let (_, body) = mail(&pending(sample::card()), LINK);
        assert!(!body.contains("SECRET"));
        assert_eq!(body.matches("http").count(), 1);
        for line in body.lines().filter(|l| l.trim().contains(' ')) {
            assert!(line.chars().count() <= WIDTH, "{line}");
        }
    }

    #[test]
    fn a_dry_run_shows_the_same_without_a_way_to_answer() {
        let card = sample::card();
        let text = sheet(&card, &card.title, "", "s3://bucket/plan.json");
        let (_, asked) = mail(&pending(card), None);
        let of_both = text.lines().filter(|l| asked.contains(l)).count();
        assert_eq!(text.lines().count() - of_both, 0, "{text}");
        assert!(!text.contains("YOUR ANSWER") && asked.contains("YOUR ANSWER"));
    }

    #[test]
    fn a_long_product_leaves_the_question_readable() {
        let mut pending = pending(sample::card());
        pending.product = "p".repeat(128);
        let (subject, _) = mail(&pending, LINK);
        assert!(subject.len() < 100 && subject.ends_with("in us-west-2?"), "{subject}");
    }

    #[test]
    fn a_huge_plan_is_cut_but_never_its_dangers() {
        let mut card = sample::card();
        let (calm, alarm) = (card.groups[0].items[1].clone(), card.alarms[1].clone());
        card.groups[0].items = vec![Item { text: "word ".repeat(40), ..calm }; 2000];
        card.alarms = vec![Item { text: "word ".repeat(40), ..alarm }; 900];
        let (_, body) = mail(&pending(card), LINK);
        assert!(body.len() < 250_000, "{}", body.len());
        assert_eq!(body.matches("!! DESTRUCTIVE    DeleteRDSInstance old-db (").count(), 900);
        assert!(body.contains("more: see the page or s3://bucket/plan.json"));
        assert!(body.contains("?id=0123"));
    }
}
