//! The report: pure from the end of the run and what its folder holds.

use crate::end::{End, texts};
use crate::gather::Found;
use crate::holds::{self, Held};
use crate::next;
use crate::resources::{Resource, State, between, rows};
use serde::Serialize;
use serde_json::Value;
use shared::clock;
use shared::pending::{Answer, Card, Decision};
use shared::text::one_line;

/// `report.json`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Tells the writer whether it was the one.
    pub report_id: String,
    /// Product name.
    pub product: String,
    /// The phase; empty when the run was never loaded.
    pub action: String,
    /// ARN.
    pub execution: String,
    /// Its last part.
    pub execution_name: String,
    /// The executing Region.
    pub region: String,
    /// SUCCEEDED, PLANNED, FAILED, REJECTED, APPROVAL_TIMED_OUT, ABORTED, TIMED_OUT.
    pub outcome: String,
    /// Whether the run was to end with its plan.
    pub plan_only: bool,
    /// When it did not succeed.
    pub error_type: Option<String>,
    /// One line per failure or problem, all of them.
    pub lines: Vec<String>,
    /// RFC 3339.
    pub started_at: String,
    /// RFC 3339.
    pub ended_at: String,
    /// From start to end.
    pub seconds: i64,
    /// Who decided.
    pub approval: Option<Approval>,
    /// What people decided about failed resources, in the order of time.
    pub decisions: Vec<Held>,
    /// How long the run waited for people, from the request for approval on.
    pub waited_seconds: i64,
    /// In the order of the plan.
    pub resources: Vec<Resource>,
    /// Measured recovery time of a run that succeeded with all of its resources.
    pub recovery_seconds: Option<Recovery>,
    /// The worst measured data loss.
    pub rpo_seconds: Option<f64>,
    /// What to do now.
    pub next_step: String,
    /// The call that starts the same manifest again.
    pub start_again: Option<String>,
    /// What an approver would have seen, of a run that only plans.
    pub card: Option<Card>,
    /// What the loader and the card warn of, and what this report could not find out.
    pub warnings: Vec<String>,
}

/// The answer of a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Approval {
    /// APPROVED or REJECTED.
    pub decision: Decision,
    /// As typed.
    pub approver: String,
    /// As typed.
    pub reason: String,
    /// How the answer came.
    pub via: String,
    /// RFC 3339.
    pub at: String,
    /// From the request to the answer.
    pub waited_seconds: Option<i64>,
}

/// Recovery time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Recovery {
    /// From the start of the run.
    pub from_start: i64,
    /// From the approval.
    pub from_approval: Option<i64>,
}

impl Report {
    /// How many resources somebody skipped.
    pub fn skipped(&self) -> usize {
        skipped(&self.resources)
    }
}

fn skipped(resources: &[Resource]) -> usize {
    resources.iter().filter(|r| r.status == State::Skipped).count()
}

/// Builds the report.
pub fn build(end: &End, found: &Found, region: &str) -> Report {
    build_at(end, found, region, &clock::now())
}

fn build_at(end: &End, found: &Found, region: &str, now: &str) -> Report {
    let seconds = between(Some(&end.started_at), Some(now)).unwrap_or(0);
    let resources = rows(found);
    let approval = end.approval.as_ref().or(found.answer.as_ref()).map(|a| approval(a, found));
    let whole = end.outcome == "SUCCEEDED" && skipped(&resources) == 0;
    let recovery_seconds = whole.then(|| Recovery {
        from_start: seconds,
        from_approval: approval.as_ref().and_then(|a| between(Some(&a.at), Some(now))),
    });
    let approved_after = approval.as_ref().and_then(|a| a.waited_seconds).unwrap_or(0);
    let rpo = resources.iter().filter_map(|r| r.rpo_seconds).reduce(f64::max);
    Report {
        report_id: String::new(),
        product: end.product.clone(),
        action: end.phase.or(found.phase).map_or(String::new(), |p| p.to_string()),
        execution: end.execution.clone(),
        execution_name: end.execution_name.clone(),
        region: region.to_owned(),
        outcome: end.outcome.clone(),
        plan_only: end.is_plan_only(),
        error_type: end.error_type.clone(),
        lines: lines(end, found),
        started_at: end.started_at.clone(),
        ended_at: now.to_owned(),
        seconds,
        next_step: match skipped(&resources) {
            n if n > 0 && end.outcome == "SUCCEEDED" => next::after_skips(n),
            _ => next::step(end, found, region),
        },
        start_again: next::command(end, region).filter(|_| !whole),
        warnings: warnings(end, found, &resources),
        card: found.card.clone(),
        waited_seconds: approved_after + holds::waited_by_the_run(&found.holds),
        decisions: found.holds.clone(),
        approval,
        resources,
        recovery_seconds,
        rpo_seconds: rpo,
    }
}

fn approval(answer: &Answer, found: &Found) -> Approval {
    Approval {
        decision: answer.decision,
        approver: answer.approver.clone(),
        reason: answer.reason.clone(),
        via: answer.via.clone(),
        at: answer.at.clone(),
        waited_seconds: between(found.requested_at.as_deref(), Some(&answer.at)),
    }
}

/// The whole lists of problems and blockers, where the machine carries only the first.
fn lines(end: &End, found: &Found) -> Vec<String> {
    if matches!(end.outcome.as_str(), "SUCCEEDED" | "PLANNED") {
        return vec![];
    }
    let whole = match end.error_type.as_deref() {
        // Manifests that were refused: there is no run beyond that.
        _ if !found.problems.is_empty() => found.problems.clone(),
        Some("Dr.PlanFailed") => texts(&Value::Array(found.plan.blockers.clone())),
        _ => vec![],
    };
    if whole.is_empty() { end.lines.clone() } else { whole }
}

