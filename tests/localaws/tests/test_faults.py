"""Faults: each kind, in the shape of each protocol; who is hit and who is not."""

import time

import pytest
from botocore.exceptions import (ClientError, ConnectionClosedError, EndpointConnectionError,
                                 ReadTimeoutError)
from running import ROLE, Local

CLOSED = (ConnectionClosedError, EndpointConnectionError)


def error_of(call, **arguments):
    with pytest.raises(ClientError) as raised:
        call(**arguments)
    response = raised.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


def test_throttling_in_each_protocol(local):
    local.post("faults", kind="throttle", times=-1, **{"from": "any"})
    expected = {("rds", "describe_db_instances"): ("Throttling", 400),
                ("sts", "get_caller_identity"): ("Throttling", 400),
                ("ssm", "describe_parameters"): ("ThrottlingException", 400),
                ("stepfunctions", "list_state_machines"): ("ThrottlingException", 400),
                ("cloudwatch", "list_dashboards"): ("ThrottlingException", 400),
                ("lambda", "list_functions"): ("TooManyRequestsException", 429),
                ("s3", "list_buckets"): ("SlowDown", 503),
                ("ec2", "describe_vpcs"): ("RequestLimitExceeded", 503)}
    for (service, action), answer in expected.items():
        assert error_of(getattr(local.client(service), action)) == answer, service
    assert {call["result"] for call in local.get("calls")["calls"]} == {"throttled"}


def test_internal_errors(local):
    local.post("faults", kind="5xx", service="rds", times=1, **{"from": "any"})
    rds = local.client("rds")
    assert error_of(rds.describe_db_instances) == ("InternalFailure", 500)
    rds.describe_db_instances()
    local.client("sts").get_caller_identity()


def test_after_times_and_each(local):
    local.post("faults", kind="5xx", after=1, each=True, **{"from": "any"})
    rds, sts = local.client("rds"), local.client("sts")
    for call in (rds.describe_db_instances, sts.get_caller_identity, rds.describe_db_snapshots):
        call()
        error_of(call)
        call()
    assert local.get("faults")["faults"][0]["fired"] == 3
    local.delete("faults")
    assert local.get("faults")["faults"] == []


def test_a_dropped_answer_is_a_call_that_was_made(local):
    local.post("faults", kind="drop", service="sns", action="CreateTopic", **{"from": "any"})
    sns = local.client("sns")
    with pytest.raises(CLOSED):
        sns.create_topic(Name="made")
    assert [one["TopicArn"][-4:] for one in sns.list_topics()["Topics"]] == ["made"]
    call = local.get("calls")["calls"][0]
    assert (call["result"], call["mutating"]) == ("dropped", True)


def test_a_timeout_lasts_as_long_as_the_client_waits(local):
    import boto3
    from botocore.config import Config

    local.post("faults", kind="timeout", service="sns", **{"from": "any"})
    sns = boto3.client("sns", "us-east-1", endpoint_url=local.url, aws_access_key_id="local",
                       aws_secret_access_key="local",
                       config=Config(read_timeout=1, retries={"total_max_attempts": 1}))
    started = time.monotonic()
    with pytest.raises(ReadTimeoutError):
        sns.list_topics()
    assert 0.9 < time.monotonic() - started < 5
    sns.list_topics()


def test_a_dark_region_answers_nothing(local):
    local.post("dark", region="us-east-1", dark=True)
    for service, action in (("s3", "list_buckets"), ("rds", "describe_db_instances"),
                            ("iam", "list_roles")):
        with pytest.raises(CLOSED):
            getattr(local.client(service), action)()
    local.client("rds", "us-west-2").describe_db_instances()
    assert {call["result"] for call in local.get("calls")["calls"]} == {"dark", "ok"}
    local.post("dark", region="us-east-1", dark=False)
    local.client("s3").list_buckets()


CALL = {"do": "call", "service": "sns", "action": "create_topic", "arguments": {"Name": "made"}}


def test_faults_hit_sandboxes_only_unless_told_otherwise(worker):
    worker.post("faults", kind="throttle", times=-1, service="sns")
    worker.client("sns").list_topics()
    assert worker.invoke(CALL) == (None, {"error": "Throttling"})
    worker.delete("faults")
    worker.post("faults", kind="throttle", times=-1, function="another")
    assert worker.invoke(CALL) == (None, {"error": None})


def test_kill_ends_the_sandbox_after_the_call(worker):
    worker.post("faults", kind="kill", action="CreateTopic")
    error, answer = worker.invoke(CALL)
    assert error == "Unhandled" and answer["errorType"] == "Runtime.ExitError"
    assert answer["errorMessage"].endswith("signal: killed")
    assert len(worker.client("sns").list_topics()["Topics"]) == 1
    assert worker.invoke(CALL) == (None, {"error": None})


def test_roles_assumed_in_a_sandbox_belong_to_its_function(worker):
    role = "arn:aws:iam::123456789012:role/dr-orchestrator/execution"
    worker.role("execution", {"AWS": ROLE})
    worker.delete("calls")
    assert worker.invoke(CALL | {"assume": role}) == (None, {"error": None})
    calls = {call["action"]: call for call in worker.get("calls")["calls"]}
    assert calls["AssumeRole"]["principal"].endswith(":role/dr-orchestrator/worker")
    assert calls["CreateTopic"]["principal"] == role
    assert calls["CreateTopic"]["function"] == "worker"
    assert calls["Invoke"]["function"] is None


@pytest.mark.parametrize("document", [{"kind": "storm"}, {}, {"kind": "drop", "who": "me"},
                                      {"kind": "drop", "from": "mars"}])
def test_faults_that_make_no_sense_are_refused(original, document):
    assert original.post("faults", **document).status_code == 400
    assert original.get("faults")["faults"] == []


def test_unknown_control_requests_are_refused(original: Local):
    assert original.post("nothing").status_code == 404
    assert original.post("timings", nonsense=1).status_code == 400
    assert original.post("timings", **{"rds.create": -1}).status_code == 400
