"""What CloudFormation does on AWS and moto alone does not."""

import json
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from running import KEYS, eventually, zipped

ALL = ["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
TRUST = {"Version": "2012-10-17", "Statement": [{
    "Effect": "Allow", "Action": "sts:AssumeRole",
    "Principal": {"Service": ["lambda.amazonaws.com", "states.amazonaws.com"]}}]}


def parameter(value="x", **more):
    return {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": value, **more}}


ROLE = {"Type": "AWS::IAM::Role", "Properties": {
    "RoleName": "role", "Path": "/dr-orchestrator/", "AssumeRolePolicyDocument": TRUST}}


class Stacks:
    """CloudFormation of one server."""

    def __init__(self, local):
        self.local, self.api = local, local.client("cloudformation")

    def template(self, resources, **more):
        if isinstance(resources, str):
            return textwrap.dedent(resources)
        return json.dumps({"Resources": resources, **more}, default=str)

    def create(self, resources, name="stack", template=None, **more):
        more.setdefault("Capabilities", ALL)
        self.api.create_stack(StackName=name, TemplateBody=self.template(
            resources, **(template or {})), **more)
        return self.settled(name)

    def update(self, resources, name="stack", template=None, **more):
        more.setdefault("Capabilities", ALL)
        self.api.update_stack(StackName=name, TemplateBody=self.template(
            resources, **(template or {})), **more)
        return self.settled(name)

    def describe(self, name="stack"):
        return self.api.describe_stacks(StackName=name)["Stacks"][0]

    def settled(self, name="stack"):
        def settled():
            stack = self.describe(name)
            return None if stack["StackStatus"].endswith("_IN_PROGRESS") else stack
        return eventually(settled, 30)

    def reasons(self, name="stack"):
        return {event["LogicalResourceId"]: event["ResourceStatusReason"]
                for event in self.api.describe_stack_events(StackName=name)["StackEvents"]
                if event["ResourceStatus"].endswith("_FAILED")}

    def outputs(self, name="stack"):
        return {one["OutputKey"]: one["OutputValue"] for one in self.describe(name)["Outputs"]}

    def physical(self, logical, name="stack"):
        return self.api.describe_stack_resource(
            StackName=name, LogicalResourceId=logical)["StackResourceDetail"]["PhysicalResourceId"]

    def upload(self, key, body, bucket="artifacts", region="us-west-2"):
        s3 = self.local.client("s3", region)
        if bucket not in [one["Name"] for one in s3.list_buckets()["Buckets"]]:
            where = {} if region == "us-east-1" else {
                "CreateBucketConfiguration": {"LocationConstraint": region}}
            s3.create_bucket(Bucket=bucket, **where)
        s3.put_object(Bucket=bucket, Key=key, Body=body)

    def change_set(self, resources, name="set", stack="stack", kind="UPDATE", **more):
        more.setdefault("Capabilities", ALL)
        made = self.api.create_change_set(
            StackName=stack, ChangeSetName=name, ChangeSetType=kind,
            TemplateBody=self.template(resources), **more)

        def computed():
            found = self.api.describe_change_set(ChangeSetName=made["Id"])
            return None if found["Status"] == "CREATE_IN_PROGRESS" else found
        return eventually(computed)

    def changes(self, resources, **more):
        found = self.change_set(resources, **more)
        return {one["ResourceChange"]["LogicalResourceId"]: (
            one["ResourceChange"]["Action"], one["ResourceChange"].get("Replacement"))
            for one in found["Changes"]}


@pytest.fixture
def cfn(local):
    return Stacks(local)


def refusal(call, *arguments, **more):
    with pytest.raises(ClientError) as caught:
        call(*arguments, **more)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


# --- types


def test_a_type_that_nobody_implements_fails_by_name(cfn):
    stack = cfn.create({"Good": parameter(), "Odd": {
        "Type": "AWS::CloudFormation::WaitConditionHandle"}})
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "AWS::CloudFormation::WaitConditionHandle" in cfn.reasons()["Odd"]
    assert cfn.local.client("ssm").describe_parameters()["Parameters"] == []


def test_unknown_and_missing_properties_fail(cfn):
    stack = cfn.create({"P": parameter(Typo="x"), "Q": {
        "Type": "AWS::SSM::Parameter", "DependsOn": "P", "Properties": {"Type": "String"}}})
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "extraneous key [Typo]" in cfn.reasons()["P"]


def test_topic_subscriptions_and_policy(cfn):
    cfn.create({
        "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"Subscription": [
            {"Protocol": "email", "Endpoint": "inline@example.org"}]}},
        "Mail": {"Type": "AWS::SNS::Subscription", "Properties": {
            "TopicArn": {"Ref": "Topic"}, "Protocol": "email", "Endpoint": "me@example.org"}},
        "Policy": {"Type": "AWS::SNS::TopicPolicy", "Properties": {
            "Topics": [{"Ref": "Topic"}], "PolicyDocument": {"Version": "2012-10-17", "Statement": [
                {"Sid": "mine", "Effect": "Allow", "Action": "sns:Publish", "Resource": "*",
                 "Principal": {"Service": "events.amazonaws.com"}}]}}}})
    sns, topic = cfn.local.client("sns"), cfn.physical("Topic")
    found = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert {one["Endpoint"] for one in found} == {"inline@example.org", "me@example.org"}
    policy = sns.get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"]
    assert json.loads(policy)["Statement"][0]["Sid"] == "mine"


