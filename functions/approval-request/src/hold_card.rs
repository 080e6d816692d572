//! A failed resource as the person sees it who decides. Pure.

use crate::hold::{Again, Planned, Why};
use shared::folder::place;
use shared::pending::{Card, Fact, Group, Item};
use shared::text::one_line;
use shared::{Context, Status};

/// What the card is about.
pub struct About<'a> {
    /// The resource's place in its run.
    pub context: &'a Context,
    /// The phase.
    pub phase: &'a str,
    /// Type and name.
    pub resource: &'a str,
    /// ARN of the resource's execution.
    pub execution: &'a str,
    /// RFC 3339.
    pub expires_at: &'a str,
    /// Why it failed.
    pub why: &'a Why,
    /// What reading the manifest again found; None before a retry.
    pub again: Option<&'a Again>,
    /// What planning it again found; None before a retry.
    pub plan: Option<&'a Planned>,
}

impl About<'_> {
    /// The plan that a retry would carry out.
    fn runnable(&self) -> Option<&Planned> {
        self.plan.filter(|plan| matches!(plan.status, Status::Planned | Status::Done))
    }
}

/// Builds the card. Its groups are what a retry would do; without one a retry looks first.
pub fn build(about: &About) -> Card {
    let item = about.runnable().map(|plan| item(about, plan));
    let place = place_of(about.context);
    Card {
        title: one_line(&title(about)),
        facts: facts(about),
        warnings: warnings(about),
        alarms: item.clone().into_iter().filter(Item::is_alarm).collect(),
        groups: item.into_iter().map(|i| Group { title: place.clone(), items: vec![i] }).collect(),
        manifests: manifest(about).into_iter().collect(),
    }
}

fn title(about: &About) -> String {
    match about.runnable() {
        Some(_) => format!("Retry {} with this new plan?", about.resource),
        None => format!("{} failed: retry, skip or abort?", about.resource),
    }
}

fn place_of(context: &Context) -> String {
    one_line(&place(context.app.as_deref(), context.file.as_deref(), context.layer))
}

fn facts(about: &About) -> Vec<Fact> {
    let context = about.context;
    let run = context.execution.rsplit(':').next().unwrap_or_default();
    let approved = context.approved.iter().max().map_or("nothing that hurts", |c| c.as_str());
    let facts = [
        ("Product", context.product.as_str()),
        ("Action", about.phase),
        ("Region", &context.region),
        ("Resource", about.resource),
        ("Place", &place_of(context)),
        ("Failed with", &about.why.error_type),
        ("Why", &about.why.message),
        ("To do", &with_a_retry(&about.why.next_step)),
        ("Was approved", approved),
        ("Expires", about.expires_at),
        ("Run", run),
        ("Execution", about.execution),
    ];
    facts.into_iter().filter(|(_, value)| !value.is_empty()).map(fact).collect()
}

/// The next step of a failure is for somebody who starts again; here the run goes on.
fn with_a_retry(next_step: &str) -> String {
    let words = ["start the same manifest again", "start the execution again", "start again"];
    let upper = ["Start the same manifest again", "Start the execution again", "Start again"];
    let lower = words.iter().fold(next_step.to_owned(), |text, word| text.replace(word, "retry"));
    upper.iter().fold(lower, |text, word| text.replace(word, "Retry"))
}

fn fact((label, value): (&str, &str)) -> Fact {
    Fact { label: label.to_owned(), value: one_line(value) }
}

/// Why a retry did not begin.
fn warnings(about: &About) -> Vec<String> {
    let unread = about.again.filter(|again| again.status != "READ");
    let unread = unread.map(|again| {
        let text = again.message.as_deref().unwrap_or("no reason was given");
        format!("The manifest was read again and cannot be used: {text}")
    });
    let blocked = about.plan.filter(|_| about.runnable().is_none() && unread.is_none());
    let blocked = blocked.map(|plan| {
        let text = plan.message.as_deref().unwrap_or(&plan.summary);
        format!("It was planned again and cannot be tried: {text}")
    });
    let changed = about.runnable().zip(about.again).filter(|(_, again)| again.changed);
    let changed = changed
        .map(|_| "The manifest says something else of this resource than before.".to_owned());
    unread.into_iter().chain(blocked).chain(changed).map(|w| one_line(&w)).collect()
}

