//! Parameters, and what can be said of them without a call.

use crate::observed::Wanted;
use schemars::JsonSchema;
use serde::Deserialize;
use shared::coerce::{Flag, Int, List};
use shared::{Cx, Error, Result};
use shared_rds::{Arn, MINUTES, Place, identifier, region, within};

/// Parameters of DeleteAuroraCluster.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct Parameters {
    /// Identifier, or ARN, of the cluster to delete.
    #[serde(rename = "DBClusterIdentifier")]
    pub db_cluster_identifier: String,
    /// Region of the cluster to delete.
    pub cluster_region: String,
    /// The global cluster that it may be removed from. Without it: the one that lists it.
    pub global_cluster_identifier: Option<String>,
    /// ARN of the cluster that serves now, in the other Region. Nothing is deleted unless it is
    /// observed to be available, with a writer, and nobody's secondary immediately before.
    pub expected_writer_arn: String,
    /// Take a final snapshot and wait until it is available; default true.
    pub final_snapshot: Option<Flag>,
    /// Name of the final snapshot, at most 63 characters; default:
    /// dr-final-<identifier>-<DbClusterResourceId>.
    pub final_snapshot_identifier: Option<String>,
    /// First copy the snapshots that RDS took of the cluster in unplanned failovers; default true.
    pub copy_point_of_failure_snapshot: Option<Flag>,
    /// Lift deletion protection when it is on; default false.
    pub disable_deletion_protection: Option<Flag>,
    /// Also delete the automated backups; default false.
    pub delete_automated_backups: Option<Flag>,
    /// Finally delete the global cluster of GlobalClusterIdentifier, which must then be empty and
    /// without deletion protection; default false.
    pub delete_global_cluster: Option<Flag>,
    /// Delete the cluster even if it is the standby of the one that serves; default false.
    pub allow_delete_healthy_secondary: Option<Flag>,
    /// Read replicas outside of the global cluster (identifiers or ARNs) that may lose their source.
    pub allow_replicas: Option<List>,
    /// Deadline of the attempt, minutes; default 180.
    pub timeout_minutes: Option<Int>,
}

/// What is wanted, checked.
///
/// # Errors
/// `Dr.InvalidParameters` for malformed values, `Dr.Refused` when cluster and writer cannot be
/// right.
pub fn wanted(p: &Parameters, cx: &Cx) -> Result<Wanted> {
    within("TimeoutMinutes", p.timeout_minutes, MINUTES)?;
    let place = |region: String| Place {
        partition: cx.partition.clone(),
        region,
        account: cx.account.clone(),
    };
    let here = place(region("ClusterRegion", &p.cluster_region)?);
    let stale = here.cluster("DBClusterIdentifier", &p.db_cluster_identifier)?;
    let writer = Arn::parse_cluster("ExpectedWriterArn", &p.expected_writer_arn)?;
    place(writer.region.clone()).must_hold("ExpectedWriterArn", &writer)?;
    apart(&stale, &writer, cx)?;
    let flag = |f: Option<Flag>| f.unwrap_or_default().0;
    Ok(Wanted {
        global: global(p)?,
        final_snapshot: p.final_snapshot.is_none_or(|f| f.0),
        snapshot_name: snapshot_name(p)?,
        copy_point_of_failure: p.copy_point_of_failure_snapshot.is_none_or(|f| f.0),
        may_lift_protection: flag(p.disable_deletion_protection),
        delete_global: flag(p.delete_global_cluster),
        may_delete_standby: flag(p.allow_delete_healthy_secondary),
        allowed_replicas: p.allow_replicas.clone().unwrap_or_default().0,
        stale,
        writer,
    })
}

/// Once the cluster is gone, nothing but its name leads to the global cluster.
fn global(p: &Parameters) -> Result<Option<String>> {
    if p.delete_global_cluster.is_some_and(|f| f.0) && p.global_cluster_identifier.is_none() {
        let text = "parameters.DeleteGlobalCluster needs GlobalClusterIdentifier";
        return Err(Error::invalid_parameters(text));
    }
    let name = p.global_cluster_identifier.as_deref();
    name.map(|n| identifier("GlobalClusterIdentifier", n, 255)).transpose()
}

fn snapshot_name(p: &Parameters) -> Result<Option<String>> {
    let Some(name) = &p.final_snapshot_identifier else { return Ok(None) };
    if p.final_snapshot.is_some_and(|f| !f.0) {
        let text = "parameters.FinalSnapshotIdentifier contradicts FinalSnapshot \"False\"";
        return Err(Error::invalid_parameters(text));
    }
    identifier("FinalSnapshotIdentifier", name, 63).map(Some)
}

/// The stale cluster and the writer are in different Regions, and the Region that serves before the
/// run is not the one to delete in.
fn apart(stale: &Arn, writer: &Arn, cx: &Cx) -> Result<()> {
    let refuse = |text: String, next: &str| Err(Error::refused(text).next(next));
    if writer.region == stale.region {
        let text = format!(
            "parameters.ExpectedWriterArn is in {}, the Region of the cluster to delete: the \
             cluster that serves must be in another Region",
            stale.region
        );
        return refuse(text, "Let ExpectedWriterArn name the cluster that serves now.");
    }
    if cx.context.primary_region.as_deref() == Some(&stale.region) {
        let text = format!(
            "{} would be deleted in {}, which is primary_region: the Region that serves before \
             the run",
            stale.id, stale.region
        );
        let next =
            "In CLEANUP primary_region is the new primary: correct it, or correct ClusterRegion.";
        return refuse(text, next);
    }
    Ok(())
}

#[cfg(test)]
#[path = "parameters_tests.rs"]
mod tests;
