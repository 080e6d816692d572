"""What Step Functions does on AWS and moto alone does not."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError
from running import eventually

ROLE = "arn:aws:iam::123456789012:role/dr-orchestrator/machine"
START = "arn:aws:states:::states:startExecution"
INVOKE = "arn:aws:states:::lambda:invoke"


class Machines:
    """State machines of one server."""

    def __init__(self, local):
        self.local, self.api = local, local.client("stepfunctions")
        self.count = 0
        local.role("machine", {"Service": "states.amazonaws.com"})
        self.allow("*")

    def allow(self, action):
        self.local.client("iam").put_role_policy(
            RoleName="machine", PolicyName="p", PolicyDocument=json.dumps({
                "Version": "2012-10-17", "Statement": [
                    {"Effect": "Allow", "Action": action, "Resource": "*"}]}))

    def machine(self, states, name=None, start=None, **more):
        self.count += 1
        definition = {"StartAt": start or next(iter(states)), "States": states, **more}
        return self.api.create_state_machine(
            name=name or f"machine-{self.count}", roleArn=ROLE,
            definition=json.dumps(definition))["stateMachineArn"]

    def start(self, arn, document=None, **more):
        text = json.dumps({} if document is None else document)
        return self.api.start_execution(stateMachineArn=arn, input=text, **more)["executionArn"]

    def end(self, execution, seconds=30):
        def ended():
            answer = self.api.describe_execution(executionArn=execution)
            return answer if answer["status"] != "RUNNING" else None
        return eventually(ended, seconds)

    def run(self, states, document=None, **more):
        answer = self.end(self.start(self.machine(states, **more), document))
        if "output" in answer:
            answer["output"] = json.loads(answer["output"])
        return answer

    def evaluate(self, document=None, **parameters):
        return self.run({"Pass": {"Type": "Pass", "Parameters": parameters, "End": True}}, document)

    def choose(self, rule, document):
        states = {"Choice": {"Type": "Choice", "Choices": [rule | {"Next": "Yes"}],
                             "Default": "No"},
                  "Yes": {"Type": "Pass", "Result": "yes", "End": True},
                  "No": {"Type": "Pass", "Result": "no", "End": True}}
        answer = self.run(states, document)
        return answer["output"] if answer["status"] == "SUCCEEDED" else answer["error"]

    def hold(self, name="hold", **more):
        """A machine that puts its task token into a queue and waits for the answer."""
        task = {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
                "Parameters": {"QueueUrl": self.queue(), "MessageBody.$": "$$.Task.Token"},
                "ResultPath": "$.answer", "End": True, **more}
        return self.machine({"Hold": task, **({"Caught": {"Type": "Pass", "End": True}}
                                              if "Catch" in more else {})}, name=name)

    def queue(self):
        return self.local.client("sqs").create_queue(QueueName="tokens")["QueueUrl"]

    def token(self):
        sqs, url = self.local.client("sqs"), self.queue()
        message = eventually(lambda: sqs.receive_message(
            QueueUrl=url, VisibilityTimeout=0).get("Messages"))[0]
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return message["Body"]


@pytest.fixture
def sfn(local):
    return Machines(local)


def code_of(call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]["Code"]


WAIT = {"Wait": {"Type": "Wait", "Seconds": 60, "End": True}}
PASS = {"Pass": {"Type": "Pass", "End": True}}
CATCH = [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.failure", "Next": "Caught"}]


# --- names and starts


def test_an_unnamed_execution_gets_a_name_of_its_own(sfn):
    arn = sfn.machine(PASS)
    first, second = sfn.start(arn), sfn.start(arn)
    assert first != second and not first.endswith(":None")


def test_a_name_in_use_is_idempotent_only_while_running_with_the_same_input(sfn):
    arn = sfn.machine(WAIT)
    first = sfn.start(arn, {"a": 1}, name="one")
    assert sfn.start(arn, {"a": 1}, name="one") == first
    assert code_of(sfn.start, arn=arn, document={"a": 2}, name="one") == "ExecutionAlreadyExists"
    sfn.api.stop_execution(executionArn=first)
    assert code_of(sfn.start, arn=arn, document={"a": 1}, name="one") == "ExecutionAlreadyExists"


def test_names_and_input_have_limits(sfn):
    arn = sfn.machine(PASS)
    assert code_of(sfn.start, arn=arn, name="x" * 81) in ("InvalidName", "ValidationException")
    assert code_of(sfn.start, arn=arn, name="a b") == "InvalidName"
    assert code_of(sfn.start, arn=arn, document={"a": "x" * 262144}) == "ValidationException"


def test_a_machine_is_not_overwritten_by_another_definition(sfn):
    sfn.machine(PASS, name="same")
    sfn.machine(PASS, name="same")
    assert code_of(sfn.machine, states=WAIT, name="same") == "StateMachineAlreadyExists"


def test_an_updated_definition_is_used_by_later_executions(sfn):
    arn = sfn.machine({"P": {"Type": "Pass", "Result": 1, "End": True}})
    assert sfn.end(sfn.start(arn))["output"] == "1"
    sfn.api.update_state_machine(stateMachineArn=arn, definition=json.dumps(
        {"StartAt": "P", "States": {"P": {"Type": "Pass", "Result": 2, "End": True}}}))
    assert sfn.end(sfn.start(arn))["output"] == "2"


@pytest.mark.parametrize("states", [
    {"A": {"Type": "Pass", "Next": "Nowhere"}},
    {"A": {"Type": "Pass", "End": True}, "B": {"Type": "Pass", "End": True}},
    {"A": {"Type": "Task", "Resource": INVOKE, "Parameters": {"FunctionNam": "x"}, "End": True}},
    {"A": {"Type": "Pass"}},
])
def test_definitions_that_aws_refuses_are_refused(sfn, states):
    assert code_of(sfn.machine, states=states) == "InvalidDefinition"


def test_a_role_must_trust_step_functions(sfn):
    sfn.local.role("other", {"Service": "lambda.amazonaws.com"})
    for name in ("other", "missing"):
        assert code_of(sfn.api.create_state_machine, name="m", definition=json.dumps(
            {"StartAt": "Pass", "States": PASS}), roleArn=ROLE.replace("machine", name)) == (
            "AccessDeniedException")


def test_a_machine_with_children_must_be_allowed_to_make_the_managed_rule(sfn):
    child = sfn.machine(PASS)
    sfn.allow("states:*")
    with pytest.raises(ClientError, match="not authorized to create managed-rule"):
        sfn.machine({"Child": child_task(child)})


# --- children


def child_task(arn, kind=".sync:2", **more):
    return {"Type": "Task", "Resource": START + kind, "End": True,
            "Parameters": {"StateMachineArn": arn, "Input.$": "$"}, **more}


def test_sync_2_gives_input_and_output_as_objects(sfn):
    child = sfn.machine({"P": {"Type": "Pass", "Parameters": {"y.$": "$.x"}, "End": True}})
    output = sfn.run({"Child": child_task(child)}, {"x": 1})["output"]
    assert (output["Input"], output["Output"], output["Status"]) == ({"x": 1}, {"y": 1},
                                                                     "SUCCEEDED")
    assert isinstance(output["StartDate"], int)


def test_sync_gives_input_and_output_as_text(sfn):
    child = sfn.machine(PASS)
    output = sfn.run({"Child": child_task(child, ".sync")}, {"x": 1})["output"]
    assert (output["Input"], output["Output"]) == ('{"x":1}', '{"x":1}')


def test_start_without_waiting_gives_the_arn(sfn):
    child = sfn.machine(PASS)
    output = sfn.run({"Child": child_task(child, "")})["output"]
    assert output["ExecutionArn"].startswith(child.replace(":stateMachine:", ":execution:"))


def test_a_failed_child_is_a_task_failure_with_its_description_as_the_cause(sfn):
    child = sfn.machine({"F": {"Type": "Fail", "Error": "Dr.Test", "Cause": "because"}})
    states = {"Child": child_task(child, Catch=CATCH), "Caught": PASS["Pass"]}
    failure = sfn.run(states, {"x": 1})["output"]["failure"]
    cause = json.loads(failure["Cause"])
    assert failure["Error"] == "States.TaskFailed"
    assert (cause["Error"], cause["Cause"], cause["Status"]) == ("Dr.Test", "because", "FAILED")
    assert cause["Input"] == '{"x":1}'


def test_names_of_children_may_be_computed_and_in_use(sfn):
    child = sfn.machine(PASS)
    states = {"Child": child_task(child, Catch=CATCH, Parameters={
        "StateMachineArn": child, "Input": {},
        "Name.$": "States.Format('{}-{}', $.name, $$.State.RetryCount)"}), "Caught": PASS["Pass"]}
    first = sfn.run(states, {"name": "n"})["output"]
    assert first["Name"] == "n-0"
    second = sfn.run(states, {"name": "n"})["output"]["failure"]
    assert second["Error"] == "StepFunctions.ExecutionAlreadyExistsException"


def test_the_quota_counts_a_childs_input_and_output_before_the_selector(sfn):
    child = sfn.machine(PASS)
    states = {"Child": child_task(child, Catch=CATCH, ResultSelector={"s.$": "$.Status"}),
              "Caught": PASS["Pass"]}
    answer = sfn.run(states, {"x": "y" * 200_000})
    assert (answer["status"], answer["error"]) == ("FAILED", "States.DataLimitExceeded")


def test_stopping_a_parent_stops_its_children_and_both_are_aborted(sfn):
    child = sfn.machine(WAIT, name="child")
    parent = sfn.start(sfn.machine({"Child": child_task(child)}))
    running = eventually(lambda: sfn.api.list_executions(
        stateMachineArn=child, statusFilter="RUNNING")["executions"])[0]
    sfn.api.stop_execution(executionArn=parent, error="Dr.Stop", cause="told so")
    answer = sfn.end(parent)
    assert (answer["status"], answer["error"], answer["cause"]) == ("ABORTED", "Dr.Stop", "told so")
    assert sfn.end(running["executionArn"])["status"] == "ABORTED"
    time.sleep(0.5)
    assert sfn.end(parent)["status"] == "ABORTED"


def test_a_failing_iteration_stops_the_children_of_its_siblings(sfn):
    child = sfn.machine(WAIT, name="child")
    iteration = {"Which": {"Type": "Choice", "Choices": [
        {"Variable": "$", "NumericEquals": 0, "Next": "Child"}], "Default": "Pause"},
        "Child": child_task(child, Parameters={"StateMachineArn": child}),
        "Pause": {"Type": "Wait", "Seconds": 5, "Next": "Fail"},
        "Fail": {"Type": "Fail", "Error": "Dr.No"}}
    answer = sfn.run({"Map": {"Type": "Map", "End": True, "ItemProcessor": {
        "StartAt": "Which", "States": iteration}}}, [0, 1])
    assert answer["error"] == "Dr.No"
    execution = sfn.api.list_executions(stateMachineArn=child)["executions"][0]["executionArn"]
    assert sfn.end(execution)["status"] == "ABORTED"


# --- Lambda


def invoke(event, **more):
    return {"Type": "Task", "Resource": INVOKE, "End": True,
            "Parameters": {"FunctionName": "worker", "Payload": event}, **more}


def test_a_functions_error_type_is_the_error_and_its_payload_the_cause(worker):
    failure = Machines(worker).run({"Call": invoke({"do": "fail"}, Catch=CATCH),
                                    "Caught": PASS["Pass"]})["output"]["failure"]
    assert failure["Error"] == "Dr.Test"
    assert json.loads(failure["Cause"])["errorMessage"] == "no"


def test_lambda_is_called_with_the_machines_role(worker):
    worker.delete("calls")
    output = Machines(worker).run({"Call": invoke({"do": "echo"})})["output"]
    assert output["StatusCode"] == 200 and output["Payload"]["event"] == {"do": "echo"}
    calls = [call for call in worker.get("calls")["calls"] if call["action"] == "Invoke"]
    assert [call["principal"] for call in calls] == [ROLE]


@pytest.mark.parametrize("kind,error", [("throttle", "Lambda.TooManyRequestsException"),
                                        ("5xx", "Lambda.ServiceException"),
                                        ("drop", "Lambda.SdkClientException")])
def test_errors_of_the_service_have_their_names_and_can_be_retried(worker, kind, error):
    worker.post("faults", service="lambda", action="Invoke", region="*", kind=kind, times=1,
                **{"from": "any"})
    retry = [{"ErrorEquals": [error], "IntervalSeconds": 1, "MaxAttempts": 1}]
    machines = Machines(worker)
    answer = machines.run({"Call": invoke({"do": "echo"}, Retry=retry)})
    assert answer["status"] == "SUCCEEDED"
    worker.post("faults", service="lambda", action="Invoke", region="*", kind=kind, times=1,
                **{"from": "any"})
    assert machines.run({"Call": invoke({"do": "echo"})})["error"] == error


def test_a_missing_function_is_a_named_error(sfn):
    answer = sfn.run({"Call": invoke({})})
    assert answer["error"] == "Lambda.ResourceNotFoundException"


def test_a_result_beyond_the_quota_cannot_be_caught(worker):
    answer = Machines(worker).run({"Call": invoke({"do": "big", "size": 262_200}, Catch=CATCH),
                                   "Caught": PASS["Pass"]})
    assert answer["error"] == "States.DataLimitExceeded"


# --- tokens


def test_a_token_is_long_and_answered_once(sfn):
    execution = sfn.start(sfn.hold())
    token = sfn.token()
    assert len(token) == 600
    assert code_of(sfn.api.send_task_success, taskToken=token, output="no json") == "InvalidOutput"
    sfn.api.send_task_success(taskToken=token, output='{"decision": "yes"}')
    answer = sfn.end(execution)
    assert json.loads(answer["output"]) == {"answer": {"decision": "yes"}}
    assert code_of(sfn.api.send_task_success, taskToken=token, output="1") == "TaskTimedOut"
    assert code_of(sfn.api.send_task_success, taskToken="x", output="1") == "InvalidToken"


def test_send_task_failure_keeps_error_and_cause(sfn):
    execution = sfn.start(sfn.hold())
    sfn.api.send_task_failure(taskToken=sfn.token(), error="Dr.No", cause="because")
    answer = sfn.end(execution)
    assert (answer["error"], answer["cause"]) == ("Dr.No", "because")


def test_a_cause_beyond_32768_characters_is_refused_by_the_api(sfn):
    sfn.start(sfn.hold())
    assert code_of(sfn.api.send_task_failure, taskToken=sfn.token(), error="E",
                   cause="x" * 32_769) == "ValidationException"


def test_after_its_timeout_a_task_has_timed_out(sfn):
    execution = sfn.start(sfn.hold(TimeoutSecondsPath="$.seconds"), {"seconds": 1})
    token = sfn.token()
    assert sfn.end(execution)["error"] == "States.Timeout"
    assert code_of(sfn.api.send_task_success, taskToken=token, output="1") == "TaskTimedOut"


def test_after_a_stop_a_task_does_not_exist(sfn):
    execution = sfn.start(sfn.hold())
    token = sfn.token()
    sfn.api.stop_execution(executionArn=execution)
    assert code_of(sfn.api.send_task_success, taskToken=token, output="1") == "TaskDoesNotExist"


def test_every_attempt_has_a_token_of_its_own(sfn):
    retry = [{"ErrorEquals": ["Dr.Again"], "IntervalSeconds": 1, "MaxAttempts": 2}]
    execution = sfn.start(sfn.hold(Retry=retry))
    first = sfn.token()
    sfn.api.send_task_failure(taskToken=first, error="Dr.Again")
    second = sfn.token()
    assert second != first
    sfn.api.send_task_success(taskToken=second, output="1")
    assert sfn.end(execution)["status"] == "SUCCEEDED"


def test_a_missed_heartbeat_has_its_own_name(sfn):
    execution = sfn.start(sfn.hold(HeartbeatSeconds=1, TimeoutSeconds=20))
    assert sfn.end(execution)["error"] == "States.HeartbeatTimeout"


# --- what can be caught


def test_states_all_does_not_catch_a_missing_path(sfn):
    states = {"Call": {"Type": "Task", "Resource": START, "Catch": CATCH, "End": True,
                       "Parameters": {"StateMachineArn.$": "$.missing"}}, "Caught": PASS["Pass"]}
    assert sfn.run(states)["error"] == "States.Runtime"


def test_a_states_error_in_an_iteration_reaches_the_map(sfn):
    hold = {"Hold": {"Type": "Wait", "Seconds": 5, "End": True}}
    child = sfn.machine(hold)
    iteration = {"Child": child_task(child, TimeoutSeconds=1)}
    states = {"Map": {"Type": "Map", "Catch": CATCH, "End": True, "ItemsPath": "$.items",
                      "ItemProcessor": {"StartAt": "Child", "States": iteration}},
              "Caught": PASS["Pass"]}
    assert sfn.run(states, {"items": [{}]})["output"]["failure"]["Error"] == "States.Timeout"


def test_a_state_larger_than_256_kib_fails_even_with_a_catch(sfn):
    states = {"Twice": {"Type": "Pass", "Parameters": {"a.$": "$", "b.$": "$"}, "End": True}}
    assert sfn.run(states, {"x": "y" * 140_000})["error"] == "States.DataLimitExceeded"
    assert sfn.run(states, {"x": "y" * 130_000})["status"] == "SUCCEEDED"


def test_a_cause_is_cut_at_32768_characters(sfn):
    states = {"F": {"Type": "Fail", "Error": "E", "CausePath": "$.cause"}}
    assert len(sfn.run(states, {"cause": "x" * 60_000})["cause"]) == 32_768


def test_a_crash_of_the_interpreter_is_a_failure_with_its_text(sfn):
    answer = sfn.evaluate({"a": "text"}, **{"n.$": "States.MathAdd($.a, 1)"})
    assert answer["error"] == "States.Runtime" and "text" in answer["cause"]


def test_a_machines_own_timeout(sfn):
    answer = sfn.run(WAIT, TimeoutSeconds=1)
    assert answer["status"] == "TIMED_OUT" and "stopDate" in answer and "error" not in answer


# --- Map


def test_an_inline_map_runs_forty_at_once(sfn):
    iteration = {"Wait": {"Type": "Wait", "Seconds": 1, "End": True}}
    states = {"Map": {"Type": "Map", "End": True, "ItemProcessor": {
        "StartAt": "Wait", "States": iteration}, "ResultPath": None}}
    started = time.monotonic()
    assert sfn.run(states, list(range(41)))["status"] == "SUCCEEDED"
    assert time.monotonic() - started > 2


def test_an_empty_map_and_its_selectors(sfn):
    states = {"Map": {"Type": "Map", "End": True, "ItemProcessor": {
        "StartAt": "Pass", "States": PASS}, "ResultSelector": {
            "failed.$": "States.ArrayContains($[*].status, 'FAILED')",
            "count.$": "States.ArrayLength($)", "all.$": "$"}}}
    assert sfn.run(states, [])["output"] == {"failed": False, "count": 0, "all": []}


def test_a_map_of_a_thousand_items_one_at_a_time(sfn):
    states = {"Map": {"Type": "Map", "MaxConcurrency": 1, "End": True, "ItemProcessor": {
        "StartAt": "Pass", "States": PASS}, "ResultSelector": {"n.$": "States.ArrayLength($)"}}}
    assert sfn.run(states, list(range(1000)))["output"] == {"n": 1000}


def test_the_item_is_known_inside_the_iteration_and_concurrency_may_be_a_path(sfn):
    iteration = {"Child": child_task(sfn.machine(PASS), Parameters={
        "StateMachineArn": sfn.machine(PASS, name="inner"),
        "Input": {"at.$": "$$.Map.Item.Value.position.layer", "index.$": "$$.Map.Item.Index"}},
        ResultSelector={"at.$": "$.Output.at", "index.$": "$.Output.index"})}
    states = {"Map": {"Type": "Map", "ItemsPath": "$.items", "MaxConcurrencyPath": "$.most",
                      "End": True, "ItemProcessor": {"StartAt": "Child", "States": iteration}}}
    items = [{"position": {"layer": 7}}, {"position": {"layer": 8}}]
    assert sfn.run(states, {"items": items, "most": 1})["output"] == [
        {"at": 7, "index": 0}, {"at": 8, "index": 1}]


# --- paths, choices, intrinsics


def test_the_context_object(sfn):
    output = sfn.evaluate(None, **{"redrives.$": "$$.Execution.RedriveCount",
                                   "retries.$": "$$.State.RetryCount",
                                   "started.$": "$$.Execution.StartTime",
                                   "entered.$": "$$.State.EnteredTime"})["output"]
    assert (output["redrives"], output["retries"]) == (0, 0)
    for name in ("started", "entered"):
        assert output[name].endswith("Z") and len(output[name]) == len("2024-01-01T00:00:00.000Z")


@pytest.mark.parametrize("path,value", [
    ("$.all[?(@.status=='FAILED')].line", []),
    ("$.all[?(@.status=='DONE')].line", ["a"]),
    ("$.all[*].line", ["a"]),
    ("$.all[0].line", "a"),
])
def test_paths_that_select_many_give_arrays(sfn, path, value):
    document = {"all": [{"status": "DONE", "line": "a"}]}
    assert sfn.evaluate(document, **{"x.$": path})["output"] == {"x": value}


@pytest.mark.parametrize("rule,document,answer", [
    ({"Variable": "$$.State.EnteredTime", "TimestampGreaterThanPath": "$.t"},
     {"t": "2020-01-01T00:00:00.5+02:00"}, "yes"),
    ({"Variable": "$$.State.EnteredTime", "TimestampGreaterThanPath": "$.t"},
     {"t": "2999-01-01T00:00:00Z"}, "no"),
    ({"Variable": "$.t", "TimestampLessThanPath": "$$.State.EnteredTime"},
     {"t": "2020-01-01T00:00:00Z"}, "yes"),
    ({"Variable": "$.t", "TimestampEquals": "2020-01-01T00:00:00Z"},
     {"t": "2020-01-01T02:00:00.000+02:00"}, "yes"),
    ({"Variable": "$.s", "StringMatches": "[x]?*"}, {"s": "[x]?y"}, "yes"),
    ({"Variable": "$.s", "StringMatches": "[x]*"}, {"s": "xy"}, "no"),
    ({"Variable": "$.s", "StringMatches": "a\\*"}, {"s": "a*"}, "yes"),
    ({"Variable": "$.s", "StringMatches": "a\\*"}, {"s": "ab"}, "no"),
    ({"Variable": "$.missing", "StringEquals": "x"}, {}, "States.Runtime"),
    ({"Variable": "$.missing", "IsPresent": False}, {}, "yes"),
])
def test_choice_rules(sfn, rule, document, answer):
    assert sfn.choose(rule, document) == answer


def test_a_choice_without_a_match_has_its_own_error(sfn):
    states = {"Choice": {"Type": "Choice", "Choices": [
        {"Variable": "$.x", "IsPresent": True, "Next": "Pass"}]}, **PASS}
    assert sfn.run(states)["error"] == "States.NoChoiceMatched"


def test_intrinsics_on_nested_paths(sfn):
    output = sfn.evaluate({"a": {"b": 1}, "c": {"d": 2}, "n": None, "l": [{"s": "x"}]}, **{
        "merged.$": "States.JsonMerge($.a, $.c, false)",
        "sum.$": "States.MathAdd($.a.b, $$.State.RetryCount)",
        "has.$": "States.ArrayContains($.l[*].s, 'x')",
        "text.$": "States.Format('{}: {} in {}', $.a.b, $.n, $$.State.Name)"})["output"]
    assert output == {"merged": {"b": 1, "d": 2}, "sum": 1, "has": True,
                      "text": "1: null in Pass"}


def test_a_wait_takes_its_seconds_from_a_path(sfn):
    states = {"Wait": {"Type": "Wait", "SecondsPath": "$.s", "End": True}}
    assert sfn.run(states, {"s": 1})["status"] == "SUCCEEDED"
    assert sfn.run(states, {"s": 1.5})["error"] == "States.Runtime"


def test_many_executions_at_once(sfn):
    child = sfn.machine(PASS)
    arn = sfn.machine({"Child": child_task(child)})
    with ThreadPoolExecutor(10) as pool:
        started = list(pool.map(lambda n: sfn.start(arn, {"n": n}), range(20)))
    assert {sfn.end(one)["status"] for one in started} == {"SUCCEEDED"}
