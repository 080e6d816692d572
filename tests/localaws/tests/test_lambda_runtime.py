"""Invoke runs the uploaded bootstrap, and fails as Lambda fails."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError
from running import ROLE, eventually, zipped


def refusal(call, **arguments):
    with pytest.raises(ClientError) as raised:
        call(**arguments)
    response = raised.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


def test_runs_the_bootstrap_and_uses_the_sandbox_again(worker):
    error, first = worker.invoke({"a": 1})
    assert error is None and first["event"] == {"a": 1}
    _, second = worker.invoke({"a": 2})
    assert second["pid"] == first["pid"]
    context = first["context"]
    assert context["Lambda-Runtime-Invoked-Function-Arn"].endswith(":function:worker")
    left = int(context["Lambda-Runtime-Deadline-Ms"]) / 1000 - time.time()
    assert 5 < left < 10.5


def test_parallel_invocations_get_a_sandbox_each(worker):
    with ThreadPoolExecutor(3) as pool:
        started = time.monotonic()
        answers = list(pool.map(lambda _: worker.invoke({"do": "sleep", "seconds": 0.7}), range(3)))
    assert len({answer["pid"] for _, answer in answers}) == 3
    assert time.monotonic() - started < 2


def test_environment_of_a_function(local):
    local.function(region="eu-west-1", Environment={"Variables": {"COLOUR": "red"}})
    _, seen = local.invoke({"do": "environment"}, region="eu-west-1")
    assert seen["COLOUR"] == "red" and seen["AWS_REGION"] == "eu-west-1"
    assert seen["AWS_ENDPOINT_URL"] == local.url
    assert seen["AWS_LAMBDA_FUNCTION_NAME"] == "worker" and "HOME" not in seen
    keys = {key: seen[key.upper()] for key in
            ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")}
    arn = local.client("sts", **keys).get_caller_identity()["Arn"]
    assert arn == "arn:aws:sts::123456789012:assumed-role/worker/worker"


def test_new_configuration_and_code_are_used_at_once(worker):
    client = worker.client("lambda")
    _, before = worker.invoke({})
    client.update_function_configuration(
        FunctionName="worker", Environment={"Variables": {"NEW": "1"}})
    assert worker.invoke({"do": "environment"})[1]["NEW"] == "1"
    client.update_function_code(FunctionName="worker", ZipFile=zipped("#!/bin/sh\nexit 7\n"))
    assert worker.invoke({})[1]["errorType"] == "Runtime.ExitError"


def test_errors_of_the_function(worker):
    assert worker.invoke({"do": "fail"}) == (
        "Unhandled", {"errorType": "Dr.Test", "errorMessage": "no"})
    error, answer = worker.invoke({"do": "exit", "code": 3})
    assert error == "Unhandled" and answer["errorType"] == "Runtime.ExitError"
    assert answer["errorMessage"].endswith("Error: Runtime exited with error: exit status 3")
    _, answer = worker.invoke({"do": "exit", "code": 0})
    assert answer["errorMessage"].endswith("Error: Runtime exited without providing a reason")
    assert worker.invoke({"a": 1})[0] is None


def test_timeout_kills_the_sandbox(local):
    local.function(Timeout=1)
    first = local.invoke({})[1]["pid"]
    error, answer = local.invoke({"do": "sleep", "seconds": 30})
    assert error == "Unhandled" and answer["errorType"] == "Sandbox.Timedout"
    assert answer["errorMessage"].endswith("Error: Task timed out after 1.00 seconds")
    assert local.invoke({})[1]["pid"] != first


def test_init_errors(local):
    local.function("init", Environment={"Variables": {"FAIL_INIT": "1"}})
    assert local.invoke({}, "init") == (
        "Unhandled", {"errorType": "Config.Missing", "errorMessage": "no configuration"})
    local.function("plain", code=zipped(mode=0o644))
    error, answer = local.invoke({}, "plain")
    assert error == "Unhandled" and answer["errorType"] == "Runtime.InvalidEntrypoint"
    assert "permission denied" in answer["errorMessage"]
    local.function("broken", code=zipped("\x7fELF nonsense"))
    assert local.invoke({}, "broken")[1]["errorType"] == "Runtime.InvalidEntrypoint"


def test_requests_that_lambda_refuses(worker):
    client = worker.client("lambda")
    assert refusal(client.invoke, FunctionName="nobody") == ("ResourceNotFoundException", 404)
    elsewhere = "arn:aws:lambda:eu-west-1:123456789012:function:worker"
    assert refusal(client.invoke, FunctionName=elsewhere) == ("ResourceNotFoundException", 404)
    assert refusal(client.invoke, FunctionName="worker", Payload=b"{no") == (
        "InvalidRequestContentException", 400)
    large = json.dumps("x" * 6_291_456)
    assert refusal(client.invoke, FunctionName="worker", Payload=large) == (
        "RequestTooLargeException", 413)
    assert client.invoke(FunctionName="worker", InvocationType="DryRun")["StatusCode"] == 204


def test_an_answer_that_is_too_large(worker):
    error, answer = worker.invoke({"do": "big", "size": 6_300_000})
    assert error == "Unhandled" and answer["errorType"] == "Function.ResponseSizeTooLarge"
    assert len(worker.invoke({"do": "big", "size": 6_000_000})[1]) == 6_000_000


def test_reserved_concurrency(worker):
    client = worker.client("lambda")
    client.put_function_concurrency(FunctionName="worker", ReservedConcurrentExecutions=1)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(worker.invoke, {"do": "sleep", "seconds": 1})
        time.sleep(0.5)
        assert refusal(client.invoke, FunctionName="worker") == ("TooManyRequestsException", 429)
        assert running.result()[0] is None
    assert worker.invoke({})[0] is None
    client.put_function_concurrency(FunctionName="worker", ReservedConcurrentExecutions=0)
    assert refusal(client.invoke, FunctionName="worker") == ("TooManyRequestsException", 429)


def test_asynchronous_failures_end_in_the_dead_letter_queue(local):
    queue = local.client("sqs").create_queue(QueueName="dead")["QueueUrl"]
    local.function(DeadLetterConfig={"TargetArn": "arn:aws:sqs:us-east-1:123456789012:dead"})
    local.post("timings", **{"lambda.retry": 0.05})
    client = local.client("lambda")
    sent = client.invoke(FunctionName="worker", InvocationType="Event", Payload=b'{"do": "fail"}')
    assert sent["StatusCode"] == 202
    message = eventually(lambda: local.client("sqs").receive_message(
        QueueUrl=queue, MessageAttributeNames=["All"]).get("Messages"))[0]
    assert json.loads(message["Body"]) == {"do": "fail"}
    assert message["MessageAttributes"]["ErrorMessage"]["StringValue"] == "no"
    starts = [line for line in local.get("logs", function="worker")["lines"] if " START " in line]
    assert len(starts) == 3


def test_output_goes_to_cloudwatch_logs(worker):
    worker.invoke({"do": "print", "text": "hello from the function"})
    logs = worker.client("logs")
    found = eventually(lambda: logs.filter_log_events(
        logGroupName="/aws/lambda/worker", filterPattern='"hello from"')["events"])
    assert found[0]["message"] == "hello from the function"


def test_definitions_that_lambda_refuses(local):
    with pytest.raises(ClientError, match="reserved keys"):
        local.function(Environment={"Variables": {"AWS_REGION": "x"}})
    with pytest.raises(ClientError, match="4KB"):
        local.function(Environment={"Variables": {"LONG": "x" * 4096}})
    with pytest.raises(ClientError, match="between 1 and 900"):
        local.function(Timeout=901)


def test_moto_still_forgets_the_dead_letter_queue():
    """When this fails, moto keeps it, and the repair can go."""
    from moto import mock_aws
    import boto3

    with mock_aws():
        client = boto3.client("lambda", "us-east-1", aws_access_key_id="x",
                              aws_secret_access_key="x")
        boto3.client("iam", aws_access_key_id="x", aws_secret_access_key="x").create_role(
            RoleName="worker", Path="/dr-orchestrator/", AssumeRolePolicyDocument="{}")
        made = client.create_function(
            FunctionName="f", Runtime="provided.al2023", Handler="b", Role=ROLE,
            Code={"ZipFile": zipped()}, DeadLetterConfig={"TargetArn": "arn:aws:sqs:a:1:q"})
        assert "DeadLetterConfig" not in made
