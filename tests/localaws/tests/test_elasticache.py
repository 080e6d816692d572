"""ElastiCache: replication groups of their own, snapshots, groups of subnets and parameters."""

import pytest

from localaws import unknowns
from localaws.tests.elasticache_world import (  # noqa: F401 (fixtures)
    EAST, NODE, WEST, eventually, server, world)
from localaws.tests.served import refusal


def create(world, client=None, **details):
    arguments = {"ReplicationGroupId": "cache", "ReplicationGroupDescription": "d",
                 "CacheNodeType": NODE} | details
    return refusal((client or world.east).create_replication_group, **arguments)[:2]


def test_a_group_is_created_in_time(world):
    made = world.east.create_replication_group(
        ReplicationGroupId="Cache", ReplicationGroupDescription="mine", CacheNodeType=NODE,
        NumCacheClusters=2, AutomaticFailoverEnabled=True, MultiAZEnabled=True,
        Tags=[{"Key": "a", "Value": "b"}])["ReplicationGroup"]
    assert (made["ReplicationGroupId"], made["Status"]) == ("cache", "creating")
    assert "NodeGroups" not in world.show(world.east)
    shown = world.until(world.east)
    assert shown["MemberClusters"] == ["cache-001", "cache-002"]
    assert (shown["AutomaticFailover"], shown["MultiAZ"]) == ("enabled", "enabled")
    assert "GlobalReplicationGroupInfo" not in shown and not shown["ClusterEnabled"]
    assert shown["NodeGroups"][0]["PrimaryEndpoint"]["Port"] == 6379
    assert [one["CurrentRole"] for one in shown["NodeGroups"][0]["NodeGroupMembers"]] == \
        ["primary", "replica"]
    tags = world.east.list_tags_for_resource(ResourceName=shown["ARN"])["TagList"]
    assert tags == [{"Key": "a", "Value": "b"}]


def test_a_sharded_group(world):
    world.east.create_replication_group(
        ReplicationGroupId="cache", ReplicationGroupDescription="d", CacheNodeType=NODE,
        NumNodeGroups=2, ReplicasPerNodeGroup=1, Engine="valkey", EngineVersion="8.0")
    shown = world.until(world.east)
    assert shown["ClusterEnabled"] and shown["AutomaticFailover"] == "enabled"
    assert shown["ConfigurationEndpoint"]["Address"].startswith("clustercfg.cache.")
    assert shown["MemberClusters"] == ["cache-0001-001", "cache-0001-002", "cache-0002-001",
                                       "cache-0002-002"]
    nodes = world.east.describe_cache_clusters(CacheClusterId="cache-0001-001")["CacheClusters"]
    assert nodes[0]["CacheParameterGroup"]["CacheParameterGroupName"] == \
        "default.valkey8.cluster.on"


@pytest.mark.parametrize("details, code", [
    ({"CacheNodeType": "cache.none"}, "InvalidParameterValue"),
    ({"Engine": "memcached"}, "InvalidParameterValue"),
    ({"EngineVersion": "9.9"}, "InvalidParameterValue"),
    ({"ReplicationGroupId": "-x"}, "InvalidParameterValue"),
    ({"ReplicationGroupId": "x" * 41}, "InvalidParameterValue"),
    ({"NumCacheClusters": 2, "NumNodeGroups": 1}, "InvalidParameterCombination"),
    ({"NumCacheClusters": 1, "AutomaticFailoverEnabled": True}, "InvalidParameterCombination"),
    ({"NumCacheClusters": 2, "MultiAZEnabled": True}, "InvalidParameterCombination"),
    ({"AuthToken": "x" * 16}, "InvalidParameterCombination"),
    ({"AuthToken": "x", "TransitEncryptionEnabled": True}, "InvalidParameterValue"),
    ({"KmsKeyId": "alias/aws/elasticache"}, "InvalidParameterCombination"),
    ({"KmsKeyId": "nobody", "AtRestEncryptionEnabled": True}, "InvalidParameterValue"),
    ({"CacheSubnetGroupName": "missing"}, "CacheSubnetGroupNotFoundFault"),
    ({"SecurityGroupIds": ["sg-1"]}, "InvalidParameterValue"),
    ({"CacheParameterGroupName": "default.redis6.x"}, "InvalidParameterCombination"),
])
def test_bad_parameters(world, details, code):
    assert create(world, **details) == (code, 400)
    assert world.east.describe_replication_groups()["ReplicationGroups"] == []


