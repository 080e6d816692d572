"""What Aurora refuses, keeps and shows of clusters and their instances; and its stacks."""

import json

import pytest
from botocore.exceptions import ClientError
from running import eventually

EAST = "us-east-1"
OWNER = {"MasterUsername": "admin", "MasterUserPassword": "secret-secret"}
SHORT = {name: 0.2 for name in ("visible", "rds.create", "rds.delete", "rds.reboot",
                                "rds.cluster.create", "rds.cluster.delete", "rds.global.create")}
TEMPLATE = {"Resources": {
    "Parameters": {"Type": "AWS::RDS::DBClusterParameterGroup", "Properties": {
        "Family": "aurora-mysql8.0", "Description": "ours", "Parameters": {"time_zone": "UTC"}}},
    "Cluster": {"Type": "AWS::RDS::DBCluster", "DeletionPolicy": "Delete", "Properties": {
        "DBClusterIdentifier": "stacked", "Engine": "aurora-mysql", **OWNER,
        "DBClusterParameterGroupName": {"Ref": "Parameters"}}},
    "Instance": {"Type": "AWS::RDS::DBInstance", "Properties": {
        "DBClusterIdentifier": {"Ref": "Cluster"}, "Engine": "aurora-mysql",
        "DBInstanceClass": "db.r6g.large", "PromotionTier": 2}}},
    "Outputs": {name.replace(".", ""): {"Value": {"Fn::GetAtt": ["Cluster", name]}}
                for name in ("DBClusterArn", "DBClusterResourceId", "Endpoint.Address",
                             "Endpoint.Port", "ReadEndpoint.Address")}}


def refused(call, **arguments):
    with pytest.raises(ClientError) as error:
        call(**arguments)
    return error.value.response["Error"]["Code"]


@pytest.fixture
def rds(local):
    local.post("timings", **SHORT)
    return local.client("rds")


def cluster(rds, name="one", **more):
    rds.create_db_cluster(DBClusterIdentifier=name, Engine="aurora-mysql", **(OWNER | more))
    eventually(lambda: shown(rds, name)["Status"] == "available")


def shown(rds, name="one"):
    return rds.describe_db_clusters(DBClusterIdentifier=name)["DBClusters"][0]


def member(name="one-1", **more):
    return {"DBInstanceIdentifier": name, "DBClusterIdentifier": "one", "Engine": "aurora-mysql",
            "DBInstanceClass": "db.r6g.large"} | more


@pytest.mark.parametrize("wrong, code", [
    ({"BackupRetentionPeriod": 0}, "InvalidParameterValue"),
    ({"MasterUserPassword": ""}, "InvalidParameterValue"),
    ({"EngineVersion": "99.9"}, "InvalidParameterCombination"),
    ({"DBClusterParameterGroupName": "nobody"}, "DBClusterParameterGroupNotFound")])
def test_what_a_cluster_may_not_be(rds, wrong, code):
    arguments = OWNER | wrong
    assert refused(rds.create_db_cluster, DBClusterIdentifier="one", Engine="aurora-mysql",
                   **arguments) == code
    assert rds.describe_db_clusters()["DBClusters"] == []


def test_what_belongs_to_the_cluster_is_not_given_to_its_instances(rds):
    cluster(rds)
    for wrong in (OWNER, {"DBName": "a"}, {"BackupRetentionPeriod": 3},
                  {"DeletionProtection": True}, {"DBInstanceClass": "db.serverless"},
                  {"EngineVersion": "8.0.mysql_aurora.3.01.0"}, {"Engine": "aurora-postgresql"}):
        assert refused(rds.create_db_instance, **member(**wrong)) == "InvalidParameterCombination"
    assert refused(rds.create_db_instance, **member(PromotionTier=16)) == "InvalidParameterValue"
    assert refused(rds.create_db_instance, **member(DBParameterGroupName="nobody")) \
        == "DBParameterGroupNotFound"
    assert shown(rds)["DBClusterMembers"] == []


def test_an_instance_keeps_its_tier_and_has_no_snapshot_of_its_own(rds):
    cluster(rds)
    rds.create_db_instance(**member(PromotionTier=0))
    eventually(lambda: status(rds) == "available")
    assert [one["PromotionTier"] for one in shown(rds)["DBClusterMembers"]] == [0]
    assert refused(rds.create_db_snapshot, DBInstanceIdentifier="one-1",
                   DBSnapshotIdentifier="mine") == "InvalidParameterValue"
    rds.reboot_db_instance(DBInstanceIdentifier="one-1")
    eventually(lambda: status(rds) == "rebooting")
    eventually(lambda: status(rds) == "available")


def status(rds):
    return rds.describe_db_instances(DBInstanceIdentifier="one-1")["DBInstances"][0][
        "DBInstanceStatus"]


def test_what_the_model_lacks_is_not_ignored(rds):
    cluster(rds)
    rds.modify_db_cluster(DBClusterIdentifier="one", BackupRetentionPeriod=7,
                          ApplyImmediately=True)
    assert shown(rds)["BackupRetentionPeriod"] == 7
    with pytest.raises(ClientError) as error:
        rds.modify_db_cluster(DBClusterIdentifier="one", EngineVersion="8.0.mysql_aurora.3.10.0")
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert "engine_version" in error.value.response["Error"]["Message"]


def test_tags(rds):
    cluster(rds, Tags=[{"Key": "a", "Value": "1"}])
    arn = shown(rds)["DBClusterArn"]
    rds.add_tags_to_resource(ResourceName=arn, Tags=[{"Key": "b", "Value": "2"}])
    assert {one["Key"] for one in shown(rds)["TagList"]} == {"a", "b"}
    rds.remove_tags_from_resource(ResourceName=arn, TagKeys=["a"])
    assert rds.list_tags_for_resource(ResourceName=arn)["TagList"] == [{"Key": "b", "Value": "2"}]
    assert refused(rds.list_tags_for_resource, ResourceName=arn + "x") == "DBClusterNotFoundFault"


def stack(client):
    return client.describe_stacks(StackName="db")["Stacks"][0]


def test_a_stack_makes_a_cluster_with_all_that_belongs_to_it(rds, local):
    client = local.client("cloudformation")
    client.create_stack(StackName="db", TemplateBody=json.dumps(TEMPLATE))
    eventually(lambda: stack(client)["StackStatus"] == "CREATE_COMPLETE")
    made = shown(rds, "stacked")
    values = {one["OutputKey"]: one["OutputValue"] for one in stack(client)["Outputs"]}
    assert values == {
        "DBClusterArn": made["DBClusterArn"], "DBClusterResourceId": made["DbClusterResourceId"],
        "EndpointAddress": made["Endpoint"], "EndpointPort": "3306",
        "ReadEndpointAddress": made["ReaderEndpoint"]}
    group = made["DBClusterParameterGroup"]
    parameters = rds.describe_db_cluster_parameters(DBClusterParameterGroupName=group)
    assert [one["ParameterValue"] for one in parameters["Parameters"]] == ["UTC"]
    assert [(one["IsClusterWriter"], one["PromotionTier"]) for one in made["DBClusterMembers"]] \
        == [(True, 2)]
    client.delete_stack(StackName="db")
    eventually(lambda: not rds.describe_db_clusters()["DBClusters"], 20)
    eventually(lambda: not rds.describe_db_cluster_parameter_groups()["DBClusterParameterGroups"])


def test_a_reset_account_has_no_clusters(rds, local):
    import requests

    cluster(rds)
    requests.post(f"{local.url}/moto-api/reset", timeout=10)
    assert rds.describe_db_clusters()["DBClusters"] == []
