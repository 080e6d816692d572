"""Executions: their names, their start, stop and end, what DescribeExecution says, their events."""

import json
import logging
import threading
from datetime import UTC, datetime

from moto.core.responses import ActionResult
from moto.moto_api._internal import mock_random

from localaws import events, state, stepfunctions_tokens
from localaws.api_error import ApiError
from localaws.stepfunctions_limits import MAX_BYTES, MAX_CAUSE, MAX_ERROR, cut, too_long
from localaws.stepfunctions_paths import now_text

LOG = logging.getLogger(__name__)
MAX_EVENT = 248 * 1024
_lock = state.lock()
_ended: dict[str, threading.Event] = {}


def wait_for_end(execution_arn: str, seconds: float) -> bool:
    """Whether the execution has ended, after waiting for that at most so long."""
    event = _ended.get(execution_arn)
    return event is None or event.wait(seconds)


def running() -> int:
    """How many executions are running (a fork copies no threads)."""
    return sum(1 for event in list(_ended.values()) if not event.is_set())


def _finish(execution, status: str, output=None, error=None, cause=None) -> bool:
    """Ends an execution once: a stopped execution stays ABORTED whatever its thread does."""
    from moto.stepfunctions.parser.api import ExecutionStatus

    with _lock:
        if execution.stop_date is not None:
            return False
        execution.output = output
        execution.error, execution.cause = cut(error, MAX_ERROR), cut(cause, MAX_CAUSE)
        execution.exec_status = ExecutionStatus(status)
        execution.stop_date = datetime.now(tz=UTC)
    stepfunctions_tokens.close_execution(execution.exec_arn)
    _emit(execution)
    _ended[execution.exec_arn].set()
    return True


def _emit(execution) -> None:
    def millis(at):
        return int(at.timestamp() * 1000) if at else None

    output = json.dumps(execution.output) if execution.status == "SUCCEEDED" else None
    # EventBridge leaves out what does not fit into an event.
    fits = len(execution.execution_input) + len(output or "") <= MAX_EVENT
    detail = {
        "executionArn": execution.exec_arn, "stateMachineArn": execution.state_machine.arn,
        "name": execution.name, "status": execution.status,
        "startDate": millis(execution.start_date), "stopDate": millis(execution.stop_date),
        "input": execution.execution_input if fits else None,
        "inputDetails": {"included": fits}, "output": output if fits else None,
        "outputDetails": {"included": fits} if output is not None else None,
        "error": execution.error, "cause": execution.cause, "stateMachineVersionArn": None,
        "stateMachineAliasArn": None, "redriveCount": 0, "redriveDate": None,
        "redriveStatus": "NOT_REDRIVABLE", "redriveStatusReason": None}
    events.put(execution.account_id, execution.region_name, "aws.states",
               "Step Functions Execution Status Change", detail, [execution.exec_arn])


def _start_execution(self, state_machine_arn, name=None, execution_input=None, trace_header=None):
    name = name or str(mock_random.uuid4())
    self._validate_name(name)
    too_long("input", execution_input, MAX_BYTES)
    with _lock:
        # moto 5.2.5 calls every unnamed execution "None".
        execution = _original_start(self, state_machine_arn, name, execution_input, trace_header)
    return execution


def _start(original):
    def start(self) -> None:
        _ended[self.exec_arn] = threading.Event()
        original(self)
        _emit(self)
    return start


def _stop_execution(self):
    arn, error, cause = (self._get_param(key) for key in ("executionArn", "error", "cause"))
    too_long("error", error, MAX_ERROR)
    too_long("cause", cause, MAX_CAUSE)
    execution = self.stepfunction_backend.describe_execution(arn)
    # moto 5.2.5 loses error and cause, waits until the current state is over, and then reports
    # FAILED when a child had been stopped.
    # The interpreter stops first: a task that is woken by the end must not go on to a next state.
    env = execution.exec_worker.env
    if env is not None and execution.stop_date is None:
        env.set_stop(stop_date=datetime.now(tz=UTC), cause=cause, error=error)
    _finish(execution, "ABORTED", error=error, cause=cause)
    return ActionResult({"stopDate": execution.stop_date})


