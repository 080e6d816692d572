"""Stacks: what is declared, what exists, what happened; and the store that holds them."""

import uuid
from datetime import UTC, datetime, timedelta

from moto.utilities.utils import get_partition

from localaws import state
from localaws.cloudformation_functions import Resolver
from localaws.cloudformation_template import expand, invalid, parse
from localaws.cloudformation_types import Resource, ResourceFailed, type_of

LOCK = state.lock()
_stacks: dict[str, "Stack"] = {}


class Template:
    """One version of a stack's template, with its parameters' values."""

    def __init__(self, stack: "Stack", body: str, parameters: dict, types: dict):
        self.body, self.given, self.types = body, parameters, types
        self.original = parse(body)
        self.parameters = parameters
        self.processed = expand(self.original, parameters)
        self.stack = stack

    def resolver(self, lookup) -> Resolver:
        """Evaluates this template's nodes."""
        return Resolver(self.processed, self.parameters, self.stack.pseudo(), lookup)


class Stack:
    """One stack; deleted ones stay, under their id."""

    def __init__(self, account: str, region: str, name: str):
        self.account, self.region, self.name = account, region, name
        self.partition = get_partition(region)
        self.uuid = str(uuid.uuid4())
        self.id = (f"arn:{self.partition}:cloudformation:{region}:{account}:stack/{name}/"
                   f"{self.uuid}")
        self.status, self.reason = "REVIEW_IN_PROGRESS", None
        self.template: Template | None = None
        self.resources: dict[str, Resource] = {}
        self.outputs: list[dict] = []
        self.imports: set[str] = set()
        self.tags: list[dict] = []
        self.capabilities: list[str] = []
        self.notification_arns: list[str] = []
        self.role_arn = self.parent = self.timeout = self.policy = None
        self.protected = self.disable_rollback = False
        self.created_at, self.updated_at, self.deleted_at = now(), None, None
        self.events: list[dict] = []
        self.change_sets: dict[str, object] = {}
        self.tokens: dict[str, tuple] = {}
        self.token = None

    def pseudo(self) -> dict:
        """The pseudo parameters."""
        suffix = "amazonaws.com.cn" if self.partition == "aws-cn" else "amazonaws.com"
        return {"AWS::AccountId": self.account, "AWS::Region": self.region,
                "AWS::StackId": self.id, "AWS::StackName": self.name,
                "AWS::Partition": self.partition, "AWS::URLSuffix": suffix,
                "AWS::NotificationARNs": self.notification_arns}

    def set_status(self, status: str, reason: str | None = None) -> None:
        """Changes the status and records the event."""
        self.status, self.reason = status, reason
        self.event(self.name, self.id, "AWS::CloudFormation::Stack", status, reason)

    def event(self, logical: str, physical: str | None, kind: str, status: str,
              reason: str | None = None) -> None:
        """One entry of DescribeStackEvents; later events have later times."""
        at = now()
        if self.events and self.events[-1]["Timestamp"] >= at:
            at = self.events[-1]["Timestamp"] + timedelta(milliseconds=1)
        event = {"StackId": self.id, "EventId": str(uuid.uuid4()), "StackName": self.name,
                 "LogicalResourceId": logical, "PhysicalResourceId": physical or "",
                 "ResourceType": kind, "Timestamp": at, "ResourceStatus": status}
        if reason:
            event["ResourceStatusReason"] = reason
        if self.token:
            event["ClientRequestToken"] = self.token
        self.events.append(event)

    def mark(self, resource: Resource, status: str, reason: str | None = None) -> None:
        """Changes a resource's status and records the event."""
        resource.status, resource.reason, resource.changed_at = status, reason, now()
        self.event(resource.logical, resource.physical_id, resource.kind, status, reason)

    @property
    def busy(self) -> bool:
        """Whether an operation is going on."""
        return self.status.endswith("_IN_PROGRESS") and self.status != "REVIEW_IN_PROGRESS"


class Lookup:
    """What a template may refer to outside itself, while the stack is being made."""

    def __init__(self, stack: Stack):
        self.stack = stack
        self.imports: set[str] = set()

    def _resource(self, name: str) -> Resource:
        found = self.stack.resources.get(name)
        if found is None or found.physical_id is None:
            raise invalid(f"Template format error: Unresolved resource dependencies [{name}] in "
                          "the Resources block of the template")
        return found

    def ref(self, name: str) -> str:
        """Ref to a resource."""
        resource = self._resource(name)
        return type_of(resource.kind).ref(resource)

    def attribute(self, name: str, attribute: str):
        """Fn::GetAtt."""
        resource = self._resource(name)
        return type_of(resource.kind).attribute(resource, attribute)

    def import_value(self, name: str) -> str:
        """Fn::ImportValue."""
        for export in exports(self.stack.account, self.stack.region):
            if export["Name"] == name:
                self.imports.add(name)
                return export["Value"]
        raise ResourceFailed(f"No export named {name} found.")

    def dynamic(self, service: str, reference: str) -> str:
        """A dynamic reference in double braces."""
        from localaws.cloudformation_clients import client

        stack = self.stack
        if service == "secretsmanager":
            raise ResourceFailed("Dynamic references to secrets are not supported here")
        name, _, version = reference.partition(":")
        ssm = client("ssm", stack.region, stack.account)
        try:
            full = f"{name}:{version}" if version else name
            found = ssm.get_parameter(Name=full, WithDecryption=service == "ssm-secure")
        except ssm.exceptions.ClientError as error:
            raise ResourceFailed(f"Unable to fetch parameters [{name}] from parameter store for "
                                 "this account.") from error
        return found["Parameter"]["Value"]


def now() -> datetime:
    """The present, for the API."""
    return datetime.now(tz=UTC)


def add(stack: Stack) -> None:
    """Puts a stack into the store."""
    _stacks[stack.id] = stack


def every(account: str, region: str) -> list[Stack]:
    """All stacks of an account and Region, deleted ones too, newest first."""
    found = [one for one in _stacks.values() if (one.account, one.region) == (account, region)]
    return sorted(found, key=lambda one: one.created_at, reverse=True)


def find(account: str, region: str, name: str | None) -> Stack | None:
    """A live stack by name, or any by id."""
    for stack in every(account, region):
        if stack.id == name or (stack.name == name and stack.status != "DELETE_COMPLETE"):
            return stack
    return None


def exports(account: str, region: str) -> list[dict]:
    """What the stacks of an account and Region export."""
    return [{"ExportingStackId": stack.id, "Name": output["ExportName"],
             "Value": output["OutputValue"]}
            for stack in every(account, region) if stack.status != "DELETE_COMPLETE"
            for output in stack.outputs if output.get("ExportName")]


def importers(account: str, region: str, export: str) -> list[Stack]:
    """The stacks that import a name."""
    return [stack for stack in every(account, region)
            if export in stack.imports and stack.status != "DELETE_COMPLETE"]


def operations_running() -> int:
    """How many stacks are being worked on (a fork copies no threads)."""
    return sum(1 for stack in _stacks.values() if stack.busy)


def reset() -> None:
    """Forgets all stacks; their resources stay."""
    _stacks.clear()
