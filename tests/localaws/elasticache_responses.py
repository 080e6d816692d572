"""The wire side of ElastiCache: one method of moto's response class for each operation."""

from collections.abc import Callable
from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.core.utils import get_service_model
from moto.elasticache.responses import ElastiCacheResponse

from localaws import elasticache_documents as documents
from localaws import elasticache_failover as failover
from localaws import elasticache_global as datastores
from localaws import elasticache_groups as groups
from localaws import elasticache_network as network
from localaws import elasticache_snapshots as snapshots
from localaws.elasticache_clock import LOCK, settle
from localaws.elasticache_model import Store, invalid, refuse, store_of

Answer = dict[str, Any] | None
_moto = {name: getattr(ElastiCacheResponse, name) for name in
         ("call_action", "create_cache_subnet_group", "describe_cache_clusters",
          "delete_cache_cluster")}


def page(shown: list[Any], p: dict[str, Any], name: str) -> dict[str, Any]:
    """One page of a list; MaxRecords is 20 to 100 (50 of snapshots), the marker a position."""
    most = 50 if name == "Snapshots" else 100
    size = int(p.get("MaxRecords") or most)
    if not 20 <= size <= most:
        raise invalid(f"Invalid value {size} for MaxRecords. Must be between 20 and {most}.")
    marker = str(p.get("Marker") or "0")
    if not marker.isdigit():
        raise invalid("Invalid Marker.")
    start = int(marker)
    more = {"Marker": str(start + size)} if start + size < len(shown) else {}
    return {name: shown[start:start + size]} | more


def group_answer(group: Any, status: str | None = None) -> Answer:
    """An operation's answer: the group, in the status that the operation gives it."""
    shown = documents.replication_group(group)
    return {"ReplicationGroup": shown | ({"Status": status} if status else {})}


def global_answer(datastore: Any, region: str, status: str) -> Answer:
    """An operation's answer: the global datastore in the status that the operation gives it."""
    shown = datastores.document(datastore, region)
    return {"GlobalReplicationGroup": shown | {"Status": status}}


def create_replication_group(store: Store, region: str, p: dict[str, Any]) -> Answer:
    """CreateReplicationGroup."""
    make = datastores.join if p.get("GlobalReplicationGroupId") else groups.create
    return group_answer(make(store, region, p))


def describe_replication_groups(store: Store, region: str, p: dict[str, Any]) -> Answer:
    """DescribeReplicationGroups."""
    name = p.get("ReplicationGroupId")
    found = [store.group(region, name)] if name else \
        [one for one in store.groups.values() if one.region == region]
    return page([documents.replication_group(one) for one in found], p, "ReplicationGroups")


def modify_replication_group(store: Store, region: str, p: dict[str, Any]) -> Answer:
    """ModifyReplicationGroup."""
    group = groups.modify(store, region, p)
    return group_answer(group, group.real_status)


def delete_replication_group(store: Store, region: str, p: dict[str, Any]) -> Answer:
    """DeleteReplicationGroup."""
    return group_answer(groups.delete(store, region, p), "deleting")


def create_snapshot(store: Store, region: str, p: dict[str, Any]) -> Answer:
    """CreateSnapshot."""
    return {"Snapshot": documents.snapshot(snapshots.create(store, region, p))}


def describe_snapshots(store: Store, region: str, p: dict[str, Any]) -> Answer:
    """DescribeSnapshots."""
    with_nodes = bool(p.get("ShowNodeGroupConfig"))
    return page([documents.snapshot(one, with_nodes) for one in snapshots.listed(store, region, p)],
                p, "Snapshots")


def delete_snapshot(store: Store, region: str, p: dict[str, Any]) -> Answer:
    """DeleteSnapshot."""
    return {"Snapshot": documents.snapshot(snapshots.delete(store, region, p["SnapshotName"]))}


def create_global_replication_group(store: Store, region: str, p: dict[str, Any]) -> Answer:
    """CreateGlobalReplicationGroup."""
    return global_answer(datastores.create(store, region, p), region, "creating")


