//! One look at the snapshots of DB instances and DB clusters.

use crate::arn::{Arn, Kind};
use aws_sdk_rds::Client;
use aws_sdk_rds::primitives::DateTime;
use aws_sdk_rds::types::{DbClusterSnapshot, DbSnapshot, Filter};
use shared::{Doing, Result, clock};

/// What RDS calls the snapshot that it takes of the old primary's volume in a managed failover.
pub const POINT_OF_FAILURE: &str = "rds:unplanned-global-failover-";

/// What the names of our copies of those begin with.
const COPY: &str = "dr-failure";

/// A snapshot, of whichever kind and type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Its identifier; that of an automated one begins with `rds:`.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// `creating`, `copying`, `available`, `failed`, ...
    pub status: String,
    /// `manual`, `automated`, ...
    pub origin: String,
    /// The identifier of the DB instance or DB cluster that it is of.
    pub of: String,
    /// DbiResourceId or DbClusterResourceId of that; empty where RDS does not say it.
    pub resource_id: String,
    /// ARN of the snapshot that it was copied from. RDS tells it of every copy of a cluster
    /// snapshot, of an instance snapshot only when the copy crossed a Region or an account.
    pub source: Option<String>,
    /// When it was taken, seconds since 1970; None while it has not begun.
    pub taken_at: Option<i64>,
    /// When the first of a chain of copies was taken; of instance snapshots only.
    pub first_taken_at: Option<i64>,
    /// Percent of its data.
    pub percent: Option<i32>,
    /// Whether it is encrypted.
    pub encrypted: bool,
}

impl Snapshot {
    /// Name and age for people.
    pub fn label(&self) -> String {
        match self.taken_at {
            Some(at) => format!("{} of {}", self.name, clock::rfc3339(at)),
            None => self.name.clone(),
        }
    }

    /// Name, status and, while it is on its way, how far it is.
    pub fn progress(&self) -> String {
        match self.percent.filter(|p| *p > 0 && self.status != "available") {
            Some(percent) => format!("snapshot {} is {}, {percent} %", self.name, self.status),
            None => format!("snapshot {} is {}", self.name, self.status),
        }
    }

    /// Whether RDS took it of a primary that an unplanned failover left behind.
    pub fn is_point_of_failure(&self) -> bool {
        self.name.starts_with(POINT_OF_FAILURE)
    }

    /// Whether it is a manual copy of one of those.
    pub fn is_copy_of_point_of_failure(&self) -> bool {
        let source = self.source.as_deref().is_some_and(|s| s.contains(POINT_OF_FAILURE));
        source || self.name.starts_with(&format!("{COPY}-"))
    }

    /// Whether it never becomes available.
    pub fn is_lost(&self) -> bool {
        let status = self.status.as_str();
        status == "failed" || status.starts_with("incompatible-") || status == "deleting"
    }

    /// An available manual snapshot of `orders`, for tests of decisions.
    #[doc(hidden)]
    pub fn sample(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            arn: format!("arn:aws:rds:us-east-1:123456789012:cluster-snapshot:{name}"),
            status: "available".into(),
            origin: if name.contains(':') { "automated" } else { "manual" }.into(),
            of: "orders".into(),
            resource_id: String::new(),
            source: None,
            taken_at: Some(1_700_000_000),
            first_taken_at: None,
            percent: Some(100),
            encrypted: false,
        }
    }
}

/// Manual and automated snapshots of the database of this ARN, oldest first; they outlive it. Asked
/// by filter: the parameter of that name wants a database that still exists.
///
/// # Errors
/// As the service says.
pub async fn snapshots_of(client: &Client, arn: &Arn) -> Result<Vec<Snapshot>> {
    let what = format!("list the snapshots of {} in {}", arn.id, arn.region);
    let mut all = match arn.kind {
        Kind::Cluster => of_cluster(client, &arn.id, &what).await?,
        Kind::Db => of_instance(client, &arn.id, &what).await?,
    };
    all.retain(|s| s.of.eq_ignore_ascii_case(&arn.id));
    // What has not begun yet is the newest.
    all.sort_by_key(|s: &Snapshot| s.taken_at.unwrap_or(i64::MAX));
    Ok(all)
}

async fn of_cluster(client: &Client, id: &str, what: &str) -> Result<Vec<Snapshot>> {
    let filter = Filter::builder().name("db-cluster-id").values(id).build();
    let asked = client.describe_db_cluster_snapshots().filters(filter);
    let mut pages = asked.into_paginator().items().send();
    let mut all = Vec::new();
    while let Some(snapshot) = pages.next().await {
        all.push(read_cluster(&snapshot.doing(what)?));
    }
    Ok(all)
}

