"""The CloudFormation API for stacks, over our own engine: what changes something.

moto 5.2.5 makes stacks in one step: no IN_PROGRESS, no rollback, no replacement, no refusal while
busy, resources of unknown types skipped in silence. Stack sets stay moto's.
"""

import json

from moto.core.responses import ActionResult, EmptyResult

from localaws import cloudformation_engine as engine, cloudformation_stack as store
from localaws.api_error import ApiError
from localaws.cloudformation_changes import changes, outputs_differ
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


def _remember_token(self, stack: Stack, action: str) -> bool:
    """Whether this very request has been answered before; another under its token is refused."""
    token = self._get_param("ClientRequestToken")
    if not token:
        return False
    request = (action, self._get_param("TemplateBody"), self._get_param("TemplateURL"),
               json.dumps(self._get_param("Parameters", []), sort_keys=True, default=str))
    before = stack.tokens.setdefault(token, request)
    if before != request:
        raise ApiError("TokenAlreadyExistsException",
                               f"Token {token} already exists for another operation")
    return True


def create_stack(self):
    """CreateStack."""
    name = self._get_param("StackName")
    with store.LOCK:
        old = store.find(self.current_account, self.region, name)
        token = self._get_param("ClientRequestToken")
        if old and old.status != "REVIEW_IN_PROGRESS":
            if token in old.tokens and _remember_token(self, old, "CreateStack"):
                return ActionResult({"StackId": old.id})
            raise ApiError("AlreadyExistsException", f"Stack [{name}] already exists")
        if old:
            raise invalid(f"Stack:{old.id} is in {old.status} state and can not be created.")
        stack = Stack(self.current_account, self.region, check_name(name))
        take_settings(self, stack)
        template = prepare(stack, body_of(self, None), given_parameters(self, None),
                           stack.capabilities)
        _remember_token(self, stack, "CreateStack")
        stack.protected = self._get_bool_param("EnableTerminationProtection", False)
        stack.disable_rollback = self._get_bool_param("DisableRollback", False)
        stack.timeout = self._get_int_param("TimeoutInMinutes")
        on_failure = self._get_param("OnFailure") or (
            "DO_NOTHING" if stack.disable_rollback else "ROLLBACK")
        store.add(stack)
        stack.template = template
        stack.set_status("CREATE_IN_PROGRESS", "User Initiated")
    engine.start(stack, lambda: engine.create(stack, template, on_failure))
    return ActionResult({"StackId": stack.id})


def has_changes(stack: Stack, template: Template, tags: list[dict] | None) -> bool:
    """Whether an update would do anything."""
    return bool(changes(stack, template)) or outputs_differ(stack, template) or (
        tags is not None and tags != stack.tags)


def update_stack(self):
    """UpdateStack."""
    name = self._get_param("StackName")
    with store.LOCK:
        stack = store.find(self.current_account, self.region, name)
        if stack is None or stack.status == "DELETE_COMPLETE":
            raise invalid(f"Stack [{name}] does not exist")
        token = self._get_param("ClientRequestToken")
        if token in stack.tokens and _remember_token(self, stack, "UpdateStack"):
            return ActionResult({"StackId": stack.id})
        refuse_if_busy(stack)
        capabilities = self._get_param("Capabilities", []) or []
        template = prepare(stack, body_of(self, stack), given_parameters(self, stack),
                           capabilities)
        stack.capabilities = capabilities
        if not has_changes(stack, template, self._get_param("Tags")):
            raise invalid("No updates are to be performed.")
        _remember_token(self, stack, "UpdateStack")
        take_settings(self, stack)
        keep = self._get_bool_param("DisableRollback", False)
        stack.set_status("UPDATE_IN_PROGRESS", "User Initiated")
    engine.start(stack, lambda: engine.update(stack, template, keep))
    return ActionResult({"StackId": stack.id})


def delete_stack(self):
    """DeleteStack; one that does not exist is fine."""
    with store.LOCK:
        stack = store.find(self.current_account, self.region, self._get_param("StackName"))
        if stack is None or stack.status in ("DELETE_COMPLETE", "DELETE_IN_PROGRESS"):
            return EmptyResult()
        if stack.protected:
            raise invalid(f"Stack [{stack.name}] cannot be deleted while TerminationProtection is "
                          "enabled")
        if stack.busy:
            raise invalid(f"Stack:{stack.id} is in {stack.status} state and can not be deleted.")
        retain = self._get_param("RetainResources", []) or []
        stack.token = self._get_param("ClientRequestToken")
        stack.set_status("DELETE_IN_PROGRESS", "User Initiated")
    engine.start(stack, lambda: engine.delete(stack, retain))
    return EmptyResult()


def update_termination_protection(self):
    """UpdateTerminationProtection."""
    stack = existing(self, self._get_param("StackName"))
    stack.protected = self._get_bool_param("EnableTerminationProtection", False)
    return ActionResult({"StackId": stack.id})


def continue_update_rollback(self):
    """ContinueUpdateRollback: the rest is skipped."""
    stack = existing(self, self._get_param("StackName"))
    if stack.status != "UPDATE_ROLLBACK_FAILED":
        raise invalid(f"Stack:{stack.id} is in {stack.status} state and can not be rolled back.")
    stack.set_status("UPDATE_ROLLBACK_IN_PROGRESS", "User Initiated")
    stack.set_status("UPDATE_ROLLBACK_COMPLETE")
    return EmptyResult()


def get_stack_policy(self):
    """GetStackPolicy."""
    return ActionResult({"StackPolicyBody": existing(self, self._get_param("StackName")).policy})


def set_stack_policy(self):
    """SetStackPolicy: kept, not enforced."""
    existing(self, self._get_param("StackName")).policy = self._get_param("StackPolicyBody")
    return EmptyResult()


OPERATIONS = (create_stack, update_stack, delete_stack, update_termination_protection,
              continue_update_rollback, get_stack_policy, set_stack_policy)
