//! Parameters, and what can be said of them without a call.

use crate::observed::Wanted;
use schemars::JsonSchema;
use serde::Deserialize;
use shared::coerce::{Flag, Int, List};
use shared::{Cx, Error, Result};
use shared_rds::{Arn, MINUTES, Place, identifier, region, within};

/// Parameters of DeleteRDSInstance.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct Parameters {
    /// Identifier, or ARN, of the instance to delete.
    #[serde(rename = "RDSInstanceIdentifier")]
    pub rds_instance_identifier: String,
    /// Region of the instance to delete.
    pub region: String,
    /// ARN of the instance that serves now, in the other Region. Nothing is deleted unless it is
    /// observed to be available and standalone immediately before.
    pub expected_writer_arn: String,
    /// Take a final snapshot and wait until it is available; default true.
    pub final_snapshot: Option<Flag>,
    /// Name of the final snapshot; default: dr-final-<identifier>-<DbiResourceId>.
    pub final_snapshot_identifier: Option<String>,
    /// Lift deletion protection when it is on; default false.
    pub disable_deletion_protection: Option<Flag>,
    /// Also delete the automated backups; default false.
    pub delete_automated_backups: Option<Flag>,
    /// Read replicas (identifiers or ARNs) that may lose their source.
    pub allow_replicas: Option<List>,
    /// Deadline of the attempt, minutes; default 180.
    pub timeout_minutes: Option<Int>,
}

/// What is wanted, checked.
///
/// # Errors
/// `Dr.InvalidParameters` for malformed values, `Dr.Refused` when instance and writer cannot be
/// right.
pub fn wanted(p: &Parameters, cx: &Cx) -> Result<Wanted> {
    within("TimeoutMinutes", p.timeout_minutes, MINUTES)?;
    let place = |region: String| Place {
        partition: cx.partition.clone(),
        region,
        account: cx.account.clone(),
    };
    let here = place(region("Region", &p.region)?);
    let stale = here.instance("RDSInstanceIdentifier", &p.rds_instance_identifier)?;
    let writer = Arn::parse("ExpectedWriterArn", &p.expected_writer_arn)?;
    place(writer.region.clone()).must_hold("ExpectedWriterArn", &writer)?;
    apart(&stale, &writer, cx)?;
    Ok(Wanted {
        stale,
        writer,
        final_snapshot: p.final_snapshot.is_none_or(|f| f.0),
        snapshot_name: snapshot_name(p)?,
        may_lift_protection: p.disable_deletion_protection.unwrap_or_default().0,
        allowed_replicas: p.allow_replicas.clone().unwrap_or_default().0,
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

/// The stale instance and the writer are in different Regions, and the Region that serves before
/// the run is not the one to delete in.
fn apart(stale: &Arn, writer: &Arn, cx: &Cx) -> Result<()> {
    let refuse = |text: String, next: &str| Err(Error::refused(text).next(next));
    if writer.region == stale.region {
        let text = format!(
            "parameters.ExpectedWriterArn is in {}, the Region of the instance to delete: the \
             database that serves must be in another Region",
            stale.region
        );
        return refuse(text, "Let ExpectedWriterArn name the database that serves now.");
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

    const NEW: &str = "arn:aws:rds:us-west-2:123456789012:db:orders-dr";

    fn wanted_of(change: Value, primary: Option<&str>) -> Result<Wanted> {
        let mut all = json!({
            "RDSInstanceIdentifier": "orders", "Region": "us-east-1", "ExpectedWriterArn": NEW,
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
        assert_eq!(wanted.stale.to_string(), "arn:aws:rds:us-east-1:123456789012:db:orders");
        assert!(wanted.final_snapshot && !wanted.may_lift_protection);
        assert!(wanted.allowed_replicas.is_empty() && wanted.snapshot_name.is_none());
    }

    #[test]
    fn values_are_read_as_people_write_them() {
        let given = json!({
            "FinalSnapshot": "False", "DisableDeletionProtection": "Yes", "AllowReplicas": "a, b",
        });
        let wanted = wanted_of(given, None).unwrap();
        assert!(!wanted.final_snapshot && wanted.may_lift_protection);
        assert_eq!(wanted.allowed_replicas, ["a", "b"]);
    }

    #[test]
    fn the_writer_is_in_this_account_and_in_another_region() {
        let writer = |arn: &str| wrong(json!({"ExpectedWriterArn": arn}));
        let east = "arn:aws:rds:us-east-1:123456789012:db:orders-dr";
        assert_eq!(writer(east), ErrorType::Refused);
        assert_eq!(writer(&NEW.replace("123456789012", "999999999999")), ErrorType::Refused);
        assert_eq!(writer(&NEW.replace("arn:aws:", "arn:aws-cn:")), ErrorType::Refused);
        assert_eq!(writer("orders-dr"), ErrorType::InvalidParameters);
    }

    #[test]
    fn nothing_is_deleted_in_the_region_that_serves() {
        let error = wanted_of(json!({}), Some("us-east-1")).unwrap_err();
        assert_eq!(error.error_type, ErrorType::Refused);
        assert!(error.message.contains("primary_region"));
        assert_eq!(wrong(json!({"RDSInstanceIdentifier": NEW})), ErrorType::Refused);
        assert_eq!(wrong(json!({"Region": "Virginia"})), ErrorType::InvalidParameters);
        assert_eq!(wrong(json!({"TimeoutMinutes": 0})), ErrorType::InvalidParameters);
    }

    #[test]
    fn a_snapshots_name_follows_the_rules_of_rds() {
        let name = |n: &str| json!({"FinalSnapshotIdentifier": n});
        let wanted = wanted_of(name("Orders-Final"), None).unwrap();
        assert_eq!(wanted.snapshot_name.as_deref(), Some("orders-final"));
        for bad in ["1a", "a--b", "a-", ""] {
            assert_eq!(wrong(name(bad)), ErrorType::InvalidParameters, "{bad}");
        }
        let both = json!({"FinalSnapshotIdentifier": "a", "FinalSnapshot": false});
        assert_eq!(wrong(both), ErrorType::InvalidParameters);
    }
}
