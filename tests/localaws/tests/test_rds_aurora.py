"""Aurora clusters and global clusters, as clients see them."""

import time

import pytest
from botocore.exceptions import ClientError
from running import eventually

EAST, WEST = "us-east-1", "us-west-2"
ACCOUNT = "123456789012"
SHORT = {name: 0.3 for name in (
    "visible", "rds.create", "rds.delete", "rds.cluster.create", "rds.cluster.delete",
    "rds.cluster.snapshot", "rds.snapshot.copy", "rds.global.create", "rds.global.switchover",
    "rds.global.failover", "rds.global.detach", "rds.global.resync")}


def arn(region, name):
    return f"arn:aws:rds:{region}:{ACCOUNT}:cluster:{name}"


class World:
    """A global database of a primary in us-east-1 and a secondary in us-west-2."""

    def __init__(self, local):
        self.local = local
        local.post("timings", **SHORT)
        self.east, self.west = local.client("rds", EAST), local.client("rds", WEST)

    def cluster(self, client, name, **more):
        client.create_db_cluster(DBClusterIdentifier=name, Engine="aurora-mysql", **more)
        eventually(lambda: self.status(client, name) == "available")

    def instance(self, client, name, cluster):
        client.create_db_instance(DBInstanceIdentifier=name, DBClusterIdentifier=cluster,
                                  Engine="aurora-mysql", DBInstanceClass="db.r6g.large")
        eventually(lambda: client.describe_db_instances(DBInstanceIdentifier=name)[
            "DBInstances"][0]["DBInstanceStatus"] == "available")

    def build(self):
        self.cluster(self.east, "one", MasterUsername="admin", MasterUserPassword="secret-secret")
        self.instance(self.east, "one-1", "one")
        self.east.create_global_cluster(GlobalClusterIdentifier="world",
                                        SourceDBClusterIdentifier=arn(EAST, "one"))
        eventually(lambda: self.exists())
        self.cluster(self.west, "two", GlobalClusterIdentifier="world")
        self.instance(self.west, "two-1", "two")
        eventually(lambda: self.synchronization("two") == "connected")
        return self

    def exists(self):
        try:
            return self.group(self.east)["Status"] == "available"
        except ClientError:
            return False

    def show(self, client, name):
        return client.describe_db_clusters(DBClusterIdentifier=name)["DBClusters"][0]

    def status(self, client, name):
        return self.show(client, name)["Status"]

    def group(self, client):
        return client.describe_global_clusters(GlobalClusterIdentifier="world")[
            "GlobalClusters"][0]

    def writer(self, client):
        return next(one["DBClusterArn"] for one in self.group(client)["GlobalClusterMembers"]
                    if one["IsWriter"])

    def synchronization(self, name):
        return next(one["SynchronizationStatus"] for one in
                    self.group(self.east)["GlobalClusterMembers"]
                    if one["DBClusterArn"].endswith(f":{name}"))

    def settled(self, client, name):
        group = self.group(client)
        return self.writer(client).endswith(f":{name}") and "FailoverState" not in group


@pytest.fixture(scope="module")
def built(original):
    """The global database is built once; each test has a copy."""
    return World(original.copy()).build()


@pytest.fixture
def world(built):
    copy = World(built.local.copy())
    yield copy
    copy.local.post("shutdown")


def refused(call, **arguments):
    with pytest.raises(ClientError) as error:
        call(**arguments)
    return error.value.response["Error"]["Code"]


def switchover(client, to):
    return {"GlobalClusterIdentifier": "world", "TargetDbClusterIdentifier": to}


def test_members_show_their_roles(world):
    group = world.group(world.west)
    assert world.writer(world.west) == arn(EAST, "one")
    assert group["GlobalClusterMembers"][0]["Readers"] == [arn(WEST, "two")]
    shown = world.show(world.west, "two")
    assert shown["GlobalClusterIdentifier"] == "world"
    assert [one["IsClusterWriter"] for one in shown["DBClusterMembers"]] == [False]
    assert [one["IsClusterWriter"] for one in world.show(world.east, "one")["DBClusterMembers"]] \
        == [True]
    assert refused(world.local.client("rds", "eu-west-1").describe_global_clusters,
                   GlobalClusterIdentifier="world") == "GlobalClusterNotFoundFault"


def test_switchover_exchanges_the_roles_and_no_status_tells(world):
    assert refused(world.west.switchover_global_cluster, **switchover(WEST, arn(WEST, "two"))) \
        == "InvalidParameterValue"
    world.east.switchover_global_cluster(**switchover(EAST, arn(WEST, "two")))
    assert "FailoverState" not in world.group(world.west), "shown late"
    seen = set()

    def done():
        seen.add(world.group(world.west).get("FailoverState", {}).get("Status"))
        assert world.status(world.west, "two") == "available"
        assert world.group(world.west)["Status"] == "available"
        return world.settled(world.west, "two")

    eventually(done)
    assert seen & {"pending", "switching-over"}
    assert [one["IsClusterWriter"] for one in world.show(world.west, "two")["DBClusterMembers"]] \
        == [True]
    assert world.synchronization("one") == "connected"


