"""The call log names service, action, caller and result, whatever the protocol."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

CASES = [
    ("s3", "create_bucket", {"Bucket": "b-one"}, "s3", "CreateBucket", True),
    ("s3", "list_objects_v2", {"Bucket": "b-one"}, "s3", "ListObjectsV2", False),
    ("s3", "put_object", {"Bucket": "b-one", "Key": "runs/a b.json", "Body": b"{}"}, "s3",
     "PutObject", True),
    ("s3", "get_object", {"Bucket": "b-one", "Key": "runs/a b.json"}, "s3", "GetObject", False),
    ("s3", "head_object", {"Bucket": "b-one", "Key": "runs/a b.json"}, "s3", "HeadObject", False),
    ("rds", "describe_db_instances", {}, "rds", "DescribeDBInstances", False),
    ("ssm", "put_parameter", {"Name": "/a", "Value": "v", "Type": "String"}, "ssm",
     "PutParameter", True),
    ("ssm", "get_parameter", {"Name": "/a"}, "ssm", "GetParameter", False),
    ("stepfunctions", "list_state_machines", {}, "states", "ListStateMachines", False),
    ("lambda", "list_functions", {}, "lambda", "ListFunctions", False),
    ("cloudwatch", "put_metric_data", {"Namespace": "DR", "MetricData": [
        {"MetricName": "m", "Value": 1}]}, "cloudwatch", "PutMetricData", True),
    ("events", "put_rule", {"Name": "r", "EventPattern": "{}"}, "events", "PutRule", True),
    ("logs", "describe_log_groups", {}, "logs", "DescribeLogGroups", False),
    ("iam", "list_roles", {}, "iam", "ListRoles", False),
    ("cloudformation", "list_stacks", {}, "cloudformation", "ListStacks", False),
    ("ec2", "describe_vpcs", {}, "ec2", "DescribeVpcs", False),
    ("sqs", "create_queue", {"QueueName": "q"}, "sqs", "CreateQueue", True),
    ("secretsmanager", "list_secrets", {}, "secretsmanager", "ListSecrets", False),
    ("kms", "list_keys", {}, "kms", "ListKeys", False),
    ("elbv2", "describe_load_balancers", {}, "elasticloadbalancing", "DescribeLoadBalancers",
     False),
    ("route53", "list_hosted_zones", {}, "route53", "ListHostedZones", False),
    ("dynamodb", "list_tables", {}, "dynamodb", "ListTables", False),
]


def test_every_protocol(local):
    for service, method, arguments, *_ in CASES:
        getattr(local.client(service), method)(**arguments)
    seen = [(call["service"], call["action"], call["mutating"], call["result"])
            for call in local.get("calls")["calls"]]
    assert seen == [(service, action, mutating, "ok") for *_, service, action, mutating in CASES]


def test_parameters_without_secrets_and_bodies(local):
    local.client("s3").create_bucket(Bucket="b-two")
    local.client("s3").put_object(Bucket="b-two", Key="k", Body=b"content")
    local.client("ssm").put_parameter(Name="/a", Value="v" * 300, Type="String")
    with pytest.raises(ClientError):
        local.client("rds").modify_db_instance(DBInstanceIdentifier="no",
                                               MasterUserPassword="hidden!")
    calls = local.get("calls")["calls"]
    assert calls[1]["request"]["Key"] == "k" and "Body" not in calls[1]["request"]
    assert len(calls[2]["request"]["Value"]) < 300
    assert calls[3]["request"] == {"DBInstanceIdentifier": "no", "MasterUserPassword": "***"}


def test_error_codes_and_numbers(local):
    with pytest.raises(ClientError):
        local.client("rds").describe_db_instances(DBInstanceIdentifier="nobody")
    with pytest.raises(ClientError):
        local.client("ssm").get_parameter(Name="/nobody")
    with pytest.raises(ClientError):
        local.client("lambda", "eu-west-1").get_function(FunctionName="nobody")
    with pytest.raises(ClientError):
        local.client("s3").list_objects_v2(Bucket="nobody")
    calls = local.get("calls")["calls"]
    assert [call["result"] for call in calls] == [
        "DBInstanceNotFound", "ParameterNotFound", "ResourceNotFoundException", "NoSuchBucket"]
    assert [call["status"] for call in calls] == [404, 400, 404, 404]
    assert calls[2]["region"] == "eu-west-1"
    assert calls[0]["principal"] == "arn:aws:iam::123456789012:user/local-administrator"
    assert local.get("calls", since=calls[2]["n"])["calls"] == calls[3:]
    local.delete("calls")
    assert local.get("calls")["calls"] == []


def test_users_are_named(local):
    iam = local.client("iam")
    iam.create_user(UserName="operator")
    key = iam.create_access_key(UserName="operator")["AccessKey"]
    local.client("sts", aws_access_key_id=key["AccessKeyId"],
                 aws_secret_access_key=key["SecretAccessKey"]).get_caller_identity()
    assert local.get("calls")["calls"][-1]["principal"].endswith(":user/operator")


def test_the_region_is_the_signed_one(local):
    """Not what an object's key or a user agent look like."""
    s3 = local.client("s3", "eu-west-1")
    s3.create_bucket(Bucket="b-three", CreateBucketConfiguration={
        "LocationConstraint": "eu-west-1"})
    s3.put_object(Bucket="b-three", Key="x.us-west-2.amazonaws.com/y", Body=b"")
    assert {call["region"] for call in local.get("calls")["calls"]} == {"eu-west-1"}


def test_cbor_requests_of_newer_sdks(local):
    import requests
    from localaws import cbor

    scope = "Credential=local/20260101/us-east-1/monitoring/aws4_request"
    headers = {"smithy-protocol": "rpc-v2-cbor", "Content-Type": "application/cbor",
               "Authorization": f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0"}
    base = f"{local.url}/service/GraniteServiceVersion20100801/operation/"
    body = cbor.encode({"DashboardName": "DR", "DashboardBody": '{"widgets": []}'})
    assert requests.post(base + "PutDashboard", data=body, headers=headers).status_code == 200
    answer = requests.post(base + "ListDashboards", data=cbor.encode({}), headers=headers)
    assert answer.headers["smithy-protocol"] == "rpc-v2-cbor"
    entry = cbor.decode(answer.content)["DashboardEntries"][0]
    assert entry["DashboardName"] == "DR" and entry["LastModified"] > 1_600_000_000
    missing = requests.post(base + "GetDashboard", headers=headers,
                            data=cbor.encode({"DashboardName": "none"}))
    assert missing.status_code in (400, 404)
    assert "__type" in cbor.decode(missing.content)
    actions = [call["action"] for call in local.get("calls")["calls"]]
    assert actions == ["PutDashboard", "ListDashboards", "GetDashboard"]


def test_the_command_line_interface(local):
    environment = os.environ | {
        "AWS_ENDPOINT_URL": local.url, "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local", "AWS_DEFAULT_REGION": "us-east-1"}
    aws = str(Path(sys.executable).with_name("aws"))

    def run(*words):
        done = subprocess.run([aws, *words], env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    run("s3", "mb", "s3://b-four")
    run("s3", "cp", __file__, "s3://b-four/dr/test.py")
    assert "test.py" in run("s3", "ls", "s3://b-four/dr/")
    assert "stateMachines" in run("stepfunctions", "list-state-machines", "--endpoint-url",
                                  local.url)
