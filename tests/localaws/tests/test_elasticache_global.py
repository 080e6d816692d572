"""Global datastores: creation, secondaries, failover, disassociation, and a Region in the dark."""

import inspect

import pytest
from moto.elasticache import responses

from localaws import elasticache, unknowns
from localaws.tests.elasticache_world import (  # noqa: F401 (fixtures)
    EAST, ID, NODE, WEST, eventually, server, world)
from localaws.tests.served import refusal


def info(world, client):
    return world.show(client).get("GlobalReplicationGroupInfo", {}).get(
        "GlobalReplicationGroupMemberRole")


def watch(look, until):
    """The distinct answers of `look`, up to the one that is wanted."""
    seen = []

    def one():
        now = look()
        if not seen or seen[-1] != now:
            seen.append(now)
        return now == until

    eventually(one)
    return seen


def test_moto_still_lacks_global_datastores():
    assert "global_replication_group(" not in inspect.getsource(responses)


def test_creation(world):
    world.group()
    made = world.east.create_global_replication_group(
        GlobalReplicationGroupIdSuffix="cache", PrimaryReplicationGroupId="cache",
        GlobalReplicationGroupDescription="mine")["GlobalReplicationGroup"]
    assert (made["GlobalReplicationGroupId"], made["Status"]) == (ID, "creating")
    assert made["ARN"] == f"arn:aws:elasticache::123456789012:globalreplicationgroup:{ID}"
    assert refusal(world.east.describe_global_replication_groups,
                   GlobalReplicationGroupId=ID)[:2] == ("GlobalReplicationGroupNotFoundFault", 404)
    assert world.refused(world.east, "create_global_replication_group",
                         GlobalReplicationGroupIdSuffix="cache",
                         PrimaryReplicationGroupId="cache") == \
        "GlobalReplicationGroupAlreadyExistsFault"
    assert watch(world.status, "primary-only") == [None, "creating", "primary-only"]
    shown = world.show_global()
    assert shown["Members"] == [{
        "ReplicationGroupId": "cache", "ReplicationGroupRegion": EAST, "Role": "PRIMARY",
        "AutomaticFailover": "enabled", "Status": "associated"}]
    assert (shown["CacheNodeType"], shown["Engine"], shown["EngineVersion"]) == \
        (NODE, "redis", "7.1.0")
    assert info(world, world.east) == "PRIMARY"
    assert "Members" not in world.east.describe_global_replication_groups()[
        "GlobalReplicationGroups"][0]


@pytest.mark.parametrize("details", [{"CacheNodeType": "cache.t4g.medium"},
                                     {"EngineVersion": "4.0.10"}])
def test_not_every_group_can_be_a_primary(world, details):
    world.group(**details)
    assert world.refused(world.east, "create_global_replication_group",
                         GlobalReplicationGroupIdSuffix="cache",
                         PrimaryReplicationGroupId="cache") == "InvalidParameterValue"


def test_the_id_changes_with_the_region(world):
    world.group(world.west)
    made = world.west.create_global_replication_group(
        GlobalReplicationGroupIdSuffix="cache", PrimaryReplicationGroupId="cache")
    assert made["GlobalReplicationGroup"]["GlobalReplicationGroupId"] == "sgaui-cache"
    assert refusal(world.east.create_global_replication_group,
                   GlobalReplicationGroupIdSuffix="cache",
                   PrimaryReplicationGroupId="cache")[:2] == ("ReplicationGroupNotFoundFault", 404)


