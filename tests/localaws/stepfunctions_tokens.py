"""Task tokens and the calls that answer them.

moto 5.2.5 gives tokens of 36 characters, keeps one token for all attempts of a state, forgets the
cause of SendTaskFailure, and answers late calls otherwise than AWS.
"""

import base64
import json
import os
from dataclasses import dataclass, field

from localaws import state
from localaws.api_error import ApiError
from localaws.stepfunctions_limits import MAX_BYTES, MAX_CAUSE, MAX_ERROR, too_long


@dataclass
class Task:
    """One attempt of a task that waits for its token."""

    execution: str
    pool: object
    state: str = "open"  # open | answered | timed out | gone
    region: str = field(default="")

_tasks: dict[str, Task] = {}
_lock = state.lock()


def new_token() -> str:
    """Opaque text of 600 characters; + / and = in it must survive URLs and forms."""
    return "AQC8" + base64.b64encode(os.urandom(446)).decode()


def open_task(env) -> str:
    """Gives the state's next attempt its own token."""
    context = env.states.context_object.context_object_data
    token = new_token()
    context["Task"] = {"Token": token}
    env.callback_pool_manager.add(token)
    with _lock:
        _tasks[token] = Task(context["Execution"]["Id"], env.callback_pool_manager,
                             region=env.aws_execution_details.region)
    return token


def close_task(token: str, how: str) -> None:
    """Ends an attempt that nobody has answered."""
    with _lock:
        task = _tasks.get(token)
        if task is not None and task.state == "open":
            task.state = how


def close_execution(execution_arn: str) -> None:
    """Ends all open tasks of an execution that has ended, and wakes their threads."""
    with _lock:
        for token, task in _tasks.items():
            if task.execution == execution_arn and task.state == "open":
                task.state = "gone"
                endpoint = task.pool.get(token)
                if endpoint is not None:
                    endpoint.interrupt_all()


def _open(region: str, token: str) -> Task:
    task = _tasks.get(token or "")
    if task is None or task.region != region:
        raise ApiError("InvalidToken", "Invalid Token: 'Invalid token'")
    if task.state == "gone":
        raise ApiError(
            "TaskDoesNotExist", "Task Does Not Exist: 'Provided task does not exist anymore'")
    if task.state != "open":
        raise ApiError(
            "TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'")
    return task


def _answer(region: str, token: str, outcome) -> None:
    with _lock:
        task = _open(region, token)
        task.state = "answered"
        task.pool.notify(callback_id=token, outcome=outcome)


def send_task_success(self):
    """Replaces moto's SendTaskSuccess."""
    from moto.core.responses import EmptyResult
    from moto.stepfunctions.parser.asl.eval.callback.callback import CallbackOutcomeSuccess

    token, output = self._get_param("taskToken"), self._get_param("output")
    too_long("output", output, MAX_BYTES)
    try:
        json.loads(output)
    except ValueError as error:
        raise ApiError("InvalidOutput", f"Invalid Output: '{error}'") from error
    _answer(self.region, token, CallbackOutcomeSuccess(callback_id=token, output=output))
    return EmptyResult()


def send_task_failure(self):
    """Replaces moto's SendTaskFailure."""
    from moto.core.responses import EmptyResult
    from moto.stepfunctions.parser.asl.eval.callback.callback import CallbackOutcomeFailure

    token = self._get_param("taskToken")
    error, cause = self._get_param("error"), self._get_param("cause")
    too_long("error", error, MAX_ERROR)
    too_long("cause", cause, MAX_CAUSE)
    _answer(self.region, token,
            CallbackOutcomeFailure(callback_id=token, error=error or "", cause=cause or ""))
    return EmptyResult()


def send_task_heartbeat(self):
    """Replaces moto's SendTaskHeartbeat."""
    from moto.core.responses import EmptyResult

    token = self._get_param("taskToken")
    with _lock:
        _open(self.region, token).pool.heartbeat(callback_id=token)
    return EmptyResult()


def _evaluate_with_timeout(original):
    def evaluate(self, env) -> None:
        token = open_task(env) if self._is_integration_pattern() else None
        how = "answered"
        try:
            original(self, env)
        except TimeoutError:
            how = "timed out"
            raise
        finally:
            if token is not None:
                close_task(token, how)
                env.states.context_object.context_object_data.pop("Task", None)
    return evaluate


def _heartbeat_error(original):
    def _from_error(self, env, ex):
        from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import (
            StatesErrorName)
        from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type \
            import StatesErrorNameType
        from moto.stepfunctions.parser.asl.eval.callback.callback import HeartbeatTimeoutError

        event = original(self, env, ex)
        if isinstance(ex, HeartbeatTimeoutError):
            kind = StatesErrorNameType.StatesHeartbeatTimeout
            event.error_name = StatesErrorName(typ=kind)
            event.event_details["taskTimedOutEventDetails"]["error"] = kind.to_name()
        return event
    return _from_error


def _eval_body(self, env) -> None:
    # Without moto's token for all attempts: `_evaluate_with_timeout` gives one to each.
    if self._is_integration_pattern():
        self._assert_integration_pattern_is_supported()
    super(_callback_class(), self)._eval_body(env=env)


def _callback_class():
    from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import (
        state_task_service_callback)

    return state_task_service_callback.StateTaskServiceCallback


def install() -> None:
    """Puts the repairs into moto's interpreter and API."""
    from moto.stepfunctions.parser.asl.component.state.exec.state_task.state_task import StateTask
    from moto.stepfunctions.responses import StepFunctionResponse

    callback = _callback_class()
    callback._evaluate_with_timeout = _evaluate_with_timeout(callback._evaluate_with_timeout)
    callback._eval_body = _eval_body
    # moto 5.2.5 reports a missed heartbeat as States.Timeout.
    StateTask._from_error = _heartbeat_error(StateTask._from_error)
    StepFunctionResponse.send_task_success = send_task_success
    StepFunctionResponse.send_task_failure = send_task_failure
    StepFunctionResponse.send_task_heartbeat = send_task_heartbeat
