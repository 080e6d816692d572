"""Replication groups of their own: creation, modification, deletion."""

from typing import Any

from localaws import elasticache_engines as engines
from localaws import elasticache_network as network
from localaws import elasticache_snapshots as snapshots
from localaws import unknowns
from localaws.elasticache_clock import seconds
from localaws.elasticache_model import (Group, Store, arn, conflicting, finish, invalid, refuse,
                                        require_available, run, show)

# What becomes of a replication group whose final snapshot fails is not documented.
unknowns.define("elasticache.final_snapshot_failed", "kept", ("kept", "deleted"))

# Parameters that this model cannot honour: refused instead of ignored.
NOT_MODELLED = ("PrimaryClusterId", "SnapshotArns", "SnapshotName", "CacheSecurityGroupNames",
                "UserGroupIds", "ServerlessCacheSnapshotName", "LogDeliveryConfigurations")
NOT_MODIFIED = ("AuthToken", "AuthTokenUpdateStrategy", "TransitEncryptionEnabled", "ClusterMode",
                "TransitEncryptionMode", "RemoveUserGroups", "UserGroupIdsToAdd")
# Changed in the next maintenance window, unless it is to be done at once.
LATER = ("node_type", "version", "engine")
# A member of a global datastore gets these from it.
GOVERNED = ("Engine", "EngineVersion", "CacheNodeType", "CacheParameterGroupName",
            "AutomaticFailoverEnabled", "PrimaryClusterId", "AuthToken",
            "TransitEncryptionEnabled", "TransitEncryptionMode", "ClusterMode")
DELETABLE = ("available", "create-failed")


def create(store: Store, region: str, p: dict[str, Any]) -> Group:
    """CreateReplicationGroup outside of global datastores."""
    name = free_name(store, region, p)
    modelled(p)
    engine = str(p.get("Engine") or "redis").lower()
    version = engines.engine_version(engine, p.get("EngineVersion"))
    node = engines.node_type(p.get("CacheNodeType"))
    parameters = parameters_for(store, region, p, engine, version)
    clustered = parameters.values.get("cluster-enabled") == "yes"
    group = Group(
        store.account, region, name, p["ReplicationGroupDescription"], engine, version, node,
        clustered, **size(p, clustered), parameter_group=parameters.name,
        **network.place(store.account, region, p),
        **network.encryption(store.account, region, p), **settings(p))
    check_failover(group, p)
    return add(store, group, p)


def free_name(store: Store, region: str, p: dict[str, Any]) -> str:
    """The checked ReplicationGroupId, if it is not taken."""
    name = engines.identifier(p["ReplicationGroupId"], "ReplicationGroupId", 40)
    if (region, name) in store.groups:
        raise refuse("ReplicationGroupAlreadyExists", f"Replication group {name} already exists.")
    return name


def modelled(p: dict[str, Any], more: tuple[str, ...] = ()) -> None:
    """An honest answer for what is missing here."""
    missing = [name for name in NOT_MODELLED + more if p.get(name)]
    if missing:
        raise NotImplementedError(f"replication groups with {', '.join(missing)}")


def parameters_for(store: Store, region: str, p: dict[str, Any], engine: str, version: str) -> Any:
    """The parameter group: named, or the default one of the version and of the cluster mode."""
    family = engines.family(engine, version)
    sharded = int(p.get("NumNodeGroups") or 1) > 1 or p.get("ClusterMode") == "enabled" \
        or len(p.get("NodeGroupConfiguration") or []) > 1
    name = p.get("CacheParameterGroupName")
    found = network.parameter_group(
        store, region, name or f"default.{family}{'.cluster.on' if sharded else ''}")
    if found.family != family:
        raise conflicting(f"Expected a parameter group of family {family} but found one of family "
                          f"{found.family}.")
    if sharded and found.values.get("cluster-enabled") != "yes":
        raise conflicting("Use cluster-enabled parameter groups with more than one node group.")
    return found


def size(p: dict[str, Any], clustered: bool) -> dict[str, int]:
    """Shards, and replicas of each."""
    nodes, replicas = p.get("NumCacheClusters"), p.get("ReplicasPerNodeGroup")
    if nodes is not None and (replicas is not None or p.get("NumNodeGroups") is not None):
        raise conflicting("NumCacheClusters cannot be used with NumNodeGroups or "
                          "ReplicasPerNodeGroup.")
    if nodes is not None and clustered:
        raise conflicting("NumCacheClusters cannot be used if cluster mode is enabled.")
    replicas = int(nodes) - 1 if nodes is not None else int(replicas or 0)
    if not 0 <= replicas <= 5:
        raise invalid("A node group has 0 to 5 replicas.")
    shards = int(p.get("NumNodeGroups") or len(p.get("NodeGroupConfiguration") or []) or 1)
    if not 1 <= shards <= 500:
        raise invalid("A replication group has 1 to 500 node groups.")
    return {"shards": shards, "replicas": replicas}


def settings(p: dict[str, Any]) -> dict[str, Any]:
    """The plain settings, as far as they are given."""
    names = {"Port": "port", "AutomaticFailoverEnabled": "failover", "MultiAZEnabled": "multi_az",
             "AutoMinorVersionUpgrade": "minor_upgrade", "SnapshotRetentionLimit": "retention",
             "SnapshotWindow": "window", "PreferredMaintenanceWindow": "maintenance",
             "NotificationTopicArn": "topic"}
    return {mine: p[name] for name, mine in names.items() if p.get(name) is not None}