def test_a_secondary_joins(world):
    key = world.local.client("kms", WEST).create_key()["KeyMetadata"]["Arn"]
    world.datastore(TransitEncryptionEnabled=True, AtRestEncryptionEnabled=True,
                    AuthToken="correct-horse-battery", EngineVersion="6.2", Port=6380)
    assert world.status(world.west) is None
    made = world.join(NumCacheClusters=3, AutomaticFailoverEnabled=True, KmsKeyId=key)
    assert made["Status"] == "creating"
    assert made["GlobalReplicationGroupInfo"] == {
        "GlobalReplicationGroupId": ID, "GlobalReplicationGroupMemberRole": "SECONDARY"}
    assert world.refused(world.east, "disassociate_global_replication_group",
                         GlobalReplicationGroupId=ID, ReplicationGroupId="cache",
                         ReplicationGroupRegion=WEST) == "InvalidParameterValue"
    member = {"ReplicationGroupId": "cache", "ReplicationGroupRegion": WEST, "Role": "SECONDARY",
              "AutomaticFailover": "enabled"}
    eventually(lambda: member | {"Status": "associating"} in world.show_global()["Members"])
    assert watch(world.status, "available") == ["primary-only", "available"]
    assert member | {"Status": "associated"} in world.show_global(world.west)["Members"]
    shown = world.show(world.west)
    assert (shown["TransitEncryptionEnabled"], shown["AtRestEncryptionEnabled"],
            shown["AuthTokenEnabled"], shown["KmsKeyId"], shown["CacheNodeType"]) == \
        (True, True, True, key, NODE)
    node = world.west.describe_cache_clusters()["CacheClusters"][0]
    assert node["EngineVersion"] == "6.2.6"
    assert shown["NodeGroups"][0]["PrimaryEndpoint"]["Port"] == 6380


def test_a_sharded_pair(world):
    world.datastore(NumCacheClusters=None, NumNodeGroups=2, ReplicasPerNodeGroup=1)
    assert refusal(world.join, NumCacheClusters=2)[0] == "InvalidParameterCombination"
    world.join(ReplicasPerNodeGroup=2)
    eventually(lambda: world.status() == "available")
    shown = world.show_global()
    assert shown["ClusterEnabled"]
    assert shown["GlobalNodeGroups"] == [
        {"GlobalNodeGroupId": f"{ID}-0001", "Slots": "0-8191"},
        {"GlobalNodeGroupId": f"{ID}-0002", "Slots": "8192-16383"}]
    assert len(world.show(world.west)["MemberClusters"]) == 6


@pytest.mark.parametrize("details", [
    {"Engine": "redis"}, {"EngineVersion": "7.1"}, {"CacheNodeType": NODE}, {"NumNodeGroups": 1},
    {"CacheParameterGroupName": "default.redis7"}, {"TransitEncryptionEnabled": False},
    {"AtRestEncryptionEnabled": True}, {"SnapshotName": "s"}, {"AuthToken": "x" * 16},
    {"KmsKeyId": "alias/aws/elasticache"}])
def test_a_secondary_must_not_be_given_what_it_inherits(world, details):
    world.datastore()
    assert refusal(world.join, **details)[:2] == ("InvalidParameterCombination", 400)
    assert world.west.describe_replication_groups()["ReplicationGroups"] == []


def test_who_cannot_join(world):
    assert refusal(world.join)[:2] == ("GlobalReplicationGroupNotFoundFault", 404)
    world.pair()
    assert refusal(world.join)[0] == "ReplicationGroupAlreadyExists"
    assert refusal(world.join, name="other")[0] == "InvalidParameterValue"
    world.leave()
    assert refusal(world.join, name="other")[0] == "InvalidGlobalReplicationGroupState"


def test_failover_in_silence(world):
    world.pair()
    answer = world.fail_over()["GlobalReplicationGroup"]
    assert answer["Status"] == "modifying"
    assert world.roles() == {EAST: "PRIMARY", WEST: "SECONDARY"}
    assert refusal(world.fail_over)[:2] == ("InvalidGlobalReplicationGroupState", 400)
    seen = watch(lambda: (world.status(), world.roles(world.west)[WEST], info(world, world.west)),
                 ("available", "PRIMARY", "PRIMARY"))
    assert {one[0] for one in seen} == {"available"}
    assert world.roles() == {EAST: "SECONDARY", WEST: "PRIMARY"}
    eventually(lambda: info(world, world.east) == "SECONDARY")
    eventually(lambda: not world.control(**{"global": ID})["failover"])
    world.fail_over(region=EAST)
    eventually(lambda: world.roles() == {EAST: "PRIMARY", WEST: "SECONDARY"})