async fn of_instance(client: &Client, id: &str, what: &str) -> Result<Vec<Snapshot>> {
    let filter = Filter::builder().name("db-instance-id").values(id).build();
    let asked = client.describe_db_snapshots().filters(filter);
    let mut pages = asked.into_paginator().items().send();
    let mut all = Vec::new();
    while let Some(snapshot) = pages.next().await {
        all.push(read_instance(&snapshot.doing(what)?));
    }
    Ok(all)
}

/// The snapshot of this name in the Region of `client`, or None.
///
/// # Errors
/// As the service says.
pub async fn describe_snapshot(
    client: &Client,
    kind: Kind,
    name: &str,
) -> Result<Option<Snapshot>> {
    let what = format!("describe snapshot {name}");
    let found = match kind {
        Kind::Cluster => {
            let asked = client.describe_db_cluster_snapshots().db_cluster_snapshot_identifier(name);
            asked
                .send()
                .await
                .doing(&what)
                .map(|a| a.db_cluster_snapshots().first().map(read_cluster))
        }
        Kind::Db => {
            let asked = client.describe_db_snapshots().db_snapshot_identifier(name);
            asked.send().await.doing(&what).map(|a| a.db_snapshots().first().map(read_instance))
        }
    };
    match found {
        Err(error) if error.is_not_found() => Ok(None),
        other => other,
    }
}

fn read_cluster(s: &DbClusterSnapshot) -> Snapshot {
    let text = |t: Option<&str>| t.unwrap_or_default().to_owned();
    Snapshot {
        name: text(s.db_cluster_snapshot_identifier()),
        arn: text(s.db_cluster_snapshot_arn()),
        status: text(s.status()),
        origin: text(s.snapshot_type()),
        of: text(s.db_cluster_identifier()),
        resource_id: text(s.db_cluster_resource_id()),
        source: s.source_db_cluster_snapshot_arn().filter(|a| !a.is_empty()).map(str::to_owned),
        taken_at: s.snapshot_create_time().map(DateTime::secs),
        first_taken_at: None,
        percent: s.percent_progress(),
        encrypted: s.storage_encrypted().unwrap_or(false),
    }
}

fn read_instance(s: &DbSnapshot) -> Snapshot {
    let text = |t: Option<&str>| t.unwrap_or_default().to_owned();
    Snapshot {
        name: text(s.db_snapshot_identifier()),
        arn: text(s.db_snapshot_arn()),
        status: text(s.status()),
        origin: text(s.snapshot_type()),
        of: text(s.db_instance_identifier()),
        resource_id: text(s.dbi_resource_id()),
        source: s.source_db_snapshot_identifier().filter(|a| !a.is_empty()).map(str::to_owned),
        taken_at: s.snapshot_create_time().map(DateTime::secs),
        first_taken_at: s.original_snapshot_create_time().map(DateTime::secs),
        percent: s.percent_progress(),
        encrypted: s.encrypted().unwrap_or(false),
    }
}

/// A name that RDS accepts: `<prefix>-<middle>-<end>`, at most `max` characters. Only the middle is
/// shortened, so that what tells two names apart stays.
pub fn snapshot_name(prefix: &str, middle: &str, end: &str, max: usize) -> String {
    let end = legal(end);
    let rest = prefix.len() + 1 + if end.is_empty() { 0 } else { end.len() + 1 };
    let middle: String = legal(middle).chars().take(max.saturating_sub(rest)).collect();
    let parts = [prefix, middle.trim_end_matches('-'), &end];
    let name = parts.iter().filter(|p| !p.is_empty()).copied().collect::<Vec<_>>().join("-");
    name.chars().take(max).collect::<String>().trim_end_matches('-').to_owned()
}

/// Lower case; everything but letters and digits becomes a single hyphen.
fn legal(text: &str) -> String {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| !w.is_empty());
    words.collect::<Vec<_>>().join("-").to_ascii_lowercase()
}

/// The name of the copy of a point-of-failure snapshot: what comes after the words that all of them
/// share, and a time at its end, which is kept whole.
pub fn point_of_failure_copy(name: &str) -> String {
    let rest = name.strip_prefix(POINT_OF_FAILURE).unwrap_or(name);
    let at = rest.len().saturating_sub(24);
    let cut = rest.char_indices().map(|(i, _)| i).find(|i| *i >= at).unwrap_or(0);
    let (middle, end) = if rest.len() > 48 { rest.split_at(cut) } else { ("", rest) };
    snapshot_name(COPY, middle, end, 63)
}

#[cfg(test)]
#[path = "snapshot_tests.rs"]
mod tests;
