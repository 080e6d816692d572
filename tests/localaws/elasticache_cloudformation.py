"""ElastiCache's resource types in templates: subnet and parameter groups, replication groups and
global datastores. moto 5.2.5 skips all but the first in silence.
"""

from typing import Any

from localaws.cloudformation_types import Resource, ResourceFailed, Type, register
from localaws.cloudformation_types_app import pick

NUMBERS = ("NumCacheClusters", "NumNodeGroups", "ReplicasPerNodeGroup", "Port",
           "SnapshotRetentionLimit", "ReplicaCount")
FLAGS = ("AutomaticFailoverEnabled", "MultiAZEnabled", "TransitEncryptionEnabled",
         "AtRestEncryptionEnabled", "AutoMinorVersionUpgrade", "DataTieringEnabled")
GROUP_SETTINGS = (
    "ReplicationGroupDescription", "GlobalReplicationGroupId", "PrimaryClusterId",
    "AutomaticFailoverEnabled", "MultiAZEnabled", "NumCacheClusters", "PreferredCacheClusterAZs",
    "NumNodeGroups", "ReplicasPerNodeGroup", "NodeGroupConfiguration", "CacheNodeType", "Engine",
    "EngineVersion", "CacheParameterGroupName", "CacheSubnetGroupName", "SecurityGroupIds", "Tags",
    "SnapshotArns", "SnapshotName", "PreferredMaintenanceWindow", "Port", "NotificationTopicArn",
    "AutoMinorVersionUpgrade", "SnapshotRetentionLimit", "SnapshotWindow", "AuthToken",
    "TransitEncryptionEnabled", "AtRestEncryptionEnabled", "KmsKeyId", "UserGroupIds",
    "DataTieringEnabled", "NetworkType", "IpDiscovery", "TransitEncryptionMode", "ClusterMode",
    "LogDeliveryConfigurations", "CacheSecurityGroupNames")
CHANGEABLE = ("ReplicationGroupDescription", "AutomaticFailoverEnabled", "MultiAZEnabled",
              "CacheNodeType", "Engine", "EngineVersion", "CacheParameterGroupName",
              "SecurityGroupIds", "PreferredMaintenanceWindow", "NotificationTopicArn",
              "AutoMinorVersionUpgrade", "SnapshotRetentionLimit", "SnapshotWindow")


def converted(name: str, value: Any) -> Any:
    """A template's value as the API has it: numbers and booleans may be strings there."""
    if name in NUMBERS:
        return int(value)
    if name in FLAGS and isinstance(value, str):
        return value.lower() == "true"
    return value


def settings(p: dict, names: tuple[str, ...]) -> dict:
    """The API's parameters for a template's properties."""
    return {name: converted(name, value) for name, value in pick(p, *names).items()}


@register
class SubnetGroup(Type):
    """moto 5.2.5 makes these, but cannot remove them."""

    name = "AWS::ElastiCache::SubnetGroup"

    def create(self, r: Resource, p: dict) -> None:
        made = r.client("elasticache").create_cache_subnet_group(
            CacheSubnetGroupName=p.get("CacheSubnetGroupName") or r.generated(255, lower=True),
            CacheSubnetGroupDescription=p["Description"], **pick(p, "SubnetIds", "Tags"))
        r.physical_id = made["CacheSubnetGroup"]["CacheSubnetGroupName"]

    def delete(self, r: Resource) -> None:
        r.client("elasticache").delete_cache_subnet_group(CacheSubnetGroupName=r.physical_id)


@register
class ParameterGroup(Type):
    """Ref is the name, which CloudFormation always makes up."""

    name = "AWS::ElastiCache::ParameterGroup"

    def create(self, r: Resource, p: dict) -> None:
        made = r.client("elasticache").create_cache_parameter_group(
            CacheParameterGroupName=p.get("CacheParameterGroupName") or r.generated(200, True),
            **pick(p, "CacheParameterGroupFamily", "Description", "Tags"))
        r.physical_id = made["CacheParameterGroup"]["CacheParameterGroupName"]
        r.attributes = {"CacheParameterGroupName": r.physical_id}
        self.update(r, p, {})

    def update(self, r: Resource, p: dict, old: dict) -> None:
        values = [{"ParameterName": name, "ParameterValue": str(value)}
                  for name, value in p.get("Properties", {}).items()]
        if values:
            r.client("elasticache").modify_cache_parameter_group(
                CacheParameterGroupName=r.physical_id, ParameterNameValues=values)

    def delete(self, r: Resource) -> None:
        r.client("elasticache").delete_cache_parameter_group(CacheParameterGroupName=r.physical_id)


