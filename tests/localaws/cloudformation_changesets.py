"""Change sets."""

import re
import time
import uuid

from moto.core.responses import ActionResult, EmptyResult

from localaws import cloudformation_engine as engine, cloudformation_stack as store, timings
from localaws.api_error import ApiError
from localaws.cloudformation_api import has_changes
from localaws.cloudformation_apply import reason_of
from localaws.cloudformation_changes import changes
from localaws.cloudformation_describe import shown_parameters
from localaws.cloudformation_nested import prepare
from localaws.cloudformation_requests import (
    body_of,
    check_name,
    existing,
    given_parameters,
    refuse_if_busy,
    take_settings,
)
from localaws.cloudformation_stack import Stack, Template
from localaws.cloudformation_template import invalid

NO_CHANGES = ("The submitted information didn't contain changes. Submit different information to "
              "create a change set.")


class ChangeSet:
    """A proposed change of one stack."""

    def __init__(self, stack: Stack, name: str, kind: str, template: Template):
        self.stack, self.name, self.kind, self.template = stack, name, kind, template
        self.id = (f"arn:{stack.partition}:cloudformation:{stack.region}:{stack.account}:"
                   f"changeSet/{name}/{uuid.uuid4()}")
        self.created_at = store.now()
        self.status, self.reason = "CREATE_IN_PROGRESS", None
        self.execution = "UNAVAILABLE"
        self.changes: list[dict] = []
        self.tags = self.capabilities = self.description = self.token = self.role_arn = None
        self.on_failure = None
        self.notification_arns: list[str] = []


def create_change_set(self):
    """CreateChangeSet."""
    name, kind = self._get_param("ChangeSetName"), self._get_param("ChangeSetType") or "UPDATE"
    if not re.fullmatch(r"[a-zA-Z][-a-zA-Z0-9]{0,127}", name or ""):
        raise invalid(f"1 validation error detected: Value '{name}' at 'changeSetName' failed to "
                      "satisfy constraint: Member must satisfy regular expression pattern: "
                      "[a-zA-Z][-a-zA-Z0-9]*")
    with store.LOCK:
        stack, fresh = _stack_for(self, kind)
        repeated = _repeated(self, stack, name)
        if repeated:
            return ActionResult({"Id": repeated.id, "StackId": stack.id})
        previous = None if kind == "CREATE" else stack
        capabilities = self._get_param("Capabilities", []) or []
        template = prepare(stack, body_of(self, previous), given_parameters(self, previous),
                           capabilities, change_set=True)
        change_set = ChangeSet(stack, name, kind, template)
        change_set.capabilities, change_set.tags = capabilities, self._get_param("Tags")
        change_set.token = self._get_param("ClientToken")
        change_set.description = self._get_param("Description")
        change_set.role_arn = self._get_param("RoleARN")
        change_set.notification_arns = self._get_param("NotificationARNs") or []
        change_set.on_failure = self._get_param("OnStackFailure")
        if fresh:
            store.add(stack)
            stack.set_status("REVIEW_IN_PROGRESS", "User Initiated")
        stack.change_sets[change_set.id] = change_set
    pause = timings.get("cloudformation")
    engine.in_background(lambda: _compute(change_set, pause), f"changeset-{name}",
                         0 if pause else engine.PATIENCE)
    return ActionResult({"Id": change_set.id, "StackId": stack.id})


def _stack_for(self, kind: str) -> tuple[Stack, bool]:
    name = self._get_param("StackName")
    stack = store.find(self.current_account, self.region, name)
    if stack is not None and stack.status == "DELETE_COMPLETE":
        stack = None
    if kind == "CREATE":
        if stack is None:
            return Stack(self.current_account, self.region, check_name(name)), True
        if stack.status != "REVIEW_IN_PROGRESS":
            raise invalid(f"Stack [{stack.name}] already exists and cannot be created again with "
                          "the changeSet [" + self._get_param("ChangeSetName") + "].")
        return stack, False
    if kind != "UPDATE":
        raise invalid(f"Change sets of type {kind} are not supported here")
    if stack is None:
        raise invalid(f"Stack [{name}] does not exist")
    refuse_if_busy(stack)
    return stack, False


def _repeated(self, stack: Stack, name: str) -> ChangeSet | None:
    for change_set in stack.change_sets.values():
        if change_set.name == name:
            if change_set.token and change_set.token == self._get_param("ClientToken"):
                return change_set
            raise ApiError("AlreadyExistsException",
                                   f"ChangeSet {name} cannot be created due to a mismatch with "
                                   "existing attribute ClientToken" if change_set.token else
                                   f"ChangeSet [{name}] already exists")
    return None


