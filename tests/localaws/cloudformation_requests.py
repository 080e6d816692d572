"""What the operations of the CloudFormation API share: the stack, template and parameters meant."""

import re

from localaws import cloudformation_stack as store
from localaws.cloudformation_nested import fetch
from localaws.cloudformation_stack import Stack
from localaws.cloudformation_template import invalid

_UPDATABLE = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "UPDATE_FAILED",
              "IMPORT_COMPLETE"}


def existing(self, name: str | None) -> Stack:
    """The stack that is named, or the refusal that AWS gives."""
    stack = store.find(self.current_account, self.region, name)
    if stack is None:
        raise invalid(f"Stack with id {name} does not exist")
    return stack


def body_of(self, previous: Stack | None) -> str:
    """The template of a request."""
    body, url = self._get_param("TemplateBody"), self._get_param("TemplateURL")
    if body and url:
        raise invalid("Either Template URL or Template Body must be specified.")
    if body:
        if len(body.encode()) > 51_200:
            raise invalid("1 validation error detected: Value at 'templateBody' failed to satisfy "
                          "constraint: Member must have length less than or equal to 51200")
        return body
    if url:
        return fetch(url, self.region, self.current_account)
    if self._get_bool_param("UsePreviousTemplate", False) and previous and previous.template:
        return previous.template.body
    raise invalid("Either Template URL or Template Body must be specified.")


def given_parameters(self, previous: Stack | None) -> dict:
    """The parameters of a request, with previous values where asked."""
    before = previous.template.given if previous and previous.template else {}
    given = {}
    for one in self._get_param("Parameters", []) or []:
        name = one["ParameterKey"]
        if str(one.get("UsePreviousValue", "")).lower() == "true":
            if name in before:
                given[name] = before[name]
            elif previous is None or name not in (previous.template.types if previous.template
                                                  else {}):
                raise invalid(f"Invalid input for parameter key {name}. Cannot specify "
                              "usePreviousValue as true for a parameter key not in the previous "
                              "template")
        else:
            given[name] = one.get("ParameterValue", "")
    return given


def refuse_if_busy(stack: Stack, verb: str = "updated") -> None:
    """Only a stack at rest can be worked on."""
    if stack.status not in _UPDATABLE:
        raise invalid(f"Stack:{stack.id} is in {stack.status} state and can not be {verb}.")


def take_settings(self, stack: Stack) -> None:
    """The settings of a request that the stack keeps."""
    stack.capabilities = self._get_param("Capabilities", []) or []
    if self._get_param("Tags") is not None:
        stack.tags = self._get_param("Tags")
    stack.role_arn = self._get_param("RoleARN") or stack.role_arn
    stack.notification_arns = self._get_param("NotificationARNs") or stack.notification_arns
    stack.token = self._get_param("ClientRequestToken")


def check_name(name: str) -> str:
    """The syntax of stack names."""
    if not re.fullmatch(r"[a-zA-Z][-a-zA-Z0-9]{0,127}", name or ""):
        raise invalid(f"1 validation error detected: Value '{name}' at 'stackName' failed to "
                      "satisfy constraint: Member must satisfy regular expression pattern: "
                      "[a-zA-Z][-a-zA-Z0-9]*")
    return name