fn item(about: &About, plan: &Planned) -> Item {
    let mark = match plan.status {
        Status::Done => "already done",
        _ if plan.waits => "waits",
        _ => plan.change_class.map_or("modify", |class| class.as_str()),
    };
    Item { mark: mark.to_owned(), name: one_line(about.resource), text: one_line(&plan.summary) }
}

fn manifest(about: &About) -> Option<Fact> {
    let again = about.again?;
    Some(fact((again.key.as_deref()?, again.sha256.as_deref()?)))
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use shared::ChangeClass;

    pub fn planned(status: Status, class: Option<ChangeClass>) -> Planned {
        Planned {
            status,
            summary: "deletes orders-db-east".into(),
            waits: false,
            change_class: class,
            message: Some("orders-db-east is the writer.".into()),
        }
    }

    pub fn again() -> Again {
        Again {
            status: "READ".into(),
            message: None,
            changed: true,
            key: Some("files/app1.json".into()),
            sha256: Some("a".repeat(64)),
        }
    }

    pub fn card(again: Option<&Again>, plan: Option<&Planned>) -> Card {
        let context = Context {
            app: Some("app1".into()),
            file: Some("shop-app1".into()),
            layer: Some(0),
            index: Some(1),
            ..crate::card::tests::context(false)
        };
        build(&About {
            context: &context,
            phase: "CLEANUP",
            resource: "DeleteRDSInstance old-db",
            execution: "arn:aws:states:us-west-2:123456789012:execution:resource:old-db",
            expires_at: "2026-01-01T01:00:00Z",
            why: &Why {
                error_type: "Dr.Refused".into(),
                message: "it is the last copy".into(),
                next_step: "Look at it, then start again.".into(),
            },
            again,
            plan,
        })
    }

    #[test]
    fn nobody_is_told_to_start_a_run_again_that_goes_on() {
        assert_eq!(with_a_retry("Start again: the plan shows it."), "Retry: the plan shows it.");
        let text = "Correct the manifest, upload it and start the execution again.";
        assert_eq!(with_a_retry(text), "Correct the manifest, upload it and retry.");
    }

    #[test]
    fn before_a_retry_there_is_no_plan_to_show() {
        let card = card(None, None);
        assert!(card.groups.is_empty() && card.alarms.is_empty() && card.warnings.is_empty());
        assert_eq!(card.title, "DeleteRDSInstance old-db failed: retry, skip or abort?");
        assert!(card.facts.iter().any(|f| f.value == "app1, shop-app1, layer 1"));
    }

    #[test]
    fn a_new_plan_is_shown_with_its_class_and_manifest() {
        let plan = planned(Status::Planned, Some(ChangeClass::Destructive));
        let card = card(Some(&again()), Some(&plan));
        assert_eq!(card.alarms[0].text, "deletes orders-db-east");
        assert_eq!(card.groups[0].items, card.alarms);
        assert_eq!(card.manifests[0].value, "a".repeat(64));
        assert!(card.title.starts_with("Retry DeleteRDSInstance old-db"));
        assert!(card.warnings[0].contains("something else"), "{:?}", card.warnings);
    }

    #[test]
    fn what_cannot_be_tried_says_why() {
        let blocked = planned(Status::Failed, None);
        let shown = card(Some(&again()), Some(&blocked));
        assert!(shown.groups.is_empty() && shown.title.contains("failed: retry"));
        assert!(shown.warnings[0].contains("is the writer"), "{:?}", shown.warnings);
        let gone = Again {
            status: "FAILED".into(),
            message: Some("there is no such object.".into()),
            ..again()
        };
        let warnings = card(Some(&gone), None).warnings;
        assert!(warnings.len() == 1 && warnings[0].contains("no such object"), "{warnings:?}");
    }
}
