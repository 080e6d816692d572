//! Reads the run's folder, as much of it as there is, and writes the report.

use crate::end::{DIRECT, End, UNKNOWN, is_product, texts};
use crate::holds::Held;
use crate::report::Report;
use crate::resources::Failed;
use serde::de::DeserializeOwned;
use serde_json::Value;
use shared::folder::Plan;
use shared::journal::Entry;
use shared::names::run_folder;
use shared::pending::{Answer, Card, answer_key};
use shared::store::Store;
use shared::{Context, Error, Frame, Phase, Result};
use tokio::task::JoinSet;

/// Objects read at once.
const AT_ONCE: usize = 16;
/// A manifest may have 128 KB; more is not read for the sake of a name.
const MANIFEST: i64 = 262_144;

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    /// The plan.
    pub plan: Plan,
    /// All problems of the manifests.
    pub problems: Vec<String>,
    /// When approval was asked for, RFC 3339.
    pub requested_at: Option<String>,
    /// The answer, when the end did not bring it.
    pub answer: Option<Answer>,
    /// The run, when the end did not bring it.
    pub context: Option<Context>,
    /// The phase, when the end did not bring it.
    pub phase: Option<Phase>,
    /// What an approver would have seen, of a run that only plans.
    pub card: Option<Card>,
    /// One for each resource that was begun.
    pub journal: Vec<Entry>,
    /// What people decided about failed resources.
    pub holds: Vec<Held>,
    /// One for each recorded failure of a resource.
    pub failures: Vec<Failed>,
    /// What the loader warned of, and what could not be read.
    pub warnings: Vec<String>,
}

/// Finds product and folder.
pub async fn place(frame: &Frame, end: End) -> End {
    if let Some(context) = end.context.clone() {
        return End { product: context.product, folder: context.folder, ..end };
    }
    let named = named(&frame.store, end.manifest()).await;
    let mut names: Vec<String> = named.into_iter().chain([end.product.clone()]).collect();
    names.retain(|name| is_product(name));
    names.extend([UNKNOWN, DIRECT].map(str::to_owned));
    for name in &names {
        if has_run(&frame.store, &run_folder(name, &end.execution_name)).await {
            return end.at(name);
        }
    }
    end.at(&names[0])
}

/// Whether manifest-loader has left something there.
async fn has_run(store: &Store, folder: &str) -> bool {
    for name in ["run.json", "problems.json"] {
        if matches!(store.size(&format!("{folder}{name}")).await, Ok(Some(_))) {
            return true;
        }
    }
    false
}

/// The product that a manifest names, JSON or YAML, however broken the rest of it is.
async fn named(store: &Store, key: Option<&str>) -> Option<String> {
    let key = key?;
    let size = store.size(key).await.ok()??;
    if size > MANIFEST {
        return None;
    }
    let object = store.get(key).await.ok()??;
    product_name(&String::from_utf8_lossy(&object.bytes)).filter(|name| is_product(name))
}

fn product_name(text: &str) -> Option<String> {
    if let Ok(value) = serde_json::from_str::<Value>(text) {
        return value["product_name"].as_str().map(str::to_owned);
    }
    let rest = text.lines().find_map(|line| {
        let line = line.trim().trim_start_matches(['"', '\'']);
        line.strip_prefix("product_name")?.trim_start_matches(['"', '\'']).trim().strip_prefix(':')
    })?;
    let value = rest.split('#').next().unwrap_or_default().trim().trim_end_matches(',');
    Some(value.trim_matches(['"', '\'']).to_owned())
}

/// Whether this run has its report, wherever its folder was taken to be at that time.
pub async fn is_reported(frame: &Frame, end: &End) -> bool {
    let elsewhere = run_folder(UNKNOWN, &end.execution_name);
    for folder in [&end.folder, &elsewhere] {
        if matches!(frame.store.size(&format!("{folder}report.json")).await, Ok(Some(_))) {
            return true;
        }
    }
    false
}

/// True: this call wrote the report. False: another one did.
pub async fn write(frame: &Frame, key: &str, report: &Report) -> Result<bool> {
    if frame.store.put_new(key, report).await? {
        return Ok(true);
    }
    // Refused although it was ours: the first answer got lost and the call was repeated.
    let known: Option<Value> = frame.store.get_json(key).await?;
    Ok(known.is_some_and(|k| k["reportId"] == report.report_id.as_str()))
}

