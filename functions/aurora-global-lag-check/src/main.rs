//! `AuroraGlobalLagCheck`: waits until the secondaries of an Aurora global database have caught up.

mod decide;

use decide::{Behind, Observed, Wanted};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use shared::coerce::{Flag, Int};
use shared::{
    ChangeClass, Classified, Clients, ControlPlane, Cx, Error, Phase, Resource, Result, Step,
};
use shared_metrics::{aurora_rpo_lag, recent};
use shared_rds::{Arn, Global, GlobalMember, describe_global, region, within};
use std::time::Duration;

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::result::Result<(), lambda_runtime::Error> {
    shared::main::<AuroraGlobalLagCheck>().await
}

/// Parameters of AuroraGlobalLagCheck.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Parameters {
    /// Identifier of the global cluster.
    global_cluster_identifier: String,
    /// Lag that is good enough, seconds.
    max_lag_seconds: Int,
    /// Figures in a row, one a minute, that must be good; default 5.
    periods: Option<Int>,
    /// Region of a member, which is asked for the global cluster; default: the executing Region.
    region: Option<String>,
    /// How long to wait for it, minutes; default 30.
    wait_minutes: Option<Int>,
    /// Whether the step fails when the secondaries do not catch up in time; default true. Otherwise
    /// it succeeds then, with a warning.
    required: Option<Flag>,
}

/// There is none: this type only looks.
#[derive(Debug, PartialEq)]
enum Nothing {}

impl Classified for Nothing {
    fn name(&self) -> &'static str {
        match *self {}
    }
    fn class(&self) -> ChangeClass {
        match *self {}
    }
    fn summary(&self) -> String {
        match *self {}
    }
}

/// Waits until every secondary of a global database follows closely.
///
/// **Reads:** the global cluster, and `AuroraGlobalDBRPOLag` in the Region of each secondary
/// (`rds:DescribeGlobalClusters`, `cloudwatch:GetMetricData`). In an unplanned INSTANTIATE or
/// ACTIVATE the lost Region is not asked.
/// **Changes:** nothing.
/// **Done when:** the newest `Periods` figures of every secondary are at most `MaxLagSeconds`. A
/// figure that is missing is not good. Without `Required` also when the time is up.
/// **Refuses when:** never; it fails when the global cluster does not exist or has no secondary. A
/// plan accepts that behind a step that creates one.
/// **Safe to repeat because:** it only looks.
struct AuroraGlobalLagCheck {
    clients: Clients,
    rds: aws_sdk_rds::Client,
    wanted: Wanted,
}

impl Resource for AuroraGlobalLagCheck {
    const TYPE: &'static str = "AuroraGlobalLagCheck";
    const PHASES: &'static [Phase] = &Phase::ALL;
    const READS: &'static [&'static str] =
        &["rds:DescribeGlobalClusters", "cloudwatch:GetMetricData"];
    const WRITES: &'static [&'static str] = &[];
    const CONTROL_PLANE: ControlPlane = ControlPlane::Regional;
    const TIMEOUT: Duration = Duration::from_secs(30 * 60);
    const TYPICAL: Duration = Duration::from_secs(5 * 60);
    const CLASS: ChangeClass = ChangeClass::Create;
    type Parameters = Parameters;
    type Observed = Observed;
    type Change = Nothing;

    async fn connect(clients: &Clients, p: &Parameters, _: &Cx) -> Result<Self> {
        let asked = match &p.region {
            Some(given) => region("Region", given)?,
            None => clients.executing_region().to_owned(),
        };
        Ok(Self {
            clients: clients.clone(),
            rds: aws_sdk_rds::Client::new(&clients.region(&asked)?),
            wanted: wanted(p)?,
        })
    }

    async fn observe(&self, _: &Parameters, cx: &Cx) -> Result<Observed> {
        let global = describe_global(&self.rds, &self.wanted.global).await?;
        let mut secondaries = Vec::new();
        for member in followers(global.as_ref()) {
            secondaries.push(self.behind(&member.arn, global.as_ref(), cx).await?);
        }
        Ok(Observed { wanted: self.wanted.clone(), exists: global.is_some(), secondaries })
    }

    fn decide(p: &Parameters, o: &Observed, cx: &Cx) -> Step<Nothing> {
        decide::decide(o, cx, Self::timeout(p))
    }

    async fn apply(&self, _: &Parameters, change: Nothing, _: &Cx) -> Result<Value> {
        match change {}
    }

    /// Without `Required` the end of the waiting is no failure: the loop must not end first.
    fn timeout(p: &Parameters) -> Duration {
        let minutes = p.wait_minutes.map_or(Self::TIMEOUT.as_secs() / 60, |m| m.0.unsigned_abs());
        Duration::from_secs(minutes.saturating_mul(60))
    }
}

