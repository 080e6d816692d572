//! Final snapshots: their names, and whether they are there.

use crate::observed::Wanted;
use aws_sdk_rds::Client;
use shared::names::slug;
use shared::{Doing, Result};

/// A manual snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Its identifier.
    pub name: String,
    /// `creating`, `available`, `failed`, ...
    pub status: String,
    /// DbiResourceId of the instance it was taken from.
    pub resource_id: String,
}

/// The manual snapshots of an instance identifier; they outlive the instance.
///
/// # Errors
/// As the service says.
pub async fn of(client: &Client, id: &str, region: &str) -> Result<Vec<Snapshot>> {
    let mut pages = client
        .describe_db_snapshots()
        .db_instance_identifier(id)
        .snapshot_type("manual")
        .into_paginator()
        .items()
        .send();
    let mut all = Vec::new();
    while let Some(snapshot) = pages.next().await {
        let s = snapshot.doing(&format!("list the snapshots of {id} in {region}"))?;
        let text = |t: Option<&str>| t.unwrap_or_default().to_owned();
        all.push(Snapshot {
            name: text(s.db_snapshot_identifier()),
            status: text(s.status()),
            resource_id: text(s.dbi_resource_id()),
        });
    }
    Ok(all)
}

/// The final snapshot's name: given, or derived from the observed resource id, so that the snapshot
/// of an earlier exercise is never taken for this one's.
pub fn name(wanted: &Wanted, resource_id: &str) -> String {
    let own = || format!("{}{}", prefix(&wanted.id), slug(&resource_id.to_lowercase(), 60));
    wanted.snapshot_name.clone().unwrap_or_else(own)
}

/// What all our final snapshots of an instance begin with.
pub fn prefix(id: &str) -> String {
    format!("dr-final-{}-", slug(id, 63))
}
