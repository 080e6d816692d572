"""RDS on the whole server: stacks, copies of the world, and the control API."""

import json

import pytest

from running import eventually

EAST, WEST = "us-east-1", "us-west-2"
TIMES = {"visible": 0.2, "rds.create": 0.3, "rds.promote": 0.6, "rds.delete": 0.2,
         "rds.snapshot": 0.2, "rds.modify": 0.2}


def template(**more):
    main = {"Type": "AWS::RDS::DBInstance", "DeletionPolicy": more.pop("policy", "Delete"),
            "Properties": {
                "DBInstanceIdentifier": "main", "Engine": "postgres", "AllocatedStorage": "20",
                "DBInstanceClass": "db.t4g.micro", "MasterUsername": "owner",
                "MasterUserPassword": "correct-horse", "BackupRetentionPeriod": 3} | more}
    return json.dumps({"Resources": {"Main": main}, "Outputs": {
        "Arn": {"Value": {"Fn::GetAtt": ["Main", "DBInstanceArn"]}},
        "Port": {"Value": {"Fn::GetAtt": ["Main", "Endpoint.Port"]}}}})


def stack_status(local, name="db"):
    stacks = local.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    return stacks[0]["StackStatus"]


def instance(local, region, name):
    found = local.client("rds", region).describe_db_instances(DBInstanceIdentifier=name)
    return found["DBInstances"][0]


@pytest.fixture
def stacked(local):
    """A source made by a stack and its replica in another Region."""
    local.post("timings", **TIMES)
    local.client("cloudformation").create_stack(StackName="db", TemplateBody=template())
    eventually(lambda: stack_status(local) == "CREATE_COMPLETE")
    outputs = local.client("cloudformation").describe_stacks(StackName="db")["Stacks"][0]["Outputs"]
    values = {one["OutputKey"]: one["OutputValue"] for one in outputs}
    assert values["Port"] == "5432" and values["Arn"].endswith(":db:main")
    local.client("rds", WEST).create_db_instance_read_replica(
        DBInstanceIdentifier="copy", SourceDBInstanceIdentifier=values["Arn"])
    eventually(lambda: instance(local, WEST, "copy")["DBInstanceStatus"] == "available")
    return local


def test_a_stack_is_complete_when_its_instance_is(stacked):
    found = instance(stacked, EAST, "main")
    assert (found["DBInstanceStatus"], found["BackupRetentionPeriod"]) == ("available", 3)


def test_a_stack_modifies(stacked):
    stacked.client("cloudformation").update_stack(
        StackName="db", TemplateBody=template(DeletionProtection=True, MultiAZ="true"))
    eventually(lambda: stack_status(stacked) == "UPDATE_COMPLETE")
    found = instance(stacked, EAST, "main")
    assert found["MultiAZ"] and found["DeletionProtection"]


@pytest.mark.parametrize("policy, snapshots", [("Delete", 0), ("Snapshot", 1)])
def test_a_stack_deletes(local, policy, snapshots):
    local.post("timings", **TIMES)
    client = local.client("cloudformation")
    client.create_stack(StackName="db", TemplateBody=template(policy=policy))
    eventually(lambda: stack_status(local) == "CREATE_COMPLETE")
    identifier = client.describe_stacks(StackName="db")["Stacks"][0]["StackId"]
    client.delete_stack(StackName="db")
    eventually(lambda: stack_status(local, identifier) == "DELETE_COMPLETE")
    rds = local.client("rds")
    assert rds.describe_db_instances()["DBInstances"] == []
    left = rds.describe_db_snapshots(SnapshotType="manual")["DBSnapshots"]
    assert len(left) == snapshots


def test_a_copy_of_the_world_goes_on_by_itself(stacked):
    stacked.client("rds", WEST).promote_read_replica(DBInstanceIdentifier="copy")
    copy = stacked.copy()
    try:
        eventually(lambda: instance(copy, WEST, "copy")["BackupRetentionPeriod"]
                   and instance(copy, WEST, "copy")["DBInstanceStatus"] == "available")
        copy.client("rds", WEST).delete_db_instance(DBInstanceIdentifier="copy",
                                                    SkipFinalSnapshot=True)
        eventually(lambda: copy.client("rds", WEST).describe_db_instances()["DBInstances"] == [])
    finally:
        copy.post("shutdown")
    assert instance(stacked, WEST, "copy")["DBInstanceIdentifier"] == "copy"


def test_control_api(stacked):
    answer = stacked.post("rds", region=WEST, id="copy", status="storage-full")
    assert answer.json() == {"id": "copy", "status": "storage-full", "replication": "replicating"}
    assert instance(stacked, WEST, "copy")["DBInstanceStatus"] == "storage-full"
    assert stacked.post("rds", region=WEST, id="nobody", status="failed").status_code == 400


def test_a_dark_source(stacked):
    stacked.post("timings", **{"rds.replication_error": 0})
    stacked.post("dark", region=EAST, dark=True)
    infos = instance(stacked, WEST, "copy")["StatusInfos"]
    assert infos[0]["Status"] == "error"
    stacked.post("dark", region=EAST, dark=False)
    assert instance(stacked, WEST, "copy")["StatusInfos"][0]["Status"] == "replicating"