impl AuroraGlobalLagCheck {
    async fn behind(&self, arn: &Arn, global: Option<&Global>, cx: &Cx) -> Result<Behind> {
        let name = format!("{} in {}", arn.id, arn.region);
        if cx.context.lost_region(cx.phase) == Some(arn.region.as_str()) {
            return Ok(Behind { name, lost: true, newest_first: vec![] });
        }
        let cloudwatch = aws_sdk_cloudwatch::Client::new(&self.clients.region(&arn.region)?);
        let writer = global.and_then(Global::writer).map(|w| w.arn.region.clone());
        let series = aurora_rpo_lag(&arn.id, writer.as_deref());
        // Two minutes more: a figure arrives late.
        let window = (self.wanted.periods + 2) * 60;
        let newest_first = recent(&cloudwatch, &series, window).await?;
        Ok(Behind { name, lost: false, newest_first })
    }
}

fn followers(global: Option<&Global>) -> Vec<&GlobalMember> {
    global.map_or(vec![], |g| g.members.iter().filter(|m| !m.writer).collect())
}

/// What is wanted, checked.
fn wanted(p: &Parameters) -> Result<Wanted> {
    let checks = [
        within("MaxLagSeconds", Some(p.max_lag_seconds), 0..=i64::from(i32::MAX)),
        within("Periods", p.periods, 1..=60),
        within("WaitMinutes", p.wait_minutes, 1..=1440),
    ];
    let wrong: Vec<String> =
        checks.into_iter().filter_map(Result::err).map(|e| e.message).collect();
    if !wrong.is_empty() {
        return Err(Error::invalid_parameters(wrong.join("; ")));
    }
    Ok(Wanted {
        global: p.global_cluster_identifier.to_ascii_lowercase(),
        max_lag_s: p.max_lag_seconds.0,
        periods: p.periods.map_or(5, |n| n.0),
        required: p.required.is_none_or(|f| f.0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_committed_schema_is_what_the_type_says() {
        let committed = include_str!("../../../samples/schema/AuroraGlobalLagCheck.schema.json");
        let said = shared::describe::describe::<AuroraGlobalLagCheck>();
        assert_eq!(serde_json::from_str::<Value>(committed).unwrap(), said);
    }

    #[test]
    fn all_numbers_out_of_range_are_named_at_once() {
        let of = |v: Value| wanted(&serde_json::from_value(v).unwrap());
        let good = json!({"GlobalClusterIdentifier": "G", "MaxLagSeconds": "5"});
        let wanted = of(good).unwrap();
        assert_eq!((wanted.periods, wanted.required, wanted.global.as_str()), (5, true, "g"));
        let bad = json!({"GlobalClusterIdentifier": "g", "MaxLagSeconds": -1, "Periods": 0,
            "WaitMinutes": 0});
        let message = of(bad).unwrap_err().message;
        for name in ["MaxLagSeconds", "Periods", "WaitMinutes"] {
            assert!(message.contains(name), "{message}");
        }
    }
}
