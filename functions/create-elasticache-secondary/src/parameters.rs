//! Parameters, and what can be said of them without a call.

use crate::observed::{Output, Wanted};
use schemars::JsonSchema;
use serde::Deserialize;
use shared::coerce::{Flag, Int, List};
use shared::{Cx, Error, Result};
use shared_elasticache::{GroupArn, MINUTES, Place, identifier, region, suffix, within};
use std::collections::BTreeMap;

/// Parameters of CreateElastiCacheSecondary.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct Parameters {
    /// Full id of the global datastore, or its ARN. When it must be made anew its id gets another
    /// prefix; what follows the prefix counts. This or GlobalReplicationGroupIdSuffix.
    pub global_replication_group_id: Option<String>,
    /// Id of the global datastore without its Region's prefix.
    pub global_replication_group_id_suffix: Option<String>,
    /// Region of the replication group that serves.
    pub source_region: String,
    /// Id, or ARN, of the replication group that serves.
    pub source_replication_group_id: String,
    /// Id of the secondary.
    pub replication_group_id: String,
    /// Region of the secondary.
    pub target_region: String,
    /// Cache subnet group in the secondary's Region.
    pub cache_subnet_group_name: String,
    /// VPC security groups in the secondary's Region.
    pub security_group_ids: List,
    /// Nodes of the secondary, when it has no shards: 1 to 6.
    pub num_cache_clusters: Option<Int>,
    /// Replicas in each shard of the secondary: 0 to 5.
    pub replicas_per_node_group: Option<Int>,
    /// Replicas in other Availability Zones, with automatic failover inside of the Region.
    #[serde(rename = "MultiAZEnabled")]
    pub multi_az_enabled: Option<Flag>,
    /// Port; default: AWS's choice.
    pub port: Option<Int>,
    /// KMS key of the secondary's Region; only when the global datastore is encrypted at rest.
    pub kms_key_id: Option<String>,
    /// Parameter Store name that gets the full id of the global datastore: in the executing Region,
    /// the source's and the secondary's.
    pub output_parameter_name: Option<String>,
    /// Tags of the secondary.
    pub tags: Option<BTreeMap<String, String>>,
    /// Deadline of the attempt, minutes; default 120.
    pub timeout_minutes: Option<Int>,
}

/// What is wanted, checked.
///
/// # Errors
/// `Dr.InvalidParameters` for malformed values, `Dr.Refused` when source and secondary cannot be
/// right.
pub fn wanted(p: &Parameters, executing_region: &str, cx: &Cx) -> Result<Wanted> {
    numbers(p)?;
    let place = |region: String| Place {
        partition: cx.partition.clone(),
        region,
        account: cx.account.clone(),
    };
    let there = place(region("SourceRegion", &p.source_region)?);
    let here = place(region("TargetRegion", &p.target_region)?);
    let source = there.group("SourceReplicationGroupId", &p.source_replication_group_id)?;
    let target = here.group("ReplicationGroupId", &p.replication_group_id)?;
    apart(&source, &target, cx)?;
    key_is_in(&target.region, p.kms_key_id.as_deref())?;
    let named = p.global_replication_group_id.as_deref();
    let named = named.map(|id| here.datastore("GlobalReplicationGroupId", id)).transpose()?;
    let mut regions = vec![executing_region.to_owned(), source.region.clone()];
    regions.push(target.region.clone());
    regions.sort();
    regions.dedup();
    let output = p
        .output_parameter_name
        .as_deref()
        .map(|n| parameter_name(n).map(|name| Output { name, regions }))
        .transpose()?;
    Ok(Wanted {
        suffix: wanted_suffix(named.as_deref(), p)?,
        named,
        source,
        target,
        nodes: p.num_cache_clusters.map(|n| n.0),
        replicas: p.replicas_per_node_group.map(|n| n.0),
        multi_az: p.multi_az_enabled.is_some_and(|f| f.0),
        output,
    })
}

