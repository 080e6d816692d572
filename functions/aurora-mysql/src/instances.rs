//! The looks and calls of INSTANTIATE and CLEANUP.

use crate::change::Change;
use crate::observed::{Observed, Wanted};
use crate::parameters::Parameters;
use shared::{Clients, Cx, Doing, Error, Nature, Phase, Result};
use shared_rds::{Arn, describe, describe_cluster, describe_global, within};

/// The cluster's Region and no other.
pub struct Instances {
    rds: aws_sdk_rds::Client,
    wanted: Wanted,
}

impl Instances {
    /// Builds the client.
    ///
    /// # Errors
    /// `Dr.Refused` for the Region that is lost.
    pub fn connect(clients: &Clients, wanted: Wanted) -> Result<Self> {
        let rds = aws_sdk_rds::Client::new(&clients.region(&wanted.cluster.region)?);
        Ok(Self { rds, wanted })
    }

    /// Looks.
    ///
    /// # Errors
    /// As the service says.
    pub async fn observe(&self, cx: &Cx) -> Result<Observed> {
        let wanted = self.wanted.clone();
        let mut instances = Vec::with_capacity(wanted.instances.len());
        for instance in &wanted.instances {
            instances.push(describe(&self.rds, instance).await?);
        }
        let cluster = describe_cluster(&self.rds, &wanted.cluster).await?;
        // Last, so that nothing lies between the proof and the act.
        let global = match cx.phase {
            Phase::Cleanup => describe_global(&self.rds, &wanted.global).await?,
            _ => None,
        };
        Ok(Observed { wanted, cluster, global, instances })
    }

    /// Makes the call.
    ///
    /// # Errors
    /// As the service says.
    pub async fn apply(&self, p: &Parameters, change: &Change) -> Result<()> {
        let sent = match change {
            Change::Add { instance, cluster, engine, class } => {
                self.add(p, instance, cluster, engine, class).await
            }
            Change::Remove { instance, .. } => self.remove(instance).await,
        };
        sent.map_err(look_again)
    }

    async fn add(
        &self,
        p: &Parameters,
        instance: &Arn,
        cluster: &str,
        engine: &str,
        class: &str,
    ) -> Result<()> {
        self.rds
            .create_db_instance()
            .db_instance_identifier(&instance.id)
            .db_cluster_identifier(cluster)
            .engine(engine)
            .db_instance_class(class)
            .set_promotion_tier(within("PromotionTier", p.promotion_tier, 0..=15)?)
            .send()
            .await
            .map(drop)
            .doing(&format!("create instance {} in {}", instance.id, instance.region))
    }

    /// Without a final snapshot: an instance of Aurora has no storage of its own. The data, its
    /// snapshots and its automated backups are the cluster's, and the cluster stays.
    async fn remove(&self, instance: &Arn) -> Result<()> {
        self.rds
            .delete_db_instance()
            .db_instance_identifier(&instance.id)
            .skip_final_snapshot(true)
            .send()
            .await
            .map(drop)
            .doing(&format!("delete instance {} in {}", instance.id, instance.region))
    }
}

/// An instance has come up or gone since the last look, perhaps by a call whose answer was lost: the
/// next look tells. Capacity comes back in its own time, until the deadline.
fn look_again(error: Error) -> Error {
    match error.code.as_deref() {
        Some("DBInstanceAlreadyExists" | "DBInstanceNotFound") => error.nature(Nature::StateFault),
        Some("InsufficientDBInstanceCapacity") => error.nature(Nature::Throttled),
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_lost_call_left_is_looked_at_again_and_capacity_is_waited_for() {
        let nature = |code: &str| look_again(shared::aws::from_code("x", code, "", 400)).nature;
        assert_eq!(nature("DBInstanceAlreadyExists"), Nature::StateFault);
        assert_eq!(nature("DBInstanceNotFound"), Nature::StateFault);
        assert_eq!(nature("InsufficientDBInstanceCapacity"), Nature::Throttled);
        assert_eq!(nature("InstanceQuotaExceeded"), Nature::Final);
    }
}
