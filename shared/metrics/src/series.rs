//! Which metrics tell the lag of which kind of copy.
//!
//! The documentation names the metrics but not always their dimensions; where it leaves room, every
//! set that is seen in use is asked for, and whichever has figures answers.

use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery, MetricStat};

/// One metric with one set of dimensions.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    namespace: &'static str,
    metric: &'static str,
    dimensions: Vec<(&'static str, String)>,
    /// Units of the metric in a second.
    per_second: f64,
}

impl Series {
    fn new(
        namespace: &'static str,
        metric: &'static str,
        dimensions: &[(&'static str, &str)],
        per_second: f64,
    ) -> Self {
        let dimensions = dimensions.iter().map(|(n, v)| (*n, (*v).to_owned())).collect();
        Self { namespace, metric, dimensions, per_second }
    }

    /// The metric's name.
    pub fn metric(&self) -> &'static str {
        self.metric
    }

    /// The metric's figure in seconds.
    pub(crate) fn seconds(&self, figure: f64) -> f64 {
        figure / self.per_second
    }

    pub(crate) fn query(&self, id: &str) -> MetricDataQuery {
        let dimensions = self.dimensions.iter();
        let dimensions = dimensions.map(|(n, v)| Dimension::builder().name(*n).value(v).build());
        let metric = Metric::builder()
            .namespace(self.namespace)
            .metric_name(self.metric)
            .set_dimensions(Some(dimensions.collect()))
            .build();
        let stat = MetricStat::builder().metric(metric).period(60).stat("Maximum").build();
        MetricDataQuery::builder().id(id).metric_stat(stat).build()
    }
}

/// `ReplicaLag` of an RDS read replica: whole seconds, -1 while replication is not active.
pub fn replica_lag(instance: &str) -> Vec<Series> {
    vec![Series::new("AWS/RDS", "ReplicaLag", &[("DBInstanceIdentifier", instance)], 1.0)]
}

/// `AuroraGlobalDBRPOLag` of a secondary cluster: milliseconds. It exists in the Regions of
/// secondaries alone, and changes sides with the roles.
pub fn aurora_rpo_lag(cluster: &str, source_region: Option<&str>) -> Vec<Series> {
    let cluster = ("DBClusterIdentifier", cluster);
    let of = |dimensions: &[(&'static str, &str)]| {
        Series::new("AWS/RDS", "AuroraGlobalDBRPOLag", dimensions, 1000.0)
    };
    let mut all = vec![of(&[cluster])];
    all.extend(source_region.map(|region| of(&[cluster, ("SourceRegion", region)])));
    all
}

/// `GlobalDatastoreReplicationLag` of a secondary replication group: seconds, told by its nodes.
pub fn global_datastore_lag(replication_group: &str, cache_clusters: &[String]) -> Vec<Series> {
    let of = |dimensions: &[(&'static str, &str)]| {
        Series::new("AWS/ElastiCache", "GlobalDatastoreReplicationLag", dimensions, 1.0)
    };
    let mut all = vec![of(&[("ReplicationGroupId", replication_group)])];
    all.extend(cache_clusters.iter().map(|c| of(&[("CacheClusterId", c)])));
    all
}
