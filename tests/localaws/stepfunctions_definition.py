"""What CreateStateMachine refuses on AWS and moto 5.2.5 accepts."""

import json

from localaws.api_error import ApiError

# Optimised integrations and the parameters they take; anything else is refused on creation.
PARAMETERS = {
    "lambda:invoke": {"ClientContext", "FunctionName", "InvocationType", "Payload", "Qualifier"},
    "states:startExecution": {"Input", "Name", "StateMachineArn", "TraceHeader"},
    "sns:publish": {"Message", "MessageAttributes", "MessageDeduplicationId", "MessageGroupId",
                    "MessageStructure", "PhoneNumber", "Subject", "TargetArn", "TopicArn"},
    "sqs:sendMessage": {"DelaySeconds", "MessageAttributes", "MessageBody",
                        "MessageDeduplicationId", "MessageGroupId", "QueueUrl"},
}
MAX_DEFINITION = 1_048_576


def problems(definition: str) -> list[str]:
    """What is wrong with a state machine, in AWS's words where we know them."""
    try:
        machine = json.loads(definition)
    except ValueError as error:
        return [f"INVALID_JSON_DESCRIPTION: Invalid State Machine Definition: '{error}'"]
    if len(definition) > MAX_DEFINITION:
        return ["INVALID_LENGTH: The definition is longer than 1 MB"]
    return _of_machine(machine, "")


def _of_machine(machine: dict, path: str) -> list[str]:
    states, start = machine.get("States", {}), machine.get("StartAt")
    found = []
    if start not in states:
        found.append(f"MISSING_TRANSITION_TARGET: Missing 'Next' target: {start} at {path}/StartAt")
    reached = {start}
    for name, state in states.items():
        here = f"{path}/States/{name}"
        for field, target in _targets(state):
            reached.add(target)
            if target not in states:
                found.append("MISSING_TRANSITION_TARGET: Missing 'Next' target: "
                             f"{target} at {here}/{field}")
        found += _of_state(name, state, here)
    found += [f'MISSING_TRANSITION_TARGET: State "{name}" is not reachable. at {path}/States/{name}'
              for name in states if name not in reached]
    return found


def _targets(state: dict):
    for field in ("Next", "Default"):
        if field in state:
            yield field, state[field]
    for field in ("Choices", "Catch"):
        for index, rule in enumerate(state.get(field, [])):
            yield f"{field}[{index}]/Next", rule.get("Next")


def _of_state(name: str, state: dict, path: str) -> list[str]:
    found = []
    if len(name) > 80:
        found.append(f"SCHEMA_VALIDATION_FAILED: State name is longer than 80 characters at {path}")
    if state.get("Type") not in ("Choice", "Succeed", "Fail") and not (
            ("Next" in state) ^ bool(state.get("End"))):
        found.append(f"SCHEMA_VALIDATION_FAILED: One of Next or End is required at {path}")
    for index, branch in enumerate(state.get("Branches", [])):
        found += _of_machine(branch, f"{path}/Branches[{index}]")
    for field in ("ItemProcessor", "Iterator"):
        if field in state:
            found += _of_machine(state[field], f"{path}/{field}")
    return found + _of_parameters(state, path) + _of_error_equals(state, path)


def _of_parameters(state: dict, path: str) -> list[str]:
    resource = str(state.get("Resource", "")).split(":states:::")[-1].split(".")[0]
    known = PARAMETERS.get(resource)
    if known is None or state.get("Type") != "Task":
        return []
    keys = {key.removesuffix(".$") for key in state.get("Parameters", {})}
    return [f'SCHEMA_VALIDATION_FAILED: The field "{key}" is not supported by Step Functions at '
            f"{path}/Parameters" for key in sorted(keys - known)]


def _of_error_equals(state: dict, path: str) -> list[str]:
    found = []
    for field in ("Catch", "Retry"):
        rules = state.get(field, [])
        for index, rule in enumerate(rules):
            names = rule.get("ErrorEquals", [])
            if "States.ALL" in names and (len(names) > 1 or index < len(rules) - 1):
                found.append("SCHEMA_VALIDATION_FAILED: States.ALL must appear alone and in the "
                             f"last {field} at {path}/{field}[{index}]")
    return found


def _validate(original):
    def validate(definition: str) -> None:
        found = problems(definition)
        if found:
            raise ApiError("InvalidDefinition", "Invalid State Machine Definition: '"
                                   + ", ".join(found) + "'")
        original(definition)
    return staticmethod(validate)


def _create(original):
    def create_state_machine(self, name, definition, roleArn, *args, **kwargs):  # noqa: N803
        for machine in self.state_machines:
            # moto 5.2.5 answers the existing machine, and drops the new definition.
            if machine.name == name and (machine.definition, machine.roleArn) != (
                    definition, roleArn):
                raise ApiError("StateMachineAlreadyExists",
                                       f"State Machine Already Exists: '{machine.arn}'")
        return original(self, name, definition, roleArn, *args, **kwargs)
    return create_state_machine


def install() -> None:
    """Puts the checks into moto's backend."""
    from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import (
        state_task_service_lambda)
    from moto.stepfunctions.parser.models import StepFunctionsParserBackend as Backend

    Backend._validate_definition = _validate(Backend._validate_definition)
    Backend.create_state_machine = _create(Backend.create_state_machine)
    # moto 5.2.5 drops this one in silence.
    state_task_service_lambda._SUPPORTED_API_PARAM_BINDINGS["invoke"].add("InvocationType")