fn warnings(end: &End, found: &Found, resources: &[Resource]) -> Vec<String> {
    let mut out = found.warnings.clone();
    // The card repeats the loader's.
    let shown: Vec<String> = out.iter().map(|w| one_line(w)).collect();
    let of_card = found.card.iter().flat_map(|c| &c.warnings);
    out.extend(of_card.filter(|w| !shown.contains(w)).cloned());
    let running = resources.iter().filter(|r| r.status == State::Running).count();
    if running > 0 && end.outcome == "SUCCEEDED" {
        out.push(format!("The journal of {running} resources does not show their end."));
    }
    let missing = resources.iter().filter(|r| r.status == State::NotStarted).count();
    if missing > 0 && end.outcome == "SUCCEEDED" {
        out.push(format!("There is no journal of {missing} resources."));
    }
    let skipped = resources.iter().filter(|r| r.status == State::Skipped);
    out.extend(skipped.map(|r| {
        format!("{} {} was skipped: the product may lack it.", r.resource_type, r.resource_name)
    }));
    out
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::resources::tests::{entry, found, plan_entry};
    use serde_json::json;

    pub fn end(outcome: &str, error_type: Value, lines: Value) -> End {
        let approval = json!({"decision": "APPROVED", "approver": "Ann", "reason": "drill 7",
            "at": "2026-01-01T00:01:30Z", "via": "link"});
        let asked = !matches!(outcome, "APPROVAL_TIMED_OUT" | "ABORTED");
        End::of_request(&json!({
            "outcome": outcome,
            "execution": "arn:aws:states:us-west-2:123456789012:execution:aws-dr-orchestrator-stepfunction-product-orchestrator:run-1",
            "executionName": "run-1", "startedAt": "2026-01-01T00:00:00Z",
            "input": {"productmanifestpath": "manifests/product.json"}, "phase": "ACTIVATE",
            "errorType": error_type, "lines": lines, "nextStep": null,
            "approval": if asked { approval } else { Value::Null },
            "context": {
                "product": "shop", "app": null, "file": null, "layer": null, "index": null,
                "siblings": null, "execution": "arn", "root": "run-1",
                "startedAt": "2026-01-01T00:00:00Z", "region": "us-west-2",
                "primaryRegion": "us-east-1", "secondaryRegion": "us-west-2", "unplanned": true,
                "approved": [], "folder": "dr-orchestration-artifacts/runs/shop/run-1/"
            }
        }))
        .unwrap()
        .at("shop")
    }

    pub fn report(end: &End, found: &Found) -> Report {
        build_at(end, found, "us-west-2", "2026-01-01T00:04:10Z")
    }

    pub fn succeeded() -> Report {
        let plan = json!([
            plan_entry(0, "PromoteRDSReadReplica", "orders-db", "PLANNED"),
            plan_entry(1, "ModuleTest", "smoke", "DONE"),
        ]);
        let mut found =
            found(plan, json!([entry(0, "DONE", true), entry(1, "DONE", false)]), json!([]));
        found.requested_at = Some("2026-01-01T00:00:20Z".into());
        report(&end("SUCCEEDED", Value::Null, json!([])), &found)
    }

    #[test]
    fn recovery_is_measured_from_start_and_from_approval() {
        let report = succeeded();
        assert_eq!(report.seconds, 250);
        let recovery = Recovery { from_start: 250, from_approval: Some(160) };
        assert_eq!(report.recovery_seconds, Some(recovery));
        assert_eq!(report.approval.unwrap().waited_seconds, Some(70));
        assert_eq!(report.rpo_seconds, Some(0.5));
        assert!(report.warnings.is_empty());
    }

    #[test]
    fn warnings_of_a_card_stand_beside_the_loaders_each_once() {
        let texts = |all: &[&str]| all.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>();
        let warnings = texts(&["a b", "it takes too long"]);
        let card = Some(Card { warnings, ..Card::default() });
        let found = Found { card, warnings: texts(&["a\nb"]), ..Found::default() };
        let report = report(&end("PLANNED", Value::Null, json!([])), &found);
        assert_eq!(report.warnings, ["a\nb", "it takes too long"]);
        assert_eq!(report.card, found.card);
    }

    #[test]
    fn all_problems_are_reported_not_only_the_first() {
        let found = Found { problems: vec!["a".into(), "b".into()], ..Found::default() };
        let mut end = end("FAILED", json!("Dr.InvalidManifest"), json!(["2 problems: a ..."]));
        assert_eq!(report(&end, &found).lines, ["a", "b"]);
        let mut blocked = Found::default();
        blocked.plan.blockers = vec![json!("c"), json!("d")];
        assert_eq!(report(&end, &blocked).lines, ["2 problems: a ..."]);
        end.error_type = Some("Dr.PlanFailed".into());
        assert_eq!(report(&end, &blocked).lines, ["c", "d"]);
    }

    #[test]
    fn a_failed_run_has_no_recovery_time() {
        let end = end("FAILED", json!("Dr.Failed"), json!(["x"]));
        let report = report(&end, &Found::default());
        assert_eq!(report.recovery_seconds, None);
        assert_eq!(report.lines, ["x"]);
    }

    #[test]
    fn every_field_is_there_even_when_nothing_is_known() {
        let end =
            End::of_request(&json!({"outcome": "FAILED", "execution": "a", "executionName": "b",
            "startedAt": "?"}))
            .unwrap();
        let value = serde_json::to_value(report(&end, &Found::default())).unwrap();
        for name in [
            "approval",
            "decisions",
            "resources",
            "recoverySeconds",
            "rpoSeconds",
            "nextStep",
            "card",
            "warnings",
        ] {
            assert!(value.get(name).is_some(), "{name}");
        }
    }
}
