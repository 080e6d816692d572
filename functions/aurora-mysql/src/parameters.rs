//! Parameters, and what can be said of them without a call.

use crate::mode::ModeName;
use crate::observed::Wanted;
use schemars::JsonSchema;
use serde::Deserialize;
use shared::coerce::{Flag, Int, List};
use shared::{Cx, Error, Phase, Result};
use shared_aurora_failover::global_identifier;
use shared_rds::{Arn, MINUTES, Place, region, within};
use std::collections::BTreeSet;

/// Parameters of AuroraMySQL.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct Parameters {
    /// Identifier, or ARN, of the cluster in the Region that is worked in.
    #[serde(rename = "DBClusterIdentifier")]
    pub db_cluster_identifier: String,
    /// Identifiers of the instances to add (INSTANTIATE) or to remove (CLEANUP). ACTIVATE does not
    /// read them.
    #[serde(rename = "DBInstanceIdentifier")]
    pub db_instance_identifier: List,
    /// The global cluster that the cluster is a member of.
    pub global_cluster_identifier: String,
    /// Region of the cluster; default: the one that its ARN names, else the executing Region.
    pub region: Option<String>,
    /// INSTANTIATE: class of the instances; default db.serverless, which needs a capacity range on
    /// the cluster.
    #[serde(rename = "DBInstanceClass")]
    pub db_instance_class: Option<String>,
    /// INSTANTIATE: order of the instances in a failover within the Region, 0 to 15; default 1.
    pub promotion_tier: Option<Int>,
    /// ACTIVATE: SWITCHOVER (default; planned runs), MANAGED or DETACH.
    pub failover_mode: Option<ModeName>,
    /// ACTIVATE with MANAGED or DETACH: consent to lose what the secondary has not received.
    pub accept_data_loss: Option<Flag>,
    /// ACTIVATE with DETACH: consent that the applications cannot write to the old primary any more,
    /// which nothing else prevents when its Region is back.
    pub fence_acknowledged: Option<Flag>,
    /// ACTIVATE with SWITCHOVER: begin only while the secondary is at most that far behind; default
    /// 60, where the lag is known.
    pub max_lag_seconds: Option<Int>,
    /// Deadline of the attempt, minutes; default 60.
    pub timeout_minutes: Option<Int>,
}

const SERVERLESS: &str = "db.serverless";

/// What is wanted, checked.
///
/// # Errors
/// `Dr.InvalidParameters` for malformed values, `Dr.Refused` for names of other places and for the
/// Region that serves.
pub fn wanted(p: &Parameters, executing_region: &str, cx: &Cx) -> Result<Wanted> {
    within("TimeoutMinutes", p.timeout_minutes, MINUTES)?;
    within("PromotionTier", p.promotion_tier, 0..=15)?;
    within("MaxLagSeconds", p.max_lag_seconds, 0..=i64::from(i32::MAX))?;
    let here = Place {
        partition: cx.partition.clone(),
        region: region_of(p, executing_region)?,
        account: cx.account.clone(),
    };
    let cluster = here.cluster("DBClusterIdentifier", &p.db_cluster_identifier)?;
    if cx.phase == Phase::Cleanup {
        not_in_primary(&cluster, cx)?;
    }
    let class = p.db_instance_class.clone().unwrap_or_else(|| SERVERLESS.to_owned());
    Ok(Wanted {
        global: global_identifier(&p.global_cluster_identifier)?,
        cluster,
        instances: instances(p, &here)?,
        serverless: class == SERVERLESS,
        class,
    })
}

/// The Region to work in.
fn region_of(p: &Parameters, executing_region: &str) -> Result<String> {
    let name = &p.db_cluster_identifier;
    match &p.region {
        Some(given) => region("Region", given),
        None if name.starts_with("arn:") => {
            Ok(Arn::parse_cluster("DBClusterIdentifier", name)?.region)
        }
        None => Ok(executing_region.to_owned()),
    }
}

fn not_in_primary(cluster: &Arn, cx: &Cx) -> Result<()> {
    if cx.context.primary_region.as_deref() != Some(&cluster.region) {
        return Ok(());
    }
    Err(Error::refused(format!(
        "instances of {} would be deleted in {}, which is primary_region: the Region that serves \
         before the run",
        cluster.id, cluster.region
    ))
    .next("In CLEANUP primary_region is the new primary: correct it, or correct the cluster."))
}

