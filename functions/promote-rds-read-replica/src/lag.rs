//! How far a replica is behind, from the metrics of its own Region.

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery, MetricStat};
use aws_smithy_types::DateTime;
use shared::clock;

/// `ReplicaLag` of the last ten minutes, seconds; None when there is no figure or no answer: the lag
/// never stops a failover by being unknown. RDS reports -1 when replication is not active.
pub async fn latest(client: &Client, id: &str) -> Option<f64> {
    let now = clock::epoch();
    let answer = client
        .get_metric_data()
        .start_time(DateTime::from_secs(now - 600))
        .end_time(DateTime::from_secs(now + 60))
        .metric_data_queries(query(id))
        .send()
        .await
        .ok()?;
    let newest = answer.metric_data_results().first()?.values().first().copied();
    newest.filter(|seconds| *seconds >= 0.0).map(f64::round)
}

fn query(id: &str) -> MetricDataQuery {
    let dimension = Dimension::builder().name("DBInstanceIdentifier").value(id).build();
    let metric = Metric::builder()
        .namespace("AWS/RDS")
        .metric_name("ReplicaLag")
        .dimensions(dimension)
        .build();
    let stat = MetricStat::builder().metric(metric).period(60).stat("Average").build();
    MetricDataQuery::builder().id("lag").metric_stat(stat).build()
}
