//! The mail: plain text for any mail client. Pure.

use crate::report::{Approval, Report};
use crate::resources::{Resource, State};
use shared::clock::{human, to_the_second};
use shared::names::cut;
use shared::pending::Decision;
use shared::text::{fact, heading, one_line, subject as ascii, wrap};

/// Lines of a cause that are mailed; all of them are in the report.
const LINES: usize = 60;
/// SNS takes 256 KB.
const BUDGET: usize = 180_000;

/// The subject.
pub fn subject(report: &Report) -> String {
    let outcome = outcome(report);
    let link = if report.outcome == "SUCCEEDED" { "in" } else { "after" };
    let took = human(report.seconds);
    // A product may have 128 characters; the outcome must stay readable.
    let product = cut(&report.product, 30);
    let (action, region) = (action(report), &report.region);
    ascii(&format!("[DR] {action} of {product} in {region}: {outcome} {link} {took}"))
}

/// A run that succeeded without all of its resources says so.
fn outcome(report: &Report) -> String {
    let skipped = report.skipped();
    let skipped = if skipped == 0 { String::new() } else { format!(", {skipped} SKIPPED") };
    format!("{}{skipped}", report.outcome.replace('_', " "))
}

fn action(report: &Report) -> &str {
    if report.action.is_empty() { "Run" } else { &report.action }
}

/// The body; `folder` is the address of the run's folder.
pub fn body(report: &Report, folder: &str) -> String {
    let title = format!(
        "{} of {} in {}: {}",
        action(report),
        report.product,
        report.region,
        outcome(report)
    );
    let mut out = wrap(&title, "", "");
    out.push('\n');
    facts(report, &mut out);
    why(report, folder, &mut out);
    next_step(report, &mut out);
    decisions(report, &mut out);
    table(report, folder, &mut out);
    changed(report, folder, &mut out);
    warnings(report, &mut out);
    out.push_str(&heading("WHERE TO READ MORE"));
    out.push_str(&fact("Report", &format!("{folder}report.json")));
    out.push_str(&fact("Journal", &format!("{folder}journal/")));
    out
}

fn facts(report: &Report, out: &mut String) {
    let mut add = |label: &str, value: &str| out.push_str(&fact(label, value));
    add("Product", &report.product);
    add("Action", action(report));
    add("Region", &report.region);
    add("Execution", &report.execution_name);
    add("", &report.execution);
    add("Started", &report.started_at);
    add("Ended", &format!("{} (after {})", report.ended_at, human(report.seconds)));
    if let Some(approval) = &report.approval {
        add(decided(approval), &who(approval));
    }
    if let Some(recovery) = &report.recovery_seconds {
        let approved = recovery.from_approval.map(|s| format!(", {} from approval", human(s)));
        let text = format!("{} from start", human(recovery.from_start));
        add("Recovery time", &format!("{text}{}", approved.unwrap_or_default()));
    }
    if !report.decisions.is_empty() {
        add("Waited", &format!("{} for people", human(report.waited_seconds)));
    }
    if let Some(rpo) = report.rpo_seconds {
        add("Data loss", &format!("at most {rpo} s (measured)"));
    }
}

fn decided(approval: &Approval) -> &'static str {
    match approval.decision {
        Decision::Approved => "Approved by",
        _ => "Rejected by",
    }
}

fn who(approval: &Approval) -> String {
    let unverified = if approval.via == "link" { " (name as typed, not verified)" } else { "" };
    let waited = approval.waited_seconds.map(|s| format!(", after {}", human(s)));
    format!("{}{unverified}{}: {}", approval.approver, waited.unwrap_or_default(), approval.reason)
}

fn why(report: &Report, folder: &str, out: &mut String) {
    if report.lines.is_empty() {
        return;
    }
    let error = report.error_type.as_deref().unwrap_or("no error type");
    out.push_str(&heading(&format!("WHY ({error})")));
    for line in report.lines.iter().take(LINES) {
        out.push_str(&wrap(&cut(line, 1000), "  - ", "    "));
    }
    if report.lines.len() > LINES {
        let more = report.lines.len() - LINES;
        let text = format!("... and {more} more: see {folder}report.json");
        out.push_str(&wrap(&text, "  ", "  "));
    }
}

