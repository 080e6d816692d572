//! The looks and the calls of an unplanned failover.

use crate::failover::{Change, Observed, Wanted};
use crate::not_where_it_serves;
use crate::target::{Target, look_again};
use serde_json::{Value, json};
use shared::{Clients, Cx, Doing, Result};
use shared_metrics::{Lag, aurora_rpo_lag, latest};
use shared_rds::Arn;

/// The clients of an unplanned failover: the target's Region and no other.
#[derive(Debug, Clone)]
pub struct Takeover {
    rds: aws_sdk_rds::Client,
    cloudwatch: aws_sdk_cloudwatch::Client,
    wanted: Wanted,
}

impl Takeover {
    /// Checks what needs no call, and builds the clients.
    ///
    /// # Errors
    /// `Dr.Refused` for a target in the Region that served before the run.
    pub fn connect(clients: &Clients, wanted: Wanted, cx: &Cx) -> Result<Self> {
        not_where_it_serves(&wanted.target, cx)?;
        let config = clients.region(&wanted.target.region)?;
        Ok(Self {
            rds: aws_sdk_rds::Client::new(&config),
            cloudwatch: aws_sdk_cloudwatch::Client::new(&config),
            wanted,
        })
    }

    /// Looks at the target in its Region.
    ///
    /// # Errors
    /// As the services say.
    pub async fn observe(&self, cx: &Cx) -> Result<Observed> {
        let Wanted { global, target, .. } = &self.wanted;
        let target = Target::new(global.clone(), target.clone()).look(&self.rds).await?;
        let member = target.cluster.as_ref().is_some_and(|c| c.global.is_some());
        let accepted = cx.progress.acts.values().any(|a| a.certain);
        let lag = match member && !accepted {
            true => latest(&self.cloudwatch, &self.series(&target, cx)).await,
            false => Lag::Unknown("not asked".into()),
        };
        Ok(Observed { wanted: self.wanted.clone(), target, lag })
    }

    fn series(&self, target: &Target, cx: &Cx) -> Vec<shared_metrics::Series> {
        let writer = target.metadata.global().and_then(|g| g.writer());
        let region = writer.map(|w| w.arn.region.as_str()).or(cx.context.primary_region.as_deref());
        aurora_rpo_lag(&self.wanted.target.id, region)
    }

    /// Makes the call, at the target's Region.
    ///
    /// # Errors
    /// As the service says.
    pub async fn apply(&self, change: &Change) -> Result<Value> {
        let lag = match change {
            Change::Managed { global, target, lag, .. } => {
                self.managed(global, target).await?;
                lag
            }
            Change::Detach { global, target, lag, .. } => {
                self.detach(global, target).await?;
                lag
            }
        };
        Ok(json!({"lagSeconds": lag.seconds()}))
    }

    async fn managed(&self, global: &str, target: &Arn) -> Result<()> {
        self.rds
            .failover_global_cluster()
            .global_cluster_identifier(global)
            .target_db_cluster_identifier(target.to_string())
            .allow_data_loss(true)
            .send()
            .await
            .map(drop)
            .doing(&format!("fail {global} over to {}", target.id))
            .map_err(look_again)
    }

    async fn detach(&self, global: &str, target: &Arn) -> Result<()> {
        self.rds
            .remove_from_global_cluster()
            .global_cluster_identifier(global)
            .db_cluster_identifier(target.to_string())
            .send()
            .await
            .map(drop)
            .doing(&format!("detach {} from {global}", target.id))
            .map_err(look_again)
    }
}