def check_failover(group: Group, p: dict[str, Any]) -> None:
    """Automatic failover needs replicas, Multi-AZ and cluster mode need automatic failover."""
    if group.multi_az and not group.failover:
        raise conflicting("Must have automatic failover enabled to enable Multi-AZ.")
    if group.failover and not group.replicas and not group.clustered:
        raise conflicting("Replication group must have at least one read replica to enable "
                          "automatic failover.")
    if group.multi_az and not group.replicas:
        raise conflicting("Multi-AZ needs at least one replica in each node group.")
    if group.clustered and p.get("AutomaticFailoverEnabled") is False:
        raise invalid("Automatic failover cannot be turned off with cluster mode enabled.")
    group.failover = group.failover or group.clustered


def add(store: Store, group: Group, p: dict[str, Any]) -> Group:
    """Puts a new group into the state `creating`; `available` comes later."""
    store.groups[(group.region, group.id)] = group
    network.tag(store, arn(group.account, group.region, "replicationgroup", group.id),
                p.get("Tags"))
    store.plan(group, group.region, (seconds("create"), lambda: finish(group)))
    return group


def modify(store: Store, region: str, p: dict[str, Any]) -> Group:
    """ModifyReplicationGroup: settings, node type and version, with ApplyImmediately."""
    group = store.group(region, p["ReplicationGroupId"])
    if group.global_id and any(p.get(name) is not None for name in GOVERNED):
        raise invalid(f"Cluster [{group.id}] is part of a global cluster [{group.global_id}]. "
                      "Request rejected.")
    require_available(group)
    modelled(p, NOT_MODIFIED)
    changed = changes(group, store, p)
    check_failover(Group(**{**group.__dict__, **changed}), {})
    if not p.get("ApplyImmediately"):
        changed = {key: value for key, value in changed.items() if key not in LATER}

    def apply() -> None:
        group.__dict__.update(changed)

    if changed:
        run(store, group, "modifying", seconds("modify"), apply)
    return group


def changes(group: Group, store: Store, p: dict[str, Any]) -> dict[str, Any]:
    """The group's fields that a modification sets."""
    changed = settings(p)
    changed.pop("port", None)
    if p.get("ReplicationGroupDescription") is not None:
        changed["description"] = p["ReplicationGroupDescription"]
    if p.get("CacheNodeType"):
        changed["node_type"] = engines.node_type(p["CacheNodeType"])
    if p.get("Engine") or p.get("EngineVersion"):
        engine = str(p.get("Engine") or group.engine).lower()
        changed |= {"engine": engine,
                    "version": engines.engine_version(engine, p.get("EngineVersion"))}
    if p.get("CacheParameterGroupName"):
        found = network.parameter_group(store, group.region, p["CacheParameterGroupName"])
        changed["parameter_group"] = found.name
    if p.get("SecurityGroupIds"):
        wanted = {"CacheSubnetGroupName": group.subnet_group} \
            if group.subnet_group != "default" else {}
        placed = network.place(group.account, group.region,
                               wanted | {"SecurityGroupIds": p["SecurityGroupIds"]})
        changed["security_groups"] = placed["security_groups"]
    return changed


def delete(store: Store, region: str, p: dict[str, Any]) -> Group:
    """DeleteReplicationGroup, perhaps with a final snapshot, perhaps keeping the primary node."""
    group = store.group(region, p["ReplicationGroupId"])
    if group.global_id:
        raise invalid(f"Cluster [{group.id}] is part of a global cluster [{group.global_id}]. "
                      "Request rejected.")
    final, retain = p.get("FinalSnapshotIdentifier"), bool(p.get("RetainPrimaryCluster"))
    if group.real_status not in DELETABLE or (final and group.real_status != "available"):
        require_available(group)
    if retain and group.clustered:
        raise conflicting("RetainPrimaryCluster cannot be used with cluster mode enabled.")
    if retain and final:
        raise conflicting("FinalSnapshotIdentifier cannot be used with RetainPrimaryCluster.")
    snapshot = snapshots.take(store, group, final) if final else None
    begin_deletion(store, group, snapshot, retain)
    return group


def begin_deletion(store: Store, group: Group, snapshot: Any, retain: bool) -> None:
    """deleting, until the final snapshot is complete and `elasticache.delete` is over."""
    group.accepted = "deleting"
    visible = seconds("visible")
    over = max(visible + seconds("delete"), seconds("snapshot") if snapshot else 0.0)

    def end() -> None:
        failed = snapshot is not None and snapshot.status == "failed"
        if failed and unknowns.get("elasticache.final_snapshot_failed") == "kept":
            finish(group)
        else:
            remove(store, group, retain)

    store.plan(group, group.region, (visible, show(group, "deleting")), (over, end))


def remove(store: Store, group: Group, retain: bool = False) -> None:
    """The group is ReplicationGroupNotFoundFault from here on."""
    store.forget(group)
    del store.groups[(group.region, group.id)]
    store.tags.pop(arn(group.account, group.region, "replicationgroup", group.id), None)
    if retain:
        snapshots.keep_node(store, group)