fn numbers(p: &Parameters) -> Result<()> {
    within("TimeoutMinutes", p.timeout_minutes, MINUTES)?;
    within("NumCacheClusters", p.num_cache_clusters, 1..=6)?;
    within("ReplicasPerNodeGroup", p.replicas_per_node_group, 0..=5)?;
    within("Port", p.port, 1..=65535)?;
    if p.num_cache_clusters.is_some() && p.replicas_per_node_group.is_some() {
        let text = "parameters.NumCacheClusters is for a secondary without shards, \
                    ReplicasPerNodeGroup for one with shards: give one of them";
        return Err(Error::invalid_parameters(text));
    }
    Ok(())
}

fn wanted_suffix(named: Option<&str>, p: &Parameters) -> Result<String> {
    let given = p.global_replication_group_id_suffix.as_deref();
    let given = given.map(|s| identifier("GlobalReplicationGroupIdSuffix", s, 63)).transpose()?;
    let text = match (named.and_then(suffix), given) {
        (Some(of), Some(given)) if of != given => format!(
            "parameters.GlobalReplicationGroupIdSuffix is {given}, but the suffix of \
             GlobalReplicationGroupId is {of}"
        ),
        (_, Some(given)) => return Ok(given),
        (Some(of), None) => return Ok(of.to_owned()),
        (None, None) => "parameters.GlobalReplicationGroupId or GlobalReplicationGroupIdSuffix is \
                         missing"
            .to_owned(),
    };
    Err(Error::invalid_parameters(text))
}

/// Both are in different Regions, and the one that serves is not overwritten.
fn apart(source: &GroupArn, target: &GroupArn, cx: &Cx) -> Result<()> {
    let refuse = |text: String, next: &str| Err(Error::refused(text).next(next));
    if source.region == target.region {
        let text = format!(
            "source and secondary would both be in {}; a secondary needs another Region",
            source.region
        );
        return refuse(text, "Set TargetRegion to the Region that is to become the standby.");
    }
    if cx.context.primary_region.as_deref() == Some(&target.region) {
        let text = format!(
            "the secondary would be in {}, which is primary_region: the Region that serves",
            target.region
        );
        let next = "In REPLICATE primary_region is the new primary: correct it, or TargetRegion.";
        return refuse(text, next);
    }
    Ok(())
}

/// A key's ARN names its Region; ids and aliases mean the Region that is called.
fn key_is_in(region: &str, key: Option<&str>) -> Result<()> {
    let Some(arn) = key.filter(|k| k.starts_with("arn:")) else { return Ok(()) };
    match arn.split(':').collect::<Vec<_>>().as_slice() {
        ["arn", _, "kms", of, _, _] if *of == region => Ok(()),
        ["arn", _, "kms", of, _, _] => Err(Error::refused(format!(
            "parameters.KmsKeyId is a key in {of}, but the secondary is to be in {region}"
        ))
        .next("Give a key of the secondary's Region: keys do not leave theirs.")),
        _ => {
            let text =
                format!("parameters.KmsKeyId: \"{arn}\" is not the ARN of a KMS key or alias");
            Err(Error::invalid_parameters(text))
        }
    }
}

