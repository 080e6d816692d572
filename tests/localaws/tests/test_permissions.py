"""The policies of roles: noted in the call log, and enforced when told so."""

import json

import pytest
from botocore.exceptions import ClientError
from localaws import permission_resources
from localaws.permission_resources import Place
from running import ROLE

HERE = Place("us-east-1", "123456789012")


def allow(local, *statements, name="caller"):
    """Clients with a session of a role that has these statements."""
    local.role(name, {"AWS": "arn:aws:iam::123456789012:root"})
    documents = [{"Effect": "Allow", "Action": action, "Resource": resource}
                 for action, resource in statements]
    local.client("iam").put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=json.dumps(
        {"Version": "2012-10-17", "Statement": documents}))
    return local.client("sts")


def session(sts, policy=None, name="caller"):
    more = {"Policy": json.dumps(policy)} if policy else {}
    keys = sts.assume_role(RoleArn=f"arn:aws:iam::123456789012:role/dr-orchestrator/{name}",
                           RoleSessionName="dr-run", **more)["Credentials"]
    return {"aws_access_key_id": keys["AccessKeyId"],
            "aws_secret_access_key": keys["SecretAccessKey"],
            "aws_session_token": keys["SessionToken"]}


def test_audit_notes_and_does_not_refuse(local):
    keys = session(allow(local, ("s3:ListAllMyBuckets", "*")))
    local.client("s3", **keys).list_buckets()
    local.client("sns", **keys).list_topics()
    local.client("sns").list_topics()
    assert [(call["action"], call["iam"]) for call in local.get("calls")["calls"][-3:]] == [
        ("ListBuckets", "allowed"), ("ListTopics", "denied"), ("ListTopics", None)]


def test_the_default_version_of_a_managed_policy_counts(local):
    sts, iam = allow(local, ("s3:ListAllMyBuckets", "*")), local.client("iam")
    document = json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "sns:ListTopics", "Resource": "*"}]})
    policy = iam.create_policy(PolicyName="managed", PolicyDocument=document)["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="caller", PolicyArn=policy)
    keys = session(sts)
    local.client("sns", **keys).list_topics()
    iam.create_policy_version(PolicyArn=policy, SetAsDefault=True,
                              PolicyDocument=document.replace("sns:ListTopics", "sns:Publish"))
    local.client("sns", **keys).list_topics()
    listed = [call for call in local.get("calls")["calls"] if call["action"] == "ListTopics"]
    assert [call["iam"] for call in listed] == ["allowed", "denied"]


@pytest.mark.parametrize("owner, expected", [("123456789012", "allowed"), ("210987654321", "denied")])
def test_the_owner_of_a_bucket_can_be_asked_for(local, owner, expected):
    sts, s3 = allow(local, ("s3:ListAllMyBuckets", "*")), local.client("s3")
    s3.create_bucket(Bucket="bucket")
    s3.put_object(Bucket="bucket", Key="key", Body=b"text")
    local.client("iam").put_role_policy(RoleName="caller", PolicyName="p", PolicyDocument=json.dumps(
        {"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Action": "s3:GetObject", "Resource": "*",
            "Condition": {"StringEquals": {"s3:ResourceAccount": ["111111111111", owner]}}}]}))
    local.client("s3", **session(sts)).get_object(Bucket="bucket", Key="key")
    assert local.get("calls")["calls"][-1]["iam"] == expected


@pytest.mark.parametrize("service, method, arguments, code", [
    ("rds", "describe_db_instances", {}, "AccessDenied"),
    ("sns", "publish", {"TopicArn": "arn:aws:sns:us-east-1:123456789012:t", "Message": "m"},
     "AccessDenied"),
    ("s3", "get_object", {"Bucket": "bucket", "Key": "other/key"}, "AccessDenied"),
    ("ssm", "get_parameter", {"Name": "/secret"}, "AccessDeniedException"),
    ("stepfunctions", "list_state_machines", {}, "AccessDeniedException"),
    ("lambda", "invoke", {"FunctionName": "f"}, "AccessDeniedException"),
    ("ec2", "describe_vpcs", {}, "UnauthorizedOperation")])
def test_enforcement_in_each_protocol(local, service, method, arguments, code):
    local.client("s3").create_bucket(Bucket="bucket")
    keys = session(allow(local, ("s3:GetObject", "arn:aws:s3:::bucket/runs/*")))
    local.post("iam", mode="enforce")
    with pytest.raises(ClientError) as raised:
        getattr(local.client(service, **keys), method)(**arguments)
    assert raised.value.response["Error"]["Code"] == code
    call = local.get("calls")["calls"][-1]
    assert (call["result"], call["iam"]) == (code, "denied")


def test_resources_count(local):
    local.client("s3").create_bucket(Bucket="bucket")
    keys = session(allow(local, ("s3:*", "arn:aws:s3:::bucket/runs/*")))
    local.post("iam", mode="enforce")
    s3 = local.client("s3", **keys)
    s3.put_object(Bucket="bucket", Key="runs/x", Body=b"")
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.put_object(Bucket="bucket", Key="pending/x", Body=b"")
    with pytest.raises(ClientError, match="s3:ListBucket on resource: arn:aws:s3:::bucket "):
        s3.list_objects_v2(Bucket="bucket")