def test_one_change_of_roles_at_a_time(world):
    world.east.switchover_global_cluster(**switchover(EAST, arn(WEST, "two")))
    assert refused(world.east.switchover_global_cluster, **switchover(EAST, arn(WEST, "two"))) \
        == "InvalidGlobalClusterStateFault"
    assert refused(world.west.remove_from_global_cluster, GlobalClusterIdentifier="world",
                   DbClusterIdentifier=arn(WEST, "two")) == "InvalidGlobalClusterStateFault"


def test_failover_needs_a_word_about_data_loss(world):
    assert refused(world.west.failover_global_cluster, **switchover(WEST, arn(WEST, "two"))) \
        == "InvalidParameterCombination"
    assert refused(world.west.failover_global_cluster, AllowDataLoss=True, Switchover=True,
                   **switchover(WEST, arn(WEST, "two"))) == "InvalidParameterCombination"
    assert refused(world.east.failover_global_cluster, AllowDataLoss=True,
                   **switchover(WEST, arn(WEST, "two"))) == "InvalidParameterValue"


def test_managed_failover_while_the_primary_is_dark(world):
    world.local.post("dark", region=EAST, dark=True)
    world.west.failover_global_cluster(AllowDataLoss=True, **switchover(WEST, arn(WEST, "two")))
    eventually(lambda: world.settled(world.west, "two"))
    assert len(world.group(world.west)["GlobalClusterMembers"]) == 2
    world.local.post("dark", region=EAST, dark=False)
    eventually(lambda: world.synchronization("one") == "connected")
    found = world.east.describe_db_cluster_snapshots(SnapshotType="automated")
    names = [one["DBClusterSnapshotIdentifier"] for one in found["DBClusterSnapshots"]]
    assert [name.startswith("rds:unplanned-global-failover-one-") for name in names] == [True]


def test_detached_it_is_promoted_to_a_cluster_of_its_own(world):
    world.local.post("unknowns", **{"rds.status_words": "busy"})
    assert refused(world.east.remove_from_global_cluster, GlobalClusterIdentifier="world",
                   DbClusterIdentifier=arn(EAST, "one")) == "InvalidGlobalClusterStateFault"
    world.west.remove_from_global_cluster(GlobalClusterIdentifier="world",
                                          DbClusterIdentifier=arn(WEST, "two"))
    assert world.show(world.west, "two")["GlobalClusterIdentifier"] == "world", "shown late"
    eventually(lambda: world.status(world.west, "two") == "promoting")
    eventually(lambda: world.status(world.west, "two") == "available")
    shown = world.show(world.west, "two")
    assert not shown.get("GlobalClusterIdentifier")
    assert shown["DBClusterMembers"][0]["IsClusterWriter"] is True
    assert len(world.group(world.east)["GlobalClusterMembers"]) == 1


def test_what_aws_cancels_stays_as_it_was(world):
    world.local.post("rds/global", id="world", cancel=True)
    world.local.post("timings", **{"rds.global.switchover": 2})
    world.east.switchover_global_cluster(**switchover(EAST, arn(WEST, "two")))
    eventually(lambda: world.group(world.east).get("FailoverState", {}).get("Status")
               == "cancelling")
    eventually(lambda: "FailoverState" not in world.group(world.east))
    assert world.writer(world.east) == arn(EAST, "one")


def test_a_cluster_is_deleted_only_alone_and_with_a_word_about_its_snapshot(world):
    delete = world.west.delete_db_cluster
    assert refused(delete, DBClusterIdentifier="two") == "InvalidParameterCombination"
    assert refused(delete, DBClusterIdentifier="two", SkipFinalSnapshot=True) \
        == "InvalidDBClusterStateFault"
    world.west.remove_from_global_cluster(GlobalClusterIdentifier="world",
                                          DbClusterIdentifier=arn(WEST, "two"))
    eventually(lambda: not world.show(world.west, "two").get("GlobalClusterIdentifier"))
    assert refused(delete, DBClusterIdentifier="two", SkipFinalSnapshot=True) \
        == "InvalidDBClusterStateFault", "it has an instance"
    world.west.modify_db_cluster(DBClusterIdentifier="two", DeletionProtection=True)
    eventually(lambda: world.show(world.west, "two")["DeletionProtection"])
    assert refused(delete, DBClusterIdentifier="two", SkipFinalSnapshot=True) \
        == "InvalidParameterCombination"
    world.west.modify_db_cluster(DBClusterIdentifier="two", DeletionProtection=False)
    eventually(lambda: not world.show(world.west, "two")["DeletionProtection"])
    world.west.delete_db_instance(DBInstanceIdentifier="two-1", SkipFinalSnapshot=True)
    delete(DBClusterIdentifier="two", FinalDBSnapshotIdentifier="last")
    eventually(lambda: gone(world.west, "two"))
    found = world.west.describe_db_cluster_snapshots(DBClusterIdentifier="two")
    assert [one["DBClusterSnapshotIdentifier"] for one in found["DBClusterSnapshots"]] == ["last"]


