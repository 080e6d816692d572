//! `DisassociateElastiCache`: takes a secondary out of its global datastore.

mod decide;
mod observed;
mod parameters;

use observed::{Change, Observed, Wanted};
use parameters::Parameters;
use serde_json::Value;
use shared::{
    ChangeClass, Clients, ControlPlane, Cx, Doing, Error, Nature, Phase, Resource, Result, Step,
};
use shared_elasticache::{GroupArn, Seen, deadline, describe_group, look_at};
use std::time::Duration;

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::result::Result<(), lambda_runtime::Error> {
    shared::main::<DisassociateElastiCache>().await
}

/// Takes a replication group out of its global datastore; it is standalone and writable from then
/// on. In ACTIVATE that is the way to serve when the primary is lost and AWS does not fail over; in
/// CLEANUP the old primary leaves, and an empty global datastore may be deleted.
///
/// **Reads:** the group (`elasticache:DescribeReplicationGroups`), the global datastore in the
/// group's Region and, when it is to be deleted, in its primary's
/// (`elasticache:DescribeGlobalReplicationGroups`).
/// **Changes:** `DisassociateGlobalReplicationGroup`; with `DeleteGlobalReplicationGroup` also
/// `DeleteGlobalReplicationGroup`, whose primary is always retained.
/// **Done when:** the group is `available`, is a member of no global datastore by its own word, and
/// in CLEANUP is not listed either, in two looks in a row; when it was asked for, neither Region
/// knows the global datastore.
/// **Refuses when:** the group is the primary of anything that has other members; in ACTIVATE the
/// group is in `primary_region`, or consent is missing; in CLEANUP a secondary is in
/// `primary_region`, which serves; it is a member of another global datastore; the global datastore
/// to delete has other members; an ARN names another place.
/// **Safe to repeat because:** a standalone group is never touched, and AWS refuses both calls
/// while the first one runs.
///
/// In ACTIVATE only the group's own Region is called.
struct DisassociateElastiCache {
    at_group: aws_sdk_elasticache::Client,
    at_primary: Option<aws_sdk_elasticache::Client>,
    wanted: Wanted,
}

impl Resource for DisassociateElastiCache {
    const TYPE: &'static str = "DisassociateElastiCache";
    const PHASES: &'static [Phase] = &[Phase::Activate, Phase::Cleanup];
    const READS: &'static [&'static str] =
        &["elasticache:DescribeReplicationGroups", "elasticache:DescribeGlobalReplicationGroups"];
    const WRITES: &'static [&'static str] = &[
        "elasticache:DisassociateGlobalReplicationGroup",
        "elasticache:DeleteGlobalReplicationGroup",
    ];
    const CONTROL_PLANE: ControlPlane = ControlPlane::Regional;
    const TIMEOUT: Duration = Duration::from_secs(60 * 60);
    const TYPICAL: Duration = Duration::from_secs(5 * 60);
    const CLASS: ChangeClass = ChangeClass::Destructive;
    type Parameters = Parameters;
    type Observed = Observed;
    type Change = Change;

    async fn connect(clients: &Clients, p: &Parameters, cx: &Cx) -> Result<Self> {
        let wanted = parameters::wanted(p, cx)?;
        let at = |region: &String| clients.region(region);
        let at_primary = wanted.at_primary.as_ref().map(at).transpose()?;
        Ok(Self {
            at_group: aws_sdk_elasticache::Client::new(&at(&wanted.group.region)?),
            at_primary: at_primary.map(|config| aws_sdk_elasticache::Client::new(&config)),
            wanted,
        })
    }

    async fn observe(&self, _: &Parameters, _: &Cx) -> Result<Observed> {
        let wanted = self.wanted.clone();
        let there = match &self.at_primary {
            Some(client) => look_at(client, &wanted.datastore).await?,
            None => Seen::Absent,
        };
        let here = look_at(&self.at_group, &wanted.datastore).await?;
        let group = describe_group(&self.at_group, &wanted.group).await?;
        Ok(Observed { wanted, group, here, there })
    }

    fn decide(_: &Parameters, o: &Observed, cx: &Cx) -> Step<Change> {
        decide::decide(o, cx)
    }

    async fn apply(&self, _: &Parameters, change: Change, _: &Cx) -> Result<Value> {
        match change {
            Change::Detach { datastore, group, .. } => self
                .at_group
                .disassociate_global_replication_group()
                .global_replication_group_id(&datastore)
                .replication_group_id(&group.id)
                .replication_group_region(&group.region)
                .send()
                .await
                .doing(&format!("detach {} from {datastore}", group.label()))
                .map(drop),
            Change::Delete { datastore, region } => self.delete(&datastore, &region).await,
        }
        .map_err(look_again)?;
        Ok(Value::Null)
    }

    fn timeout(p: &Parameters) -> Duration {
        deadline(p.timeout_minutes, Self::TIMEOUT)
    }

    fn steady(_: &Parameters) -> u32 {
        2
    }

    fn outlook(_: &Parameters, o: &Observed, cx: &Cx) -> Option<(ChangeClass, String)> {
        let class = match cx.phase {
            Phase::Activate => ChangeClass::DataLoss,
            _ => Self::CLASS,
        };
        Some((class, decide::outlook(o, cx)?))
    }

    fn creates(_: &Parameters, o: &Observed, _: &Cx) -> Vec<String> {
        o.released().iter().map(GroupArn::standalone).collect()
    }
}

impl DisassociateElastiCache {
    async fn delete(&self, datastore: &str, region: &str) -> Result<()> {
        let elsewhere = self.at_primary.as_ref().filter(|_| region != self.wanted.group.region);
        elsewhere
            .unwrap_or(&self.at_group)
            .delete_global_replication_group()
            .global_replication_group_id(datastore)
            .retain_primary_replication_group(true)
            .send()
            .await
            .doing(&format!("delete global datastore {datastore} in {region}"))
            .map(drop)
    }
}

/// The global datastore is gone since the last look, perhaps by a call whose answer was lost: the
/// next look tells.
fn look_again(error: Error) -> Error {
    match error.has_code("GlobalReplicationGroupNotFoundFault") {
        true => error.nature(Nature::StateFault),
        false => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_schema_is_what_the_type_says() {
        let committed = include_str!("../../../samples/schema/DisassociateElastiCache.schema.json");
        let said = shared::describe::describe::<DisassociateElastiCache>();
        assert_eq!(serde_json::from_str::<Value>(committed).unwrap(), said);
    }

    #[test]
    fn what_a_lost_call_left_is_looked_at_again() {
        let nature = |code: &str| look_again(shared::aws::from_code("x", code, "", 400)).nature;
        assert_eq!(nature("GlobalReplicationGroupNotFoundFault"), Nature::StateFault);
        assert_eq!(nature("InvalidGlobalReplicationGroupState"), Nature::StateFault);
        assert_eq!(nature("InvalidParameterValue"), Nature::Final);
    }
}