def test_a_session_policy_narrows(local):
    """What a plan relies on: its session may read only."""
    sts = allow(local, ("sns:*", "*"))
    reading = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "sns:ListTopics", "Resource": "*"}]}
    local.post("iam", mode="enforce")
    sns = local.client("sns", **session(sts, reading))
    sns.list_topics()
    with pytest.raises(ClientError, match="no session policy allows the sns:CreateTopic action"):
        sns.create_topic(Name="t")
    local.client("sns", **session(sts)).create_topic(Name="t")


def test_functions_are_bound_by_their_role(worker):
    worker.post("iam", mode="enforce")
    event = {"do": "call", "service": "sns", "action": "list_topics"}
    assert worker.invoke(event) == (None, {"error": "AccessDenied"})
    assert worker.client("iam").get_role(RoleName="worker")["Role"]["Arn"] == ROLE


def test_passing_a_role_needs_a_permission_too(local):
    stack = {"StackName": "s", "TemplateBody": "{}", "RoleARN": ROLE}
    keys = session(allow(local, ("cloudformation:*", "*")))
    local.post("iam", mode="enforce")
    with pytest.raises(ClientError, match="iam:PassRole"):
        local.client("cloudformation", **keys).create_stack(**stack)


@pytest.mark.parametrize("service, action, parameters, expected", [
    ("lambda", "Invoke", {"FunctionName": "f"},
     ("lambda:InvokeFunction", "arn:aws:lambda:us-east-1:123456789012:function:f")),
    ("s3", "HeadObject", {"Bucket": "b", "Key": "k"}, ("s3:GetObject", "arn:aws:s3:::b/k")),
    ("rds", "DescribeDBInstances", {}, ("rds:DescribeDBInstances",
                                        "arn:aws:rds:us-east-1:123456789012:db:*")),
    ("ssm", "GetParameters", {"Names": ["/a/b"]},
     ("ssm:GetParameters", "arn:aws:ssm:us-east-1:123456789012:parameter/a/b")),
    ("states", "SendTaskSuccess", {"taskToken": "t"}, ("states:SendTaskSuccess", "*")),
    ("cloudformation", "DescribeStacks", {"StackName": "s"},
     ("cloudformation:DescribeStacks",
      "arn:aws:cloudformation:us-east-1:123456789012:stack/s/*")),
    ("cloudwatch", "PutDashboard", {"DashboardName": "d"},
     ("cloudwatch:PutDashboard", "arn:aws:cloudwatch::123456789012:dashboard/d")),
    ("kms", "DescribeKey", {"KeyId": "arn:aws:kms:us-east-1:123456789012:key/k"},
     ("kms:DescribeKey", "arn:aws:kms:us-east-1:123456789012:key/k"))])
def test_what_is_checked(service, action, parameters, expected):
    assert permission_resources.checks(service, action, parameters, HERE) == [expected]


def test_a_replica_touches_several_resources():
    found = permission_resources.checks("rds", "CreateDBInstanceReadReplica", {
        "DBInstanceIdentifier": "new", "DBSubnetGroupName": "net",
        "SourceDBInstanceIdentifier": "arn:aws:rds:us-west-2:123456789012:db:old"}, HERE)
    assert {arn.split(":", 5)[5] for _, arn in found} == {"db:new", "db:old", "subgrp:net"}


@pytest.mark.parametrize("service, action, parameters, expected", [
    ("rds", "CreateDBInstance", {"DBInstanceIdentifier": "new", "Tags": [{}]},
     ("rds:AddTagsToResource", "db:new")),
    ("rds", "CopyDBClusterSnapshot", {"TargetDBClusterSnapshotIdentifier": "to", "Tags": [{}],
                                      "SourceDBClusterSnapshotIdentifier": "from"},
     ("rds:AddTagsToResource", "cluster-snapshot:to")),
    ("rds", "DeleteDBInstance",
     {"DBInstanceIdentifier": "old", "FinalDBSnapshotIdentifier": "last"},
     ("rds:CreateDBSnapshot", "snapshot:last")),
    ("rds", "DeleteDBCluster", {"DBClusterIdentifier": "old", "FinalDBSnapshotIdentifier": "last"},
     ("rds:CreateDBClusterSnapshot", "cluster-snapshot:last")),
    ("elasticache", "DeleteReplicationGroup",
     {"ReplicationGroupId": "old", "FinalSnapshotIdentifier": "last"},
     ("elasticache:CreateSnapshot", "snapshot:last"))])
def test_tags_and_final_snapshots_need_permissions_of_their_own(service, action, parameters,
                                                                expected):
    found = permission_resources.checks(service, action, parameters, HERE)
    assert expected in [(name, arn.split(":", 5)[5]) for name, arn in found]


def test_unknown_modes_are_refused(local):
    assert local.post("iam", mode="maybe").status_code == 400
    assert local.get("iam") == {"mode": "audit"}
