"""What a replication group needs around it: subnet group, security groups, key, parameter group."""

from typing import Any

from moto.core.exceptions import ServiceException
from moto.ec2.models import ec2_backends
from moto.elasticache.exceptions import CacheSubnetGroupNotFound
from moto.elasticache.models import elasticache_backends
from moto.kms.models import kms_backends

from localaws import elasticache_engines as engines
from localaws.elasticache_model import (ParameterGroup, Store, arn, conflicting, invalid, refuse)


def place(account: str, region: str, wanted: dict[str, Any]) -> dict[str, Any]:
    """Subnet group, VPC and security groups; all must exist here and belong together."""
    name = wanted.get("CacheSubnetGroupName")
    ec2 = ec2_backends[account][region]
    vpc = ec2.default_vpc.id if ec2.default_vpc else None
    if name:
        groups = elasticache_backends[account][region].cache_subnet_groups
        if name.lower() not in groups:
            raise CacheSubnetGroupNotFound(name)
        name, vpc = name.lower(), groups[name.lower()].vpc_id
    named = wanted.get("SecurityGroupIds") or []
    for one in named:
        check_security_group(ec2, one, vpc)
    if not named and vpc:
        named = [ec2.get_default_security_group(vpc).id]
    return {"subnet_group": name or "default", "vpc": vpc, "security_groups": list(named)}


def check_security_group(ec2: Any, group_id: str, vpc: str | None) -> None:
    """Refuses a security group that is missing or lies in another VPC."""
    group = ec2.get_security_group_from_id(group_id)
    if group is None:
        raise invalid(f"Some security group IDs are invalid: {group_id}.")
    if group.vpc_id != vpc:
        raise conflicting(f"The security group {group_id} is in {group.vpc_id}, the subnet group "
                          f"in {vpc}.")


def kms_key(account: str, region: str, key: str) -> str:
    """The ARN of a usable key of this Region. The code for a bad key is not documented."""
    parts = key.split(":")
    here = not key.startswith("arn:") or (len(parts) > 5 and parts[3] == region)
    try:
        found = kms_backends[account][region].describe_key(key.split("/")[-1] if "key/" in key
                                                           else key) if here else None
    except (KeyError, ServiceException):
        found = None
    if found is None or found.key_state != "Enabled":
        raise invalid(f"The KMS key {key} does not exist, is not enabled or is not in {region}.")
    return found.arn


def encryption(account: str, region: str, wanted: dict[str, Any]) -> dict[str, Any]:
    """Encryption at rest and in transit, and the token, as the parameters say."""
    at_rest, tls = bool(wanted.get("AtRestEncryptionEnabled")), \
        bool(wanted.get("TransitEncryptionEnabled"))
    if wanted.get("KmsKeyId") and not at_rest:
        raise conflicting("KmsKeyId can only be given with AtRestEncryptionEnabled.")
    if wanted.get("AuthToken") and not tls:
        raise conflicting("AuthToken can only be given with TransitEncryptionEnabled.")
    token(wanted.get("AuthToken"))
    key = wanted.get("KmsKeyId")
    return {"at_rest": at_rest, "tls": tls, "auth": bool(wanted.get("AuthToken")),
            "kms_key": kms_key(account, region, key) if key else None}


def token(text: str | None) -> None:
    """Refuses a token of the wrong size or letters."""
    if text and (not 16 <= len(text) <= 128 or any(one in text for one in '@"/ ')):
        raise invalid('AuthToken must have 16 to 128 printable characters without @, " and /.')


def parameter_group(store: Store, region: str, name: str) -> ParameterGroup:
    """A parameter group of this Region; the default ones are always there."""
    found = store.parameters.get((region, name.lower())) or default_group(name)
    if found is None:
        raise refuse("CacheParameterGroupNotFound", f"CacheParameterGroup {name} not found.")
    return found


def default_group(name: str) -> ParameterGroup | None:
    """`default.redis7`, `default.redis7.cluster.on` and the like."""
    sharded = name.endswith(".cluster.on")
    family = name.removeprefix("default.").removesuffix(".cluster.on")
    known = {one for families in engines.FAMILIES.values() for one in families.values()}
    if not name.startswith("default.") or family not in known:
        return None
    return ParameterGroup(name, family, f"Default parameter group for {family}",
                          {"cluster-enabled": "yes" if sharded else "no"}, True)


def default_groups() -> list[ParameterGroup]:
    """All default parameter groups."""
    names = [f"default.{one}{end}" for families in engines.FAMILIES.values()
             for one in families.values() for end in ("", ".cluster.on")]
    return [group for name in names if (group := default_group(name))]


