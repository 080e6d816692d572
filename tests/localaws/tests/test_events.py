"""EventBridge delivers to real targets."""

import json

import pytest
from running import eventually

RULE = "arn:aws:events:us-east-1:123456789012:rule/rule"


class Bus:
    """A rule with one queue behind it."""

    def __init__(self, local):
        self.local, self.events, self.sqs = local, local.client("events"), local.client("sqs")
        self.url = self.sqs.create_queue(QueueName="seen")["QueueUrl"]
        self.arn = "arn:aws:sqs:us-east-1:123456789012:seen"

    def machine_role(self):
        self.local.role("m", {"Service": "states.amazonaws.com"})
        return "arn:aws:iam::123456789012:role/dr-orchestrator/m"

    def allow(self, source=RULE):
        self.sqs.set_queue_attributes(QueueUrl=self.url, Attributes={"Policy": policy(
            "sqs:SendMessage", self.arn, source)})

    def rule(self, pattern, target=None, **more):
        self.events.put_rule(Name="rule", **({"EventPattern": json.dumps(pattern)} if pattern
                                             else {}), **more)
        self.events.put_targets(Rule="rule", Targets=[{"Id": "t", "Arn": self.arn}
                                                      | (target or {})])

    def put(self, detail, source="mine"):
        self.events.put_events(Entries=[{"Source": source, "DetailType": "Test",
                                         "Detail": json.dumps(detail)}])

    def message(self, seconds=10):
        found = eventually(lambda: self.sqs.receive_message(
            QueueUrl=self.url, WaitTimeSeconds=0).get("Messages"), seconds)
        self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=found[0]["ReceiptHandle"])
        return json.loads(found[0]["Body"])

    def silent(self):
        try:
            self.message(1)
        except AssertionError:
            return True
        return False


def policy(action, resource, source):
    return json.dumps({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": action,
        "Resource": resource, "Condition": {"ArnEquals": {"aws:SourceArn": source}}}]})


@pytest.fixture
def bus(local):
    return Bus(local)


@pytest.mark.parametrize("filter_,value,matches", [
    (["a"], "a", True), (["a"], "b", False),
    ([{"prefix": "arn:"}], "arn:x", True), ([{"prefix": "arn:"}], "x", False),
    ([{"anything-but": ["a"]}], "b", True), ([{"anything-but": ["a"]}], "a", False),
    ([{"exists": True}], "a", True), ([{"exists": False}], "a", False),
    ([{"numeric": [">", 3]}], 4, True), ([{"suffix": "z"}], "xz", True),
])
def test_patterns(bus, filter_, value, matches):
    bus.allow()
    bus.rule({"source": ["mine"], "detail": {"key": filter_}})
    bus.put({"key": value})
    assert bus.silent() is not matches


def test_the_event_as_a_whole(bus):
    bus.allow()
    bus.rule({"source": ["mine"]})
    bus.put({"a": 1})
    event = bus.message()
    assert (event["source"], event["detail-type"], event["detail"]) == ("mine", "Test", {"a": 1})
    assert event["time"].endswith("Z") and event["account"] == "123456789012"


def test_no_delivery_without_a_resource_policy_for_this_rule(bus):
    bus.rule({"source": ["mine"]})
    bus.put({})
    assert bus.silent()
    bus.allow(RULE + "-other")
    bus.put({})
    assert bus.silent()


def test_disabled_and_scheduled_rules_match_nothing(bus):
    bus.allow()
    bus.rule({"source": ["mine"]}, State="DISABLED")
    bus.put({})
    assert bus.silent()
    bus.events.remove_targets(Rule="rule", Ids=["t"])
    bus.events.delete_rule(Name="rule")
    bus.rule(None, ScheduleExpression="rate(1 minute)")
    bus.put({})
    assert bus.silent()


@pytest.mark.parametrize("target,expected", [
    ({"Input": '{"operation": "report"}'}, {"operation": "report"}),
    ({"InputPath": "$.detail"}, {"name": 'a"b', "n": 1}),
    ({"InputTransformer": {
        "InputPathsMap": {"name": "$.detail.name", "detail": "$.detail", "none": "$.detail.none"},
        "InputTemplate": '{"text": "It is <name> in <aws.events.rule-name>", "name": <name>, '
                         '"detail": <detail>, "none": <none>}'}},
     {"text": 'It is a"b in rule', "name": 'a"b', "detail": {"name": 'a"b', "n": 1},
      "none": None}),
])
def test_the_input_of_a_target(bus, target, expected):
    bus.allow()
    bus.rule({"source": ["mine"]}, target)
    bus.put({"name": 'a"b', "n": 1})
    assert bus.message() == expected