def describe_global_replication_groups(store: Store, region: str, p: dict[str, Any]) -> Answer:
    """DescribeGlobalReplicationGroups."""
    return page(datastores.listed(store, region, p), p, "GlobalReplicationGroups")


def failover_global_replication_group(store: Store, region: str, p: dict[str, Any]) -> Answer:
    """FailoverGlobalReplicationGroup."""
    return global_answer(failover.fail_over(store, region, p), region, "modifying")


def disassociate_global_replication_group(store: Store, region: str, p: dict[str, Any]) -> Answer:
    """DisassociateGlobalReplicationGroup."""
    return global_answer(failover.disassociate(store, region, p), region, "modifying")


def delete_global_replication_group(store: Store, region: str, p: dict[str, Any]) -> Answer:
    """DeleteGlobalReplicationGroup."""
    return global_answer(datastores.delete(store, region, p), region, "deleting")


def create_cache_parameter_group(store: Store, region: str, p: dict[str, Any]) -> Answer:
    """CreateCacheParameterGroup."""
    made = network.create_parameter_group(store, region, p)
    return {"CacheParameterGroup": documents.parameter_group(store.account, region, made)}


def describe_cache_parameter_groups(store: Store, region: str, p: dict[str, Any]) -> Answer:
    """DescribeCacheParameterGroups."""
    name = p.get("CacheParameterGroupName")
    own = [one for (place, _), one in store.parameters.items() if place == region]
    found = [network.parameter_group(store, region, name)] if name else \
        network.default_groups() + own
    return page([documents.parameter_group(store.account, region, one) for one in found], p,
                "CacheParameterGroups")


def describe_cache_parameters(store: Store, region: str, p: dict[str, Any]) -> Answer:
    """DescribeCacheParameters: those that were set; the engine's own ones are not listed here."""
    group = network.parameter_group(store, region, p["CacheParameterGroupName"])
    shown = [{"ParameterName": name, "ParameterValue": value, "IsModifiable": True,
              "Source": "system" if group.is_default else "user"}
             for name, value in group.values.items()]
    return page(shown, p, "Parameters")


def modify_cache_parameter_group(store: Store, region: str, p: dict[str, Any]) -> Answer:
    """ModifyCacheParameterGroup."""
    return {"CacheParameterGroupName": network.modify_parameter_group(store, region, p).name}


def delete_cache_parameter_group(store: Store, region: str, p: dict[str, Any]) -> Answer:
    """DeleteCacheParameterGroup."""
    network.delete_parameter_group(store, region, p["CacheParameterGroupName"])
    return None


def delete_cache_subnet_group(store: Store, region: str, p: dict[str, Any]) -> Answer:
    """DeleteCacheSubnetGroup."""
    network.delete_subnet_group(store, region, p["CacheSubnetGroupName"])
    return None


def list_tags_for_resource(store: Store, region: str, p: dict[str, Any]) -> Answer:
    """ListTagsForResource."""
    found = store.tags.get(network.tagged(store, region, p["ResourceName"]), {})
    return {"TagList": [{"Key": key, "Value": value} for key, value in found.items()]}


def add_tags_to_resource(store: Store, region: str, p: dict[str, Any]) -> Answer:
    """AddTagsToResource."""
    network.tag(store, network.tagged(store, region, p["ResourceName"]), p["Tags"])
    return list_tags_for_resource(store, region, p)


def remove_tags_from_resource(store: Store, region: str, p: dict[str, Any]) -> Answer:
    """RemoveTagsFromResource."""
    found = store.tags.get(network.tagged(store, region, p["ResourceName"]), {})
    for key in p["TagKeys"]:
        found.pop(key, None)
    return list_tags_for_resource(store, region, p)


OPERATIONS = (
    create_replication_group, describe_replication_groups, modify_replication_group,
    delete_replication_group, create_snapshot, describe_snapshots, delete_snapshot,
    create_global_replication_group, describe_global_replication_groups,
    failover_global_replication_group, disassociate_global_replication_group,
    delete_global_replication_group, create_cache_parameter_group,
    describe_cache_parameter_groups, describe_cache_parameters, modify_cache_parameter_group,
    delete_cache_parameter_group, delete_cache_subnet_group, list_tags_for_resource,
    add_tags_to_resource, remove_tags_from_resource)