def test_failover_with_words(world):
    unknowns.set_many({"elasticache.status_words": "busy"})
    world.pair()
    world.fail_over(world.east)
    assert (world.status(), world.show(world.west)["Status"]) == ("available", "available")
    seen = watch(lambda: (world.status(), world.show(world.west)["Status"],
                          world.roles()[WEST]), ("available", "available", "PRIMARY"))
    assert ("modifying", "modifying", "SECONDARY") in seen
    assert ("modifying", "modifying", "PRIMARY") in seen


def test_refused_failovers(world):
    world.datastore()
    assert refusal(world.fail_over, client=world.east, region=EAST)[0] == "InvalidParameterValue"
    assert refusal(world.fail_over, client=world.west)[:2] == \
        ("GlobalReplicationGroupNotFoundFault", 404)
    world.join()
    eventually(lambda: world.status() == "available")
    assert refusal(world.fail_over, name="nobody")[0] == "InvalidParameterValue"
    assert refusal(world.fail_over, region=EAST)[0] == "InvalidParameterValue"
    assert refusal(world.fail_over, region="eu-west-1")[0] == "InvalidParameterValue"
    world.west.create_snapshot(ReplicationGroupId="cache", SnapshotName="s")
    assert refusal(world.fail_over)[0] == "InvalidGlobalReplicationGroupState"


def test_a_cancelled_failover(world):
    world.pair()
    world.control(**{"global": ID, "cancel": True})
    world.fail_over()
    eventually(lambda: not world.control(**{"global": ID})["failover"])
    assert world.roles() == {EAST: "PRIMARY", WEST: "SECONDARY"}
    world.fail_over()
    world.control(**{"global": ID, "cancel": True})
    eventually(lambda: not world.control(**{"global": ID})["failover"])
    assert world.roles() == {EAST: "PRIMARY", WEST: "SECONDARY"}
    assert (info(world, world.east), info(world, world.west)) == ("PRIMARY", "SECONDARY")


def test_somebody_elses_failover(world):
    world.pair()
    answer = world.control(**{"global": ID, "foreign_region": WEST})
    assert answer["failover"] == WEST
    assert refusal(world.fail_over)[0] == "InvalidGlobalReplicationGroupState"
    eventually(lambda: world.roles()[WEST] == "PRIMARY")


def test_any_status_of_the_datastore(world):
    world.pair()
    world.control(**{"global": ID, "status": "modifying"})
    assert world.status(world.west) == "modifying"
    assert refusal(world.fail_over)[0] == "InvalidGlobalReplicationGroupState"
    world.control(**{"global": ID, "status": "available"})
    world.fail_over()


def test_members_are_governed_by_their_datastore(world):
    world.pair()
    for client in (world.east, world.west):
        assert refusal(client.delete_replication_group, ReplicationGroupId="cache")[0::2] == (
            "InvalidParameterValue",
            f"Cluster [cache] is part of a global cluster [{ID}]. Request rejected.")
        assert world.refused(client, "modify_replication_group", ReplicationGroupId="cache",
                             CacheNodeType="cache.r6g.xlarge") == "InvalidParameterValue"


def test_disassociation(world):
    world.pair()
    assert refusal(world.leave, region=EAST)[0] == "InvalidParameterValue"
    assert refusal(world.leave, name="nobody")[0] == "InvalidParameterValue"
    assert world.leave()["GlobalReplicationGroup"]["Status"] == "modifying"
    assert world.roles() == {EAST: "PRIMARY", WEST: "SECONDARY"}
    assert info(world, world.west) == "SECONDARY"
    assert refusal(world.leave)[0] == "InvalidGlobalReplicationGroupState"
    assert watch(world.status, "primary-only") == ["available", "primary-only"]
    assert world.roles() == {EAST: "PRIMARY"} and info(world, world.west) is None
    assert world.show(world.west)["Status"] == "available"
    assert refusal(world.show_global, client=world.west)[0] == \
        "GlobalReplicationGroupNotFoundFault"
    world.west.delete_replication_group(ReplicationGroupId="cache")
    eventually(lambda: world.west.describe_replication_groups()["ReplicationGroups"] == [])


