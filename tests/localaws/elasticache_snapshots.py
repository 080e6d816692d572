"""Snapshots of replication groups: creating, available or failed; the group is `snapshotting`."""

import copy
from typing import Any

from localaws import elasticache_documents as documents
from localaws import elasticache_engines as engines
from localaws import elasticache_network as network
from localaws.elasticache_clock import clock, seconds
from localaws.elasticache_model import (Group, Snapshot, Store, arn, conflicting, invalid, refuse,
                                        require_available, run)


def take(store: Store, group: Group, name: str, kms_key: str | None = None) -> Snapshot:
    """A snapshot that is `creating` for `elasticache.snapshot` seconds."""
    name = engines.identifier(name, "SnapshotName", 255)
    if (group.region, name) in store.snapshots:
        raise refuse("SnapshotAlreadyExistsFault", f"Snapshot {name} already exists.")
    snapshot = Snapshot(name, group.region, copy.copy(group), clock(), kms_key or group.kms_key)
    outcome = group.next_snapshot or "available"
    group.next_snapshot = None
    store.snapshots[(group.region, name)] = snapshot

    def over() -> None:
        snapshot.status = outcome

    store.plan(snapshot, group.region, (seconds("snapshot"), over))
    return snapshot


def create(store: Store, region: str, p: dict[str, Any]) -> Snapshot:
    """CreateSnapshot of a whole replication group."""
    if p.get("CacheClusterId") and p.get("ReplicationGroupId"):
        raise conflicting("Only one of CacheClusterId or ReplicationGroupId can be provided.")
    if p.get("CacheClusterId"):
        raise NotImplementedError("snapshots of single cache clusters")
    if not p.get("ReplicationGroupId"):
        raise conflicting("One of CacheClusterId or ReplicationGroupId must be provided.")
    group = store.group(region, p["ReplicationGroupId"])
    require_available(group)
    key = network.kms_key(store.account, region, p["KmsKeyId"]) if p.get("KmsKeyId") else None
    snapshot = take(store, group, p["SnapshotName"], key)
    network.tag(store, arn(store.account, region, "snapshot", snapshot.name), p.get("Tags"))
    takes = max(0.0, seconds("snapshot") - seconds("visible"))
    run(store, group, "snapshotting", takes)
    return snapshot


def listed(store: Store, region: str, p: dict[str, Any]) -> list[Snapshot]:
    """DescribeSnapshots."""
    name, group = p.get("SnapshotName"), p.get("ReplicationGroupId")
    if p.get("CacheClusterId") and group:
        raise conflicting("Only one of CacheClusterId or ReplicationGroupId can be provided.")
    source = p.get("SnapshotSource")
    if source not in (None, "user", "system"):
        raise invalid(f"Invalid SnapshotSource: {source}.")
    here = [one for one in store.snapshots.values() if one.region == region]
    if name:
        here = [one for one in here if one.name == name.lower()]
        if not here:
            raise refuse("SnapshotNotFoundFault", f"Snapshot {name} not found.")
    if group:
        here = [one for one in here if one.group.id == group.lower()]
    if p.get("CacheClusterId") or source == "system":
        return []
    return here


def delete(store: Store, region: str, name: str) -> Snapshot:
    """DeleteSnapshot."""
    snapshot = listed(store, region, {"SnapshotName": name})[0]
    if snapshot.status not in ("available", "failed"):
        raise refuse("InvalidSnapshotState", f"Snapshot {name} is {snapshot.status}.")
    snapshot.status = "deleting"

    def gone() -> None:
        del store.snapshots[(region, snapshot.name)]

    store.plan(snapshot, region, (seconds("delete"), gone))
    return snapshot


def keep_node(store: Store, group: Group) -> None:
    """RetainPrimaryCluster: the primary node goes on as a cache cluster of its own."""
    name = group.nodes[0][1]
    group.status = "available"
    shown = documents.cache_cluster(group, name)
    del shown["ReplicationGroupId"]
    store.clusters[(group.region, name)] = shown
