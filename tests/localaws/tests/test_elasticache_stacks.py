"""ElastiCache on the whole server: stacks, copies, dark Regions, IAM, the call log and metrics."""

import datetime
import json

import pytest

from running import eventually
from served import refusal

EAST, WEST = "us-east-1", "us-west-2"
TIMES = {"visible": 0.2, "elasticache.create": 0.3, "elasticache.delete": 0.2,
         "elasticache.failover": 0.3, "elasticache.disassociate": 0.2,
         "elasticache.global.create": 0.2, "elasticache.snapshot": 0.2}
ID = "ldgnf-orders"


def resource(kind, depends=None, policy=None, **properties):
    made = {"Type": f"AWS::ElastiCache::{kind}", "Properties": properties}
    return made | ({"DependsOn": depends} if depends else {}) | (
        {"DeletionPolicy": policy} if policy else {})


def output(value, export=None):
    return {"Value": value} | ({"Export": {"Name": export}} if export else {})


def primary(subnets, policy=None, **more):
    details = {"ReplicationGroupId": "orders", "ReplicationGroupDescription": "d",
               "CacheNodeType": "cache.r6g.large", "Engine": "redis", "EngineVersion": "7.1",
               "NumCacheClusters": "2", "AutomaticFailoverEnabled": "true", "Port": "6380",
               "CacheParameterGroupName": {"Ref": "Parameters"},
               "CacheSubnetGroupName": {"Ref": "Nets"}} | more
    return json.dumps({
        "Resources": {
            "Nets": resource("SubnetGroup", Description="d", SubnetIds=subnets),
            "Parameters": resource("ParameterGroup", CacheParameterGroupFamily="redis7",
                                   Description="d", Properties={"maxmemory-policy": "noeviction"}),
            "Group": resource("ReplicationGroup", policy=policy, **details),
            "Datastore": resource("GlobalReplicationGroup", GlobalReplicationGroupIdSuffix="orders",
                                  Members=[{"ReplicationGroupId": {"Ref": "Group"}, "Role":
                                            "PRIMARY", "ReplicationGroupRegion":
                                            {"Ref": "AWS::Region"}}])},
        "Outputs": {
            "Id": output({"Ref": "Datastore"}, "orders-global-replication-group-id"),
            "Same": output({"Fn::GetAtt": ["Datastore", "GlobalReplicationGroupId"]}),
            "Group": output({"Ref": "Group"}, "orders-target-replication-group-id"),
            "Host": output({"Fn::GetAtt": ["Group", "PrimaryEndPoint.Address"]}),
            "Port": output({"Fn::GetAtt": ["Group", "PrimaryEndPoint.Port"]}, "orders-port-no"),
            "Hosts": output({"Fn::GetAtt": ["Group", "ReadEndPoint.Addresses"]})}})


def secondary(subnets):
    return json.dumps({"Resources": {
        "Nets": resource("SubnetGroup", Description="d", SubnetIds=subnets),
        "Group": resource("ReplicationGroup", ReplicationGroupId="orders", NumCacheClusters=1,
                          ReplicationGroupDescription="d", GlobalReplicationGroupId=ID,
                          CacheSubnetGroupName={"Ref": "Nets"})}})


def subnets(local, region):
    return [one["SubnetId"] for one in
            local.client("ec2", region).describe_subnets()["Subnets"]][:2]


def deploy(local, region, template):
    client = local.client("cloudformation", region)
    made = client.create_stack(StackName="cache", TemplateBody=template)["StackId"]
    found = eventually(lambda: (stack := client.describe_stacks(StackName=made)["Stacks"][0])[
        "StackStatus"] not in ("CREATE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS") and stack, 30)
    return found["StackStatus"], {one["OutputKey"]: one["OutputValue"]
                                  for one in found.get("Outputs", [])}


def remove(local, region):
    client = local.client("cloudformation", region)
    stack = client.describe_stacks(StackName="cache")["Stacks"][0]["StackId"]
    client.delete_stack(StackName="cache")
    return eventually(lambda: (word := client.describe_stacks(StackName=stack)["Stacks"][0][
        "StackStatus"]) != "DELETE_IN_PROGRESS" and word, 30)


def datastore(local, region=WEST):
    return local.client("elasticache", region).describe_global_replication_groups(
        GlobalReplicationGroupId=ID, ShowMemberInfo=True)["GlobalReplicationGroups"][0]


def roles(local, region=WEST):
    return {one["ReplicationGroupRegion"]: one["Role"]
            for one in datastore(local, region)["Members"]}


