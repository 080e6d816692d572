//! The calls that create.

use crate::parameters::Parameters;
use aws_sdk_elasticache::Client;
use aws_sdk_elasticache::types::Tag;
use shared::coerce::Int;
use shared::{Doing, Error, Nature, Result};
use shared_elasticache::{GroupArn, within};

/// CreateGlobalReplicationGroup, in the source's Region.
///
/// # Errors
/// As the service says.
pub async fn global(client: &Client, suffix: &str, source: &GroupArn) -> Result<()> {
    client
        .create_global_replication_group()
        .global_replication_group_id_suffix(suffix)
        .global_replication_group_description(format!("Made of {}", source.label()))
        .primary_replication_group_id(&source.id)
        .send()
        .await
        .doing(&format!("create a global datastore of {}", source.label()))
        .map_err(look_again)
        .map(drop)
}

/// CreateReplicationGroup, in the secondary's Region. Engine, node type, shards and encryption come
/// from the primary and must not be given.
///
/// # Errors
/// As the service says.
pub async fn join(
    client: &Client,
    p: &Parameters,
    datastore: &str,
    target: &GroupArn,
    fails_over: Option<bool>,
) -> Result<()> {
    let any = |name: &str, value: Option<Int>| within(name, value, 0..=i64::from(i32::MAX));
    client
        .create_replication_group()
        .replication_group_id(&target.id)
        .replication_group_description(format!("Secondary of {datastore}"))
        .global_replication_group_id(datastore)
        .cache_subnet_group_name(&p.cache_subnet_group_name)
        .set_security_group_ids(Some(p.security_group_ids.0.clone()))
        .set_num_cache_clusters(any("NumCacheClusters", p.num_cache_clusters)?)
        .set_replicas_per_node_group(any("ReplicasPerNodeGroup", p.replicas_per_node_group)?)
        .set_multi_az_enabled(p.multi_az_enabled.map(|f| f.0))
        .set_automatic_failover_enabled(fails_over)
        .set_port(any("Port", p.port)?)
        .set_kms_key_id(p.kms_key_id.clone())
        .set_tags(tags(p))
        .send()
        .await
        .doing(&format!("create {} as a secondary of {datastore}", target.label()))
        .map_err(look_again)
        .map(drop)
}

fn tags(p: &Parameters) -> Option<Vec<Tag>> {
    let tag = |(k, v): (&String, &String)| Tag::builder().key(k).value(v).build();
    p.tags.as_ref().map(|tags| tags.iter().map(tag).collect())
}

/// PutParameter.
///
/// # Errors
/// As the service says.
pub async fn put(
    client: &aws_sdk_ssm::Client,
    name: &str,
    value: &str,
    region: &str,
) -> Result<()> {
    client
        .put_parameter()
        .name(name)
        .value(value)
        .r#type(aws_sdk_ssm::types::ParameterType::String)
        .overwrite(true)
        .send()
        .await
        .doing(&format!("write {name} in {region}"))
        .map(drop)
}

/// What the parameter holds, or None when there is none.
///
/// # Errors
/// As the service says.
pub async fn get(client: &aws_sdk_ssm::Client, name: &str, region: &str) -> Result<Option<String>> {
    let what = format!("read {name} in {region}");
    let answer = client.get_parameters().names(name).send().await.doing(&what)?;
    Ok(answer.parameters().first().and_then(|p| p.value()).map(str::to_owned))
}

/// A thing of that name has come up since the last look, perhaps by a call whose answer was lost:
/// the next look tells whether it is the wanted one. Capacity comes back in its own time, and a new
/// global datastore shows in the other Region in its own: both until the deadline.
fn look_again(error: Error) -> Error {
    match error.code.as_deref() {
        Some("ReplicationGroupAlreadyExists") => error.nature(Nature::StateFault),
        Some("GlobalReplicationGroupAlreadyExistsFault") => error.nature(Nature::StateFault).next(
            "If an older global datastore has that id, delete it (DisassociateElastiCache with \
             DeleteGlobalReplicationGroup), or give another suffix.",
        ),
        Some("GlobalReplicationGroupNotFoundFault" | "InsufficientCacheClusterCapacity") => {
            error.nature(Nature::Throttled)
        }
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taken_names_are_looked_at_again_and_capacity_is_waited_for() {
        for (code, wanted) in [
            ("ReplicationGroupAlreadyExists", Nature::StateFault),
            ("GlobalReplicationGroupAlreadyExistsFault", Nature::StateFault),
            ("InvalidGlobalReplicationGroupState", Nature::StateFault),
            ("GlobalReplicationGroupNotFoundFault", Nature::Throttled),
            ("InsufficientCacheClusterCapacity", Nature::Throttled),
            ("CacheSubnetGroupNotFoundFault", Nature::NotFound),
            ("NodeQuotaForCustomerExceeded", Nature::Final),
            ("InvalidParameterCombination", Nature::Final),
        ] {
            let said = look_again(shared::aws::from_code("x", code, "", 400));
            assert_eq!(said.nature, wanted, "{code}");
        }
    }
}