def create_parameter_group(store: Store, region: str, p: dict[str, Any]) -> ParameterGroup:
    """CreateCacheParameterGroup."""
    name = engines.identifier(p["CacheParameterGroupName"], "CacheParameterGroupName", 255)
    family = p["CacheParameterGroupFamily"]
    if family not in {one for families in engines.FAMILIES.values() for one in families.values()}:
        raise invalid(f"CacheParameterGroupFamily {family} is not a valid parameter group family.")
    if (region, name) in store.parameters:
        raise refuse("CacheParameterGroupAlreadyExists",
                     f"Cache parameter group {name} already exists.")
    made = ParameterGroup(name, family, p["Description"])
    store.parameters[(region, name)] = made
    tag(store, arn(store.account, region, "parametergroup", name), p.get("Tags"))
    return made


def modify_parameter_group(store: Store, region: str, p: dict[str, Any]) -> ParameterGroup:
    """ModifyCacheParameterGroup."""
    group = parameter_group(store, region, p["CacheParameterGroupName"])
    if group.is_default:
        raise invalid(f"The parameter group {group.name} is a default one and cannot be modified.")
    for one in p["ParameterNameValues"]:
        if one["ParameterName"] == "cluster-enabled" and users(store, region, group.name):
            raise refuse("InvalidCacheParameterGroupState",
                         "cluster-enabled cannot be changed while the group is in use.")
        group.values[one["ParameterName"]] = one["ParameterValue"]
    return group


def delete_parameter_group(store: Store, region: str, name: str) -> None:
    """DeleteCacheParameterGroup."""
    group = parameter_group(store, region, name)
    if group.is_default:
        raise invalid(f"The parameter group {name} is a default one and cannot be deleted.")
    if users(store, region, group.name):
        raise refuse("InvalidCacheParameterGroupState",
                     "One or more cache clusters are still members of this parameter group "
                     f"{name}, so the group cannot be deleted.")
    del store.parameters[(region, group.name)]


def users(store: Store, region: str, name: str) -> list[str]:
    """The replication groups that use a parameter group."""
    return [one.id for one in store.groups.values()
            if one.region == region and one.parameter_group == name]


def delete_subnet_group(store: Store, region: str, name: str) -> None:
    """DeleteCacheSubnetGroup; moto 5.2.5 cannot."""
    groups = elasticache_backends[store.account][region].cache_subnet_groups
    name = name.lower()
    if name not in groups:
        raise CacheSubnetGroupNotFound(name)
    if any(one.region == region and one.subnet_group == name for one in store.groups.values()):
        raise refuse("CacheSubnetGroupInUse", f"Cache subnet group {name} is currently in use by a "
                                              "cache cluster.")
    del groups[name]


def tag(store: Store, resource: str, tags: list[dict[str, str]] | None) -> None:
    """Adds tags to a thing."""
    for one in tags or []:
        store.tags.setdefault(resource, {})[one["Key"]] = one.get("Value", "")


def check_subnets(account: str, region: str, subnets: list[str]) -> None:
    """Refuses subnets that do not exist here or lie in several VPCs."""
    known = {one.id: one.vpc_id for one in ec2_backends[account][region].describe_subnets()}
    for one in subnets:
        if one not in known:
            raise refuse("InvalidSubnet", f"The requested subnet {one} does not exist in {region}.")
    if len({known[one] for one in subnets}) > 1:
        raise refuse("InvalidSubnet", "The subnets are in different VPCs.")


def tagged(store: Store, region: str, resource: str) -> str:
    """The ARN of something that exists here."""
    parts = str(resource).split(":")
    if len(parts) < 7 or parts[2] != "elasticache" or parts[4] != store.account:
        raise refuse("InvalidARN", f"ARN {resource} is invalid.")
    kind, name = parts[5], parts[6]
    backend = elasticache_backends[store.account][region]
    known = {
        "replicationgroup": (store.groups, (region, name), "ReplicationGroupNotFoundFault"),
        "snapshot": (store.snapshots, (region, name), "SnapshotNotFoundFault"),
        "parametergroup": (store.parameters, (region, name), "CacheParameterGroupNotFound"),
        "globalreplicationgroup": (store.globals, name, "InvalidARN"),
        "subnetgroup": (backend.cache_subnet_groups, name, "CacheSubnetGroupNotFoundFault"),
        "cluster": (backend.cache_clusters, name, "CacheClusterNotFound")}
    things, key, code = known.get(kind, ({}, name, "InvalidARN"))
    if key not in things or parts[3] not in ("", region):
        raise refuse(code, f"{resource} not found.")
    return str(resource)