def _compute(change_set: ChangeSet, pause: float) -> None:
    time.sleep(pause / 2)
    stack = change_set.stack
    try:
        stack_capabilities, stack.capabilities = stack.capabilities, change_set.capabilities
        change_set.changes = changes(stack, change_set.template)
        wanted = change_set.kind == "CREATE" or has_changes(stack, change_set.template,
                                                            change_set.tags)
        stack.capabilities = stack_capabilities
    except Exception as error:
        change_set.status, change_set.reason = "FAILED", reason_of(error)
        return
    if not wanted:
        change_set.status, change_set.reason = "FAILED", NO_CHANGES
        return
    change_set.status, change_set.execution = "CREATE_COMPLETE", "AVAILABLE"


def find_change_set(self, name: str, stack_name: str | None) -> ChangeSet:
    """A change set by ARN, or by name and stack."""
    if name.startswith("arn:"):
        stacks = store.every(self.current_account, self.region)
    else:
        stacks = [existing(self, stack_name)]
    for stack in stacks:
        for change_set in stack.change_sets.values():
            if name in (change_set.id, change_set.name):
                return change_set
    raise ApiError("ChangeSetNotFound", f"ChangeSet [{name}] does not exist")


def describe_change_set(self):
    """DescribeChangeSet."""
    found = find_change_set(self, self._get_param("ChangeSetName"), self._get_param("StackName"))
    shown = {
        "ChangeSetName": found.name, "ChangeSetId": found.id, "StackId": found.stack.id,
        "StackName": found.stack.name, "Description": found.description,
        "Parameters": shown_parameters(found.template), "CreationTime": found.created_at,
        "ExecutionStatus": found.execution, "Status": found.status, "StatusReason": found.reason,
        "NotificationARNs": found.notification_arns, "Tags": found.tags or [],
        "Capabilities": found.capabilities, "RollbackConfiguration": {},
        "OnStackFailure": found.on_failure,
        "Changes": [{"Type": "Resource", "ResourceChange": _without_none(one)}
                    for one in found.changes]}
    return ActionResult(_without_none(shown))


def _without_none(document: dict) -> dict:
    return {key: value for key, value in document.items() if value is not None}


def list_change_sets(self):
    """ListChangeSets."""
    stack = existing(self, self._get_param("StackName"))
    return ActionResult({"Summaries": [_without_none({
        "ChangeSetName": one.name, "ChangeSetId": one.id, "StackId": stack.id,
        "StackName": stack.name, "ExecutionStatus": one.execution, "Status": one.status,
        "StatusReason": one.reason, "CreationTime": one.created_at,
        "Description": one.description}) for one in stack.change_sets.values()]})


def delete_change_set(self):
    """DeleteChangeSet; one that does not exist is fine."""
    try:
        found = find_change_set(self, self._get_param("ChangeSetName"),
                                self._get_param("StackName"))
    except ApiError as error:
        if error.code != "ChangeSetNotFound":
            raise
        return EmptyResult()
    if found.execution == "EXECUTE_IN_PROGRESS":
        raise ApiError("InvalidChangeSetStatus",
                               f"ChangeSet [{found.id}] cannot be deleted in its current status")
    del found.stack.change_sets[found.id]
    return EmptyResult()


def execute_change_set(self):
    """ExecuteChangeSet; the stack's other change sets become obsolete."""
    with store.LOCK:
        found = find_change_set(self, self._get_param("ChangeSetName"),
                                self._get_param("StackName"))
        stack, token = found.stack, self._get_param("ClientRequestToken")
        if token and stack.tokens.get(token) == ("ExecuteChangeSet", found.id):
            return EmptyResult()
        if found.execution != "AVAILABLE":
            raise ApiError("InvalidChangeSetStatus",
                                   f"ChangeSet [{found.id}] cannot be executed in its current "
                                   f"status of [{found.status}]")
        if found.kind == "UPDATE":
            refuse_if_busy(stack)
        if token:
            stack.tokens[token] = ("ExecuteChangeSet", found.id)
        found.execution = "EXECUTE_IN_PROGRESS"
        take_settings(self, stack)
        stack.capabilities = found.capabilities
        stack.role_arn = found.role_arn or stack.role_arn
        if found.tags is not None:
            stack.tags = found.tags
        keep = self._get_bool_param("DisableRollback", False)
        verb = "CREATE" if found.kind == "CREATE" else "UPDATE"
        if verb == "CREATE":
            stack.template, stack.disable_rollback = found.template, keep
        stack.set_status(f"{verb}_IN_PROGRESS", "User Initiated")
    engine.start(stack, lambda: _carry_out(found, keep))
    return EmptyResult()


def _carry_out(found: ChangeSet, keep: bool) -> None:
    stack = found.stack
    if found.kind == "CREATE":
        on_failure = found.on_failure or ("DO_NOTHING" if keep else "ROLLBACK")
        done = engine.create(stack, found.template, on_failure)
    else:
        done = engine.update(stack, found.template, keep)
    found.execution = "EXECUTE_COMPLETE" if done else "EXECUTE_FAILED"
    for other in list(stack.change_sets.values()):
        if done or other is not found:
            del stack.change_sets[other.id]

OPERATIONS = (create_change_set, describe_change_set, list_change_sets, delete_change_set,
              execute_change_set)
