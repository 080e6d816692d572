"""ElastiCache's things as its API shows them."""

import hashlib
from datetime import datetime, timezone
from typing import Any

from localaws import unknowns
from localaws.elasticache_clock import is_dark
from localaws.elasticache_model import (Global, Group, ParameterGroup, Snapshot, arn)

SHORT = {"us-east-1": "use1", "us-east-2": "use2", "us-west-1": "usw1", "us-west-2": "usw2",
         "eu-west-1": "euw1", "eu-west-2": "euw2", "eu-central-1": "euc1", "ca-central-1": "cac1",
         "ap-northeast-1": "apne1", "ap-southeast-1": "apse1", "ap-southeast-2": "apse2"}
SLOTS = 16384


def utc(moment: float) -> datetime:
    """A time as the wire format wants it."""
    return datetime.fromtimestamp(moment, timezone.utc).replace(tzinfo=None)


def host(group: Group, prefix: str = "", suffix: str = "") -> dict[str, Any]:
    """An endpoint of the group."""
    mark = hashlib.sha256(f"{group.account}{group.region}".encode()).hexdigest()[:6]
    place = SHORT.get(group.region, group.region)
    parts = [prefix, group.id, mark, suffix, place, "cache.amazonaws.com"]
    return {"Address": ".".join(part for part in parts if part), "Port": group.port}


def slots(shard: int, shards: int) -> str:
    """The slots of one shard of many."""
    first, last = (shard - 1) * SLOTS // shards, shard * SLOTS // shards - 1
    return f"{first}-{last}"


def node_group(group: Group, shard: int) -> dict[str, Any]:
    """One shard. The nodes of a sharded group are reached by its configuration endpoint."""
    names = [name for number, name in group.nodes if number == shard]
    zones = "abc"
    members = [{"CacheClusterId": name, "CacheNodeId": "0001",
                "PreferredAvailabilityZone": f"{group.region}{zones[index % 3]}"}
               for index, name in enumerate(names)]
    shown: dict[str, Any] = {"NodeGroupId": f"{shard:04}", "Status": group.status,
                             "NodeGroupMembers": members}
    if group.clustered:
        return shown | {"Slots": slots(shard, group.shards)}
    for index, member in enumerate(members):
        member["ReadEndpoint"] = host(group, names[index] if group.tls else "",
                                      "" if group.tls else f"{index + 1:04}.001")
        member["CurrentRole"] = "replica" if index else "primary"
    primary = host(group, "master") if group.tls else host(group, "", "ng.0001")
    reader = host(group, "replica") if group.tls else host(group, "", "ng-ro.0001")
    return shown | {"PrimaryEndpoint": primary, "ReaderEndpoint": reader}


def replication_group(group: Group) -> dict[str, Any]:
    """ReplicationGroup. While it is being made it has no shards and no endpoint to show."""
    shown: dict[str, Any] = {
        "ReplicationGroupId": group.id, "Description": group.description, "Status": group.status,
        "PendingModifiedValues": {}, "MemberClusters": [name for _, name in group.nodes],
        "AutomaticFailover": "enabled" if group.failover else "disabled",
        "MultiAZ": "enabled" if group.multi_az else "disabled",
        "SnapshotRetentionLimit": group.retention, "SnapshotWindow": group.window,
        "ClusterEnabled": group.clustered, "CacheNodeType": group.node_type,
        "AuthTokenEnabled": group.auth, "TransitEncryptionEnabled": group.tls,
        "AtRestEncryptionEnabled": group.at_rest, "KmsKeyId": group.kms_key,
        "ARN": arn(group.account, group.region, "replicationgroup", group.id),
        "UserGroupIds": [], "LogDeliveryConfigurations": [],
        "ReplicationGroupCreateTime": utc(group.made),
        "DataTiering": "enabled" if "gd." in group.node_type else "disabled",
        "AutoMinorVersionUpgrade": group.minor_upgrade, "NetworkType": "ipv4",
        "IpDiscovery": "ipv4", "ClusterMode": "enabled" if group.clustered else "disabled",
        "TransitEncryptionMode": "required" if group.tls else None, "Engine": group.engine}
    if group.global_id:
        shown["GlobalReplicationGroupInfo"] = {
            "GlobalReplicationGroupId": group.global_id,
            "GlobalReplicationGroupMemberRole": group.role}
    if group.ready_since is not None:
        shown["NodeGroups"] = [node_group(group, one) for one in range(1, group.shards + 1)]
        if group.clustered:
            shown["ConfigurationEndpoint"] = host(group, "clustercfg")
    return {key: value for key, value in shown.items() if value is not None}


