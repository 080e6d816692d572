"""Paths, context object, Choice comparisons and intrinsics as Step Functions evaluates them."""

import re
import sys
from datetime import UTC, datetime
from functools import lru_cache

import jsonpath_ng.ext

# A path with a wildcard, filter, slice, union or descent selects many: its result is an array.
_INDEFINITE = re.compile(r"\.\.|\*|\[\?|\[-?\d*:|\[[^\]']*,|\['[^']*'\s*,")
_TIMESTAMP = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


@lru_cache(maxsize=4096)
def parse(path: str):
    """jsonpath_ng builds a new parser for every call; paths repeat."""
    return jsonpath_ng.ext.parse(path)


def extract_json(path: str, data):
    """Replaces moto's: a filter without a match is [] on AWS, one match of a wildcard a list."""
    from moto.stepfunctions.parser.asl.utils.json_path import NoSuchJsonPathError

    values = [match.value for match in parse(path).find(data)]
    if _INDEFINITE.search(path):
        return values
    if not values:
        raise NoSuchJsonPathError(json_path=path, data=data)
    return values[0]


def timestamp(text) -> datetime | None:
    """An RFC 3339 time with or without a fraction and offset, or nothing."""
    if not isinstance(text, str) or not _TIMESTAMP.fullmatch(text):
        return None
    text = re.sub(r"(\.\d{6})\d+", r"\1", text)
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None


def now_text(at: datetime | None = None) -> str:
    """The times of the context object: UTC with milliseconds and a Z."""
    at = (at or datetime.now(tz=UTC)).astimezone(UTC)
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def string_matches(variable, pattern: str) -> bool:
    r"""Only * is special, and \* is a star (moto uses fnmatch, to which [ and ? are special)."""
    if not isinstance(variable, str):
        return False
    parts = re.findall(r"\\[*\\]|\*|[^*\\]+|\\", pattern)
    regex = "".join(".*" if part == "*" else
                    re.escape(part[1:] if part in ("\\*", "\\\\") else part) for part in parts)
    return re.fullmatch(regex, variable, re.DOTALL) is not None


def state_data(EnteredTime=None, Name=None):  # noqa: N803 - moto calls it with these names
    """The State part of the context object (moto writes another time format, and no RetryCount)."""
    return {"EnteredTime": now_text(), "Name": Name, "RetryCount": 0}


def runtime_error(env, cause: str, name=None):
    """The failure of a state, States.Runtime unless told."""
    from moto.stepfunctions.parser.api import ExecutionFailedEventDetails, HistoryEventType
    from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import (
        FailureEvent, FailureEventException)
    from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import (
        StatesErrorName)
    from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import (
        StatesErrorNameType)
    from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails

    name = name or StatesErrorNameType.StatesRuntime
    return FailureEventException(FailureEvent(
        env=env, error_name=StatesErrorName(typ=name), event_type=HistoryEventType.ExecutionFailed,
        event_details=EventDetails(executionFailedEventDetails=ExecutionFailedEventDetails(
            error=name.to_name(), cause=cause))))


def _compare_with_path(operator):
    def evaluate(env, value) -> None:
        variable = env.stack.pop()
        if value.startswith("$$"):
            other = env.states.get_context(value[1:])
        else:
            other = extract_json(value, env.stack[-1])
        env.stack.append(operator._compare(variable, other))
    return staticmethod(evaluate)


def _comparison(original):
    def _eval_body(self, env) -> None:
        from moto.stepfunctions.parser.asl.component.state.choice.comparison.variable import (
            NoSuchVariable)

        variable = env.stack[-1] if env.stack else None
        if isinstance(variable, NoSuchVariable) and self.operator_type.name != "IsPresent":
            raise runtime_error(env, f"Invalid path '{variable.path.split(',')[0]}': The choice "
                                     "state's condition path references an invalid value.")
        original(self, env)
    return _eval_body


