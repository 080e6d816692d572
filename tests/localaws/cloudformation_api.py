"""The CloudFormation API for stacks, over our own engine.

moto 5.2.5 makes stacks in one step: no IN_PROGRESS, no rollback, no replacement, no refusal while
busy, resources of unknown types skipped in silence. Stack sets stay moto's.
"""

import json

from moto.core.responses import ActionResult, EmptyResult

from localaws import cloudformation_engine as engine, cloudformation_stack as store
from localaws.api_error import ApiError
from localaws.cloudformation_changes import changes, outputs_differ
from localaws.cloudformation_nested import fetch, prepare
from localaws.cloudformation_parameters import needed_capabilities, values
from localaws.cloudformation_stack import Stack, Template
from localaws.cloudformation_template import expand, invalid, parse, transforms

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


def check_name(name: str) -> str:
    """The syntax of stack names."""
    import re

    if not re.fullmatch(r"[a-zA-Z][-a-zA-Z0-9]{0,127}", name or ""):
        raise invalid(f"1 validation error detected: Value '{name}' at 'stackName' failed to "
                      "satisfy constraint: Member must satisfy regular expression pattern: "
                      "[a-zA-Z][-a-zA-Z0-9]*")
    return name


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


def shown_parameters(template: Template) -> list[dict]:
    """The parameters of a template as DescribeStacks shows them."""
    shown = []
    for name, body in template.types.items():
        raw = template.given.get(name, body.get("Default", ""))
        raw = ",".join(map(str, raw)) if isinstance(raw, list) else raw
        raw = str(raw).lower() if isinstance(raw, bool) else str(raw)
        secret = str(body.get("NoEcho", "")).lower() == "true"
        one = {"ParameterKey": name, "ParameterValue": "****" if secret else raw}
        if str(body.get("Type", "")).startswith("AWS::SSM::"):
            value = template.parameters[name]
            one["ResolvedValue"] = ",".join(value) if isinstance(value, list) else value
        shown.append(one)
    return shown


def described(stack: Stack) -> dict:
    """One stack of DescribeStacks."""
    template = stack.template
    shown = {
        "StackId": stack.id, "StackName": stack.name, "StackStatus": stack.status,
        "StackStatusReason": stack.reason, "CreationTime": stack.created_at,
        "LastUpdatedTime": stack.updated_at, "DeletionTime": stack.deleted_at,
        "Description": template.processed.get("Description") if template else None,
        "Parameters": shown_parameters(template) if template else [],
        "Outputs": stack.outputs, "Tags": stack.tags, "Capabilities": stack.capabilities,
        "DisableRollback": stack.disable_rollback, "NotificationARNs": stack.notification_arns,
        "RoleARN": stack.role_arn, "EnableTerminationProtection": stack.protected,
        "TimeoutInMinutes": stack.timeout, "RollbackConfiguration": {},
        "DriftInformation": {"StackDriftStatus": "NOT_CHECKED"}}
    if stack.parent:
        shown["ParentId"] = stack.parent.id
        root = stack.parent
        while root.parent:
            root = root.parent
        shown["RootId"] = root.id
    return {key: value for key, value in shown.items() if value is not None}


def describe_stacks(self):
    """DescribeStacks."""
    name = self._get_param("StackName")
    if name:
        found = [existing(self, name)]
    else:
        found = [one for one in store.every(self.current_account, self.region)
                 if one.status != "DELETE_COMPLETE"]
    return ActionResult({"Stacks": [described(one) for one in found]})


def list_stacks(self):
    """ListStacks."""
    wanted = self._get_param("StackStatusFilter", []) or []
    found = [one for one in store.every(self.current_account, self.region)
             if not wanted or one.status in wanted]
    names = ("StackId", "StackName", "StackStatus", "StackStatusReason", "CreationTime",
             "LastUpdatedTime", "DeletionTime", "ParentId", "RootId")
    return ActionResult({"StackSummaries": [
        {key: value for key, value in described(one).items() if key in names} for one in found]})


def describe_stack_events(self):
    """DescribeStackEvents, newest first."""
    name = self._get_param("StackName")
    stack = store.find(self.current_account, self.region, name)
    if stack is None:
        raise invalid(f"Stack [{name}] does not exist")
    return ActionResult({"StackEvents": list(reversed(stack.events))})


def _resource(stack: Stack, resource, time_name: str) -> dict:
    shown = {"StackId": stack.id, "StackName": stack.name, "LogicalResourceId": resource.logical,
             "PhysicalResourceId": resource.physical_id, "ResourceType": resource.kind,
             time_name: resource.changed_at, "ResourceStatus": resource.status,
             "ResourceStatusReason": resource.reason,
             "DriftInformation": {"StackResourceDriftStatus": "NOT_CHECKED"}}
    return {key: value for key, value in shown.items() if value is not None}


