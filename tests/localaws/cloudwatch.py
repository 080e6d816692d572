"""Repairs of moto's CloudWatch: the lag of RDS replicas and Aurora secondaries, and dashboards."""

from collections.abc import Iterator
from typing import Any

from moto.cloudwatch.models import MetricDatum
from moto.core.common_models import CloudWatchMetricProvider
from moto.rds.models import DBInstance, rds_backends

from localaws import cloudwatch_dashboards, rds_aurora, rds_replication, timings
from localaws.rds_transitions import clock, utc

HISTORY = 60

# CloudWatch has a minute's datapoint some time after that minute; 0 shows it from its beginning.
timings.define("rds.metric_delay", 0.0)


class RdsMetrics(CloudWatchMetricProvider):
    """Found by moto through its base class, and asked at each reading of metrics.

    moto 5.2.5 has no metrics of RDS.
    """

    @staticmethod
    def get_cloudwatch_metrics(account_id: str, region: str) -> list[MetricDatum]:
        """ReplicaLag in seconds, one datapoint a minute, of each replica in the Region."""
        if region not in dict.keys(rds_backends[account_id]):
            return []
        instances = list(rds_backends[account_id][region].databases.values())
        clusters = [one for (where, _), one in rds_aurora.store(account_id).clusters.items()
                    if where == region]
        return [datum for instance in instances for datum in datapoints(instance)] + \
            [datum for cluster in clusters for datum in cluster_datapoints(cluster)]


def datapoints(instance: DBInstance) -> Iterator[MetricDatum]:
    """The last hour's ReplicaLag, from the minute in which replication began."""
    if rds_replication.lag(instance) is None:
        return
    last = (clock() - timings.get("rds.metric_delay")) // 60 * 60
    first = max(instance.replicating_since // 60 * 60, last - HISTORY * 60)
    for minute in range(int(first), int(last) + 1, 60):
        value = rds_replication.lag(instance, minute + 60)
        dimensions: list[dict[str, Any]] = [
            {"Name": "DBInstanceIdentifier", "Value": instance.db_instance_identifier}]
        yield MetricDatum("AWS/RDS", "ReplicaLag", value, dimensions, utc(minute), "Seconds")


def cluster_datapoints(cluster: rds_aurora.Cluster) -> Iterator[MetricDatum]:
    """The last hour's lag of a secondary cluster in milliseconds. AWS's documentation names the
    metrics and a dimension SourceRegion, not the sets of dimensions: both likely ones are here."""
    if rds_aurora.lag(cluster) is None:
        return
    last = (clock() - timings.get("rds.metric_delay")) // 60 * 60
    first = max(cluster.following_since // 60 * 60, last - HISTORY * 60)
    own = {"Name": "DBClusterIdentifier", "Value": cluster.id}
    source = {"Name": "SourceRegion", "Value": rds_aurora.source_region(cluster)}
    for minute in range(int(first), int(last) + 1, 60):
        value = 1000 * float(rds_aurora.lag(cluster, minute + 60) or 0.0)
        for name in ("AuroraGlobalDBRPOLag", "AuroraGlobalDBReplicationLag"):
            for dimensions in ([own], [own, source]):
                yield MetricDatum("AWS/RDS", name, value, dimensions, utc(minute), "Milliseconds")


def install() -> None:
    """The metrics are found by being defined; the dashboards are put in place."""
    cloudwatch_dashboards.install()