def gone(client, name):
    try:
        client.describe_db_clusters(DBClusterIdentifier=name)
    except ClientError as error:
        return error.response["Error"]["Code"] == "DBClusterNotFoundFault"
    return False


def test_a_secondary_has_no_master_user_and_a_headless_one_is_not_promoted(world):
    third = world.local.client("rds", "eu-west-1")
    create = {"DBClusterIdentifier": "three", "Engine": "aurora-mysql",
              "GlobalClusterIdentifier": "world"}
    assert refused(third.create_db_cluster, MasterUsername="a", MasterUserPassword="b" * 12,
                   **create) == "InvalidParameterCombination"
    assert refused(third.create_db_cluster, EngineVersion="8.0.mysql_aurora.3.01.0", **create) \
        == "InvalidParameterCombination"
    third.create_db_cluster(**create)
    eventually(lambda: world.status(third, "three") == "available")
    assert refused(world.east.switchover_global_cluster,
                   **switchover(EAST, arn("eu-west-1", "three"))) == "InvalidDBClusterStateFault"


def test_snapshots_are_copied_to_another_region(world):
    world.east.create_db_cluster_snapshot(DBClusterIdentifier="one",
                                          DBClusterSnapshotIdentifier="mine")
    source = f"arn:aws:rds:{EAST}:{ACCOUNT}:cluster-snapshot:mine"
    copy = {"SourceDBClusterSnapshotIdentifier": source,
            "TargetDBClusterSnapshotIdentifier": "copied"}
    assert refused(world.west.copy_db_cluster_snapshot, **copy) \
        == "InvalidDBClusterSnapshotStateFault"
    eventually(lambda: snapshot(world.east, "mine")["Status"] == "available")
    world.west.copy_db_cluster_snapshot(**copy)
    assert snapshot(world.west, "copied")["Status"] == "copying"
    eventually(lambda: snapshot(world.west, "copied")["Status"] == "available")
    assert snapshot(world.west, "copied")["SourceDBClusterSnapshotArn"] == source
    assert refused(world.west.copy_db_cluster_snapshot, **copy) \
        == "DBClusterSnapshotAlreadyExistsFault"


def snapshot(client, name):
    return client.describe_db_cluster_snapshots(DBClusterSnapshotIdentifier=name)[
        "DBClusterSnapshots"][0]


def test_a_failed_snapshot_is_shown_as_such(world):
    world.local.post("rds", region=EAST, cluster="one", next_snapshot="failed")
    world.east.create_db_cluster_snapshot(DBClusterIdentifier="one",
                                          DBClusterSnapshotIdentifier="mine")
    eventually(lambda: snapshot(world.east, "mine")["Status"] == "failed")


def test_the_metadata_may_be_silent_while_the_writer_is_dark(world):
    world.local.post("unknowns", **{"rds.global_metadata_when_dark": "unavailable"})
    world.local.post("dark", region=EAST, dark=True)
    with pytest.raises(ClientError) as error:
        world.group(world.west)
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503


def test_the_lag_is_a_metric_of_the_secondary_alone(world):
    def figures(region, name):
        answer = world.local.client("cloudwatch", region).get_metric_data(
            StartTime=time.time() - 600, EndTime=time.time() + 60,
            MetricDataQueries=[{"Id": "a", "MetricStat": {"Period": 60, "Stat": "Maximum", "Metric": {
                "Namespace": "AWS/RDS", "MetricName": "AuroraGlobalDBRPOLag",
                "Dimensions": [{"Name": "DBClusterIdentifier", "Value": name}]}}}])
        return answer["MetricDataResults"][0]["Values"]

    assert set(figures(WEST, "two")) == {200.0}
    assert figures(EAST, "one") == []


def test_a_call_is_answered_though_descriptions_are_not(world):
    world.local.post("unknowns", **{"rds.global_metadata_when_dark": "unavailable"})
    world.local.post("dark", region=EAST, dark=True)
    world.west.failover_global_cluster(AllowDataLoss=True, **switchover(WEST, arn(WEST, "two")))
    with pytest.raises(ClientError) as error:
        world.group(world.west)
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
    eventually(lambda: world.show(world.west, "two")["DBClusterMembers"][0]["IsClusterWriter"])


def test_a_lost_target_is_not_promoted_before_it_is_back(world):
    world.east.switchover_global_cluster(**switchover(EAST, arn(WEST, "two")))
    world.local.post("dark", region=WEST, dark=True)
    time.sleep(1.2)
    assert world.writer(world.east) == arn(EAST, "one")
    world.local.post("dark", region=WEST, dark=False)
    eventually(lambda: world.settled(world.west, "two"))