def _of_stack(self) -> tuple[Stack, list]:
    stack = existing(self, self._get_param("StackName"))
    return stack, [one for one in stack.resources.values() if one.status]


def list_stack_resources(self):
    """ListStackResources."""
    stack, resources = _of_stack(self)
    shown = [_resource(stack, one, "LastUpdatedTimestamp") for one in resources]
    for one in shown:
        one.pop("StackId"), one.pop("StackName")
    return ActionResult({"StackResourceSummaries": shown})


def describe_stack_resources(self):
    """DescribeStackResources."""
    physical, logical = self._get_param("PhysicalResourceId"), self._get_param("LogicalResourceId")
    if physical:
        for stack in store.every(self.current_account, self.region):
            if any(one.physical_id == physical for one in stack.resources.values()):
                break
        else:
            raise invalid(f"Stack for {physical} does not exist")
        resources = list(stack.resources.values())
    else:
        stack, resources = _of_stack(self)
    return ActionResult({"StackResources": [_resource(stack, one, "Timestamp") for one in resources
                                            if logical in (None, one.logical)]})


def describe_stack_resource(self):
    """DescribeStackResource."""
    stack, resources = _of_stack(self)
    logical = self._get_param("LogicalResourceId")
    for one in resources:
        if one.logical == logical:
            return ActionResult({"StackResourceDetail": _resource(
                stack, one, "LastUpdatedTimestamp")})
    raise invalid(f"Resource {logical} does not exist for stack {stack.name}")


def get_template(self):
    """GetTemplate, original or processed."""
    change_set = self._get_param("ChangeSetName")
    name = self._get_param("StackName")
    if change_set:
        from localaws.cloudformation_changesets import find_change_set

        template = find_change_set(self, change_set, name).template
    else:
        template = existing(self, name).template
    body = template.body
    if self._get_param("TemplateStage") == "Processed":
        body = json.dumps(template.processed)
    return ActionResult({"TemplateBody": body, "StagesAvailable": ["Original", "Processed"]})


def _summary(self) -> tuple[dict, dict]:
    name = self._get_param("StackName")
    body = existing(self, name).template.body if name else body_of(self, None)
    original = parse(body)
    declared = original.get("Parameters") or {}
    defaults = {key: one["Default"] for key, one in declared.items() if "Default" in one}
    return original, expand(original, defaults)


def _declared(original: dict, type_key: bool) -> list[dict]:
    shown = []
    for name, body in (original.get("Parameters") or {}).items():
        one = {"ParameterKey": name, "NoEcho": str(body.get("NoEcho", "")).lower() == "true"}
        if "Default" in body:
            one["DefaultValue"] = str(body["Default"])
        if body.get("Description"):
            one["Description"] = body["Description"]
        if type_key:
            one["ParameterType"] = body.get("Type", "String")
            if "AllowedValues" in body:
                one["ParameterConstraints"] = {"AllowedValues": list(map(str, body[
                    "AllowedValues"]))}
        shown.append(one)
    return shown


def validate_template(self):
    """ValidateTemplate."""
    original, processed = _summary(self)
    answer = {"Parameters": _declared(original, False), "DeclaredTransforms": transforms(original),
              "Capabilities": needed_capabilities(processed)}
    if original.get("Description"):
        answer["Description"] = original["Description"]
    return ActionResult(answer)


def get_template_summary(self):
    """GetTemplateSummary."""
    original, processed = _summary(self)
    kinds = sorted({body["Type"] for body in processed["Resources"].values()})
    answer = {"Parameters": _declared(original, True), "ResourceTypes": kinds,
              "DeclaredTransforms": transforms(original),
              "Capabilities": needed_capabilities(processed)}
    for key, name in (("Description", "Description"), ("AWSTemplateFormatVersion", "Version"),
                      ("Metadata", "Metadata")):
        if original.get(key):
            value = original[key]
            answer[name] = value if isinstance(value, str) else json.dumps(value)
    return ActionResult(answer)


def list_exports(self):
    """ListExports."""
    return ActionResult({"Exports": store.exports(self.current_account, self.region)})


def list_imports(self):
    """ListImports."""
    name = self._get_param("ExportName")
    users = [one.name for one in store.importers(self.current_account, self.region, name)]
    if not users:
        raise invalid(f"Export '{name}' is not imported by any stack.")
    return ActionResult({"Imports": users})


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

OPERATIONS = (create_stack, update_stack, delete_stack, describe_stacks, list_stacks,
              describe_stack_events, list_stack_resources, describe_stack_resources,
              describe_stack_resource, get_template, validate_template, get_template_summary,
              list_exports, list_imports, update_termination_protection,
              continue_update_rollback, get_stack_policy, set_stack_policy)


def parameter_values(template: Template) -> dict:
    """The resolved values of a template's parameters, computed again."""
    stack = template.stack
    return values(template.types, template.given, stack.region, stack.account)