FUNCTION = {"Type": "AWS::Lambda::Function", "Properties": {
    "FunctionName": "worker", "Runtime": "provided.al2023", "Handler": "bootstrap",
    "Role": {"Fn::GetAtt": ["Role", "Arn"]}, "Timeout": {"Ref": "Timeout"},
    "Code": {"S3Bucket": "artifacts", "S3Key": {"Ref": "Key"}},
    "DeadLetterConfig": {"TargetArn": {"Fn::GetAtt": "Queue.Arn"}},
    "Environment": {"Variables": {"LEVEL": "info", "ON": True}}}}
FUNCTION_STACK = {"Role": ROLE, "Queue": {"Type": "AWS::SQS::Queue"}, "Function": FUNCTION,
                  "Url": {"Type": "AWS::Lambda::Url", "Properties": {
                      "AuthType": "NONE", "TargetFunctionArn": {"Ref": "Function"}}},
                  "Async": {"Type": "AWS::Lambda::EventInvokeConfig", "Properties": {
                      "FunctionName": {"Ref": "Function"}, "Qualifier": "$LATEST",
                      "MaximumRetryAttempts": 0}}}
FUNCTION_PARAMETERS = {"Parameters": {"Timeout": {"Type": "Number", "Default": 20},
                                      "Key": {"Type": "String", "Default": "a.zip"}},
                       "Outputs": {"Url": {"Value": {"Fn::GetAtt": ["Url", "FunctionUrl"]}}}}


def test_functions_run_their_uploaded_code_and_follow_its_key(cfn):
    for name in ("a", "b"):
        cfn.upload(f"{name}.zip", zipped(zipped_text(name)), region="us-east-1")
    cfn.create(FUNCTION_STACK, template=FUNCTION_PARAMETERS)
    client = cfn.local.client("lambda")
    settings = client.get_function_configuration(FunctionName="worker")
    assert settings["Role"].endswith(":role/dr-orchestrator/role")
    assert settings["Timeout"] == 20
    assert settings["Environment"]["Variables"] == {"LEVEL": "info", "ON": "true"}
    assert cfn.local.invoke({})[1] == "a"
    assert cfn.outputs()["Url"].startswith("http")
    retries = client.get_function_event_invoke_config(FunctionName="worker")
    assert retries["MaximumRetryAttempts"] == 0
    cfn.update(FUNCTION_STACK, template=FUNCTION_PARAMETERS, Parameters=[
        {"ParameterKey": "Key", "ParameterValue": "b.zip"}])
    assert cfn.local.invoke({})[1] == "b"


def zipped_text(answer):
    return f"""#!{sys.executable}
import json, os, urllib.request
BASE = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/invocation/"
while True:
    with urllib.request.urlopen(BASE + "next") as event:
        request = event.headers["Lambda-Runtime-Aws-Request-Id"]
    urllib.request.urlopen(urllib.request.Request(
        BASE + request + "/response", data=json.dumps({answer!r}).encode())).read()
"""


@pytest.mark.parametrize("key,region,words", [("other.zip", "us-east-1", "NoSuchKey"),
                                              ("a.zip", "us-west-2", "PermanentRedirect")])
def test_a_zip_that_is_not_there_fails_the_function(cfn, key, region, words):
    cfn.upload(key, zipped(), region=region)
    stack = cfn.create(FUNCTION_STACK, template=FUNCTION_PARAMETERS)
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert words in cfn.reasons()["Function"]


