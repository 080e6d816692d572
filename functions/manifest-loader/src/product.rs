//! The rules of a product manifest.

use crate::approvers;
use crate::key;
use crate::path;
use crate::problem::Report;
use crate::registry::Registry;
use serde::Serialize;
use serde_json::Value;
use shared::Phase;
use shared::consent::Rule;
use std::collections::BTreeMap;

/// Service order files of one product: what a state machine may carry is 256 KiB.
const FILES: usize = 200;
/// Minutes that an approval waits when the manifest says nothing.
const APPROVAL_MINUTES: i64 = 60;
/// Default of `approval.hold_timeout_minutes`.
const HOLD_MINUTES: i64 = 60;

/// A product manifest. Complete only when nothing was reported.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Product {
    /// The phase.
    pub action: Option<Phase>,
    /// The name; None when it breaks its rule.
    pub name: Option<String>,
    /// Where it runs.
    pub regions: Regions,
    /// Seconds that the approval waits.
    pub approval_seconds: i64,
    /// Seconds that a failed resource waits for a decision; 0: it fails at once.
    pub hold_seconds: i64,
    /// Who must approve.
    pub rule: Rule,
    /// As the manifest says.
    pub rto_minutes: Option<i64>,
    /// As the manifest says.
    pub rpo_seconds: Option<i64>,
    /// In the order in which they run.
    pub layers: Vec<Vec<App>>,
}

/// The Regions of a run, as a product manifest or a direct start names them.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Regions {
    /// The only Region in which it may be started.
    pub region: Option<String>,
    /// The Region that serves before the run.
    pub primary_region: Option<String>,
    /// The other Region.
    pub secondary_region: Option<String>,
    /// Whether the old Region is taken for lost.
    pub unplanned: bool,
}

/// An application of a layer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct App {
    /// Its name.
    pub name: String,
    /// Keys of its manifests.
    pub files: Vec<String>,
}

impl Product {
    /// Every file with its application and the zero-based application layer, in order.
    pub fn files(&self) -> impl Iterator<Item = (usize, &App, &str)> {
        self.layers.iter().enumerate().flat_map(|(n, apps)| {
            apps.iter().flat_map(move |app| app.files.iter().map(move |f| (n, app, f.as_str())))
        })
    }
}

/// Checks everything at once. `here` is the executing Region, None when checked offline.
pub fn check(
    registry: &Registry,
    file: &str,
    value: &Value,
    here: Option<&str>,
    bucket: Option<&str>,
    report: &mut Report,
) -> Product {
    registry.product.check(file, "$", value, report);
    let action = value["action"].as_str().and_then(phase);
    let regions = Regions::of(value);
    regions.check(file, "$", action, here, report);
    if action == Some(Phase::Cleanup) && value.get("region").is_none() {
        let text = "CLEANUP must name the only Region in which it may be started: \"region\"";
        report.wrong(file, "$", text);
    }
    if let Some(action) = action {
        key::warn_of_another_phase(file, action, report);
    }
    let minutes = value["approval"]["timeout_minutes"].as_i64().unwrap_or(APPROVAL_MINUTES);
    let product = Product {
        action,
        name: value["product_name"].as_str().filter(|n| is_name(n)).map(str::to_owned),
        regions,
        approval_seconds: minutes.clamp(1, 10_080) * 60,
        hold_seconds: hold_seconds(value),
        rule: approvers::rule(file, &value["approval"], report),
        rto_minutes: value["rto_minutes"].as_i64(),
        rpo_seconds: value["rpo_seconds"].as_i64(),
        layers: layers(file, value, bucket, report),
    };
    count(file, &product, report);
    product
}

fn hold_seconds(value: &Value) -> i64 {
    if value["onFailure"] == "fail" {
        return 0;
    }
    let minutes = value["approval"]["hold_timeout_minutes"].as_i64().unwrap_or(HOLD_MINUTES);
    minutes.clamp(1, 1_440) * 60
}

