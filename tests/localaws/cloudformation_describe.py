"""The reading half of the CloudFormation API."""

import json

from moto.core.responses import ActionResult

from localaws import cloudformation_stack as store
from localaws.cloudformation_parameters import needed_capabilities
from localaws.cloudformation_requests import body_of, existing
from localaws.cloudformation_stack import Stack, Template
from localaws.cloudformation_template import expand, invalid, parse, transforms


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


OPERATIONS = (describe_stacks, list_stacks, describe_stack_events, list_stack_resources,
              describe_stack_resources, describe_stack_resource, get_template, validate_template,
              get_template_summary, list_exports, list_imports)
