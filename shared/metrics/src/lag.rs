//! The lag, as far as it is known.

use crate::series::Series;
use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::types::{MetricDataResult, ScanBy};
use aws_smithy_types::DateTime;
use shared::{Doing, Result, clock};
use std::collections::BTreeMap;

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

/// The newest figure of the last ten minutes in any of the series; with several at the same time
/// the worst. A metric that cannot be read is an answer too: the lag never stops a failover by being
/// unknown, unless the manifest sets a limit to it.
pub async fn latest(client: &Client, series: &[Series]) -> Lag {
    let Some(name) = series.first().map(Series::metric) else {
        return Lag::Unknown("nothing to ask for".to_owned());
    };
    match recent(client, series, WINDOW_S).await {
        Ok(figures) => meaning(name, &figures),
        Err(error) => Lag::Unknown(error.message),
    }
}

/// Figures of so many past seconds, one a minute, newest first, in seconds of lag; with several
/// series the worst of each minute.
///
/// # Errors
/// As the service says.
pub async fn recent(client: &Client, series: &[Series], window_s: i64) -> Result<Vec<f64>> {
    let now = clock::epoch();
    let name = series.first().map_or("no metric", Series::metric);
    let queries = series.iter().enumerate().map(|(n, s)| s.query(&format!("lag{n}")));
    let answer = client
        .get_metric_data()
        .start_time(DateTime::from_secs(now - window_s))
        .end_time(DateTime::from_secs(now + 60))
        .scan_by(ScanBy::TimestampDescending)
        .set_metric_data_queries(Some(queries.collect()))
        .send()
        .await
        .doing(&format!("read {name}"))?;
    Ok(figures(series, answer.metric_data_results()))
}

/// Of each minute the worst figure of all series in seconds, newest minute first.
fn figures(series: &[Series], results: &[MetricDataResult]) -> Vec<f64> {
    let mut by_minute = BTreeMap::<i64, f64>::new();
    for result in results {
        let number = result.id().and_then(|id| id.strip_prefix("lag")?.parse::<usize>().ok());
        let Some(series) = number.and_then(|n| series.get(n)) else { continue };
        for (at, figure) in result.timestamps().iter().zip(result.values()) {
            let worst = by_minute.entry(at.secs()).or_insert(f64::MIN);
            *worst = worst.max(series.seconds(*figure));
        }
    }
    by_minute.into_values().rev().collect()
}

/// Newest first, in seconds. MySQL and MariaDB report -1 while replication is not active.
fn meaning(name: &str, newest_first: &[f64]) -> Lag {
    match newest_first {
        [] => Lag::Unknown(format!("no {name} figure in the last 10 minutes")),
        [newest, ..] if *newest >= 0.0 => Lag::Current(tenths(*newest)),
        [_, older @ ..] => older.iter().find(|s| **s >= 0.0).map_or_else(
            || Lag::Unknown("replication has not been active for 10 minutes".to_owned()),
            |s| Lag::Last(tenths(*s)),
        ),
    }
}

/// Seconds as precise as they deserve: a lag below ten seconds with one decimal.
fn tenths(seconds: f64) -> f64 {
    if seconds < 10.0 { (seconds * 10.0).round() / 10.0 } else { seconds.round() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::aurora_rpo_lag;

    #[test]
    fn a_figure_is_current_only_while_replication_is_active() {
        assert_eq!(meaning("m", &[4.0, 90.0]), Lag::Current(4.0));
        assert_eq!(meaning("m", &[0.0]), Lag::Current(0.0));
        assert_eq!(meaning("m", &[4.128_808]), Lag::Current(4.1));
        assert_eq!(meaning("m", &[41.28]), Lag::Current(41.0));
        assert_eq!(meaning("m", &[-1.0, -1.0, 7.0, 3.0]), Lag::Last(7.0));
        for silent in [&[][..], &[-1.0]] {
            let lag = meaning("m", silent);
            assert_eq!(lag.seconds(), None, "{lag}");
        }
    }

    #[test]
    fn of_several_series_the_worst_figure_of_the_newest_minute_counts() {
        let series = aurora_rpo_lag("c", Some("us-east-1"));
        let result = |id: &str, points: &[(i64, f64)]| {
            let times = points.iter().map(|(at, _)| DateTime::from_secs(*at)).collect();
            MetricDataResult::builder()
                .id(id)
                .set_timestamps(Some(times))
                .set_values(Some(points.iter().map(|(_, v)| *v).collect()))
                .build()
        };
        let results = [
            result("lag0", &[(120, 400.0), (60, 9000.0)]),
            result("lag1", &[(120, 700.0)]),
            result("other", &[(120, 1e9)]),
        ];
        assert_eq!(figures(&series, &results), [0.7, 9.0]);
        assert_eq!(figures(&series, &[]), Vec::<f64>::new());
    }

    #[test]
    fn each_reads_well() {
        assert_eq!(Lag::Current(4.0).to_string(), "lag 4 s");
        assert_eq!(Lag::Last(7.0).to_string(), "replication not active, last known lag 7 s");
        assert_eq!(Lag::Unknown("why".into()).to_string(), "lag unknown (why)");
    }
}