fn layers(file: &str, value: &Value, bucket: Option<&str>, report: &mut Report) -> Vec<Vec<App>> {
    let mut seen = BTreeMap::new();
    let mut layers = Vec::new();
    for (n, layer) in array(&value["product"]).enumerate() {
        let at = path::key(&path::index("$.product", n), "apps");
        let mut apps = Vec::new();
        for (n, app) in array(&layer["apps"]).enumerate() {
            let at = path::key(&path::index(&at, n), "service_order_files");
            let mut files = Vec::new();
            for (n, text) in array(&app["service_order_files"]).enumerate() {
                let Some(text) = text.as_str().filter(|t| !t.is_empty()) else { continue };
                let at = path::index(&at, n);
                match key::of(text, bucket) {
                    Err(why) => report.wrong(file, &at, why),
                    Ok(key) => match seen.insert(key.clone(), at.clone()) {
                        Some(first) => {
                            let text =
                                format!("\"{key}\" is already named at {first}: name it once");
                            report.wrong(file, &at, text);
                        }
                        None => files.push(key),
                    },
                }
            }
            apps.push(App { name: app["name"].as_str().unwrap_or_default().to_owned(), files });
        }
        layers.push(apps);
    }
    layers
}

fn array(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn count(file: &str, product: &Product, report: &mut Report) {
    let files = product.files().count();
    if files > FILES {
        let text = format!(
            "names {files} service order files, the limit is {FILES}: split it into several products"
        );
        report.wrong(file, "$.product", text);
    }
}

impl Regions {
    /// Reads them from a product manifest or a direct start.
    pub fn of(value: &Value) -> Self {
        let text = |name: &str| value[name].as_str().map(str::to_owned);
        Self {
            region: text("region"),
            primary_region: text("primary_region"),
            secondary_region: text("secondary_region"),
            unplanned: value["unplanned"].as_bool().unwrap_or(false),
        }
    }

    /// What the Regions must be to each other, to the executing one and to the phase.
    pub fn check(
        &self,
        file: &str,
        base: &str,
        action: Option<Phase>,
        here: Option<&str>,
        report: &mut Report,
    ) {
        let here = here.or(self.region.as_deref());
        let (primary, secondary) =
            (self.primary_region.as_deref(), self.secondary_region.as_deref());
        if let (Some(wanted), Some(here)) = (self.region.as_deref(), here)
            && wanted != here
        {
            let text = format!(
                "this manifest may be started in {wanted} alone and was started in {here}: start it there"
            );
            report.wrong(file, &path::key(base, "region"), text);
        }
        if primary.is_some() && primary == secondary {
            let text = format!("is the primary_region too: {}", secondary.unwrap_or_default());
            report.wrong(file, &path::key(base, "secondary_region"), text);
        } else if let (Some(primary), Some(secondary), Some(here)) = (primary, secondary, here)
            && here != primary
            && here != secondary
        {
            let text = format!(
                "neither primary_region ({primary}) nor secondary_region ({secondary}) is the executing Region, {here}"
            );
            report.wrong(file, base, text);
        }
        if self.unplanned && primary.is_none() {
            let text = "an unplanned run must name the Region that is lost: \"primary_region\"";
            report.wrong(file, &path::key(base, "unplanned"), text);
        }
        self.check_lost(file, base, action, here, report);
    }

    /// An unplanned run calls no service of the lost Region, so it cannot run in it.
    fn check_lost(
        &self,
        file: &str,
        base: &str,
        action: Option<Phase>,
        here: Option<&str>,
        report: &mut Report,
    ) {
        let loses = matches!(action, Some(Phase::Instantiate | Phase::Activate));
        if self.unplanned && loses && here.is_some() && here == self.primary_region.as_deref() {
            let text = format!(
                "is the Region in which this runs, {}, and unplanned takes it for lost",
                here.unwrap_or_default()
            );
            report.wrong(file, &path::key(base, "primary_region"), text);
        }
    }
}

/// The phase of this name.
pub fn phase(name: &str) -> Option<Phase> {
    Phase::ALL.into_iter().find(|p| p.as_str() == name)
}

/// `^[A-Za-z][A-Za-z0-9-]{0,127}$`
pub fn is_name(text: &str) -> bool {
    text.len() <= 128
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}