def _terminated(self) -> None:
    from moto.stepfunctions.parser.asl.eval import program_state as states

    env = self.execution.exec_worker.env
    end = env.program_state()
    if isinstance(end, states.ProgramEnded):
        _finish(self.execution, "SUCCEEDED", output=env.states.get_input())
    elif isinstance(end, states.ProgramStopped):
        _finish(self.execution, "ABORTED", error=end.error, cause=end.cause)
    elif isinstance(end, states.ProgramTimedOut):
        _finish(self.execution, "TIMED_OUT")
    elif isinstance(end, states.ProgramError):
        details = end.error or {}
        _finish(self.execution, "FAILED", error=details.get("error"), cause=details.get("cause"))
    else:
        raise RuntimeError(f"the interpreter ended in {type(end).__name__}")


def _execution_logic(original):
    def run(self) -> None:
        # moto 5.2.5: an error here ends the thread in silence, and the execution is RUNNING for
        # ever.
        try:
            original(self)
        except Exception as error:  # noqa: BLE001 - whatever it was is the execution's failure
            LOG.exception("the interpreter crashed")
            _finish(self._execution_communication.execution, "FAILED", error="States.Runtime",
                    cause=f"The interpreter crashed: {type(error).__name__}: {error}")
    return run


def _evaluation_environment(original):
    def environment(self):
        env = original(self)
        execution = env.states.context_object.context_object_data["Execution"]
        started = execution["StartTime"]
        execution["StartTime"] = now_text(started)
        execution["RedriveCount"] = 0
        return env
    return environment


def _describe_execution(self):
    execution = self.stepfunction_backend.describe_execution(self._get_param("executionArn"))
    answer = {
        "executionArn": execution.exec_arn, "stateMachineArn": execution.state_machine_arn,
        "name": execution.name, "status": execution.status, "startDate": execution.start_date,
        "input": execution.execution_input, "inputDetails": {"included": True},
        "redriveCount": 0, "redriveStatus": "NOT_REDRIVABLE"}
    optional = {"stopDate": execution.stop_date, "error": execution.error,
                "cause": execution.cause}
    if execution.status == "SUCCEEDED":
        optional |= {"output": json.dumps(execution.output, separators=(",", ":")),
                     "outputDetails": {"included": True}}
    answer |= {key: value for key, value in optional.items() if value is not None}
    return ActionResult(answer)


def _list_executions(self):
    arn, status = self._get_param("stateMachineArn"), self._get_param("statusFilter")
    results, token = self.stepfunction_backend.list_executions(
        arn, status_filter=status, max_results=self._get_int_param("maxResults"),
        next_token=self._get_param("nextToken"))
    items = [{"executionArn": one.exec_arn, "stateMachineArn": arn, "name": one.name,
              "status": one.status, "startDate": one.start_date, "stopDate": one.stop_date,
              "redriveCount": 0} for one in results]
    items = [{key: value for key, value in item.items() if value is not None} for item in items]
    return ActionResult({"executions": items, "nextToken": token})


def _redrive_execution(self):
    raise ApiError("ExecutionNotRedrivable", "Executions cannot be redriven here: start "
                                                     "the state machine again.")

_original_start = None


def install() -> None:
    """Puts the repairs into moto's backend and API."""
    global _original_start
    from moto.stepfunctions.parser.backend import execution, execution_worker
    from moto.stepfunctions.parser.models import StepFunctionsParserBackend
    from moto.stepfunctions.responses import StepFunctionResponse

    _original_start = StepFunctionsParserBackend.start_execution
    StepFunctionsParserBackend.start_execution = _start_execution
    execution.Execution.start = _start(execution.Execution.start)
    execution.BaseExecutionWorkerCommunication.terminated = _terminated
    worker = execution_worker.ExecutionWorker
    worker._execution_logic = _execution_logic(worker._execution_logic)
    worker._get_evaluation_environment = _evaluation_environment(
        worker._get_evaluation_environment)
    StepFunctionResponse.stop_execution = _stop_execution
    # moto 5.2.5: no stopDate, error or cause for TIMED_OUT, no details, no redrive fields.
    StepFunctionResponse.describe_execution = _describe_execution
    StepFunctionResponse.list_executions = _list_executions
    StepFunctionResponse.redrive_execution = _redrive_execution