def create_cache_subnet_group(self: ElastiCacheResponse) -> ActionResult:
    """CreateCacheSubnetGroup: moto 5.2.5 makes up subnets that do not exist, keeps a name's capital
    letters, and replaces a group of the same name."""
    p = dict(self.params)
    name = network.engines.identifier(p["CacheSubnetGroupName"], "CacheSubnetGroupName", 255)
    network.check_subnets(self.current_account, self.region, p["SubnetIds"])
    self.params["CacheSubnetGroupName"] = name
    result = _moto["create_cache_subnet_group"](self)
    made = result.result["CacheSubnetGroup"]
    network.tag(store_of(self.current_account), made.arn, p.get("Tags"))
    return result


def describe_cache_clusters(self: ElastiCacheResponse) -> ActionResult:
    """DescribeCacheClusters: moto 5.2.5 does not list the nodes of replication groups."""
    store, p = store_of(self.current_account), dict(self.params)
    wanted = str(p.get("CacheClusterId") or "").lower()
    nodes = [documents.cache_cluster(group, name) for group in store.groups.values()
             if group.region == self.region for _, name in group.nodes]
    nodes += [one for (place, _), one in store.clusters.items() if place == self.region]
    found = [one for one in nodes if wanted in ("", one["CacheClusterId"])]
    if wanted and not found:
        return _moto["describe_cache_clusters"](self)
    others = [] if wanted or p.get("ShowCacheClustersNotInReplicationGroups") is False else \
        list(self.elasticache_backend.cache_clusters.values())
    if p.get("ShowCacheClustersNotInReplicationGroups"):
        found = [one for one in found if "ReplicationGroupId" not in one]
    return ActionResult(page(found + others, p, "CacheClusters"))


def delete_cache_cluster(self: ElastiCacheResponse) -> ActionResult:
    """DeleteCacheCluster: not of a node that a replication group needs."""
    store, name = store_of(self.current_account), str(self.params.get("CacheClusterId")).lower()
    kept = store.clusters.pop((self.region, name), None)
    if kept:
        return ActionResult({"CacheCluster": kept | {"CacheClusterStatus": "deleting"}})
    for group in store.groups.values():
        if group.region == self.region and any(one == name for _, one in group.nodes):
            raise refuse("InvalidCacheClusterState", f"Cannot delete the cache cluster {name}: it "
                         f"belongs to the replication group {group.id}.")
    return _moto["delete_cache_cluster"](self)


def require_parameters(action: str, p: dict[str, Any]) -> None:
    """Refuses a call that lacks a required parameter."""
    shape = get_service_model("elasticache").operation_model(action).input_shape
    for name in shape.required_members if shape else ():
        if p.get(name) in (None, "", []):
            raise invalid(f"The parameter {name} must be provided and must not be blank.")


def call_action(self: ElastiCacheResponse) -> Any:
    """One call at a time, after all steps that are due, and serialized before the next one."""
    with LOCK:
        settle(store_of(self.current_account).steps)
        return _moto["call_action"](self)


def bound(operation: Callable[[Store, str, dict[str, Any]], Answer]) -> Callable[[Any], Any]:
    """The operation as a method of moto's response class."""
    action = "".join(part.capitalize() for part in operation.__name__.split("_"))

    def method(self: ElastiCacheResponse) -> ActionResult:
        p = dict(self.params)
        require_parameters(action, p)
        answer = operation(store_of(self.current_account), self.region, p)
        return EmptyResult() if answer is None else ActionResult(answer)

    method.__doc__ = operation.__doc__
    return method


def install() -> None:
    """Puts these in the place of moto's."""
    for operation in OPERATIONS:
        setattr(ElastiCacheResponse, operation.__name__, bound(operation))
    for replaced in (create_cache_subnet_group, describe_cache_clusters, delete_cache_cluster,
                     call_action):
        setattr(ElastiCacheResponse, replaced.__name__, replaced)
