//! `weigh`: whether a retry may begin at once, or somebody must first see its new plan.

use crate::held::{Held, write};
use serde::Deserialize;
use serde_json::{Value, json};
use shared::{ChangeClass, Error, Frame, Result, Status};

/// What the resource machine sends.
#[derive(Debug, Deserialize)]
pub struct Request {
    #[serde(flatten)]
    held: Held,
    /// None: the manifest could not even be asked for.
    again: Option<Again>,
    /// None: it was not planned.
    plan: Option<Planned>,
}

/// The manifest as it is now.
#[derive(Debug, Deserialize)]
struct Again {
    status: Read,
    message: Option<String>,
    changed: bool,
    key: Option<String>,
    sha256: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Read {
    Read,
    Failed,
}

/// The new plan.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Planned {
    status: Status,
    summary: String,
    #[serde(default)]
    waits: bool,
    change_class: Option<ChangeClass>,
    message: Option<String>,
}

/// The operation. `runnable`: a retry carries out `plan`. `grant` is what the resource's context
/// gets: the classes of change that are approved for the next attempt.
///
/// # Errors
/// When it could not be recorded: then nothing is tried.
pub async fn weigh(frame: &Frame, payload: Value) -> Result<Value> {
    let request = Request::deserialize(payload)
        .map_err(|e| Error::internal(format!("the request is malformed: {e}")))?;
    let weighed = weighed(&request);
    write(frame, &request.held, "replanned", record(&request, &weighed)).await?;
    Ok(weighed)
}

fn weighed(request: &Request) -> Value {
    let approved = &request.held.context.approved;
    let read = request.again.as_ref().filter(|again| again.status == Read::Read);
    let plan = request.plan.as_ref().filter(|_| read.is_some());
    let runnable = plan.is_some_and(|p| matches!(p.status, Status::Planned | Status::Done));
    let changed = read.is_some_and(|again| again.changed);
    let seen = plan.is_some_and(|plan| !changed && is_harmless(plan, approved));
    json!({
        "next": if runnable && seen { "RUN" } else { "ASK" },
        "runnable": runnable,
        "plan": plan.map(shown),
        "grant": {"approved": plan.map_or(vec![], |plan| grant(plan, changed, approved))},
    })
}

/// What needs nobody: to go on waiting, and what hurts nothing and nobody was asked about before.
fn is_harmless(plan: &Planned, approved: &[ChangeClass]) -> bool {
    let worst = plan.change_class.into_iter().chain(approved.iter().copied()).max();
    plan.waits || !worst.is_some_and(ChangeClass::hurts)
}

/// The classes that the next attempt may make. A plan that only waits shows its type's worst class,
/// not what it will do: nothing more than before is approved by it, nothing where the manifest changed.
fn grant(plan: &Planned, changed: bool, approved: &[ChangeClass]) -> Vec<ChangeClass> {
    match plan.change_class.filter(|_| !plan.waits) {
        Some(class) => vec![class],
        None if changed => vec![],
        None => approved.to_vec(),
    }
}

fn shown(plan: &Planned) -> Value {
    json!({
        "status": plan.status,
        "summary": plan.summary,
        "changeClass": plan.change_class,
        "waits": plan.waits,
        "message": plan.message,
    })
}

fn record(request: &Request, weighed: &Value) -> Value {
    let again = request.again.as_ref();
    json!({
        "manifest": again.and_then(|a| a.key.as_ref()),
        "sha256": again.and_then(|a| a.sha256.as_ref()),
        "changed": again.map(|a| a.changed),
        "problem": again.and_then(|a| a.message.as_ref()),
        "plan": weighed["plan"],
        "next": weighed["next"],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(approved: Value, again: Value, plan: Value) -> (String, bool, Value) {
        let request = Request::deserialize(json!({
            "context": {"product": "shop", "execution": "arn:x:run-1", "root": "run-1",
                "startedAt": "t", "region": "us-west-2", "unplanned": false, "folder": "f/",
                "approved": approved},
            "phase": "CLEANUP", "resourceType": "T", "resourceName": "n",
            "asked": {"at": "2026-01-01T00:00:00Z"}, "again": again, "plan": plan,
        }))
        .unwrap();
        let told = weighed(&request);
        let next = told["next"].as_str().unwrap().to_owned();
        (next, told["runnable"].as_bool().unwrap(), told["grant"]["approved"].clone())
    }

    fn read(changed: bool) -> Value {
        json!({"status": "READ", "message": null, "changed": changed, "key": "k", "sha256": "s"})
    }

    fn plan(status: &str, class: Value) -> Value {
        json!({"status": status, "summary": "s", "changeClass": class, "message": null})
    }

    #[test]
    fn what_hurts_nothing_and_did_not_change_begins_at_once() {
        let mild = of(json!([]), read(false), plan("PLANNED", json!("modify")));
        assert_eq!(mild, ("RUN".into(), true, json!(["modify"])));
        let done = of(json!(["create"]), read(false), plan("DONE", Value::Null));
        assert_eq!(done, ("RUN".into(), true, json!(["create"])));
    }

    #[test]
    fn to_go_on_waiting_needs_nobody_and_approves_nothing_more() {
        let mut waits = plan("PLANNED", json!("destructive"));
        waits["waits"] = json!(true);
        let told = of(json!(["create"]), read(false), waits.clone());
        assert_eq!(told, ("RUN".into(), true, json!(["create"])));
        assert_eq!(of(json!(["create"]), read(true), waits), ("ASK".into(), true, json!([])));
    }

    #[test]
    fn what_hurts_or_changed_is_shown_and_grants_its_class_alone() {
        let cases =
            [(read(true), "destructive"), (read(false), "destructive"), (read(true), "create")];
        for (again, class) in cases {
            let asked = of(json!(["destructive"]), again, plan("PLANNED", json!(class)));
            assert_eq!(asked, ("ASK".into(), true, json!([class])));
        }
        // Done by whom? The step that failed may have gone too far.
        for (again, grant) in [(read(true), json!([])), (read(false), json!(["destructive"]))] {
            let done = of(json!(["destructive"]), again, plan("DONE", Value::Null));
            assert_eq!(done, ("ASK".into(), true, grant));
        }
    }

    #[test]
    fn what_cannot_be_tried_is_never_runnable() {
        let failed = json!({"status": "FAILED", "message": "gone", "changed": false, "key": null,
            "sha256": null});
        let old = plan("PLANNED", json!("create"));
        let cases = [
            (failed, old.clone()),
            (Value::Null, old),
            (read(false), plan("FAILED", Value::Null)),
            (read(false), plan("UNKNOWN", json!("create"))),
            (read(false), Value::Null),
        ];
        for (again, plan) in cases {
            let told = of(json!(["destructive"]), again.clone(), plan);
            assert_eq!((told.0.as_str(), told.1), ("ASK", false), "{again}");
        }
    }
}
