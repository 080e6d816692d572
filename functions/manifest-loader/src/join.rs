//! Joins the plan entries of a run in its order: what waits for something must come after what
//! creates it. Pure.

use serde_json::{Value, json};
use shared::folder::PlanEntry;
use shared::{ChangeClass, Error, ErrorType, Response, Status};
use std::collections::BTreeMap;

/// A resource that must have a plan entry.
#[derive(Debug, Clone, PartialEq)]
pub struct Expected {
    /// Zero-based application layer.
    pub app_layer: usize,
    /// Application name.
    pub app: String,
    /// Short name of the manifest.
    pub file: String,
    /// Zero-based layer.
    pub layer: usize,
    /// Zero-based index.
    pub index: usize,
    /// The type.
    pub resource_type: String,
    /// The name.
    pub resource_name: String,
}

/// The whole plan.
#[derive(Debug, Default)]
pub struct Joined {
    /// In the order of the run.
    pub entries: Vec<Value>,
    /// One line each.
    pub blockers: Vec<String>,
    /// PLANNED.
    pub planned: usize,
    /// DONE.
    pub done: usize,
    /// UNKNOWN behind what creates it.
    pub unknown: usize,
    /// Entries that destroy, or may.
    pub destructive: usize,
}

impl Expected {
    /// The name of the plan entry.
    pub fn position(&self) -> String {
        format!("{}-{}-{}", self.file, self.layer, self.index)
    }

    /// Whether this runs after `other` has ended.
    fn comes_after(&self, other: &Self) -> bool {
        self.app_layer > other.app_layer || (self.file == other.file && self.layer > other.layer)
    }

    fn line(&self, text: &str) -> String {
        let Self { file, layer, resource_type, resource_name, .. } = self;
        format!("{file}, layer {}, {resource_type} {resource_name}: {text}", layer + 1)
    }

    fn missing(&self) -> PlanEntry {
        let error = Error::internal("the plan has no entry for this resource")
            .next("Read the logs of its function and start again.");
        PlanEntry {
            app: Some(self.app.clone()),
            file: Some(self.file.clone()),
            layer: u32::try_from(self.layer).ok(),
            index: u32::try_from(self.index).ok(),
            resource_type: self.resource_type.clone(),
            resource_name: self.resource_name.clone(),
            response: Response::failed(&error),
        }
    }
}

/// Joins. `region` is whether the run's manifest names the only Region it may run in.
pub fn join(expected: &[Expected], found: Vec<Option<PlanEntry>>, region: bool) -> Joined {
    let entries: Vec<PlanEntry> =
        expected.iter().zip(found).map(|(e, f)| f.unwrap_or_else(|| e.missing())).collect();
    let creators = creators(&entries);
    let mut out = Joined::default();
    for (n, entry) in entries.iter().enumerate() {
        let place = &expected[n];
        let response = &entry.response;
        let hurts = response.change_class == Some(ChangeClass::Destructive);
        match response.status {
            Status::Planned => out.planned += 1,
            Status::Done => out.done += 1,
            Status::Unknown => {
                out.unknown += 1;
                out.blockers.extend(uncreated(expected, n, response, &creators));
            }
            Status::Failed | Status::InProgress => {
                out.blockers.push(place.line(&failure(response)));
            }
        }
        if hurts && matches!(response.status, Status::Planned | Status::Unknown) {
            out.destructive += 1;
        }
        if hurts && response.status == Status::Planned && !region {
            out.blockers.push(place.line(NO_REGION));
        }
        out.entries.push(to_json(entry));
    }
    out
}

const NO_REGION: &str = "Dr.Refused: it would destroy something, and the run has no product manifest that names its \"region\". Name it there and start the product.";

/// Positions of the entries that create a thing.
fn creators(entries: &[PlanEntry]) -> BTreeMap<&str, Vec<usize>> {
    let mut creators: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (n, entry) in entries.iter().enumerate() {
        if matches!(entry.response.status, Status::Planned | Status::Done | Status::Unknown) {
            for name in &entry.response.creates {
                creators.entry(name).or_default().push(n);
            }
        }
    }
    creators
}

/// What nothing before it creates, as one blocker.
fn uncreated(
    expected: &[Expected],
    n: usize,
    response: &Response,
    creators: &BTreeMap<&str, Vec<usize>>,
) -> Option<String> {
    let place = &expected[n];
    let before = |name: &str| {
        let all = creators.get(name).into_iter().flatten();
        all.into_iter().any(|c| place.comes_after(&expected[*c]))
    };
    if response.depends_on.is_empty() {
        let text = format!("Dr.NotFound: {}, and names nothing it waits for.", response.summary);
        return Some(place.line(&text));
    }
    let missing: Vec<&String> = response.depends_on.iter().filter(|d| !before(d)).collect();
    if missing.is_empty() {
        return None;
    }
    let why: Vec<String> = missing.iter().map(|d| wants(expected, place, d, creators)).collect();
    let text =
        format!("Dr.NotFound: {} {}", shared::text::sentence(&response.summary), why.join(" "));
    Some(place.line(&text))
}

