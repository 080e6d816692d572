//! Parameters, and what can be said of them without a call.

use crate::observed::Wanted;
use schemars::JsonSchema;
use serde::Deserialize;
use shared::coerce::{Flag, Int};
use shared::{Cx, Error, Phase, Result};
use shared_elasticache::{GroupArn, MINUTES, Place, region, within};

/// Parameters of DisassociateElastiCache.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct Parameters {
    /// Full id of the global datastore with its Region's prefix, for example ldgnf-orders, or its
    /// ARN.
    pub global_replication_group_id: String,
    /// Id, or ARN, of the replication group that is to leave it.
    pub replication_group_id: String,
    /// Its Region.
    pub replication_group_region: String,
    /// ACTIVATE: consent that what was not replicated is lost.
    pub accept_data_loss: Option<Flag>,
    /// CLEANUP: also delete the global datastore once nothing but its primary is in it; the primary
    /// stays as a standalone group. Default false.
    pub delete_global_replication_group: Option<Flag>,
    /// Region of the global datastore's primary, for its deletion; default: the run's other Region.
    pub primary_region: Option<String>,
    /// Deadline of the attempt, minutes; default 60.
    pub timeout_minutes: Option<Int>,
}

/// What is wanted, checked.
///
/// # Errors
/// `Dr.InvalidParameters` for malformed values, `Dr.Refused` for another place, in a phase that
/// forbids it, and without consent.
pub fn wanted(p: &Parameters, cx: &Cx) -> Result<Wanted> {
    within("TimeoutMinutes", p.timeout_minutes, MINUTES)?;
    let place = Place {
        partition: cx.partition.clone(),
        region: region("ReplicationGroupRegion", &p.replication_group_region)?,
        account: cx.account.clone(),
    };
    let group = place.group("ReplicationGroupId", &p.replication_group_id)?;
    let datastore = place.datastore("GlobalReplicationGroupId", &p.global_replication_group_id)?;
    let at_primary = deletion(p, &group, cx)?;
    let warning = match cx.phase {
        Phase::Activate => {
            survivor(&group, cx)?;
            let what = format!("detaching {} loses what it has not received", group.label());
            cx.consent("AcceptDataLoss", p.accept_data_loss, &what)?
        }
        _ => None,
    };
    Ok(Wanted { datastore, group, at_primary, warning })
}

/// The Region of the datastore's primary, when the datastore is to be deleted.
fn deletion(p: &Parameters, group: &GroupArn, cx: &Cx) -> Result<Option<String>> {
    let given = p.primary_region.as_deref().map(|r| region("PrimaryRegion", r)).transpose()?;
    if !p.delete_global_replication_group.unwrap_or_default().0 {
        return Ok(None);
    }
    if cx.phase != Phase::Cleanup {
        let text = "parameters.DeleteGlobalReplicationGroup is for CLEANUP: before that the other \
                    side of the global datastore may be lost";
        return Err(Error::refused(text).next("Leave it out here, and add the step to CLEANUP."));
    }
    let regions = [&cx.context.primary_region, &cx.context.secondary_region];
    let other = regions.into_iter().flatten().find(|r| **r != group.region);
    given.or_else(|| other.cloned()).map(Some).ok_or_else(|| {
        let text = "parameters.PrimaryRegion is missing: DeleteGlobalReplicationGroup wants to know \
                    where the primary of the global datastore is";
        Error::invalid_parameters(text)
    })
}

/// In ACTIVATE only the surviving side may be detached.
fn survivor(group: &GroupArn, cx: &Cx) -> Result<()> {
    if cx.context.primary_region.as_deref() != Some(&group.region) {
        return Ok(());
    }
    Err(Error::refused(format!(
        "{} would be detached in {}, which is primary_region: the Region that serves before the run",
        group.id, group.region
    ))
    .next("ACTIVATE detaches the group that is to take over: correct ReplicationGroupRegion."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use shared::ErrorType;
    use shared::progress::sample_cx;

    fn wanted_in(phase: Phase, change: Value, tell: impl FnOnce(&mut Cx)) -> Result<Wanted> {
        let mut all = json!({
            "GlobalReplicationGroupId": "ldgnf-orders", "ReplicationGroupId": "orders-dr",
            "ReplicationGroupRegion": "us-west-2",
        });
        for (name, value) in change.as_object().unwrap() {
            all[name] = value.clone();
        }
        let mut cx = sample_cx(phase);
        tell(&mut cx);
        wanted(&serde_json::from_value(all).unwrap(), &cx)
    }

    fn wrong(phase: Phase, change: Value) -> ErrorType {
        wanted_in(phase, change, |_| ()).unwrap_err().error_type
    }

    #[test]
    fn in_activate_consent_is_needed_and_in_cleanup_it_is_not() {
        assert_eq!(wrong(Phase::Activate, json!({})), ErrorType::Refused);
        let given = json!({"AcceptDataLoss": "True"});
        assert!(wanted_in(Phase::Activate, given, |_| ()).unwrap().warning.is_none());
        let direct = wanted_in(Phase::Activate, json!({}), |cx| cx.context.direct = true).unwrap();
        assert!(direct.warning.unwrap().contains("AcceptDataLoss"));
        assert!(wanted_in(Phase::Cleanup, json!({}), |_| ()).is_ok());
    }

    #[test]
    fn in_activate_only_the_surviving_side_is_detached() {
        let east = json!({"ReplicationGroupRegion": "us-east-1", "AcceptDataLoss": true});
        let error = wanted_in(Phase::Activate, east, |_| ()).unwrap_err();
        assert_eq!(error.error_type, ErrorType::Refused);
        assert!(error.message.contains("primary_region"));
    }

    #[test]
    fn the_datastore_is_deleted_in_cleanup_only_and_in_the_other_region() {
        let delete = || json!({"DeleteGlobalReplicationGroup": "Yes", "AcceptDataLoss": true});
        assert_eq!(wrong(Phase::Activate, delete()), ErrorType::Refused);
        let found = wanted_in(Phase::Cleanup, delete(), |_| ()).unwrap();
        assert_eq!(found.at_primary.as_deref(), Some("us-east-1"));
        let mut given = delete();
        given["PrimaryRegion"] = json!("eu-west-1");
        let found = wanted_in(Phase::Cleanup, given, |_| ()).unwrap();
        assert_eq!(found.at_primary.as_deref(), Some("eu-west-1"));
        let nowhere = |cx: &mut Cx| {
            (cx.context.primary_region, cx.context.secondary_region) = (None, None);
        };
        let error = wanted_in(Phase::Cleanup, delete(), nowhere).unwrap_err();
        assert_eq!(error.error_type, ErrorType::InvalidParameters);
        assert!(wanted_in(Phase::Cleanup, json!({}), nowhere).unwrap().at_primary.is_none());
    }

    #[test]
    fn other_places_are_refused_and_malformed_values_named() {
        let east = "arn:aws:elasticache:us-east-1:123456789012:replicationgroup:orders-dr";
        assert_eq!(wrong(Phase::Cleanup, json!({"ReplicationGroupId": east})), ErrorType::Refused);
        for change in [
            json!({"GlobalReplicationGroupId": "orders"}),
            json!({"ReplicationGroupId": ""}),
            json!({"ReplicationGroupRegion": "Oregon"}),
            json!({"PrimaryRegion": "Oregon"}),
            json!({"TimeoutMinutes": 0}),
        ] {
            assert_eq!(
                wrong(Phase::Cleanup, change.clone()),
                ErrorType::InvalidParameters,
                "{change}"
            );
        }
    }
}