def machine(**properties):
    return {"Role": ROLE, "Machine": {"Type": "AWS::StepFunctions::StateMachine", "Properties": {
        "StateMachineName": "machine", "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]}, **properties}}}


def run_machine(cfn):
    sfn = cfn.local.client("stepfunctions")
    arn = sfn.start_execution(stateMachineArn=cfn.physical("Machine"))["executionArn"]
    return json.loads(eventually(
        lambda: sfn.describe_execution(executionArn=arn).get("output")))


DEFINITION = '{"StartAt": "P", "States": {"P": {"Type": "Pass", "Result": "${What}", "End": true}}}'


@pytest.mark.parametrize("how", ["Definition", "DefinitionString", "DefinitionS3Location"])
def test_state_machines_execute_and_follow_their_definition(cfn, how):
    cfn.upload("machine.asl.json", DEFINITION)
    value = {"Definition": json.loads(DEFINITION), "DefinitionString": DEFINITION,
             "DefinitionS3Location": {"Bucket": "artifacts", "Key": "machine.asl.json"}}[how]
    values = {"What": {"Fn::GetAtt": ["Role", "Arn"]}}
    cfn.create(machine(**{how: value, "DefinitionSubstitutions": values}))
    assert run_machine(cfn) == "arn:aws:iam::123456789012:role/dr-orchestrator/role"
    before = cfn.physical("Machine")
    cfn.update(machine(**{how: value, "DefinitionSubstitutions": {"What": "new"}}), template={
        "Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["Machine", "Arn"]}},
                    "Name": {"Value": {"Fn::GetAtt": ["Machine", "Name"]}}}})
    assert run_machine(cfn) == "new"
    assert cfn.outputs() == {"Arn": before, "Name": "machine"}


def test_a_bad_definition_fails_the_machine(cfn):
    assert cfn.create(machine(DefinitionString='{"StartAt": "X", "States": {}}'))[
        "StackStatus"] == "ROLLBACK_COMPLETE"
    assert "Invalid State Machine Definition" in cfn.reasons()["Machine"]


def test_types_around_the_functions(cfn):
    vpc = {"VpcId": {"Ref": "Vpc"}}
    stack = cfn.create({
        "Log": {"Type": "AWS::Logs::LogGroup", "Properties": {
            "LogGroupName": "/dr", "RetentionInDays": 7}},
        "LogPolicy": {"Type": "AWS::Logs::ResourcePolicy", "Properties": {
            "PolicyName": "p", "PolicyDocument": json.dumps(TRUST)}},
        "Board": {"Type": "AWS::CloudWatch::Dashboard", "Properties": {
            "DashboardName": "Board", "DashboardBody": '{"widgets": []}'}},
        "Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": {
            "AlarmName": "alarm", "ComparisonOperator": "GreaterThanThreshold", "Period": 60,
            "EvaluationPeriods": 1, "MetricName": "m", "Namespace": "n", "Statistic": "Sum",
            "Threshold": "1"}},
        "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": 7}},
        "QueuePolicy": {"Type": "AWS::SQS::QueuePolicy", "Properties": {
            "Queues": [{"Ref": "Queue"}], "PolicyDocument": TRUST}},
        "Rule": {"Type": "AWS::Events::Rule", "Properties": {
            "EventPattern": {"source": ["x"]},
            "Targets": [{"Id": "q", "Arn": {"Fn::GetAtt": ["Queue", "Arn"]}}]}},
        "Managed": {"Type": "AWS::IAM::ManagedPolicy", "Properties": {
            "Path": "/dr-orchestrator/", "PolicyDocument": {
                "Version": "2012-10-17", "Statement": [{
                    "Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}}},
        "Bucket": {"Type": "AWS::S3::Bucket"},
        "BucketPolicy": {"Type": "AWS::S3::BucketPolicy", "Properties": {
            "Bucket": {"Ref": "Bucket"}, "PolicyDocument": {"Version": "2012-10-17"}}},
        "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}},
        "Subnet": {"Type": "AWS::EC2::Subnet", "Properties": {
            "CidrBlock": {"Fn::Select": [1, {"Fn::Cidr": ["10.0.0.0/16", 2, 8]}]}, **vpc}},
        "Group": {"Type": "AWS::EC2::SecurityGroup", "Properties": {
            "GroupDescription": "g", **vpc}},
        "Endpoint": {"Type": "AWS::EC2::VPCEndpoint", "Properties": {
            "ServiceName": "com.amazonaws.us-east-1.s3", **vpc}},
        "Key": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": {"Version": "2012-10-17"}}},
        "Alias": {"Type": "AWS::KMS::Alias", "Properties": {
            "AliasName": "alias/dr", "TargetKeyId": {"Ref": "Key"}}},
    }, template={"Outputs": {"Arn": {"Value": {"Ref": "Managed"}}}})
    assert stack["StackStatus"] == "CREATE_COMPLETE", cfn.reasons()
    groups = cfn.local.client("logs").describe_log_groups()["logGroups"]
    assert groups[0]["retentionInDays"] == 7
    assert len(cfn.local.client("cloudwatch").describe_alarms()["MetricAlarms"]) == 1
    assert ":policy/dr-orchestrator/stack-" in cfn.outputs()["Arn"]
    stack_id = stack["StackId"]
    cfn.api.delete_stack(StackName="stack")
    assert cfn.settled(stack_id)["StackStatus"] == "DELETE_COMPLETE"
    assert cfn.local.client("logs").describe_log_groups()["logGroups"] == []


DATABASE = {"Type": "AWS::RDS::DBInstance", "DeletionPolicy": "Delete", "Properties": {
    "DBInstanceIdentifier": "orders", "Engine": "mysql", "DBInstanceClass": "db.t3.micro",
    "AllocatedStorage": "20", "MasterUsername": "admin", "MasterUserPassword": "secret-secret"}}


def test_a_database_is_waited_for(cfn):
    cfn.local.post("timings", **{"rds.create": 3, "cloudformation": 0.1})
    cfn.api.create_stack(StackName="stack", TemplateBody=cfn.template({
        "Db": DATABASE, "After": {**parameter({"Fn::GetAtt": ["Db", "Endpoint.Address"]})}}))
    rds = cfn.local.client("rds")
    eventually(lambda: rds.describe_db_instances()["DBInstances"])
    assert cfn.describe()["StackStatus"] == "CREATE_IN_PROGRESS"
    assert cfn.settled()["StackStatus"] == "CREATE_COMPLETE"
    assert rds.describe_db_instances()["DBInstances"][0]["DBInstanceStatus"] == "available"


# --- templates


def test_for_each_and_the_other_extensions(cfn):
    cfn.create("""
        Transform: AWS::LanguageExtensions
        Parameters:
          Names: {Type: CommaDelimitedList, Default: "a,b-c"}
        Resources:
          Fn::ForEach::Parameters:
            - Name
            - !Ref Names
            - Parameter&{Name}:
                Type: AWS::SSM::Parameter
                Properties: {Name: !Sub "/x/${Name}", Type: String, Value: !Ref Name}
          Count:
            Type: AWS::SSM::Parameter
            Properties:
              Name: /count
              Type: String
              Value: !Sub ["${N} of ${J}", {N: !Length [1, 2], J: {Fn::ToJsonString: {a: 1}}}]
        Outputs:
          Fn::ForEach::Outputs:
            - Name
            - !Ref Names
            - Value&{Name}: {Value: !GetAtt [!Sub "Parameter&{Name}", Value]}
        """)
    ssm = cfn.local.client("ssm")
    found = {one["Name"] for one in ssm.describe_parameters()["Parameters"]}
    assert found == {"/x/a", "/x/b-c", "/count"}
    assert ssm.get_parameter(Name="/count")["Parameter"]["Value"] == '2 of {"a":1}'
    assert cfn.outputs() == {"Valuea": "a", "Valuebc": "b-c"}


def test_functions_and_conditions(cfn):
    cfn.create("""
        Mappings: {M: {us-east-1: {v: mapped}}}
        Parameters: {On: {Type: String, Default: "true"}}
        Conditions:
          Yes: !Equals [!Ref On, "true"]
          No: !Not [Condition: "Yes"]
        Resources:
          A:
            Type: AWS::SSM::Parameter
            Properties:
              Type: String
              Description: !If ["No", never, !Ref AWS::NoValue]
              Value: !Join ["-", [!FindInMap [M, !Ref AWS::Region, v], !Select [1, !Split [",",
                     "a,b"]], !If ["Yes", 2010-09-09, x], !Base64 x, "${!a}"]]
          B: {Type: AWS::SSM::Parameter, Condition: "No", Properties: {Type: String, Value: x}}
        Outputs:
          V: {Value: !GetAtt A.Value}
          B: {Condition: "No", Value: !Ref B}
        """)
    assert cfn.outputs() == {"V": "mapped-b-2010-09-09-eA==-${!a}"}


@pytest.mark.parametrize("template,words", [
    ({"Resources": {"A": parameter({"Ref": "Nobody"})}},
     "Unresolved resource dependencies [Nobody] in the Resources block of the template"),
    ({"Resources": {"A": {**parameter(), "DependsOn": "B"}, "B": parameter({"Ref": "A"})}},
     "Circular dependency between resources: [A, B]"),
    ({"Resources": {}}, "At least one Resources member"),
    ({"Resources": {"A": parameter()}, "Parameters": {"P": {"Type": "String"}}},
     "Parameters: [P] must have values"),
    ({"Resources": {"A": parameter()}, "Parameters": {"P": {
        "Type": "String", "Default": "x", "AllowedValues": ["y"]}}},
     "Parameter 'P' must be one of AllowedValues"),
    ({"Resources": {"A": parameter()}, "Transform": "Macro"}, "No transform named Macro found."),
])
def test_templates_that_are_refused(cfn, template, words):
    code, message = refusal(cfn.api.create_stack, StackName="s", TemplateBody=json.dumps(template),
                            Capabilities=ALL)
    assert code == "ValidationError" and words in message
    assert refusal(cfn.describe, "s") == ("ValidationError", "Stack with id s does not exist")


def test_unknown_parameters_and_missing_capabilities_are_refused(cfn):
    body = cfn.template({"A": parameter()})
    code, message = refusal(cfn.api.create_stack, StackName="s", TemplateBody=body, Parameters=[
        {"ParameterKey": "X", "ParameterValue": "1"}])
    assert message == "Parameters: [X] do not exist in the template"
    code, message = refusal(cfn.create, {"Role": ROLE}, Capabilities=["CAPABILITY_IAM"])
    assert (code, message) == ("InsufficientCapabilitiesException",
                               "Requires capabilities : [CAPABILITY_NAMED_IAM]")


def test_parameters_from_the_parameter_store_and_secrets(cfn):
    cfn.local.client("ssm").put_parameter(Name="/key", Value="stored", Type="String")
    cfn.create({"A": parameter({"Ref": "P"})}, template={"Parameters": {
        "P": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/key"},
        "S": {"Type": "String", "Default": "hidden", "NoEcho": True}},
        "Outputs": {"V": {"Value": {"Fn::Sub": "${A.Value} {{resolve:ssm:/key}}"}}}})
    shown = {one["ParameterKey"]: one for one in cfn.describe()["Parameters"]}
    assert shown["P"]["ResolvedValue"] == "stored" and shown["P"]["ParameterValue"] == "/key"
    assert shown["S"]["ParameterValue"] == "****"
    assert cfn.outputs() == {"V": "stored stored"}


NESTED = """
Parameters: {In: {Type: String}, List: {Type: CommaDelimitedList, Default: "x"}}
Resources:
  P: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: !Ref In}}
Outputs:
  Value: {Value: !GetAtt P.Value}
"""


@pytest.mark.parametrize("url", [
    "https://artifacts.s3.us-west-2.amazonaws.com/t/nested.yaml",
    "https://artifacts.s3.amazonaws.com/t/nested.yaml",
    "https://s3.us-west-2.amazonaws.com/artifacts/t/nested.yaml",
    "https://s3.amazonaws.com/artifacts/t/nested.yaml"])
def test_nested_stacks_and_the_forms_of_their_address(cfn, url):
    cfn.upload("t/nested.yaml", NESTED)
    resources = {"Nested": {"Type": "AWS::CloudFormation::Stack", "Properties": {
        "TemplateURL": url, "Parameters": {"In": "in"}}},
        "After": parameter({"Fn::GetAtt": ["Nested", "Outputs.Value"]})}
    cfn.create(resources, template={"Outputs": {"V": {"Value": {"Fn::GetAtt": "After.Value"}}}})
    assert cfn.outputs() == {"V": "in"}
    child = cfn.describe(cfn.physical("Nested"))
    assert child["ParentId"] == cfn.describe()["StackId"] == child["RootId"]


def nested(value="in", **more):
    return {"Nested": {"Type": "AWS::CloudFormation::Stack", "Properties": {
        "TemplateURL": "https://artifacts.s3.us-west-2.amazonaws.com/nested.yaml",
        "Parameters": {"In": value}}}, **more}


def test_nested_stacks_are_updated_rolled_back_and_deleted(cfn):
    cfn.upload("nested.yaml", NESTED)
    cfn.create(nested())
    child = cfn.physical("Nested")
    assert refusal(cfn.update, nested())[1] == "No updates are to be performed."
    cfn.upload("nested.yaml", NESTED.replace("!GetAtt P.Value", '"other"'))
    assert cfn.update(nested())["StackStatus"] == "UPDATE_COMPLETE"
    assert cfn.outputs(child) == {"Value": "other"}
    bad = {**parameter(Type="Wrong"), "DependsOn": "Nested"}
    stack = cfn.update(nested("changed", Bad=bad))
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert cfn.describe(child)["Parameters"][0]["ParameterValue"] == "in"
    cfn.api.delete_stack(StackName="stack")
    assert cfn.settled(stack["StackId"])["StackStatus"] == "DELETE_COMPLETE"
    assert cfn.describe(child)["StackStatus"] == "DELETE_COMPLETE"


def test_a_failing_nested_stack_names_its_reason(cfn):
    cfn.upload("nested.yaml", NESTED.replace("Type: String, Value", "Type: Wrong, Value"))
    assert cfn.create(nested())["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "P: " in cfn.reasons()["Nested"]


# --- operations


def test_operations_take_time_and_a_busy_stack_is_left_alone(cfn):
    cfn.local.post("timings", cloudformation=1.5)
    cfn.api.create_stack(StackName="stack", TemplateBody=cfn.template({"A": parameter()}))
    assert cfn.describe()["StackStatus"] == "CREATE_IN_PROGRESS"
    code, message = refusal(cfn.api.update_stack, StackName="stack",
                            TemplateBody=cfn.template({"A": parameter("y")}))
    assert code == "ValidationError"
    assert message.endswith("is in CREATE_IN_PROGRESS state and can not be updated.")
    assert refusal(cfn.api.create_stack, StackName="stack", TemplateBody=cfn.template(
        {"A": parameter()})) == ("AlreadyExistsException", "Stack [stack] already exists")
    assert cfn.settled()["StackStatus"] == "CREATE_COMPLETE"
    cfn.api.update_stack(StackName="stack", TemplateBody=cfn.template({"A": parameter("y")}))
    assert cfn.describe()["StackStatus"] == "UPDATE_IN_PROGRESS"
    assert cfn.settled()["StackStatus"] == "UPDATE_COMPLETE"
    stack_id = cfn.describe()["StackId"]
    cfn.api.delete_stack(StackName="stack")
    assert cfn.describe()["StackStatus"] == "DELETE_IN_PROGRESS"
    assert cfn.settled(stack_id)["StackStatus"] == "DELETE_COMPLETE"


def test_an_update_replaces_changes_and_removes(cfn):
    cfn.create({"A": parameter("1", Name="/a"), "B": parameter(Name="/b"), "C": parameter()})
    kept = cfn.physical("C")
    stack = cfn.update({"A": parameter("2", Name="/a"), "B": parameter(Name="/new"),
                        "C": parameter("changed"), "D": parameter({"Ref": "B"}, Name="/d")})
    assert stack["StackStatus"] == "UPDATE_COMPLETE"
    ssm = cfn.local.client("ssm")
    names = {one["Name"] for one in ssm.describe_parameters()["Parameters"]}
    assert names == {"/a", "/new", "/d", kept}
    assert ssm.get_parameter(Name="/a")["Parameter"]["Version"] == 2
    assert ssm.get_parameter(Name="/d")["Parameter"]["Value"] == "/new"


def test_a_failed_update_goes_back(cfn):
    cfn.create({"A": parameter("1", Name="/a"), "B": parameter(Name="/b")})
    stack = cfn.update({"A": parameter("2", Name="/a"), "New": parameter(Name="/new"),
                        "Z": {**parameter(Type="Wrong"), "DependsOn": ["A", "New"]}})
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert "Z" in cfn.reasons()
    ssm = cfn.local.client("ssm")
    assert {one["Name"] for one in ssm.describe_parameters()["Parameters"]} == {"/a", "/b"}
    assert ssm.get_parameter(Name="/a")["Parameter"]["Value"] == "1"
    assert cfn.update({"A": parameter("3", Name="/a")})["StackStatus"] == "UPDATE_COMPLETE"


def test_a_rolled_back_creation_cannot_be_updated(cfn):
    cfn.create({"A": parameter(Type="Wrong")})
    assert cfn.describe()["StackStatus"] == "ROLLBACK_COMPLETE"
    code, message = refusal(cfn.update, {"A": parameter()})
    assert "is in ROLLBACK_COMPLETE state and can not be updated." in message


def test_retained_resources_stay(cfn):
    stack = cfn.create({"A": {**parameter(Name="/a"), "DeletionPolicy": "Retain"},
                        "B": parameter(Name="/b")})
    cfn.api.delete_stack(StackName="stack")
    assert cfn.settled(stack["StackId"])["StackStatus"] == "DELETE_COMPLETE"
    found = cfn.local.client("ssm").describe_parameters()["Parameters"]
    assert [one["Name"] for one in found] == ["/a"]


def test_missing_stacks(cfn):
    assert refusal(cfn.update, {"A": parameter()}, name="none")[1] == "Stack [none] does not exist"
    assert refusal(cfn.api.describe_stack_events, StackName="none")[1] == (
        "Stack [none] does not exist")
    cfn.api.delete_stack(StackName="none")


def exporter(value="v", name="the-export"):
    return {"Outputs": {"O": {"Value": value, "Export": {"Name": name}}}}


def test_exports_and_imports(cfn):
    imported = {"B": parameter({"Fn::ImportValue": "the-export"})}
    assert cfn.create(imported, name="early")["StackStatus"] == "ROLLBACK_COMPLETE"
    assert cfn.reasons("early")["B"] == "No export named the-export found."
    cfn.create({"A": parameter()}, template=exporter())
    cfn.create(imported, name="late")
    assert cfn.api.list_imports(ExportName="the-export")["Imports"] == ["late"]
    stack = cfn.update({"A": parameter()}, template=exporter("other"))
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    events = cfn.api.describe_stack_events(StackName="stack")["StackEvents"]
    assert any("Export the-export cannot be updated as it is in use by late"
               in event.get("ResourceStatusReason", "") for event in events)
    cfn.api.delete_stack(StackName="stack")
    assert cfn.settled()["StackStatus"] == "DELETE_FAILED"
    twice = cfn.create({"A": parameter()}, name="twice", template=exporter())
    assert twice["StackStatus"] == "ROLLBACK_COMPLETE"
    assert any("already exported by stack stack" in event.get("ResourceStatusReason", "")
               for event in cfn.api.describe_stack_events(StackName="twice")["StackEvents"])


def test_a_token_makes_a_request_idempotent(cfn):
    body = cfn.template({"A": parameter()})
    first = cfn.api.create_stack(StackName="s", TemplateBody=body, ClientRequestToken="t")
    again = cfn.api.create_stack(StackName="s", TemplateBody=body, ClientRequestToken="t")
    assert first["StackId"] == again["StackId"]
    code, _ = refusal(cfn.api.create_stack, StackName="s", ClientRequestToken="t",
                      TemplateBody=cfn.template({"A": parameter("y")}))
    assert code == "TokenAlreadyExistsException"
    events = cfn.api.describe_stack_events(StackName="s")["StackEvents"]
    assert {event["ClientRequestToken"] for event in events} == {"t"}


# --- change sets


def test_a_change_set_creates_a_stack(cfn):
    found = cfn.change_set({"A": parameter()}, kind="CREATE", stack="new")
    assert cfn.describe("new")["StackStatus"] == "REVIEW_IN_PROGRESS"
    assert found["ExecutionStatus"] == "AVAILABLE"
    assert found["Changes"][0]["ResourceChange"]["Action"] == "Add"
    cfn.api.execute_change_set(ChangeSetName=found["ChangeSetId"], ClientRequestToken="x")
    assert cfn.settled("new")["StackStatus"] == "CREATE_COMPLETE"
    code, _ = refusal(cfn.api.execute_change_set, ChangeSetName=found["ChangeSetId"])
    assert code == "ChangeSetNotFound"


def database(**changed):
    return {"Db": {**DATABASE, "Properties": {**DATABASE["Properties"], **changed}}}


@pytest.mark.parametrize("changed,replacement", [
    ({"DBInstanceClass": "db.t3.large"}, "False"),
    ({"DBInstanceIdentifier": "renamed"}, "True"),
    ({"StorageEncrypted": True}, "True"),
    ({"AvailabilityZone": "us-east-1b"}, "Conditional"),
])
def test_a_change_set_tells_replacements_of_a_database(cfn, changed, replacement):
    cfn.create(database())
    assert cfn.changes(database(**changed)) == {"Db": ("Modify", replacement)}


def test_a_change_set_follows_references_to_what_is_replaced(cfn):
    def resources(name):
        return {"Role": {**ROLE, "Properties": {**ROLE["Properties"], "RoleName": name}},
                "Ref": parameter({"Fn::GetAtt": ["Role", "Arn"]}, Name="/r"),
                "Named": parameter("v", Name={"Fn::Sub": "/by/${Role}"}),
                "Other": parameter(Name="/o")}
    cfn.create(resources("one"))
    found = cfn.changes({**resources("two"), "New": parameter(), "Other": parameter(Name="/o")})
    assert found == {"Role": ("Modify", "True"), "Ref": ("Modify", "False"),
                     "Named": ("Modify", "Conditional"), "New": ("Add", None)}
    left = {key: value for key, value in resources("one").items() if key != "Other"}
    assert cfn.changes(left, name="second") == {"Other": ("Remove", None)}


def test_a_change_set_without_changes_fails_in_words_that_tools_know(cfn):
    cfn.create({"A": parameter()})
    found = cfn.change_set({"A": parameter()})
    assert (found["Status"], found["ExecutionStatus"]) == ("FAILED", "UNAVAILABLE")
    assert found["StatusReason"] == (
        "The submitted information didn't contain changes. Submit different information to create "
        "a change set.")
    assert refusal(cfn.api.execute_change_set, ChangeSetName=found["ChangeSetId"])[0] == (
        "InvalidChangeSetStatus")
    cfn.api.delete_change_set(ChangeSetName=found["ChangeSetId"])
    assert cfn.api.list_change_sets(StackName="stack")["Summaries"] == []


def test_a_change_sets_name_is_taken_unless_its_token_is_the_same(cfn):
    cfn.create({"A": parameter()})
    first = cfn.change_set({"A": parameter("y")}, ClientToken="t")
    again = cfn.change_set({"A": parameter("y")}, ClientToken="t")
    assert first["ChangeSetId"] == again["ChangeSetId"]
    assert refusal(cfn.change_set, {"A": parameter("z")})[0] == "AlreadyExistsException"


# --- the AWS CLI, unmodified


def aws(local, *arguments, folder):
    environment = {"AWS_ENDPOINT_URL": local.url, "AWS_DEFAULT_REGION": "us-west-2",
                   "AWS_ACCESS_KEY_ID": KEYS["aws_access_key_id"], "PATH": "/usr/bin:/bin",
                   "AWS_SECRET_ACCESS_KEY": KEYS["aws_secret_access_key"], "HOME": str(folder)}
    command = [sys.executable, str(Path(sys.executable).parent / "aws"), *arguments]
    return subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True,
                          timeout=60)


def test_package_and_deploy_of_the_aws_cli(cfn, tmp_path):
    cfn.upload("x", b"")
    (tmp_path / "nested.yaml").write_text(NESTED)
    (tmp_path / "template.yaml").write_text("""
Parameters: {What: {Type: String, Default: first}}
Resources:
  Nested:
    Type: AWS::CloudFormation::Stack
    Properties: {TemplateURL: nested.yaml, Parameters: {In: !Ref What}}
Outputs: {V: {Value: !GetAtt Nested.Outputs.Value}}
""")
    packaged = aws(cfn.local, "cloudformation", "package", "--template-file", "template.yaml",
                   "--s3-bucket", "artifacts", "--output-template-file", "out.yaml",
                   folder=tmp_path)
    assert packaged.returncode == 0, packaged.stderr
    deploy = ("cloudformation", "deploy", "--stack-name", "cli", "--template-file", "out.yaml",
              "--no-fail-on-empty-changeset")
    for values in ([], [], ["--parameter-overrides", "What=second"]):
        time.sleep(1.1)  # the CLI names its change set after the second
        done = aws(cfn.local, *deploy, *values, folder=tmp_path)
        assert done.returncode == 0, done.stderr
    west = cfn.local.client("cloudformation", "us-west-2")
    stack = west.describe_stacks(StackName="cli")["Stacks"][0]
    assert stack["StackStatus"] == "UPDATE_COMPLETE"
    assert stack["Outputs"][0]["OutputValue"] == "second"