def test_refusals_that_are_not_found(world):
    assert create(world, CacheParameterGroupName="missing") == ("CacheParameterGroupNotFound", 404)
    for operation in ("describe_replication_groups", "delete_replication_group"):
        assert refusal(getattr(world.east, operation), ReplicationGroupId="cache")[:2] == \
            ("ReplicationGroupNotFoundFault", 404)


def test_a_name_is_taken_in_one_region_only(world):
    world.group()
    assert create(world) == ("ReplicationGroupAlreadyExists", 400)
    world.group(world.west)


def test_a_key_of_another_region_is_refused(world):
    key = world.local.client("kms", WEST).create_key()["KeyMetadata"]["Arn"]
    assert create(world, KmsKeyId=key, AtRestEncryptionEnabled=True)[0] == "InvalidParameterValue"
    shown = world.group(world.west, AtRestEncryptionEnabled=True, KmsKeyId=key)
    assert shown["KmsKeyId"] == key


def test_modification(world):
    world.group()
    world.east.modify_replication_group(ReplicationGroupId="cache", MultiAZEnabled=True,
                                        ApplyImmediately=True)
    assert world.show(world.east)["Status"] == "available"
    assert world.refused(world.east, "delete_replication_group", ReplicationGroupId="cache") == \
        "InvalidReplicationGroupState"
    world.until(world.east, status="modifying")
    assert world.until(world.east)["MultiAZ"] == "enabled"


def test_deletion(world):
    world.group()
    answer = world.east.delete_replication_group(ReplicationGroupId="cache")
    assert answer["ReplicationGroup"]["Status"] == "deleting"
    assert world.show(world.east)["Status"] == "available"
    assert world.refused(world.east, "delete_replication_group", ReplicationGroupId="cache") == \
        "InvalidReplicationGroupState"
    world.until(world.east, status="deleting")
    eventually(lambda: world.east.describe_replication_groups()["ReplicationGroups"] == [])


def test_a_group_that_is_being_made_cannot_be_deleted(world):
    world.east.create_replication_group(ReplicationGroupId="cache", CacheNodeType=NODE,
                                        ReplicationGroupDescription="d")
    assert world.refused(world.east, "delete_replication_group", ReplicationGroupId="cache") == \
        "InvalidReplicationGroupState"


def test_deletion_that_keeps_the_primary_node(world):
    world.group()
    world.east.delete_replication_group(ReplicationGroupId="cache", RetainPrimaryCluster=True)
    eventually(lambda: world.east.describe_replication_groups()["ReplicationGroups"] == [])
    left = world.east.describe_cache_clusters()["CacheClusters"]
    assert [(one["CacheClusterId"], one.get("ReplicationGroupId")) for one in left] == \
        [("cache-001", None)]


def test_a_node_of_a_group_cannot_be_deleted(world):
    world.group()
    assert world.refused(world.east, "delete_cache_cluster", CacheClusterId="cache-001") == \
        "InvalidCacheClusterState"


def snapshots(world, **query):
    return world.east.describe_snapshots(**query)["Snapshots"]


def test_snapshots(world):
    world.group()
    made = world.east.create_snapshot(ReplicationGroupId="cache", SnapshotName="Shot")["Snapshot"]
    assert (made["SnapshotName"], made["SnapshotStatus"]) == ("shot", "creating")
    assert world.refused(world.east, "create_snapshot", ReplicationGroupId="cache",
                         SnapshotName="other") == "InvalidReplicationGroupState"
    world.until(world.east, status="snapshotting")
    world.until(world.east)
    shown = eventually(lambda: snapshots(world, SnapshotName="shot")[0]["SnapshotStatus"]
                       == "available" and snapshots(world, ReplicationGroupId="cache")[0])
    assert shown["NodeSnapshots"][0]["CacheClusterId"] == "cache-001"
    assert world.refused(world.east, "create_snapshot", ReplicationGroupId="cache",
                         SnapshotName="shot") == "SnapshotAlreadyExistsFault"
    assert refusal(world.east.describe_snapshots, SnapshotName="none")[:2] == \
        ("SnapshotNotFoundFault", 404)
    assert snapshots(world, SnapshotSource="system") == []


def test_a_final_snapshot_outlives_its_group(world):
    world.group()
    world.east.delete_replication_group(ReplicationGroupId="cache", FinalSnapshotIdentifier="last")
    assert snapshots(world)[0]["SnapshotStatus"] == "creating"
    eventually(lambda: world.east.describe_replication_groups()["ReplicationGroups"] == [])
    assert [(one["SnapshotName"], one["SnapshotStatus"]) for one in snapshots(world)] == \
        [("last", "available")]
    world.group()
    assert world.refused(world.east, "delete_replication_group", ReplicationGroupId="cache",
                         FinalSnapshotIdentifier="last") == "SnapshotAlreadyExistsFault"
    assert world.show(world.east)["Status"] == "available"