def fail_over(client):
    return client.failover_global_replication_group(
        GlobalReplicationGroupId=ID, PrimaryRegion=WEST, PrimaryReplicationGroupId="orders")


@pytest.fixture
def stacked(local):
    """A global datastore made by stacks in two Regions."""
    assert local.post("timings", **TIMES).status_code == 200
    assert deploy(local, EAST, primary(subnets(local, EAST)))[0] == "CREATE_COMPLETE"
    assert deploy(local, WEST, secondary(subnets(local, WEST)))[0] == "CREATE_COMPLETE"
    return local


def test_stacks_make_and_remove_a_datastore(local):
    local.post("timings", **TIMES)
    status, outputs = deploy(local, EAST, primary(subnets(local, EAST)))
    assert status == "CREATE_COMPLETE"
    assert outputs["Id"] == outputs["Same"] == ID
    assert (outputs["Group"], outputs["Port"]) == ("orders", "6380")
    assert outputs["Host"].endswith(".cache.amazonaws.com") and outputs["Hosts"].startswith("[")
    client = local.client("elasticache", EAST)
    assert datastore(local, EAST)["Status"] == "primary-only"
    node = client.describe_cache_clusters()["CacheClusters"][0]
    assert node["CacheParameterGroup"]["CacheParameterGroupName"].startswith("cache-parameters-")
    assert remove(local, EAST) == "DELETE_COMPLETE"
    assert client.describe_replication_groups()["ReplicationGroups"] == []
    assert client.describe_global_replication_groups()["GlobalReplicationGroups"] == []
    assert client.describe_cache_subnet_groups()["CacheSubnetGroups"] == []


def test_a_stack_takes_a_final_snapshot(local):
    local.post("timings", **TIMES)
    assert deploy(local, EAST, primary(subnets(local, EAST), "Snapshot"))[0] == "CREATE_COMPLETE"
    assert remove(local, EAST) == "DELETE_COMPLETE"
    left = local.client("elasticache", EAST).describe_snapshots()["Snapshots"]
    assert [(one["ReplicationGroupId"], one["SnapshotStatus"]) for one in left] == \
        [("orders", "available")]


def test_a_datastore_is_made_of_one_member(local):
    local.post("timings", **TIMES)
    member = {"ReplicationGroupId": "orders", "ReplicationGroupRegion": EAST, "Role": "PRIMARY"}
    template = json.dumps({"Resources": {"Datastore": resource(
        "GlobalReplicationGroup", GlobalReplicationGroupIdSuffix="orders",
        Members=[member, member | {"ReplicationGroupRegion": WEST, "Role": "SECONDARY"}])}})
    assert deploy(local, EAST, template)[0] == "ROLLBACK_COMPLETE"


def test_a_stack_cannot_remove_a_member(stacked):
    assert roles(stacked) == {EAST: "PRIMARY", WEST: "SECONDARY"}
    assert remove(stacked, WEST) == "DELETE_FAILED"
    assert roles(stacked) == {EAST: "PRIMARY", WEST: "SECONDARY"}


def test_the_lost_region_is_unreachable(stacked):
    assert stacked.post("dark", region=EAST, dark=True).json() == {"dark": [EAST]}
    with pytest.raises(Exception, match="closed|endpoint URL"):
        datastore(stacked, EAST)
    west = stacked.client("elasticache", WEST)
    assert refusal(fail_over, client=west)[0] == "InvalidGlobalReplicationGroupState"
    stacked.post("unknowns", **{"elasticache.failover_when_primary_dark": "accepted"})
    fail_over(west)
    eventually(lambda: roles(stacked) == {EAST: "SECONDARY", WEST: "PRIMARY"})
    stacked.post("dark", region=EAST, dark=False)
    eventually(lambda: roles(stacked, EAST) == {EAST: "SECONDARY", WEST: "PRIMARY"})


def test_a_copy_of_the_world_goes_on_by_itself(stacked):
    fail_over(stacked.client("elasticache", WEST))
    copy = stacked.copy()
    try:
        eventually(lambda: roles(copy) == {EAST: "SECONDARY", WEST: "PRIMARY"})
        left = {"GlobalReplicationGroupId": ID, "ReplicationGroupId": "orders",
                "ReplicationGroupRegion": EAST}
        client = copy.client("elasticache", WEST)
        eventually(lambda: not copy.post("elasticache", **{"global": ID}).json()["failover"])
        client.disassociate_global_replication_group(**left)
        eventually(lambda: datastore(copy)["Status"] == "primary-only")
    finally:
        copy.post("shutdown")
    eventually(lambda: roles(stacked) == {EAST: "SECONDARY", WEST: "PRIMARY"})


