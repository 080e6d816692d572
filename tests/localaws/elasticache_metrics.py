"""The metric GlobalDatastoreReplicationLag of secondary replication groups."""

from collections.abc import Iterator
from typing import Any

from moto.cloudwatch.models import MetricDatum
from moto.core.common_models import CloudWatchMetricProvider

from localaws import timings, unknowns
from localaws.elasticache_clock import LOCK, clock, dark_for, settle
from localaws.elasticache_documents import utc
from localaws.elasticache_model import PRIMARY, SECONDARY, Group, Store, store_of

HISTORY = 60

timings.define("elasticache_lag", 0.2)
# CloudWatch has a minute's datapoint some time after that minute; 0 shows it from its beginning.
timings.define("elasticache.metric_delay", 0.0)
# AWS's documentation does not name the metric's dimensions. AWS's own catalogue of metrics (in the
# CDK) has the node's; others watch it by the replication group.
unknowns.define("elasticache.lag_dimensions", "node", ("node", "group", "both", "none"))


class ElastiCacheMetrics(CloudWatchMetricProvider):
    """Found by moto through its base class, and asked at each reading of metrics.

    moto 5.2.5 has no metrics of ElastiCache.
    """

    @staticmethod
    def get_cloudwatch_metrics(account_id: str, region: str) -> list[MetricDatum]:
        """GlobalDatastoreReplicationLag in seconds, one datapoint a minute, of each secondary."""
        with LOCK:
            store = store_of(account_id)
            settle(store.steps)
            groups = [one for one in store.groups.values() if one.region == region]
            return [datum for group in groups for datum in datapoints(store, group)]


def lag(store: Store, group: Group, at: float) -> float | None:
    """Seconds behind the primary at a time; None of groups that are no associated secondary."""
    datastore = store.globals.get(group.global_id or "")
    member = datastore and datastore.member(group.region, group.id)
    if not datastore or not member or member.status != "associated" or group.role != SECONDARY:
        return None
    primary = next(one.group for one in datastore.members if one.role == PRIMARY)
    return timings.get("elasticache_lag") + dark_for(primary.region, at)


def dimensions(group: Group) -> list[list[dict[str, Any]]]:
    """The metric's series: of the shards' primary nodes, or of the group, as the switch says."""
    kind = unknowns.get("elasticache.lag_dimensions")
    by_group = [[{"Name": "ReplicationGroupId", "Value": group.id}]]
    nodes = [name for _, name in group.nodes if name.endswith("-001")]
    by_node = [[{"Name": "CacheClusterId", "Value": name}, *more] for name in nodes
               for more in ([], [{"Name": "CacheNodeId", "Value": "0001"}])]
    return {"node": by_node, "group": by_group, "both": by_node + by_group, "none": []}[kind]


def datapoints(store: Store, group: Group) -> Iterator[MetricDatum]:
    """The last hour's lag, from the minute in which the group was ready."""
    if lag(store, group, clock()) is None or group.ready_since is None:
        return
    last = (clock() - timings.get("elasticache.metric_delay")) // 60 * 60
    first = max(group.ready_since // 60 * 60, last - HISTORY * 60)
    for minute in range(int(first), int(last) + 1, 60):
        value = lag(store, group, minute + 60)
        for dimension in dimensions(group):
            yield MetricDatum("AWS/ElastiCache", "GlobalDatastoreReplicationLag", value, dimension,
                              utc(minute), "Seconds")


def install() -> None:
    """The metrics are found by being defined."""