def cache_cluster(group: Group, name: str) -> dict[str, Any]:
    """CacheCluster: one node of a replication group."""
    return {
        "CacheClusterId": name, "CacheNodeType": group.node_type, "Engine": group.engine,
        "EngineVersion": group.version, "CacheClusterStatus": group.status, "NumCacheNodes": 1,
        "PreferredAvailabilityZone": f"{group.region}a", "CacheClusterCreateTime": utc(group.made),
        "PreferredMaintenanceWindow": group.maintenance, "PendingModifiedValues": {},
        "CacheSecurityGroups": [], "CacheParameterGroup": {
            "CacheParameterGroupName": group.parameter_group, "ParameterApplyStatus": "in-sync",
            "CacheNodeIdsToReboot": []},
        "CacheSubnetGroupName": group.subnet_group, "AutoMinorVersionUpgrade": group.minor_upgrade,
        "SecurityGroups": [{"SecurityGroupId": one, "Status": "active"}
                           for one in group.security_groups],
        "ReplicationGroupId": group.id, "SnapshotRetentionLimit": group.retention,
        "SnapshotWindow": group.window, "AuthTokenEnabled": group.auth,
        "TransitEncryptionEnabled": group.tls, "AtRestEncryptionEnabled": group.at_rest,
        "ARN": arn(group.account, group.region, "cluster", name),
        "ReplicationGroupLogDeliveryEnabled": False, "NetworkType": "ipv4", "IpDiscovery": "ipv4"}


def node_snapshot(one: Snapshot, shard: int, name: str, with_config: bool) -> dict[str, Any]:
    """NodeSnapshot: a shard's part, taken of its primary node."""
    group = one.group
    config = {"NodeGroupConfiguration": {
        "NodeGroupId": f"{shard:04}", "Slots": slots(shard, group.shards),
        "ReplicaCount": group.replicas}} if with_config else {}
    return {"CacheClusterId": name, "NodeGroupId": f"{shard:04}", "CacheNodeId": "0001",
            "CacheSize": "3 MB", "CacheNodeCreateTime": utc(group.made),
            "SnapshotCreateTime": utc(one.made)} | config


def snapshot(one: Snapshot, with_nodes: bool = False) -> dict[str, Any]:
    """Snapshot."""
    group = one.group
    nodes = [node_snapshot(one, shard, name, with_nodes)
             for shard, name in group.nodes if name.endswith("-001")]
    shown = {
        "SnapshotName": one.name, "ReplicationGroupId": group.id,
        "ReplicationGroupDescription": group.description, "SnapshotStatus": one.status,
        "SnapshotSource": "manual", "CacheNodeType": group.node_type, "Engine": group.engine,
        "EngineVersion": group.version, "PreferredMaintenanceWindow": group.maintenance,
        "TopicArn": group.topic, "Port": group.port,
        "CacheParameterGroupName": group.parameter_group,
        "CacheSubnetGroupName": group.subnet_group, "VpcId": group.vpc,
        "AutoMinorVersionUpgrade": group.minor_upgrade,
        "SnapshotRetentionLimit": group.retention, "SnapshotWindow": group.window,
        "NumNodeGroups": group.shards,
        "AutomaticFailover": "enabled" if group.failover else "disabled",
        "NodeSnapshots": nodes if one.status == "available" else [], "KmsKeyId": one.kms_key,
        "ARN": arn(group.account, one.region, "snapshot", one.name), "DataTiering": "disabled"}
    return {key: value for key, value in shown.items() if value is not None}


def status_in(datastore: Global, region: str) -> str:
    """The status as a Region shows it. What it is while the primary is lost is not known."""
    lost = datastore.primary.group.region
    if is_dark(lost) and region != lost and datastore.status == "available" \
            and not datastore.forced:
        return unknowns.get("elasticache.primary_dark_status")
    return datastore.status


def global_group(datastore: Global, region: str) -> dict[str, Any]:
    """GlobalReplicationGroup with its members."""
    first = datastore.primary.group
    shards = [{"GlobalNodeGroupId": f"{datastore.id}-{number:04}",
               "Slots": slots(number, first.shards)} for number in range(1, first.shards + 1)]
    return {
        "GlobalReplicationGroupId": datastore.id,
        "GlobalReplicationGroupDescription": datastore.description,
        "Status": status_in(datastore, region), "CacheNodeType": first.node_type,
        "Engine": first.engine, "EngineVersion": first.version, "ClusterEnabled": first.clustered,
        "Members": [{"ReplicationGroupId": one.group.id, "ReplicationGroupRegion": one.group.region,
                     "Role": one.role, "Status": one.status,
                     "AutomaticFailover": "enabled" if one.group.failover else "disabled"}
                    for one in datastore.members],
        "GlobalNodeGroups": shards if first.clustered else [],
        "AuthTokenEnabled": first.auth, "TransitEncryptionEnabled": first.tls,
        "AtRestEncryptionEnabled": first.at_rest,
        "ARN": arn(datastore.account, first.region, "globalreplicationgroup", datastore.id)}


def parameter_group(account: str, region: str, group: ParameterGroup) -> dict[str, Any]:
    """CacheParameterGroup."""
    return {"CacheParameterGroupName": group.name, "CacheParameterGroupFamily": group.family,
            "Description": group.description, "IsGlobal": False,
            "ARN": arn(account, region, "parametergroup", group.name)}