def lags(local, dimensions, region=WEST):
    now = datetime.datetime.now(datetime.timezone.utc)
    found = local.client("cloudwatch", region).get_metric_statistics(
        Namespace="AWS/ElastiCache", MetricName="GlobalDatastoreReplicationLag",
        Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
        StartTime=now - datetime.timedelta(minutes=5), EndTime=now + datetime.timedelta(minutes=1),
        Period=60, Statistics=["Maximum"])["Datapoints"]
    return [one["Maximum"] for one in found]


def test_the_lag_is_told_by_the_secondary(stacked):
    node, group = {"CacheClusterId": "orders-001"}, {"ReplicationGroupId": "orders"}
    assert lags(stacked, node)[-1] == 0.2
    assert lags(stacked, node | {"CacheNodeId": "0001"})[-1] == 0.2
    assert lags(stacked, group) == [] and lags(stacked, node, EAST) == []
    stacked.post("unknowns", **{"elasticache.lag_dimensions": "group"})
    assert lags(stacked, group)[-1] == 0.2 and lags(stacked, node) == []


def test_the_lag_changes_sides_and_grows(stacked):
    node = {"CacheClusterId": "orders-001"}
    fail_over(stacked.client("elasticache", WEST))
    eventually(lambda: lags(stacked, node, EAST) and not lags(stacked, node))
    stacked.post("dark", region=WEST, dark=True)
    eventually(lambda: lags(stacked, node, EAST)[-1] > 1)


def test_calls_are_logged(stacked):
    client = stacked.client("elasticache", WEST)
    stacked.delete("calls")
    fail_over(client)
    client.describe_global_replication_groups()
    logged = [(one["service"], one["action"], one["region"], one["mutating"], one["result"])
              for one in stacked.get("calls")["calls"]]
    assert logged == [
        ("elasticache", "FailoverGlobalReplicationGroup", WEST, True, "ok"),
        ("elasticache", "DescribeGlobalReplicationGroups", WEST, False, "ok")]


def test_faults_and_what_is_not_modelled(local):
    client = local.client("elasticache", EAST)
    local.post("faults", kind="throttle", service="elasticache", **{"from": "any"})
    assert refusal(client.describe_replication_groups)[0] == "Throttling"
    assert refusal(client.create_replication_group, ReplicationGroupId="c", CacheNodeType="x",
                   ReplicationGroupDescription="d", UserGroupIds=["a"])[1] == 501


def allowed(local, actions, resources):
    """A client of a role that may do the actions to the resources."""
    local.role()
    statement = {"Effect": "Allow", "Action": actions, "Resource": resources}
    local.client("iam").put_role_policy(
        RoleName="worker", PolicyName="p",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))


@pytest.fixture
def worker(original_with_function):
    """The server with a function whose role is asked for each call."""
    copy = original_with_function.copy()
    copy.post("timings", **TIMES)
    copy.post("iam", mode="enforce")
    yield copy
    copy.post("shutdown")


def call(worker, action, region=EAST, **arguments):
    """What a call of the function ends with: None or the error's code."""
    worker.client("lambda", region)
    _, answer = worker.invoke({"do": "call", "service": "elasticache", "action": action,
                               "arguments": arguments})
    return answer["error"]


def test_iam_asks_for_the_datastore_and_the_group(worker):
    arguments = {"GlobalReplicationGroupId": ID, "PrimaryRegion": WEST,
                 "PrimaryReplicationGroupId": "orders"}
    action = "elasticache:FailoverGlobalReplicationGroup"
    places = ["arn:aws:elasticache::123456789012:globalreplicationgroup:*",
              "arn:aws:elasticache:us-west-2:123456789012:replicationgroup:orders"]
    for resources, code in ((places[:1], "AccessDenied"), (places[1:], "AccessDenied"),
                            (places, "GlobalReplicationGroupNotFoundFault")):
        allowed(worker, action, resources)
        assert call(worker, "failover_global_replication_group", **arguments) == code


def test_a_final_snapshot_needs_a_permission_of_its_own(worker):
    arguments = {"ReplicationGroupId": "orders", "FinalSnapshotIdentifier": "last"}
    allowed(worker, ["elasticache:DeleteReplicationGroup"], "*")
    assert call(worker, "delete_replication_group", **arguments) == "AccessDenied"
    assert call(worker, "delete_replication_group", ReplicationGroupId="orders") == \
        "ReplicationGroupNotFoundFault"
    allowed(worker, ["elasticache:DeleteReplicationGroup", "elasticache:CreateSnapshot"], "*")
    assert call(worker, "delete_replication_group", **arguments) == "ReplicationGroupNotFoundFault"