/// Names what is missing, and who would create it too late.
fn wants(
    expected: &[Expected],
    place: &Expected,
    name: &str,
    creators: &BTreeMap<&str, Vec<usize>>,
) -> String {
    let late = creators.get(name).into_iter().flatten().map(|c| &expected[*c]);
    match late.into_iter().find(|c| *c != place) {
        Some(late) => format!(
            "\"{name}\" is created by {}, layer {}, {}, which does not run before it: put it into a later layer.",
            late.file,
            late.layer + 1,
            late.resource_name
        ),
        None => format!("\"{name}\" does not exist and no earlier layer creates it."),
    }
}

fn failure(response: &Response) -> String {
    let error_type = response.error_type.unwrap_or(ErrorType::Internal);
    let message = response.message.as_deref().unwrap_or(&response.summary);
    let next = response.next_step.as_deref().unwrap_or_default();
    format!("{error_type}: {} {next}", shared::text::sentence(message)).trim_end().to_owned()
}

fn to_json(entry: &PlanEntry) -> Value {
    let mut value = json!({
        "app": entry.app,
        "file": entry.file,
        "layer": entry.layer,
        "index": entry.index,
        "resourceType": entry.resource_type,
        "resourceName": entry.resource_name,
    });
    if let (Some(map), Ok(Value::Object(fields))) =
        (value.as_object_mut(), serde_json::to_value(&entry.response))
    {
        map.extend(fields);
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(app_layer: usize, file: &str, layer: usize) -> Expected {
        Expected {
            app_layer,
            app: "app".into(),
            file: file.into(),
            layer,
            index: 0,
            resource_type: "DeployCF".into(),
            resource_name: format!("{file}{layer}"),
        }
    }

    fn entry(status: Status, creates: &[&str], depends_on: &[&str]) -> Option<PlanEntry> {
        let mut response = Response::new(status, "summary");
        response.creates = creates.iter().map(|s| (*s).to_owned()).collect();
        response.depends_on = depends_on.iter().map(|s| (*s).to_owned()).collect();
        Some(PlanEntry { response, ..place(0, "a", 0).missing() })
    }

    /// An UNKNOWN at `at` that waits for `export:x`, created by `status` at `by`.
    fn blockers(by: Expected, status: Status, at: Expected) -> Vec<String> {
        let found =
            vec![entry(status, &["export:x"], &[]), entry(Status::Unknown, &[], &["export:x"])];
        join(&[by, Expected { index: 1, ..at }], found, true).blockers
    }

    #[test]
    fn an_unknown_is_legal_only_behind_what_creates_it() {
        let first = || place(0, "a", 0);
        let legal = [place(0, "a", 1), place(1, "b", 0)];
        for at in legal {
            assert!(blockers(first(), Status::Planned, at.clone()).is_empty());
            assert!(blockers(first(), Status::Done, at).is_empty());
        }
        let illegal = [
            (first(), place(0, "b", 1)),
            (first(), place(0, "a", 0)),
            (place(0, "a", 2), place(0, "a", 1)),
        ];
        for (by, at) in illegal {
            let lines = blockers(by, Status::Planned, at);
            assert!(
                lines.len() == 1 && lines[0].contains("put it into a later layer"),
                "{lines:?}"
            );
        }
    }

    #[test]
    fn a_failed_creator_creates_nothing() {
        let lines = blockers(place(0, "a", 0), Status::Failed, place(0, "a", 1));
        assert_eq!(lines.len(), 2);
        assert!(lines[1].contains("no earlier layer creates it"));
    }

    #[test]
    fn a_missing_entry_blocks_and_is_shown() {
        let joined = join(&[place(0, "a", 0)], vec![None], true);
        assert!(
            joined.blockers[0]
                .starts_with("a, layer 1, DeployCF a0: Dr.Internal: the plan has no entry")
        );
        assert_eq!(joined.entries[0]["status"], "FAILED");
    }

    #[test]
    fn destruction_asks_for_a_region() {
        let found = || {
            let mut entry = entry(Status::Planned, &[], &[]);
            if let Some(entry) = entry.as_mut() {
                entry.response.change_class = Some(ChangeClass::Destructive);
            }
            vec![entry]
        };
        assert_eq!(join(&[place(0, "a", 0)], found(), false).blockers.len(), 1);
        let joined = join(&[place(0, "a", 0)], found(), true);
        assert_eq!((joined.blockers.len(), joined.destructive, joined.planned), (0, 1, 1));
    }
}
