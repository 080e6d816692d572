"""The limits of Step Functions that moto 5.2.5 forgets or gets wrong."""

import json
import sys

from localaws.api_error import ApiError

MAX_BYTES = 262_144
MAX_CAUSE = 32_768
MAX_ERROR = 256
MAX_INLINE_MAP = 40
# Step Functions never hands these to a Retry or Catch of States.ALL or States.TaskFailed.
TERMINAL = {"States.Runtime", "States.DataLimitExceeded"}


def size(value) -> int:
    """The bytes that a value takes as compact UTF-8 JSON; text counts as it is."""
    text = value if isinstance(value, str) else json.dumps(
        value, separators=(",", ":"), ensure_ascii=False, default=str)
    return len(text.encode())


def is_within_size_quota(value) -> bool:
    """Replaces moto's: it counts blanks and escapes that are not there, and is off by one."""
    return size(value) <= MAX_BYTES


def cut(text: str | None, limit: int) -> str | None:
    """An error or cause as Step Functions keeps it."""
    return text[:limit] if isinstance(text, str) else text


def too_long(name: str, value: str | None, limit: int) -> None:
    """Refuses an API parameter beyond the length of the service model (moto accepts any)."""
    if value is not None and len(value) > limit:
        raise ApiError("ValidationException", (
            f"1 validation error detected: Value at '{name}' failed to satisfy constraint: "
            f"Member must have length less than or equal to {limit}"))


def _error_equals(self, env) -> None:
    name = env.stack.pop().error_name
    wanted = {error.error_name for error in self.error_names}
    if name == "States.Runtime":
        caught = False
    elif "States.ALL" in wanted:
        caught = name not in TERMINAL
    elif "States.TaskFailed" in wanted and name not in TERMINAL | {"States.Timeout"}:
        caught = True
    else:
        caught = name in wanted
    env.stack.append(caught)


def _custom_error_name(self, error_name) -> None:
    self.error_name = error_name


def _limit_inline_map(original):
    def _eval_body(self, env) -> None:
        eval_input = env.stack[-1]
        items = len(eval_input.input_items)
        workers = min(eval_input.max_concurrency or MAX_INLINE_MAP, MAX_INLINE_MAP, items)
        eval_input.max_concurrency = workers
        original(self, env)
    return _eval_body


def _cut_error_output(original):
    def _construct_error_output_value(failure_event):
        output = original(failure_event)
        return {"Error": cut(output["Error"], MAX_ERROR) or "",
                "Cause": cut(output["Cause"], MAX_CAUSE) or ""}
    return staticmethod(_construct_error_output_value)


def _limit_parameters(original):
    def _before_eval_execution(self, env, resource_runtime_part, raw_parameters,
                               state_credentials) -> None:
        original(self, env, resource_runtime_part, raw_parameters, state_credentials)
        # moto 5.2.5 measures results only; a task's payload is limited too.
        self._verify_size_quota(env=env, value=raw_parameters)
    return _before_eval_execution


def install() -> None:
    """Puts the limits into moto's interpreter."""
    from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import (
        CustomErrorName)
    from moto.stepfunctions.parser.asl.component.common.error_name.error_equals_decl import (
        ErrorEqualsDecl)
    from moto.stepfunctions.parser.asl.component.state.exec.execute_state import ExecutionState
    from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration import (
        inline_iteration_component as inline)
    from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import (
        state_task_service)

    for name, module in list(sys.modules.items()):
        if name.startswith("moto.stepfunctions") and hasattr(module, "is_within_size_quota"):
            module.is_within_size_quota = is_within_size_quota
    # moto 5.2.5: States.ALL catches the errors that end an execution on AWS.
    ErrorEqualsDecl._eval_body = _error_equals
    # moto 5.2.5: a States.* error inside a Map iteration or branch crashes the interpreter here.
    CustomErrorName.__init__ = _custom_error_name
    # moto 5.2.5 runs every item of an inline Map at once.
    component = inline.InlineIterationComponent
    component._eval_body = _limit_inline_map(component._eval_body)
    ExecutionState._construct_error_output_value = _cut_error_output(
        ExecutionState._construct_error_output_value)
    service = state_task_service.StateTaskService
    service._before_eval_execution = _limit_parameters(service._before_eval_execution)