fn next_step(report: &Report, out: &mut String) {
    out.push_str(&heading("NEXT STEP"));
    out.push_str(&wrap(&report.next_step, "  ", "  "));
    if let Some(command) = &report.start_again {
        out.push_str(&format!("\n{}\n", as_shell_lines(command)));
    }
}

fn decisions(report: &Report, out: &mut String) {
    if report.decisions.is_empty() {
        return;
    }
    out.push_str(&heading("DECISIONS ABOUT WHAT FAILED"));
    for held in report.decisions.iter().take(LINES) {
        let line = one_line(&format!("{} {}", to_the_second(&held.at), held.line()));
        out.push_str(&wrap(&cut(&line, 1000), "  - ", "    "));
    }
    if report.decisions.len() > LINES {
        let text = format!("... and {} more: see the report", report.decisions.len() - LINES);
        out.push_str(&wrap(&text, "  ", "  "));
    }
}

/// One option a line, so that it can be copied whole.
fn as_shell_lines(command: &str) -> String {
    format!("  {}", command.replace(" --", " \\\n    --"))
}

fn table(report: &Report, folder: &str, out: &mut String) {
    if report.resources.is_empty() {
        return;
    }
    out.push_str(&heading("RESOURCES"));
    out.push_str(&row("Result", "Time", "Resource"));
    for (shown, resource) in report.resources.iter().enumerate() {
        if out.len() > BUDGET {
            let more = report.resources.len() - shown;
            let text = format!("... and {more} more: see {folder}report.json");
            out.push_str(&wrap(&text, "  ", "  "));
            return;
        }
        let time = resource.seconds.map_or("-".to_owned(), human);
        out.push_str(&row(resource.word(), &time, &name(resource)));
        let below = format!("{}: {}", resource.place(), resource.summary);
        out.push_str(&wrap(&one_line(&below), &" ".repeat(31), &" ".repeat(31)));
    }
}

fn row(result: &str, time: &str, name: &str) -> String {
    wrap(&one_line(name), &format!("  {result:<14} {time:<13} "), &" ".repeat(31))
}

fn name(resource: &Resource) -> String {
    format!("{} {}", resource.resource_type, resource.resource_name)
}

fn changed(report: &Report, folder: &str, out: &mut String) {
    out.push_str(&heading("WHAT WAS CHANGED"));
    let touched: Vec<&Resource> =
        report.resources.iter().filter(|r| r.changed || !r.changes.is_empty()).collect();
    let unknown = report.resources.iter().any(|r| r.status == State::Running);
    if touched.is_empty() {
        let text = if unknown { "Nothing that is recorded." } else { "Nothing." };
        out.push_str(&wrap(text, "  ", "  "));
    }
    for (shown, resource) in touched.iter().enumerate() {
        if out.len() > BUDGET {
            let text = format!("... and {} more: see {folder}report.json", touched.len() - shown);
            out.push_str(&wrap(&text, "  ", "  "));
            return;
        }
        let doubt = if resource.changed { "" } else { " (not certain to have taken effect)" };
        out.push_str(&wrap(&one_line(&format!("{}{doubt}", name(resource))), "  ", "    "));
        let texts = if resource.changes.is_empty() {
            std::slice::from_ref(&resource.summary)
        } else {
            &resource.changes
        };
        texts.iter().for_each(|t| out.push_str(&wrap(&one_line(t), "    - ", "      ")));
    }
}