def test_deletion_of_the_datastore(world):
    def delete(retain=True):
        return refusal(world.east.delete_global_replication_group, GlobalReplicationGroupId=ID,
                       RetainPrimaryReplicationGroup=retain)

    world.pair()
    assert delete()[0::2] == ("InvalidGlobalReplicationGroupState",
                              "Cannot delete a global replication group in available state")
    world.leave()
    eventually(lambda: world.status() == "primary-only")
    assert delete(retain=False)[0] == "InvalidParameterValue"
    made = world.east.delete_global_replication_group(GlobalReplicationGroupId=ID,
                                                      RetainPrimaryReplicationGroup=True)
    assert made["GlobalReplicationGroup"]["Status"] == "deleting"
    assert delete()[0] == "InvalidGlobalReplicationGroupState"
    assert watch(world.status, None) == ["primary-only", "deleting", None]
    assert info(world, world.east) is None and world.show(world.east)["Status"] == "available"


def test_a_secondary_that_fails_can_be_taken_out(world):
    world.datastore()
    world.join()
    world.clock.forward(30)
    world.control(region=WEST, id="cache", status="create-failed")
    assert world.status() == "primary-only"
    assert [one["Status"] for one in world.show_global()["Members"]] == \
        ["associated", "associating"]
    assert refusal(world.fail_over)[0] == "InvalidGlobalReplicationGroupState"
    world.leave()
    eventually(lambda: len(world.show_global()["Members"]) == 1)
    assert world.show(world.west)["Status"] == "create-failed"
    world.west.delete_replication_group(ReplicationGroupId="cache")
    eventually(lambda: world.west.describe_replication_groups()["ReplicationGroups"] == [])


@pytest.mark.parametrize("choice, code", [("absent", "GlobalReplicationGroupNotFoundFault"),
                                          ("shown", None)])
def test_regions_without_a_member(world, choice, code):
    unknowns.set_many({"elasticache.global_outside_members": choice})
    world.datastore()
    if code:
        assert refusal(world.show_global, client=world.west)[0] == code
    else:
        assert world.show_global(world.west)["Status"] == "primary-only"


@pytest.fixture
def lost(world):
    """A pair whose primary's Region is dark."""
    world.pair()
    elasticache.set_dark(EAST, True)
    return world


@pytest.mark.parametrize("word", ["available", "primary-only"])
def test_the_surviving_region_describes(lost, word):
    unknowns.set_many({"elasticache.primary_dark_status": word})
    assert lost.status(lost.west) == word
    assert lost.roles(lost.west) == {EAST: "PRIMARY", WEST: "SECONDARY"}


def test_failover_from_a_lost_primary_is_refused(lost):
    assert refusal(lost.fail_over)[0] == "InvalidGlobalReplicationGroupState"


def test_failover_from_a_lost_primary_may_be_accepted(lost):
    unknowns.set_many({"elasticache.failover_when_primary_dark": "accepted"})
    lost.fail_over()
    eventually(lambda: info(lost, lost.west) == "PRIMARY")
    eventually(lambda: lost.roles(lost.west) == {EAST: "SECONDARY", WEST: "PRIMARY"})
    elasticache.set_dark(EAST, False)
    assert info(lost, lost.east) == "PRIMARY"
    assert lost.roles(lost.east) == {EAST: "PRIMARY", WEST: "SECONDARY"}
    eventually(lambda: info(lost, lost.east) == "SECONDARY")
    eventually(lambda: lost.roles(lost.east) == {EAST: "SECONDARY", WEST: "PRIMARY"})


def test_disassociation_from_a_lost_primary(lost):
    lost.leave()
    eventually(lambda: info(lost, lost.west) is None)
    elasticache.set_dark(EAST, False)
    assert lost.roles(lost.east) == {EAST: "PRIMARY", WEST: "SECONDARY"}
    eventually(lambda: lost.roles(lost.east) == {EAST: "PRIMARY"})
    assert lost.status() == "primary-only"


def test_what_was_begun_in_a_dark_region_waits(world):
    world.group()
    world.east.delete_replication_group(ReplicationGroupId="cache")
    elasticache.set_dark(EAST, True)
    world.group(world.west)  # takes longer than the deletion would have
    elasticache.set_dark(EAST, False)
    assert world.show(world.east)["Status"] == "available"
    eventually(lambda: world.east.describe_replication_groups()["ReplicationGroups"] == [])