@register
class ReplicationGroup(Type):
    """CloudFormation waits for it to be available, and to be gone."""

    name = "AWS::ElastiCache::ReplicationGroup"

    def create(self, r: Resource, p: dict) -> None:
        made = r.client("elasticache").create_replication_group(
            ReplicationGroupId=p.get("ReplicationGroupId") or r.generated(40, lower=True),
            **settings(p, GROUP_SETTINGS))
        r.physical_id = made["ReplicationGroup"]["ReplicationGroupId"]

    def update(self, r: Resource, p: dict, old: dict) -> None:
        changed = {name: value for name, value in settings(p, CHANGEABLE).items()
                   if settings(old, CHANGEABLE).get(name) != value}
        if changed:
            r.client("elasticache").modify_replication_group(
                ReplicationGroupId=r.physical_id, ApplyImmediately=True, **changed)
            r.extra = {"modified": True}

    def delete(self, r: Resource) -> None:
        final = r.declared.get("DeletionPolicy") == "Snapshot"
        last = {"FinalSnapshotIdentifier": f"{r.physical_id}-{r.generated()[-12:].lower()}"}
        r.client("elasticache").delete_replication_group(ReplicationGroupId=r.physical_id,
                                                         **(last if final else {}))

    def _shown(self, r: Resource) -> dict | None:
        client = r.client("elasticache")
        try:
            found = client.describe_replication_groups(ReplicationGroupId=r.physical_id)
        except client.exceptions.ReplicationGroupNotFoundFault:
            return None
        return found["ReplicationGroups"][0]

    def done(self, r: Resource) -> bool:
        shown = self._shown(r)
        if shown is None or shown["Status"] == "create-failed":
            raise ResourceFailed(f"Replication group {r.physical_id} could not be created")
        if shown["Status"] == "available":
            r.attributes = endpoints(shown)
        return shown["Status"] == "available"

    def gone(self, r: Resource) -> bool:
        return self._shown(r) is None


def endpoints(shown: dict) -> dict[str, Any]:
    """The attributes of a replication group; those that its cluster mode has not are empty."""
    shard = shown["NodeGroups"][0]
    places = {"ConfigurationEndPoint": shown.get("ConfigurationEndpoint"),
              "PrimaryEndPoint": shard.get("PrimaryEndpoint"),
              "ReaderEndPoint": shard.get("ReaderEndpoint")}
    found = {f"{name}.{part}": str((place or {}).get(part, ""))
             for name, place in places.items() for part in ("Address", "Port")}
    reads = [one["ReadEndpoint"] for one in shard["NodeGroupMembers"] if "ReadEndpoint" in one]
    addresses, ports = [one["Address"] for one in reads], [str(one["Port"]) for one in reads]
    return found | {
        "ReadEndPoint.Addresses": f"[{', '.join(addresses)}]", "ReadEndPoint.Addresses.List":
        addresses, "ReadEndPoint.Ports": f"[{', '.join(ports)}]", "ReadEndPoint.Ports.List": ports}


@register
class GlobalReplicationGroup(Type):
    """Made of one primary; the other members join with GlobalReplicationGroupId."""

    name = "AWS::ElastiCache::GlobalReplicationGroup"
    GOVERNED = ("CacheNodeType", "EngineVersion", "CacheParameterGroupName", "GlobalNodeGroupCount",
                "RegionalConfigurations")

    def create(self, r: Resource, p: dict) -> None:
        members = p["Members"]
        if len(members) != 1:
            raise ResourceFailed("GlobalReplicationGroup cannot be created with multiple members.")
        first = members[0]
        if first.get("ReplicationGroupRegion", r.stack.region) != r.stack.region:
            raise ResourceFailed("The primary of a GlobalReplicationGroup must be in the Region of "
                                 f"the stack, not in {first['ReplicationGroupRegion']}.")
        unknown = [name for name in self.GOVERNED if name in p]
        if unknown:
            raise ResourceFailed(f"{', '.join(unknown)} of {self.name}: not supported by the local "
                                 "AWS")
        self._check_failover(r, p, first["ReplicationGroupId"])
        made = r.client("elasticache").create_global_replication_group(
            GlobalReplicationGroupIdSuffix=p.get("GlobalReplicationGroupIdSuffix")
            or r.generated(40, lower=True), PrimaryReplicationGroupId=first["ReplicationGroupId"],
            **pick(p, "GlobalReplicationGroupDescription"))
        r.physical_id = made["GlobalReplicationGroup"]["GlobalReplicationGroupId"]
        r.attributes = {"GlobalReplicationGroupId": r.physical_id, "Status": "creating"}

    def _check_failover(self, r: Resource, p: dict, group: str) -> None:
        wanted = converted("AutomaticFailoverEnabled", p.get("AutomaticFailoverEnabled"))
        shown = r.client("elasticache").describe_replication_groups(ReplicationGroupId=group)
        has = shown["ReplicationGroups"][0]["AutomaticFailover"] == "enabled"
        if wanted not in (None, has):
            raise ResourceFailed(f"AutomaticFailoverEnabled of {self.name} must be that of its "
                                 "primary in the local AWS")

    def update(self, r: Resource, p: dict, old: dict) -> None:
        if p != old:
            raise ResourceFailed(f"updates of {self.name} are not supported by the local AWS")

    def delete(self, r: Resource) -> None:
        r.client("elasticache").delete_global_replication_group(
            GlobalReplicationGroupId=r.physical_id, RetainPrimaryReplicationGroup=True)

    def _status(self, r: Resource) -> str | None:
        client = r.client("elasticache")
        try:
            found = client.describe_global_replication_groups(
                GlobalReplicationGroupId=r.physical_id)
        except client.exceptions.GlobalReplicationGroupNotFoundFault:
            return None
        return found["GlobalReplicationGroups"][0]["Status"]

    def done(self, r: Resource) -> bool:
        status = self._status(r)
        r.attributes["Status"] = status or "creating"
        return status in ("available", "primary-only")

    def gone(self, r: Resource) -> bool:
        return self._status(r) is None


def install() -> None:
    """The types are registered by being defined."""