fn warnings(report: &Report, out: &mut String) {
    if report.warnings.is_empty() {
        return;
    }
    out.push_str(&heading("WARNINGS"));
    report.warnings.iter().for_each(|w| out.push_str(&wrap(&one_line(w), "  - ", "    ")));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gather::Found;
    use crate::report::tests::{end, report, succeeded};
    use crate::resources::tests::{entry, found, plan_entry};
    use serde_json::{Value, json};
    use shared::text::WIDTH;

    const FOLDER: &str = "s3://bucket/dr-orchestration-artifacts/runs/shop/run-1/";

    fn failed() -> Report {
        let plan: Vec<Value> =
            (0..3).map(|i| plan_entry(i, "DeployCF", "service", "PLANNED")).collect();
        let journal = json!([entry(0, "FAILED", true), entry(1, "IN_PROGRESS", false)]);
        let found = found(json!(plan), journal, json!([]));
        let line =
            "shop-app1, layer 1, PromoteRDSReadReplica orders-db: Dr.Failed: it is gone. Look.";
        report(&end("FAILED", json!("Dr.AppLayerFailed"), json!([line])), &found)
    }

    #[test]
    fn the_mails_are_the_golden_ones() {
        assert_eq!(body(&succeeded(), FOLDER), include_str!("../tests/succeeded.txt"));
        assert_eq!(body(&failed(), FOLDER), include_str!("../tests/failed.txt"));
    }

    #[test]
    fn subjects_tell_the_outcome() {
        assert_eq!(
            subject(&succeeded()),
            "[DR] ACTIVATE of shop in us-west-2: SUCCEEDED in 4 min 10 s"
        );
        let end = end("APPROVAL_TIMED_OUT", json!("Dr.ApprovalTimedOut"), json!(["nobody"]));
        let mut report = report(&end, &Found::default());
        assert_eq!(
            subject(&report),
            "[DR] ACTIVATE of shop in us-west-2: APPROVAL TIMED OUT after 4 min 10 s"
        );
        report.product = "p".repeat(128);
        report.action = String::new();
        let subject = subject(&report);
        assert!(
            subject.len() < 100 && subject.contains("APPROVAL TIMED OUT after 4 min"),
            "{subject}"
        );
    }

    #[test]
    fn a_skip_stands_in_the_subject_and_with_its_reason() {
        use crate::holds::tests::held;
        let mut found = found(json!([]), json!([entry(0, "FAILED", true)]), json!([]));
        found.holds = vec![held(0, "SKIP", 4, 65)];
        let report = report(&end("SUCCEEDED", json!(null), json!([])), &found);
        assert!(subject(&report).contains("SUCCEEDED, 1 SKIPPED in"), "{}", subject(&report));
        let body = body(&report, FOLDER).split_whitespace().collect::<Vec<_>>().join(" ");
        for text in ["DECISIONS ABOUT WHAT FAILED", "SKIP after 1 min 5 s", "may lack it", "Waited"]
        {
            assert!(body.contains(text), "{text} in {body}");
        }
    }

    #[test]
    fn two_hundred_problems_are_cut_and_counted() {
        let problems: Vec<String> = (0..200).map(|i| format!("problem {i}")).collect();
        let found = Found { problems, ..Found::default() };
        let end = end("FAILED", json!("Dr.InvalidManifest"), json!(["200 problems"]));
        let body = body(&report(&end, &found), FOLDER);
        assert_eq!(body.matches("  - problem").count(), 60);
        assert!(body.contains("... and 140 more: see"));
    }

    #[test]
    fn a_huge_run_fits_into_a_mail() {
        let plan: Vec<Value> = (0..4000).map(|i| plan_entry(i, "T", "name", "PLANNED")).collect();
        let journal: Vec<Value> = (0..4000).map(|i| entry(i, "DONE", true)).collect();
        let found = found(json!(plan), json!(journal), json!([]));
        let body = body(&report(&end("SUCCEEDED", json!(null), json!([])), &found), FOLDER);
        assert!(body.len() < 256_000, "{}", body.len());
        assert!(body.contains("more: see") && body.contains("NEXT STEP"));
    }

    #[test]
    fn what_could_not_be_written_is_said() {
        let mut report = failed();
        report.warnings.push("This report could not be written: no.".into());
        let body = body(&report, FOLDER);
        assert!(body.contains("WARNINGS"));
        assert!(body.contains("could not be written"));
    }

    #[test]
    fn lines_fit() {
        for report in [succeeded(), failed()] {
            for line in body(&report, FOLDER).lines().filter(|l| !l.contains("arn:")) {
                assert!(line.chars().count() <= WIDTH, "{line}");
            }
        }
    }
}
