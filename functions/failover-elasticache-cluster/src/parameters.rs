//! Parameters, and what can be said of them without a call.

use crate::observed::Wanted;
use schemars::JsonSchema;
use serde::Deserialize;
use shared::coerce::{Flag, Int};
use shared::{Cx, Error, Phase, Result};
use shared_elasticache::{GroupArn, MINUTES, Place, region, within};

/// Parameters of FailoverElastiCacheCluster.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct Parameters {
    /// Full id of the global datastore with its Region's prefix, for example ldgnf-orders, or its
    /// ARN.
    pub global_replication_group_id: String,
    /// Region of the replication group that is to become the primary.
    pub target_region: String,
    /// Id, or ARN, of that replication group.
    pub target_replication_group_id: String,
    /// Unplanned runs: what to do when AWS refuses the failover because the primary is lost. FAIL
    /// (default) or DISASSOCIATE: detach the target, which then is a standalone, writable cluster.
    pub on_unavailable: Option<String>,
    /// Consent to DISASSOCIATE: what was not replicated is lost, and the global datastore must be
    /// built anew.
    pub accept_data_loss: Option<Flag>,
    /// Planned runs: fail over only while the target is at most so many seconds behind.
    pub max_lag_seconds: Option<Int>,
    /// Deadline of the attempt, minutes; default 20.
    pub timeout_minutes: Option<Int>,
}

/// What is wanted, checked.
///
/// # Errors
/// `Dr.InvalidParameters` for malformed values, `Dr.Refused` for another place and without consent.
pub fn wanted(p: &Parameters, cx: &Cx) -> Result<Wanted> {
    within("TimeoutMinutes", p.timeout_minutes, MINUTES)?;
    within("MaxLagSeconds", p.max_lag_seconds, 0..=i64::from(i32::MAX))?;
    let detach = detach(p)?;
    let place = Place {
        partition: cx.partition.clone(),
        region: region("TargetRegion", &p.target_region)?,
        account: cx.account.clone(),
    };
    let target = place.group("TargetReplicationGroupId", &p.target_replication_group_id)?;
    not_the_primary_region(&target, cx)?;
    let what = "if AWS refuses the failover, the target is detached and the writes that have not \
                reached it are lost";
    let warning = match detach && is_unplanned(cx) {
        true => cx.consent("AcceptDataLoss", p.accept_data_loss, what)?,
        false => None,
    };
    Ok(Wanted {
        datastore: place.datastore("GlobalReplicationGroupId", &p.global_replication_group_id)?,
        target,
        detach,
        max_lag_s: p.max_lag_seconds.map(|s| s.0),
        warning,
    })
}

/// Whether the old primary is taken for lost. In REPLICATE it is back.
pub fn is_unplanned(cx: &Cx) -> bool {
    cx.context.unplanned && cx.phase == Phase::Activate
}

fn detach(p: &Parameters) -> Result<bool> {
    match p.on_unavailable.as_deref() {
        None => Ok(false),
        Some(word) if word.eq_ignore_ascii_case("FAIL") => Ok(false),
        Some(word) if word.eq_ignore_ascii_case("DISASSOCIATE") => Ok(true),
        Some(word) => Err(Error::invalid_parameters(format!(
            "parameters.OnUnavailable is \"{word}\", not FAIL or DISASSOCIATE"
        ))),
    }
}

fn not_the_primary_region(target: &GroupArn, cx: &Cx) -> Result<()> {
    if cx.context.primary_region.as_deref() != Some(&target.region) {
        return Ok(());
    }
    Err(Error::refused(format!(
        "{} is to become the primary in {}, which is primary_region: the Region that serves before \
         the run",
        target.id, target.region
    ))
    .next("Correct TargetRegion (the new primary's), or primary_region."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use shared::ErrorType;
    use shared::progress::sample_cx;

    fn wanted_of(change: Value, tell: impl FnOnce(&mut Cx)) -> Result<Wanted> {
        let mut all = json!({
            "GlobalReplicationGroupId": "ldgnf-orders", "TargetRegion": "us-west-2",
            "TargetReplicationGroupId": "orders-dr",
        });
        for (name, value) in change.as_object().unwrap() {
            all[name] = value.clone();
        }
        let mut cx = sample_cx(Phase::Activate);
        tell(&mut cx);
        wanted(&serde_json::from_value(all).unwrap(), &cx)
    }

    fn wrong(change: Value) -> ErrorType {
        wanted_of(change, |_| ()).unwrap_err().error_type
    }

    #[test]
    fn the_careful_values_are_the_defaults() {
        let wanted = wanted_of(json!({}), |_| ()).unwrap();
        assert!(!wanted.detach && wanted.max_lag_s.is_none() && wanted.warning.is_none());
        let arn = "arn:aws:elasticache:us-west-2:123456789012:replicationgroup:orders-dr";
        assert_eq!(wanted.target.to_string(), arn);
        let by_arn = wanted_of(json!({"TargetReplicationGroupId": arn}), |_| ()).unwrap();
        assert_eq!(by_arn.target, wanted.target);
    }

    #[test]
    fn to_detach_wants_consent_in_an_unplanned_run_before_anything_happens() {
        let detach = || json!({"OnUnavailable": "DISASSOCIATE"});
        let error = wanted_of(detach(), |_| ()).unwrap_err();
        assert_eq!(error.error_type, ErrorType::Refused);
        assert!(error.message.contains("AcceptDataLoss"), "{}", error.message);
        let given = json!({"OnUnavailable": "disassociate", "AcceptDataLoss": "True"});
        assert!(wanted_of(given, |_| ()).unwrap().detach);
        let direct = wanted_of(detach(), |cx| cx.context.direct = true).unwrap();
        assert!(direct.warning.unwrap().contains("lost"));
        assert!(wanted_of(detach(), |cx| cx.context.unplanned = false).unwrap().warning.is_none());
    }

    #[test]
    fn the_target_is_in_this_account_and_not_where_the_run_starts_from() {
        let arn = |text: &str| json!({"TargetReplicationGroupId": text});
        let west = "arn:aws:elasticache:us-west-2:123456789012:replicationgroup:orders-dr";
        for other in [("us-west-2", "eu-west-1"), ("123456789012", "999999999999")] {
            assert_eq!(wrong(arn(&west.replace(other.0, other.1))), ErrorType::Refused);
        }
        assert_eq!(wrong(arn(&west.replace("arn:aws:", "arn:aws-cn:"))), ErrorType::Refused);
        let error = wanted_of(json!({"TargetRegion": "us-east-1"}), |_| ()).unwrap_err();
        assert_eq!(error.error_type, ErrorType::Refused);
        assert!(error.message.contains("primary_region"));
    }

    #[test]
    fn malformed_values_are_named() {
        for change in [
            json!({"OnUnavailable": "DETACH"}),
            json!({"TargetRegion": "Oregon"}),
            json!({"GlobalReplicationGroupId": "orders"}),
            json!({"TargetReplicationGroupId": "-"}),
            json!({"MaxLagSeconds": -1}),
            json!({"TimeoutMinutes": 0}),
        ] {
            assert_eq!(wrong(change.clone()), ErrorType::InvalidParameters, "{change}");
        }
    }

    #[test]
    fn unknown_parameters_are_errors() {
        let typo = json!({"GlobalReplicationGroupId": "ldgnf-a", "TargetRegion": "us-west-2",
            "TargetReplicationGroupId": "a", "MaxLag": 1});
        assert!(serde_json::from_value::<Parameters>(typo).is_err());
    }
}
