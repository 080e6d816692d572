"""`states:startExecution` with .sync and .sync:2: waiting for a child, its result, its end.

moto 5.2.5 polls every half second, crashes on the dates of a finished child, gives its input in
the cause as an object, and leaves children running when their parent is stopped.
"""

import json
import time

from localaws.stepfunctions_clients import boto_client_for

_WAIT = 0.25


def _describe(client, arn: str) -> dict:
    answer = client.describe_execution(executionArn=arn)
    answer.pop("ResponseMetadata", None)
    result = {key[:1].upper() + key[1:]: value for key, value in answer.items()}
    for key in ("StartDate", "StopDate", "RedriveDate"):
        if key in result:
            result[key] = int(result[key].timestamp() * 1000)
    for key in ("InputDetails", "OutputDetails"):
        if key in result:
            result[key] = {"Included": result[key].get("included", True)}
    return result


def _child_failed(self, env, result: dict):
    from moto.stepfunctions.parser.api import HistoryEventType, TaskFailedEventDetails
    from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import (
        FailureEvent, FailureEventException)
    from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import (
        StatesErrorName)
    from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import (
        StatesErrorNameType)
    from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails

    failed = StatesErrorNameType.StatesTaskFailed
    return FailureEventException(FailureEvent(
        env=env, error_name=StatesErrorName(typ=failed), event_type=HistoryEventType.TaskFailed,
        event_details=EventDetails(taskFailedEventDetails=TaskFailedEventDetails(
            resource=self._get_sfn_resource(), resourceType=self._get_sfn_resource_type(),
            error=failed.to_name(), cause=json.dumps(result, separators=(",", ":"))))))


def _resolver(parse_json: bool):
    def build(self, env, resource_runtime_part, normalised_parameters, state_credentials):
        from localaws.stepfunctions_executions import wait_for_end

        client = boto_client_for(resource_runtime_part.region, "stepfunctions", state_credentials)
        arn = env.stack.pop()["ExecutionArn"]

        def resolve():
            if not wait_for_end(arn, _WAIT):
                return None
            result = _describe(client, arn)
            if result["Status"] == "RUNNING":
                return None
            if result["Status"] != "SUCCEEDED":
                raise _child_failed(self, env, result)
            if parse_json:
                for key in ("Input", "Output"):
                    result[key] = json.loads(result[key])
            return result

        resolve.child = (client, arn)
        return resolve
    return build


def _eval_sync(original):
    def evaluate(self, env, sync_resolver, timeout_seconds, callback_endpoint, heartbeat_endpoint):
        from moto.stepfunctions.parser.asl.eval.program_state import ProgramTimedOut

        deadline = time.monotonic() + timeout_seconds
        result = original(self, env, sync_resolver, timeout_seconds, None, None)
        # On AWS a stopped execution, or a failing sibling, stops the child; whether a timeout does
        # so is not documented: here it does not.
        child = getattr(sync_resolver, "child", None)
        timed_out = isinstance(env.program_state(), ProgramTimedOut)
        if result is None and child and not timed_out and time.monotonic() < deadline:
            client, arn = child
            client.stop_execution(executionArn=arn)
        return result
    return evaluate


def install() -> None:
    """Puts the repairs into moto's interpreter."""
    from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import (
        state_task_service_callback as callback, state_task_service_sfn as sfn)

    callback._DELAY_SECONDS_SYNC_CONDITION_CHECK = 0.01  # the resolver itself waits
    sfn.StateTaskServiceSfn._build_sync_resolver = _resolver(parse_json=False)
    sfn.StateTaskServiceSfn._build_sync2_resolver = _resolver(parse_json=True)
    cls = callback.StateTaskServiceCallback
    cls._eval_sync = _eval_sync(cls._eval_sync)