def _choice(original):
    def _eval_state(self, env) -> None:
        from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type \
            import StatesErrorNameType

        try:
            original(self, env)
        except RuntimeError as error:
            if not str(error.args[0]).startswith("No branching option"):
                raise
            raise runtime_error(
                env, f"Failed to transition out of state '{self.name}'. The state does not point "
                     "to a next state.", StatesErrorNameType.StatesNoChoiceMatched) from error
    return _eval_state


def _frame(original):
    def as_inner_frame_of(cls, env, variable_store, event_history_frame_cache=None):
        frame = original(cls, env, variable_store, event_history_frame_cache)
        context = env.states.context_object.context_object_data
        if "Map" in context:
            frame.states.context_object.context_object_data["Map"] = context["Map"]
        return frame
    return classmethod(as_inner_frame_of)


def _format(self, env) -> None:
    self.argument_list.eval(env=env)
    template, *values = env.stack.pop()
    parts = re.split(r"(?<!\\)\{\}", template)
    if len(parts) - 1 != len(values):
        raise ValueError(f"States.Format: {len(parts) - 1} placeholders for {len(values)} values")
    texts = [self._to_str_repr(value) for value in values] + [""]
    env.stack.append("".join(part.replace("\\{", "{").replace("\\}", "}") + text
                             for part, text in zip(parts, texts, strict=True)))


def _replace_names() -> None:
    from moto.stepfunctions.parser.asl.component.common.path import result_path
    from moto.stepfunctions.parser.asl.component.state import state
    from moto.stepfunctions.parser.asl.utils import json_path

    old = json_path.extract_json
    for name, module in list(sys.modules.items()):
        if not name.startswith("moto.stepfunctions"):
            continue
        if getattr(module, "extract_json", None) is old:
            module.extract_json = extract_json
    result_path.parse = parse
    state.StateData = state_data


def _repair_operators() -> None:
    from moto.stepfunctions.parser.asl.component.state.choice.comparison.operator.implementations \
        import is_operator, numeric, string_operators, timestamp_operators

    # moto 5.2.5 reads one format of timestamps; with a fraction or offset the rule is silently
    # false.
    is_operator.IsTimestamp.string_to_timestamp = staticmethod(timestamp)
    string_operators.StringMatches._compare = staticmethod(string_matches)
    # moto 5.2.5: the other side of a comparison cannot be a path into the context object.
    for module in (numeric, string_operators, timestamp_operators):
        for name, cls in vars(module).items():
            if name.endswith("Path") and isinstance(cls, type):
                cls.eval = _compare_with_path(cls)


def _local_time(text: str) -> datetime | None:
    at = timestamp(text)
    return at.astimezone().replace(tzinfo=None) if at else None


def install() -> None:
    """Puts the repairs into moto's interpreter."""
    from moto.stepfunctions.parser.asl.component.intrinsic.function.statesfunction.generic import (
        string_format)
    from moto.stepfunctions.parser.asl.component.state.choice.comparison import comparison_func
    from moto.stepfunctions.parser.asl.component.state.choice.state_choice import StateChoice
    from moto.stepfunctions.parser.asl.component.state.wait.wait_function.timestamp import (
        Timestamp)
    from moto.stepfunctions.parser.asl.eval.environment import Environment

    _replace_names()
    _repair_operators()
    # moto 5.2.5: a comparison with a missing variable is silently false; AWS fails the execution.
    comparison_func.ComparisonFuncValue._eval_body = _comparison(
        comparison_func.ComparisonFuncValue._eval_body)
    # moto 5.2.5: reports States.Runtime where AWS reports States.NoChoiceMatched.
    StateChoice._eval_state = _choice(StateChoice._eval_state)
    # moto 5.2.5: $$.Map is lost in the states inside an iteration.
    Environment.as_inner_frame_of = _frame(Environment.as_inner_frame_of.__func__)
    # moto 5.2.5 uses Python's str.format, to which {0} and {name} are special.
    string_format.StringFormat._eval_body = _format
    # moto 5.2.5: a Wait until a time with an offset is refused, a fraction is misread.
    Timestamp._is_valid_timestamp_pattern = staticmethod(lambda text: timestamp(text) is not None)
    Timestamp._from_timestamp_string = staticmethod(_local_time)