/// Everything of the run that can be read.
pub async fn read(frame: &Frame, end: &End) -> Found {
    let mut found = Found::default();
    let store = &frame.store;
    let of = |name: &str| format!("{}{name}", end.folder);
    found.plan = json(store, &of("plan.json"), &mut found.warnings).await.unwrap_or_default();
    let run: Option<Value> = json(store, &of("run.json"), &mut found.warnings).await;
    let run = run.unwrap_or_default();
    found.context = serde_json::from_value(run["context"].clone()).ok();
    found.phase = serde_json::from_value(run["action"].clone()).ok();
    found.warnings.extend(texts(&run["warnings"]));
    let refused: Option<Value> = json(store, &of("problems.json"), &mut found.warnings).await;
    let refused = refused.unwrap_or_default();
    found.problems = texts(&refused["problems"]);
    found.warnings.extend(texts(&refused["warnings"]));
    let asked: Option<Value> = json(store, &of("approval.json"), &mut found.warnings).await;
    found.requested_at = asked.and_then(|a| a["requestedAt"].as_str().map(str::to_owned));
    if found.requested_at.is_some() && end.approval.is_none() {
        found.answer = json(store, &answer_key(&end.execution), &mut found.warnings).await;
    }
    if end.is_plan_only() {
        found.card = json(store, &of("card.json"), &mut found.warnings).await;
    }
    read_journal(store, &of("journal/"), &mut found).await;
    found.holds.sort_by(|a, b| a.at.cmp(&b.at));
    found
}

async fn json<T: DeserializeOwned>(
    store: &Store,
    key: &str,
    warnings: &mut Vec<String>,
) -> Option<T> {
    store.get_json(key).await.unwrap_or_else(|error| {
        warnings.push(format!("Not everything could be read: {error}."));
        None
    })
}

async fn read_journal(store: &Store, prefix: &str, found: &mut Found) {
    let keys = match store.list(prefix).await {
        Ok(keys) => keys,
        Err(error) => {
            found.warnings.push(format!("The journal could not be read: {error}."));
            return;
        }
    };
    let mut unread = 0;
    for chunk in keys.chunks(AT_ONCE) {
        let mut reads = JoinSet::new();
        for key in chunk.iter().cloned() {
            let store = store.clone();
            reads.spawn(async move { (store.get_json::<Value>(&key).await, key) });
        }
        while let Some(read) = reads.join_next().await {
            let known = read.map_err(|e| Error::internal(e.to_string()));
            unread += usize::from(known.and_then(|(v, key)| sort_in(found, &key, v)).is_err());
        }
    }
    if unread > 0 {
        found.warnings.push(format!("{unread} objects of the journal could not be read."));
    }
}

fn sort_in(found: &mut Found, key: &str, value: Result<Option<Value>>) -> Result<()> {
    let Some(value) = value? else { return Ok(()) };
    let bad = |e: serde_json::Error| Error::internal(e.to_string());
    if key.contains("/journal/failures/") {
        found.failures.push(serde_json::from_value(value).map_err(bad)?);
    } else if key.contains("/journal/holds/") {
        let held: Held = serde_json::from_value(value).map_err(bad)?;
        // That somebody was asked is told with the answer.
        found.holds.extend((held.event != "asked").then_some(held));
    } else {
        found.journal.push(serde_json::from_value(value).map_err(bad)?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_manifest_still_names_its_product() {
        let cases = [
            ("{\"product_name\": \"shop\"}", Some("shop")),
            ("{\"product_name\": \"shop\",, broken", None),
            ("action: ACTIVATE\nproduct_name: shop # ours\nproduct: [", Some("shop")),
            ("product_name: 'shop-2'", Some("shop-2")),
            ("{\n  \"product_name\": \"shop\",\n  broken", Some("shop")),
            ("action: ACTIVATE", None),
            ("", None),
        ];
        for (text, wanted) in cases {
            assert_eq!(product_name(text).as_deref(), wanted, "{text}");
        }
    }
}
