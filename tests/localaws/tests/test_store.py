"""The template store and its neighbours in templates: nothing that protects is left out in silence."""

import json

import pytest
from test_cloudformation import Stacks

CORE = "aws-dr-orchestrator-core-us-east-1"


@pytest.fixture
def cfn(local):
    return Stacks(local)


PROPERTIES = {
    "BucketName": "store",
    "VersioningConfiguration": {"Status": "Enabled"},
    "BucketEncryption": {"ServerSideEncryptionConfiguration": [{
        "ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "k"},
        "BucketKeyEnabled": "true"}]},
    "PublicAccessBlockConfiguration": {
        "BlockPublicAcls": True, "BlockPublicPolicy": True, "IgnorePublicAcls": True,
        "RestrictPublicBuckets": True},
    "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
    "LifecycleConfiguration": {"Rules": [{
        "Id": "old", "Status": "Enabled", "ExpiredObjectDeleteMarker": True,
        "NoncurrentVersionExpiration": {"NoncurrentDays": "30"}}]}}


def bucket(**changes):
    return {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": PROPERTIES | changes}}


def test_every_property_of_a_bucket_is_carried_out(cfn):
    assert cfn.create(bucket())["StackStatus"] == "CREATE_COMPLETE", cfn.reasons()
    s3 = cfn.local.client("s3")
    assert s3.get_bucket_versioning(Bucket="store")["Status"] == "Enabled"
    (rule,) = s3.get_bucket_encryption(Bucket="store")["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["BucketKeyEnabled"] is True
    assert rule["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"] == "k"
    blocks = s3.get_public_access_block(Bucket="store")["PublicAccessBlockConfiguration"]
    assert set(blocks.values()) == {True}
    (rule,) = s3.get_bucket_lifecycle_configuration(Bucket="store")["Rules"]
    assert rule["NoncurrentVersionExpiration"]["NoncurrentDays"] == 30
    assert rule["Expiration"]["ExpiredObjectDeleteMarker"] is True
    changed = cfn.update(bucket(VersioningConfiguration={"Status": "Suspended"}))
    assert changed["StackStatus"] == "UPDATE_COMPLETE", cfn.reasons()
    assert s3.get_bucket_versioning(Bucket="store")["Status"] == "Suspended"


@pytest.mark.parametrize("changes", [
    {"ObjectLockEnabled": True},
    {"LifecycleConfiguration": {"Rules": [{"Status": "Enabled", "Transitions": []}]}},
    {"BucketEncryption": {"ServerSideEncryptionConfiguration": [{
        "ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256", "KMSMasterKeyID": "k"}}]}},
])
def test_what_is_not_carried_out_fails(cfn, changes):
    assert cfn.create(bucket(**changes))["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "Bucket" in cfn.reasons()


def test_a_bucket_that_exists_is_not_taken_over(cfn):
    cfn.local.client("s3").create_bucket(Bucket="store")
    assert cfn.create(bucket())["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "already exists" in cfn.reasons()["Bucket"]


def test_a_bucket_policy_tells_the_orchestrators_roles_apart(worker):
    s3 = worker.client("s3")
    s3.create_bucket(Bucket="store")
    role = "arn:aws:iam::123456789012:role/dr-orchestrator/"
    s3.put_bucket_policy(Bucket="store", Policy=json.dumps({"Version": "2012-10-17", "Statement": [{
        "Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "s3:PutObject",
        "NotResource": "arn:aws:s3:::store/journal/*",
        "Condition": {"ArnLike": {"aws:PrincipalArn": role + "*"},
                      "ArnNotLike": {"aws:PrincipalArn": role + CORE}}}]}))
    event = {"do": "call", "service": "s3", "action": "put_object"}
    for key, code in (("journal/a", None), ("manifests/a", "AccessDenied")):
        arguments = {"Bucket": "store", "Key": key, "Body": "x"}
        assert worker.invoke(event | {"arguments": arguments})[1] == {"error": code}, key
    s3.put_object(Bucket="store", Key="manifests/a", Body=b"by a person")


def test_a_key_rotates_and_goes_after_its_window(cfn):
    key = {"Key": {"Type": "AWS::KMS::Key", "Properties": {
        "EnableKeyRotation": True, "PendingWindowInDays": 7,
        "KeyPolicy": {"Version": "2012-10-17", "Statement": []}}}}
    assert cfn.create(key)["StackStatus"] == "CREATE_COMPLETE", cfn.reasons()
    kms, name = cfn.local.client("kms"), cfn.physical("Key")
    assert kms.get_key_rotation_status(KeyId=name)["KeyRotationEnabled"] is True
    stack = cfn.describe()["StackId"]
    cfn.api.delete_stack(StackName="stack")
    assert cfn.settled(stack)["StackStatus"] == "DELETE_COMPLETE"
    assert kms.describe_key(KeyId=name)["KeyMetadata"]["KeyState"] == "PendingDeletion"


def metric_filter(**changes):
    transformation = {"MetricName": "m", "MetricNamespace": "n", "MetricValue": "1",
                      "Dimensions": [{"Key": "Product", "Value": "$.product"}]} | changes
    return {
        "Group": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "group"}},
        "Filter": {"Type": "AWS::Logs::MetricFilter", "Properties": {
            "LogGroupName": {"Ref": "Group"}, "FilterPattern": '{ $.event = "report" }',
            "MetricTransformations": [transformation]}}}


def test_metric_filters_are_kept(cfn):
    assert cfn.create(metric_filter())["StackStatus"] == "CREATE_COMPLETE", cfn.reasons()
    (found,) = cfn.local.client("logs").describe_metric_filters()["metricFilters"]
    assert found["metricTransformations"][0]["dimensions"] == {"Product": "$.product"}


def test_a_metric_with_dimensions_has_no_default(cfn):
    assert cfn.create(metric_filter(DefaultValue=0))["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "mutually exclusive" in cfn.reasons()["Filter"]


def test_a_scheduled_rule_fires_when_told(local):
    events, sqs = local.client("events"), local.client("sqs")
    url = sqs.create_queue(QueueName="seen", Attributes={"Policy": json.dumps({"Statement": [{
        "Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "*",
        "Resource": "*"}]})})["QueueUrl"]
    events.put_rule(Name="plan", ScheduleExpression="rate(15 minutes)")
    events.put_targets(Rule="plan", Targets=[{
        "Id": "t", "Arn": "arn:aws:sqs:us-east-1:123456789012:seen", "Input": '{"planOnly": true}'}])
    fired = local.post("schedule", region="us-east-1", rule="plan").json()["fired"]
    assert [one["input"] for one in fired] == ['{"planOnly": true}']
    (message,) = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5)["Messages"]
    assert message["Body"] == '{"planOnly": true}'
    assert local.post("schedule", region="us-east-1", rule="other").status_code == 400
