//! How far a replica is behind, from the metrics of its own Region.

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery, MetricStat, ScanBy};
use aws_smithy_types::DateTime;
use shared::{Doing, clock};

/// How far back a figure counts at all. It arrives a minute or two late.
const WINDOW_S: i64 = 600;

/// What is known of the lag.
#[derive(Debug, Clone, PartialEq)]
pub enum Lag {
    /// The newest figure, seconds.
    Current(f64),
    /// Replication is not active; the last figure before that.
    Last(f64),
    /// No figure, and why.
    Unknown(String),
}

impl Lag {
    /// Seconds, as far as known.
    pub fn seconds(&self) -> Option<f64> {
        match self {
            Self::Current(s) | Self::Last(s) => Some(*s),
            Self::Unknown(_) => None,
        }
    }
}

impl std::fmt::Display for Lag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Current(s) => write!(f, "lag {s} s"),
            Self::Last(s) => write!(f, "replication not active, last known lag {s} s"),
            Self::Unknown(why) => write!(f, "lag unknown ({why})"),
        }
    }
}

/// `ReplicaLag` of the last ten minutes. A metric that cannot be read is an answer too: the lag
/// never stops a failover by being unknown, unless the manifest sets a limit to it.
pub async fn latest(client: &Client, id: &str) -> Lag {
    let now = clock::epoch();
    let answer = client
        .get_metric_data()
        .start_time(DateTime::from_secs(now - WINDOW_S))
        .end_time(DateTime::from_secs(now + 60))
        .scan_by(ScanBy::TimestampDescending)
        .metric_data_queries(query(id))
        .send()
        .await
        .doing("read ReplicaLag");
    match answer {
        Ok(answer) => meaning(answer.metric_data_results().first().map_or(&[], |r| r.values())),
        Err(error) => Lag::Unknown(error.message),
    }
}

/// Newest first, in whole seconds. MySQL and MariaDB report -1 while replication is not active.
fn meaning(newest_first: &[f64]) -> Lag {
    match newest_first {
        [] => Lag::Unknown("no ReplicaLag figure in the last 10 minutes".to_owned()),
        [newest, ..] if *newest >= 0.0 => Lag::Current(newest.round()),
        [_, older @ ..] => older.iter().find(|s| **s >= 0.0).map_or_else(
            || Lag::Unknown("replication has not been active for 10 minutes".to_owned()),
            |s| Lag::Last(s.round()),
        ),
    }
}

fn query(id: &str) -> MetricDataQuery {
    let dimension = Dimension::builder().name("DBInstanceIdentifier").value(id).build();
    let metric = Metric::builder()
        .namespace("AWS/RDS")
        .metric_name("ReplicaLag")
        .dimensions(dimension)
        .build();
    let stat = MetricStat::builder().metric(metric).period(60).stat("Maximum").build();
    MetricDataQuery::builder().id("lag").metric_stat(stat).build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_current_only_while_replication_is_active() {
        assert_eq!(meaning(&[4.0, 90.0]), Lag::Current(4.0));
        assert_eq!(meaning(&[0.0]), Lag::Current(0.0));
        assert_eq!(meaning(&[4.128_808]), Lag::Current(4.0));
        assert_eq!(meaning(&[-1.0, -1.0, 7.0, 3.0]), Lag::Last(7.0));
        for silent in [&[][..], &[-1.0]] {
            let lag = meaning(silent);
            assert_eq!(lag.seconds(), None, "{lag}");
        }
    }

    #[test]
    fn each_reads_well() {
        assert_eq!(Lag::Current(4.0).to_string(), "lag 4 s");
        assert_eq!(Lag::Last(7.0).to_string(), "replication not active, last known lag 7 s");
        assert_eq!(Lag::Unknown("why".into()).to_string(), "lag unknown (why)");
    }
}