fn instances(p: &Parameters, here: &Place) -> Result<Vec<Arn>> {
    let mut seen = BTreeSet::new();
    let named = p.db_instance_identifier.0.iter().map(|id| {
        let arn = here.instance("DBInstanceIdentifier", id)?;
        match seen.insert(arn.id.clone()) {
            true => Ok(arn),
            false => Err(Error::invalid_parameters(format!(
                "parameters.DBInstanceIdentifier names {} twice",
                arn.id
            ))),
        }
    });
    named.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use shared::ErrorType;
    use shared::progress::sample_cx;

    fn wanted_in(phase: Phase, change: Value) -> Result<Wanted> {
        let mut all = json!({
            "DBClusterIdentifier": "Orders-DR", "DBInstanceIdentifier": "a-1,a-2",
            "GlobalClusterIdentifier": "Orders-Global",
        });
        for (name, value) in change.as_object().unwrap() {
            all[name] = value.clone();
        }
        let p: Parameters = serde_json::from_value(all).unwrap();
        wanted(&p, "us-west-2", &sample_cx(phase))
    }

    fn arn(region: &str, account: &str) -> Value {
        json!({"DBClusterIdentifier": format!("arn:aws:rds:{region}:{account}:cluster:orders-dr")})
    }

    #[test]
    fn a_name_means_the_executing_region_and_an_arn_its_own() {
        let w = wanted_in(Phase::Instantiate, json!({})).unwrap();
        assert_eq!(w.cluster.to_string(), "arn:aws:rds:us-west-2:123456789012:cluster:orders-dr");
        assert_eq!(w.instances[1].to_string(), "arn:aws:rds:us-west-2:123456789012:db:a-2");
        assert_eq!((w.global.as_str(), w.class.as_str()), ("orders-global", "db.serverless"));
        assert!(w.serverless);
        let there = wanted_in(Phase::Instantiate, arn("eu-west-1", "123456789012")).unwrap();
        assert_eq!(there.instances[0].region, "eu-west-1");
        let named = wanted_in(Phase::Instantiate, json!({"Region": "eu-west-1"})).unwrap();
        assert_eq!(named.cluster.region, "eu-west-1");
        let class = json!({"DBInstanceClass": "db.r6g.large", "DBInstanceIdentifier": ["a"]});
        assert!(!wanted_in(Phase::Instantiate, class).unwrap().serverless);
    }

    #[test]
    fn names_of_other_places_are_refused() {
        let mut other = arn("eu-west-1", "123456789012");
        other["Region"] = json!("us-west-2");
        for change in [other, arn("us-west-2", "999999999999")] {
            let error = wanted_in(Phase::Cleanup, change).unwrap_err();
            assert_eq!(error.error_type, ErrorType::Refused);
        }
    }

    #[test]
    fn nothing_is_removed_in_the_region_that_serves() {
        let primary = || arn("us-east-1", "123456789012");
        let error = wanted_in(Phase::Cleanup, primary()).unwrap_err();
        assert_eq!(error.error_type, ErrorType::Refused);
        assert!(error.message.contains("primary_region"), "{error}");
        assert!(wanted_in(Phase::Cleanup, json!({})).is_ok());
        assert!(wanted_in(Phase::Instantiate, primary()).is_ok());
    }

    #[test]
    fn malformed_values_are_named() {
        for (change, says) in [
            (json!({"PromotionTier": 16}), "PromotionTier"),
            (json!({"TimeoutMinutes": 0}), "TimeoutMinutes"),
            (json!({"MaxLagSeconds": -1}), "MaxLagSeconds"),
            (json!({"GlobalClusterIdentifier": "1x"}), "GlobalClusterIdentifier"),
            (json!({"DBInstanceIdentifier": "a,A"}), "names a twice"),
            (json!({"DBInstanceIdentifier": "a_b"}), "DBInstanceIdentifier"),
            (json!({"Region": "Oregon"}), "Region"),
            (json!({"DBClusterIdentifier": "arn:aws:rds:us-west-2:1:cluster:x"}), "ARN"),
        ] {
            let error = wanted_in(Phase::Instantiate, change).unwrap_err();
            assert_eq!(error.error_type, ErrorType::InvalidParameters);
            assert!(error.message.contains(says), "{error}");
        }
    }
}
