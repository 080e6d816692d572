//! Parameters, and what can be said of them without a call.

use crate::observed::Wanted;
use schemars::JsonSchema;
use serde::Deserialize;
use shared::coerce::{Flag, Int};
use shared::{Cx, Error, Result};
use shared_elasticache::{GroupArn, MINUTES, Place, identifier, region, within};

/// Parameters of DeleteElastiCacheReplicationGroup.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct Parameters {
    /// Id, or ARN, of the replication group to delete.
    pub replication_group_id: String,
    /// Its Region.
    pub region: String,
    /// Id, or ARN, of the replication group that serves now. Nothing is deleted unless it is
    /// observed to be available, and standalone or the primary, immediately before.
    pub expected_primary_replication_group_id: String,
    /// The other Region, in which it serves.
    pub expected_primary_region: String,
    /// Take a final snapshot and wait until it is available; default true.
    pub final_snapshot: Option<Flag>,
    /// Name of the final snapshot; default: dr-final-<id>-<time of the group's creation>.
    pub final_snapshot_identifier: Option<String>,
    /// Deadline of the attempt, minutes; default 120.
    pub timeout_minutes: Option<Int>,
}

/// What is wanted, checked.
///
/// # Errors
/// `Dr.InvalidParameters` for malformed values, `Dr.Refused` when both groups cannot be right.
pub fn wanted(p: &Parameters, cx: &Cx) -> Result<Wanted> {
    within("TimeoutMinutes", p.timeout_minutes, MINUTES)?;
    let place = |region: String| Place {
        partition: cx.partition.clone(),
        region,
        account: cx.account.clone(),
    };
    let here = place(region("Region", &p.region)?);
    let there = place(region("ExpectedPrimaryRegion", &p.expected_primary_region)?);
    let stale = here.group("ReplicationGroupId", &p.replication_group_id)?;
    let expected = &p.expected_primary_replication_group_id;
    let primary = there.group("ExpectedPrimaryReplicationGroupId", expected)?;
    apart(&stale, &primary, cx)?;
    Ok(Wanted {
        stale,
        primary,
        final_snapshot: p.final_snapshot.is_none_or(|f| f.0),
        snapshot_name: snapshot_name(p)?,
    })
}

fn snapshot_name(p: &Parameters) -> Result<Option<String>> {
    let Some(name) = &p.final_snapshot_identifier else { return Ok(None) };
    if p.final_snapshot.is_some_and(|f| !f.0) {
        let text = "parameters.FinalSnapshotIdentifier contradicts FinalSnapshot \"False\"";
        return Err(Error::invalid_parameters(text));
    }
    identifier("FinalSnapshotIdentifier", name, 255).map(Some)
}

/// Both are in different Regions, and the Region that serves before the run is not the one to delete
/// in.
fn apart(stale: &GroupArn, primary: &GroupArn, cx: &Cx) -> Result<()> {
    let refuse = |text: String, next: &str| Err(Error::refused(text).next(next));
    if primary.region == stale.region {
        let text = format!(
            "parameters.ExpectedPrimaryRegion is {}, the Region of the replication group to delete: \
             what serves must be in another Region",
            stale.region
        );
        return refuse(text, "Let the Expected... parameters name the group that serves now.");
    }
    if cx.context.primary_region.as_deref() == Some(&stale.region) {
        let text = format!(
            "{} would be deleted in {}, which is primary_region: the Region that serves before \
             the run",
            stale.id, stale.region
        );
        let next = "In CLEANUP primary_region is the new primary: correct it, or correct Region.";
        return refuse(text, next);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use shared::progress::sample_cx;
    use shared::{ErrorType, Phase};

    const NEW: &str = "arn:aws:elasticache:us-west-2:123456789012:replicationgroup:orders-dr";

    fn wanted_of(change: Value, primary: Option<&str>) -> Result<Wanted> {
        let mut all = json!({
            "ReplicationGroupId": "orders", "Region": "us-east-1",
            "ExpectedPrimaryReplicationGroupId": NEW, "ExpectedPrimaryRegion": "us-west-2",
        });
        for (name, value) in change.as_object().unwrap() {
            all[name] = value.clone();
        }
        let mut cx = sample_cx(Phase::Cleanup);
        cx.context.primary_region = primary.map(str::to_owned);
        wanted(&serde_json::from_value(all).unwrap(), &cx)
    }

    fn wrong(change: Value) -> ErrorType {
        wanted_of(change, Some("us-west-2")).unwrap_err().error_type
    }

    #[test]
    fn the_careful_values_are_the_defaults() {
        let wanted = wanted_of(json!({}), Some("us-west-2")).unwrap();
        let stale = "arn:aws:elasticache:us-east-1:123456789012:replicationgroup:orders";
        assert_eq!(wanted.stale.to_string(), stale);
        assert_eq!(wanted.primary.to_string(), NEW);
        assert!(wanted.final_snapshot && wanted.snapshot_name.is_none());
        assert!(!wanted_of(json!({"FinalSnapshot": "No"}), None).unwrap().final_snapshot);
    }

    #[test]
    fn what_serves_is_in_this_account_and_in_another_region() {
        let expected = |arn: &str| wrong(json!({"ExpectedPrimaryReplicationGroupId": arn}));
        assert_eq!(expected(&NEW.replace("us-west-2", "us-east-1")), ErrorType::Refused);
        assert_eq!(expected(&NEW.replace("123456789012", "999999999999")), ErrorType::Refused);
        assert_eq!(expected(&NEW.replace("arn:aws:", "arn:aws-cn:")), ErrorType::Refused);
        let same = json!({"ExpectedPrimaryReplicationGroupId": "orders-dr",
            "ExpectedPrimaryRegion": "us-east-1"});
        assert_eq!(wrong(same), ErrorType::Refused);
    }

    #[test]
    fn nothing_is_deleted_in_the_region_that_serves() {
        let error = wanted_of(json!({}), Some("us-east-1")).unwrap_err();
        assert_eq!(error.error_type, ErrorType::Refused);
        assert!(error.message.contains("primary_region"));
        assert_eq!(wrong(json!({"ReplicationGroupId": NEW})), ErrorType::Refused);
    }

    #[test]
    fn malformed_values_are_named() {
        for change in [
            json!({"Region": "Virginia"}),
            json!({"ExpectedPrimaryRegion": ""}),
            json!({"ReplicationGroupId": "a--b"}),
            json!({"FinalSnapshotIdentifier": "1a"}),
            json!({"FinalSnapshotIdentifier": "a", "FinalSnapshot": false}),
            json!({"TimeoutMinutes": 1441}),
        ] {
            assert_eq!(wrong(change.clone()), ErrorType::InvalidParameters, "{change}");
        }
        let name = json!({"FinalSnapshotIdentifier": "Orders-Final"});
        assert_eq!(wanted_of(name, None).unwrap().snapshot_name.as_deref(), Some("orders-final"));
    }
}