@pytest.mark.parametrize("choice, left", [("kept", ["cache"]), ("deleted", [])])
def test_a_final_snapshot_that_fails(world, choice, left):
    unknowns.set_many({"elasticache.final_snapshot_failed": choice})
    world.group()
    world.control(region=EAST, id="cache", next_snapshot="failed")
    world.east.delete_replication_group(ReplicationGroupId="cache", FinalSnapshotIdentifier="last")
    world.until(world.east, status="deleting")
    eventually(lambda: snapshots(world)[0]["SnapshotStatus"] == "failed")
    names = eventually(lambda: (found := world.east.describe_replication_groups()) and [
        one["ReplicationGroupId"] for one in found["ReplicationGroups"]
        if one["Status"] != "available"] == [] and (found,))
    assert [one["ReplicationGroupId"] for one in names[0]["ReplicationGroups"]] == left


def test_any_status_by_the_control_api(world):
    world.group()
    answer = world.control(region=EAST, id="cache", status="create-failed")
    assert answer["status"] == "create-failed"
    assert world.refused(world.east, "create_snapshot", ReplicationGroupId="cache",
                         SnapshotName="s") == "InvalidReplicationGroupState"
    assert world.refused(world.east, "delete_replication_group", ReplicationGroupId="cache",
                         FinalSnapshotIdentifier="s") == "InvalidReplicationGroupState"
    world.east.delete_replication_group(ReplicationGroupId="cache")
    eventually(lambda: world.east.describe_replication_groups()["ReplicationGroups"] == [])
    with pytest.raises(KeyError):
        world.control(region=EAST, id="cache")


def test_subnet_groups(world):
    ec2 = world.local.client("ec2")
    subnets = [one["SubnetId"] for one in ec2.describe_subnets()["Subnets"]][:2]
    world.east.create_cache_subnet_group(CacheSubnetGroupName="Nets", SubnetIds=subnets,
                                         CacheSubnetGroupDescription="d")
    world.group(CacheSubnetGroupName="nets")
    assert world.refused(world.east, "delete_cache_subnet_group", CacheSubnetGroupName="nets") == \
        "CacheSubnetGroupInUse"
    world.east.delete_replication_group(ReplicationGroupId="cache")
    eventually(lambda: world.east.describe_replication_groups()["ReplicationGroups"] == [])
    world.east.delete_cache_subnet_group(CacheSubnetGroupName="nets")
    assert world.refused(world.east, "delete_cache_subnet_group", CacheSubnetGroupName="nets") == \
        "CacheSubnetGroupNotFoundFault"
    assert world.refused(world.east, "create_cache_subnet_group", CacheSubnetGroupName="n",
                         SubnetIds=["subnet-1"], CacheSubnetGroupDescription="d") == "InvalidSubnet"


def test_parameter_groups(world):
    world.east.create_cache_parameter_group(
        CacheParameterGroupName="own", CacheParameterGroupFamily="redis7", Description="d")
    world.east.modify_cache_parameter_group(CacheParameterGroupName="own", ParameterNameValues=[
        {"ParameterName": "maxmemory-policy", "ParameterValue": "allkeys-lru"}])
    found = world.east.describe_cache_parameters(CacheParameterGroupName="own")["Parameters"]
    assert found[0]["ParameterValue"] == "allkeys-lru"
    world.group(CacheParameterGroupName="own")
    assert world.refused(world.east, "delete_cache_parameter_group",
                         CacheParameterGroupName="own") == "InvalidCacheParameterGroupState"
    world.east.delete_replication_group(ReplicationGroupId="cache")
    eventually(lambda: world.east.describe_replication_groups()["ReplicationGroups"] == [])
    world.east.delete_cache_parameter_group(CacheParameterGroupName="own")
    assert world.refused(world.east, "delete_cache_parameter_group",
                         CacheParameterGroupName="own") == "CacheParameterGroupNotFound"


def test_paging(world):
    for number in range(21):
        world.east.create_replication_group(
            ReplicationGroupId=f"c{number}", ReplicationGroupDescription="d", CacheNodeType=NODE)
    first = world.east.describe_replication_groups(MaxRecords=20)
    assert len(first["ReplicationGroups"]) == 20
    rest = world.east.describe_replication_groups(MaxRecords=20, Marker=first["Marker"])
    assert [one["ReplicationGroupId"] for one in rest["ReplicationGroups"]] == ["c20"]
    assert "Marker" not in rest
    assert world.refused(world.east, "describe_replication_groups", MaxRecords=19) == \
        "InvalidParameterValue"
