//! `CreateAuroraSecondaryDBCluster`: gives the Aurora cluster that serves a standby in another
//! Region.

mod calls;
mod capacity;
mod change;
mod decide;
mod guards;
mod observed;
mod parameters;

use change::Change;
use observed::{Observed, Wanted};
use parameters::Parameters;
use serde_json::Value;
use shared::{ChangeClass, Clients, ControlPlane, Cx, Phase, Resource, Result, Step};
use shared_rds::{Global, deadline, describe, describe_cluster, describe_global};
use std::time::Duration;

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::result::Result<(), lambda_runtime::Error> {
    shared::main::<CreateAuroraSecondaryDBCluster>().await
}

/// Creates what is missing of a secondary: the global cluster, the cluster, its instances.
///
/// **Reads:** the source and the global cluster in the source's Region, the secondary and its
/// instances in theirs, there also a global cluster that the source's does not show (`rds:DescribeDBClusters`, `rds:DescribeGlobalClusters`,
/// `rds:DescribeDBInstances`).
/// **Changes:** `CreateGlobalCluster` in the source's Region, `CreateDBCluster` and
/// `CreateDBInstance` in the secondary's: one call between two looks, each only for what does not
/// exist. It deletes nothing.
/// **Done when:** the cluster and all named instances are `available`, the global cluster lists the
/// source as its writer and the cluster as a member that is none, `connected`. RDS may show no
/// synchronization status: then two minutes after the last call the rest is enough, and the result
/// says so.
/// **Refuses when:** the global cluster's primary is another cluster (a stale one in
/// `ClusterRegion`: CLEANUP comes first); a cluster of that name is standalone or belongs to another
/// global cluster, an instance of that name to another cluster; the Region has another secondary
/// already; engine or encryption differ; `db.serverless` has no capacity range; the key is in
/// another Region; both Regions are the same; an ARN names another place.
/// **Safe to repeat because:** each look decides anew what is missing, nothing that exists is
/// touched, and RDS refuses a second thing of a name.
///
/// It needs both Regions: in INSTANTIATE of an unplanned run the source must not be in the lost one.
///
/// Between two GovCloud Regions RDS may ask for a `PreSignedUrl` when the source is encrypted. The
/// documentation describes that for `ReplicationSourceIdentifier`, which a global cluster does not
/// use; this step sends none, and has not been tried there.
struct CreateAuroraSecondaryDBCluster {
    at_source: aws_sdk_rds::Client,
    at_cluster: aws_sdk_rds::Client,
    wanted: Wanted,
}

impl Resource for CreateAuroraSecondaryDBCluster {
    const TYPE: &'static str = "CreateAuroraSecondaryDBCluster";
    const PHASES: &'static [Phase] = &[Phase::Instantiate, Phase::Replicate];
    const READS: &'static [&'static str] =
        &["rds:DescribeDBClusters", "rds:DescribeGlobalClusters", "rds:DescribeDBInstances"];
    const WRITES: &'static [&'static str] = &[
        "rds:CreateGlobalCluster",
        "rds:CreateDBCluster",
        "rds:CreateDBInstance",
        "rds:AddTagsToResource",
        "kms:CreateGrant",
        "kms:DescribeKey",
        "iam:PassRole",
    ];
    const CONTROL_PLANE: ControlPlane = ControlPlane::Regional;
    const TIMEOUT: Duration = Duration::from_secs(6 * 60 * 60);
    const TYPICAL: Duration = Duration::from_secs(40 * 60);
    const CLASS: ChangeClass = ChangeClass::Create;
    type Parameters = Parameters;
    type Observed = Observed;
    type Change = Change;

    async fn connect(clients: &Clients, p: &Parameters, cx: &Cx) -> Result<Self> {
        let wanted = parameters::wanted(p, cx)?;
        let at_source = clients.region(&wanted.source.region).map_err(|e| {
            e.next(
                "A secondary is filled from the cluster that serves: create it in REPLICATE, when \
                 the lost Region is back, or correct SourceRegion.",
            )
        })?;
        Ok(Self {
            at_source: aws_sdk_rds::Client::new(&at_source),
            at_cluster: aws_sdk_rds::Client::new(&clients.region(&wanted.cluster.region)?),
            wanted,
        })
    }

    async fn observe(&self, _: &Parameters, _: &Cx) -> Result<Observed> {
        let wanted = self.wanted.clone();
        let mut instances = Vec::with_capacity(wanted.instances.len());
        for instance in &wanted.instances {
            instances.push(describe(&self.at_cluster, instance).await?);
        }
        Ok(Observed {
            source: describe_cluster(&self.at_source, &wanted.source).await?,
            global: self.global(&wanted.global).await?,
            cluster: describe_cluster(&self.at_cluster, &wanted.cluster).await?,
            instances,
            wanted,
        })
    }

    fn decide(_: &Parameters, o: &Observed, cx: &Cx) -> Step<Change> {
        decide::decide(o, cx)
    }

    async fn apply(&self, p: &Parameters, change: Change, _: &Cx) -> Result<Value> {
        match &change {
            Change::Global { .. } => calls::create(&self.at_source, p, &change).await,
            _ => calls::create(&self.at_cluster, p, &change).await,
        }
    }

    fn timeout(p: &Parameters) -> Duration {
        deadline(p.timeout_minutes, Self::TIMEOUT)
    }

    fn outlook(_: &Parameters, o: &Observed, cx: &Cx) -> Option<(ChangeClass, String)> {
        Some((Self::CLASS, decide::outlook(o, cx)?))
    }

    fn creates(_: &Parameters, o: &Observed, _: &Cx) -> Vec<String> {
        let cluster = std::iter::once(&o.wanted.cluster);
        let arns = cluster.chain(&o.wanted.instances).map(|arn| format!("rds:{arn}"));
        arns.chain([shared_rds::secondary_of(&o.wanted.global)]).collect()
    }
}

impl CreateAuroraSecondaryDBCluster {
    /// As the source's Region knows it, else as the secondary's does: whether a Region without a
    /// member knows a global cluster is not documented, and a stale one has its member here.
    async fn global(&self, id: &str) -> Result<Option<Global>> {
        match describe_global(&self.at_source, id).await? {
            None => describe_global(&self.at_cluster, id).await,
            found => Ok(found),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_schema_is_what_the_type_says() {
        let committed =
            include_str!("../../../samples/schema/CreateAuroraSecondaryDBCluster.schema.json");
        let said = shared::describe::describe::<CreateAuroraSecondaryDBCluster>();
        assert_eq!(serde_json::from_str::<Value>(committed).unwrap(), said);
    }
}