def test_lambda_needs_and_gets_permission(worker):
    bus, client = Bus(worker), worker.client("lambda")
    arn = "arn:aws:lambda:us-east-1:123456789012:function:worker"
    bus.rule({"source": ["mine"]}, {"Arn": arn, "Input": json.dumps({
        "do": "call", "service": "sqs", "action": "send_message",
        "arguments": {"QueueUrl": bus.url, "MessageBody": '"called"'}})})
    bus.put({})
    assert bus.silent()
    client.add_permission(FunctionName="worker", StatementId="events", SourceArn=RULE,
                          Action="lambda:InvokeFunction", Principal="events.amazonaws.com")
    bus.put({})
    assert bus.message() == "called"


def test_topics_and_log_groups(bus):
    sns, logs = bus.local.client("sns"), bus.local.client("logs")
    topic = sns.create_topic(Name="topic")["TopicArn"]
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy(
        "sns:Publish", topic, RULE))
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=bus.arn,
                  Attributes={"RawMessageDelivery": "true"})
    bus.rule({"source": ["mine"]}, {"Arn": topic, "Input": '"by topic"'})
    bus.put({})
    assert bus.message() == "by topic"
    logs.create_log_group(logGroupName="/aws/events/x")
    group = "arn:aws:logs:us-east-1:123456789012:log-group:/aws/events/x"
    logs.put_resource_policy(policyName="p", policyDocument=policy("logs:*", "*", RULE))
    bus.rule({"source": ["mine"]}, {"Arn": group, "Input": '"logged"'})
    bus.put({})
    assert eventually(lambda: logs.filter_log_events(
        logGroupName="/aws/events/x")["events"])[0]["message"] == '"logged"'


def test_a_rule_starts_a_state_machine(bus):
    sfn = bus.local.client("stepfunctions")
    arn = sfn.create_state_machine(
        name="m", roleArn=bus.machine_role(),
        definition=json.dumps({"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}),
    )["stateMachineArn"]
    bus.rule({"source": ["mine"]}, {"Arn": arn, "RoleArn": "arn:aws:iam::123456789012:role/e",
                                    "InputPath": "$.detail"})
    bus.put({"a": 1})
    execution = eventually(lambda: sfn.list_executions(stateMachineArn=arn)["executions"])[0]
    described = sfn.describe_execution(executionArn=execution["executionArn"])
    assert json.loads(described["input"]) == {"a": 1}


def test_executions_tell_their_status(bus):
    bus.allow()
    bus.rule({"source": ["aws.states"], "detail-type": ["Step Functions Execution Status Change"],
              "detail": {"status": ["RUNNING", "FAILED", "ABORTED", "TIMED_OUT", "SUCCEEDED"]}})
    sfn = bus.local.client("stepfunctions")
    states = {"F": {"Type": "Fail", "Error": "Dr.No", "Cause": "because"}}
    arn = sfn.create_state_machine(
        name="m", roleArn=bus.machine_role(),
        definition=json.dumps({"StartAt": "F", "States": states}))["stateMachineArn"]
    execution = sfn.start_execution(stateMachineArn=arn, name="one", input='{"a": 1}')
    details = {}
    for _ in range(2):
        event = bus.message()
        assert event["resources"] == [execution["executionArn"]]
        details[event["detail"]["status"]] = event["detail"]
    running, failed = details["RUNNING"], details["FAILED"]
    assert running["stopDate"] is None and running["input"] == '{"a": 1}'
    assert (failed["error"], failed["cause"], failed["name"]) == ("Dr.No", "because", "one")
    assert failed["stopDate"] >= failed["startDate"] > 1_600_000_000_000
    assert failed["stateMachineArn"] == arn and failed["output"] is None


def test_a_change_of_a_parameter_is_an_event_without_its_value(local):
    bus = Bus(local)
    bus.allow()
    bus.rule({"source": ["aws.ssm"], "detail": {"name": [{"prefix": "/dr/"}]}})
    store = local.client("ssm")
    store.put_parameter(Name="/other", Value="geheim", Type="String")
    store.put_parameter(Name="/dr/a", Value="geheim", Type="String")
    seen = bus.message()
    assert seen["detail-type"] == "Parameter Store Change"
    assert seen["resources"] == ["arn:aws:ssm:us-east-1:123456789012:parameter/dr/a"]
    assert seen["detail"] == {"operation": "Create", "name": "/dr/a", "type": "String"}
    store.put_parameter(Name="/dr/a", Value="geheim", Type="String", Overwrite=True)
    assert bus.message()["detail"]["operation"] == "Update"
    store.delete_parameter(Name="/dr/a")
    assert bus.message()["detail"]["operation"] == "Delete"