fn parameter_name(name: &str) -> Result<String> {
    let legal = |b: u8| b.is_ascii_alphanumeric() || b"/_.-".contains(&b);
    let nested = name.contains('/') && !name.starts_with('/');
    if !name.is_empty() && name.len() <= 1011 && name.bytes().all(legal) && !nested {
        return Ok(name.to_owned());
    }
    let text =
        format!("parameters.OutputParameterName: \"{name}\" is no name like /orders/cache-id");
    Err(Error::invalid_parameters(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use shared::progress::sample_cx;
    use shared::{ErrorType, Phase};

    const WEST: &str = "arn:aws:elasticache:us-west-2:123456789012:replicationgroup:orders-dr";

    fn wanted_of(change: Value) -> Result<Wanted> {
        let mut all = json!({
            "GlobalReplicationGroupIdSuffix": "orders", "SourceRegion": "us-west-2",
            "SourceReplicationGroupId": "orders-dr", "ReplicationGroupId": "orders",
            "TargetRegion": "us-east-1", "CacheSubnetGroupName": "g", "SecurityGroupIds": "sg-1,sg-2",
        });
        for (name, value) in change.as_object().unwrap() {
            all[name] = value.clone();
        }
        let mut cx = sample_cx(Phase::Replicate);
        cx.context.primary_region = Some("us-west-2".into());
        wanted(&serde_json::from_value(all).unwrap(), "us-west-2", &cx)
    }

    fn wrong(change: Value) -> ErrorType {
        wanted_of(change).unwrap_err().error_type
    }

    #[test]
    fn the_suffix_is_what_counts_of_an_id() {
        assert_eq!(wanted_of(json!({})).unwrap().suffix, "orders");
        let of_id = json!({"GlobalReplicationGroupIdSuffix": null, "GlobalReplicationGroupId": "ldgnf-my-orders"});
        let wanted = wanted_of(of_id).unwrap();
        assert_eq!(
            (wanted.suffix.as_str(), wanted.named.as_deref()),
            ("my-orders", Some("ldgnf-my-orders"))
        );
        let agree = json!({"GlobalReplicationGroupId": "ldgnf-orders"});
        assert!(wanted_of(agree).is_ok());
        let differ = json!({"GlobalReplicationGroupId": "ldgnf-carts"});
        assert_eq!(wrong(differ), ErrorType::InvalidParameters);
        let none = json!({"GlobalReplicationGroupIdSuffix": null});
        assert_eq!(wrong(none), ErrorType::InvalidParameters);
    }

    #[test]
    fn source_and_secondary_are_in_this_account_and_in_different_regions() {
        let wanted = wanted_of(json!({"SourceReplicationGroupId": WEST})).unwrap();
        assert_eq!(wanted.source.to_string(), WEST);
        for change in [
            json!({"TargetRegion": "us-west-2"}),
            json!({"SourceRegion": "eu-west-1", "TargetRegion": "us-west-2"}),
            json!({"ReplicationGroupId": WEST}),
            json!({"SourceReplicationGroupId": WEST.replace("123456789012", "999999999999")}),
            json!({"SourceReplicationGroupId": WEST.replace("arn:aws:", "arn:aws-cn:")}),
            json!({"KmsKeyId": "arn:aws:kms:us-west-2:123456789012:key/a-b"}),
        ] {
            assert_eq!(wrong(change.clone()), ErrorType::Refused, "{change}");
        }
        let key = json!({"KmsKeyId": "arn:aws:kms:us-east-1:123456789012:key/a-b"});
        assert!(wanted_of(key).is_ok());
    }

    #[test]
    fn the_id_is_written_wherever_a_later_run_may_execute() {
        let output =
            wanted_of(json!({"OutputParameterName": "/orders/cache"})).unwrap().output.unwrap();
        assert_eq!(output.regions, ["us-east-1", "us-west-2"]);
        assert!(wanted_of(json!({})).unwrap().output.is_none());
    }

    #[test]
    fn malformed_values_are_named() {
        for change in [
            json!({"NumCacheClusters": 0}),
            json!({"NumCacheClusters": "2", "ReplicasPerNodeGroup": "1"}),
            json!({"ReplicasPerNodeGroup": 6}),
            json!({"Port": 0}),
            json!({"TimeoutMinutes": 0}),
            json!({"SourceRegion": "Oregon"}),
            json!({"TargetRegion": "Virginia"}),
            json!({"GlobalReplicationGroupId": "orders"}),
            json!({"GlobalReplicationGroupIdSuffix": "my orders"}),
            json!({"ReplicationGroupId": "1"}),
            json!({"KmsKeyId": "arn:aws:s3:::bucket"}),
            json!({"OutputParameterName": "orders/cache"}),
            json!({"OutputParameterName": "resolve:ssm:/orders"}),
        ] {
            assert_eq!(wrong(change.clone()), ErrorType::InvalidParameters, "{change}");
        }
    }

    #[test]
    fn values_are_read_as_people_write_them() {
        let wanted = wanted_of(json!({"MultiAZEnabled": "True", "NumCacheClusters": "2"})).unwrap();
        assert!(wanted.multi_az && wanted.nodes == Some(2));
    }
}
