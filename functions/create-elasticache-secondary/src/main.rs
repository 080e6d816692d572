//! `CreateElastiCacheSecondary`: gives the replication group that serves a standby in another
//! Region.

mod calls;
mod decide;
mod guards;
mod observed;
mod parameters;

use observed::{Change, Observed, Wanted};
use parameters::Parameters;
use serde_json::Value;
use shared::{ChangeClass, Clients, ControlPlane, Cx, Phase, Resource, Result, Step};
use shared_elasticache::{deadline, describe_group, list_datastores};
use std::time::Duration;

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::result::Result<(), lambda_runtime::Error> {
    shared::main::<CreateElastiCacheSecondary>().await
}

/// Creates what is missing of a secondary: the global datastore, and the replication group.
///
/// **Reads:** the source and the secondary in their Regions
/// (`elasticache:DescribeReplicationGroups`), the global datastores that the source's Region knows
/// (`elasticache:DescribeGlobalReplicationGroups`), the output parameter (`ssm:GetParameters`).
/// **Changes:** `CreateGlobalReplicationGroup` in the source's Region, `PutParameter` in the
/// executing Region, the source's and the secondary's, `CreateReplicationGroup` in the secondary's:
/// one call between two looks, each only for what is missing. It deletes nothing.
/// **Done when:** the secondary is `available`, is a secondary by its own word and by that of the
/// source's global datastore, `associated`, and the global datastore is `available`; the output
/// parameter holds its full id in all those Regions. After a planned failover that is the case
/// already.
/// **Refuses when:** a replication group of that name is standalone or a member of anything else
/// (CLEANUP comes first); the source is a secondary, or the primary of a global datastore with
/// another suffix; the Region has another member already; the output parameter holds something else
/// than an id of this global datastore; the key is in another Region; both Regions are the same;
/// the secondary would be in `primary_region`; an ARN names another place.
/// **Safe to repeat because:** each look decides anew what is missing, nothing that exists is
/// touched, and ElastiCache refuses a second thing of a name.
///
/// A global datastore that is made anew gets the prefix of the source's Region: a manifest that
/// names the old id is wrong from then on, which is what `OutputParameterName` is for. A token for
/// AUTH is not passed on: a manifest is no place for a secret, and whether a secondary wants it
/// again is not documented.
struct CreateElastiCacheSecondary {
    at_source: aws_sdk_elasticache::Client,
    at_target: aws_sdk_elasticache::Client,
    outputs: Vec<(String, aws_sdk_ssm::Client)>,
    wanted: Wanted,
}

impl Resource for CreateElastiCacheSecondary {
    const TYPE: &'static str = "CreateElastiCacheSecondary";
    const PHASES: &'static [Phase] = &[Phase::Replicate];
    const READS: &'static [&'static str] = &[
        "elasticache:DescribeReplicationGroups",
        "elasticache:DescribeGlobalReplicationGroups",
        "ssm:GetParameters",
    ];
    const WRITES: &'static [&'static str] = &[
        "elasticache:CreateGlobalReplicationGroup",
        "elasticache:CreateReplicationGroup",
        "elasticache:AddTagsToResource",
        "kms:CreateGrant",
        "kms:DescribeKey",
        "ssm:PutParameter",
    ];
    const CONTROL_PLANE: ControlPlane = ControlPlane::Regional;
    const TIMEOUT: Duration = Duration::from_secs(2 * 60 * 60);
    const TYPICAL: Duration = Duration::from_secs(25 * 60);
    const CLASS: ChangeClass = ChangeClass::Modify;
    type Parameters = Parameters;
    type Observed = Observed;
    type Change = Change;

    async fn connect(clients: &Clients, p: &Parameters, cx: &Cx) -> Result<Self> {
        let wanted = parameters::wanted(p, clients.executing_region(), cx)?;
        let regions = wanted.output.iter().flat_map(|o| &o.regions);
        let ssm = |region: &String| {
            Ok((region.clone(), aws_sdk_ssm::Client::new(&clients.region(region)?)))
        };
        Ok(Self {
            at_source: aws_sdk_elasticache::Client::new(&clients.region(&wanted.source.region)?),
            at_target: aws_sdk_elasticache::Client::new(&clients.region(&wanted.target.region)?),
            outputs: regions.map(ssm).collect::<Result<_>>()?,
            wanted,
        })
    }

    async fn observe(&self, _: &Parameters, _: &Cx) -> Result<Observed> {
        let wanted = self.wanted.clone();
        let mut outputs = Vec::with_capacity(self.outputs.len());
        if let Some(output) = &wanted.output {
            for (region, client) in &self.outputs {
                let value = calls::get(client, &output.name, region).await?;
                outputs.push((region.clone(), value));
            }
        }
        let target = describe_group(&self.at_target, &wanted.target).await?;
        let source = describe_group(&self.at_source, &wanted.source).await?;
        let known = list_datastores(&self.at_source).await?;
        let datastore = known.into_iter().find(|d| d.side(&wanted.source).is_some());
        Ok(Observed { wanted, source, target, datastore, outputs })
    }

    fn decide(_: &Parameters, o: &Observed, cx: &Cx) -> Step<Change> {
        decide::decide(o, cx)
    }

    async fn apply(&self, p: &Parameters, change: Change, _: &Cx) -> Result<Value> {
        match &change {
            Change::Global { suffix, source } => {
                calls::global(&self.at_source, suffix, source).await?;
            }
            Change::Join { datastore, target, fails_over } => {
                calls::join(&self.at_target, p, datastore, target, *fails_over).await?;
            }
            Change::Put { name, region, value } => {
                for (_, client) in self.outputs.iter().filter(|(r, _)| r == region) {
                    calls::put(client, name, value, region).await?;
                }
            }
        }
        Ok(Value::Null)
    }

    fn timeout(p: &Parameters) -> Duration {
        deadline(p.timeout_minutes, Self::TIMEOUT)
    }

    fn outlook(_: &Parameters, o: &Observed, cx: &Cx) -> Option<(ChangeClass, String)> {
        decide::outlook(o, cx)
    }

    fn creates(_: &Parameters, o: &Observed, _: &Cx) -> Vec<String> {
        vec![format!("elasticache:{}", o.wanted.target)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_schema_is_what_the_type_says() {
        let committed =
            include_str!("../../../samples/schema/CreateElastiCacheSecondary.schema.json");
        let said = shared::describe::describe::<CreateElastiCacheSecondary>();
        assert_eq!(serde_json::from_str::<Value>(committed).unwrap(), said);
    }
}
