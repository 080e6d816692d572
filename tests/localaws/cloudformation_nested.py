"""AWS::CloudFormation::Stack: a stack inside a stack."""

import re
from urllib.parse import unquote, urlparse

from botocore.exceptions import ClientError

from localaws import cloudformation_engine as engine
from localaws.cloudformation_apply import ordered
from localaws.cloudformation_clients import client
from localaws.cloudformation_parameters import check_capabilities, check_references, values
from localaws.cloudformation_stack import Lookup, Stack, Template, add
from localaws.cloudformation_template import invalid, parse
from localaws.cloudformation_types import Resource, ResourceFailed, Type, register

_HOST = re.compile(r"(?:(?P<bucket>.+)\.)?s3(?:[.-](?P<region>[a-z0-9-]+))?"
                   r"\.amazonaws\.com(?:\.cn)?")


def fetch(url: str, region: str, account: str) -> str:
    """The template behind a TemplateURL: the S3 forms, and this server's own addresses."""
    parsed = urlparse(url)
    path, found = unquote(parsed.path.lstrip("/")), _HOST.fullmatch(parsed.hostname or "")
    if found and found["bucket"]:
        bucket, key = found["bucket"], path
    elif found or parsed.hostname in ("127.0.0.1", "localhost"):
        bucket, _, key = path.partition("/")
    else:
        raise invalid("TemplateURL must be a supported URL.")
    try:
        body = client("s3", region, account).get_object(Bucket=bucket, Key=key)["Body"]
    except ClientError as error:
        raise invalid(f"S3 error: {error.response['Error'].get('Message')}") from error
    return body.read().decode()


def prepare(stack: Stack, body: str, given: dict, capabilities: list[str],
            change_set: bool = False) -> Template:
    """A template that is ready to be carried out, or a refusal of what is wrong with it."""
    declared = parse(body).get("Parameters") or {}
    resolved = values(declared, given, stack.region, stack.account)
    template = Template(stack, body, resolved, declared)
    template.given = given
    check_capabilities(template.original, template.processed, capabilities, change_set)
    resolver = template.resolver(Lookup(stack))
    check_references(template.processed, resolver)
    ordered(resolver.active("Resources"), resolver)
    return template


def plain(parameters: dict) -> dict:
    """Parameters of a nested stack: lists travel as text."""
    return {name: ",".join(map(str, value)) if isinstance(value, list) else
            str(value).lower() if isinstance(value, bool) else str(value)
            for name, value in parameters.items()}


@register
class NestedStack(Type):
    """Created, changed and deleted within its parent's operation."""

    name = "AWS::CloudFormation::Stack"

    def _prepare(self, child: Stack, p: dict) -> Template:
        body = fetch(p["TemplateURL"], child.region, child.account)
        return prepare(child, body, plain(p.get("Parameters", {})), child.parent.capabilities)

    def create(self, r: Resource, p: dict) -> None:
        child = Stack(r.stack.account, r.stack.region, r.generated(128))
        child.parent, child.capabilities = r.stack, r.stack.capabilities
        child.tags = r.stack.tags + p.get("Tags", [])
        child.role_arn, child.token = r.stack.role_arn, r.stack.token
        template = self._prepare(child, p)
        add(child)
        r.extra, r.physical_id = child, child.id
        child.set_status("CREATE_IN_PROGRESS", "User Initiated")
        if not engine.create(child, template):
            raise ResourceFailed(f"Embedded stack {child.id} was not successfully created: "
                                 f"{_first_failure(child)}")

    def differs(self, r: Resource, p: dict) -> bool:
        """Whether the template behind an unchanged URL, or a value that it reads, has changed."""
        from localaws.cloudformation_changes import changes, outputs_differ

        template = self._prepare(r.extra, p)
        return bool(changes(r.extra, template)) or outputs_differ(r.extra, template)

    def update(self, r: Resource, p: dict, old: dict) -> None:
        child = r.extra
        child.token = r.stack.token
        before = child.template
        template = child.previous if getattr(r, "rolling_back", False) else self._prepare(child, p)
        child.previous = before
        child.set_status("UPDATE_IN_PROGRESS", "User Initiated")
        if not engine.update(child, template):
            raise ResourceFailed(f"Embedded stack {child.id} was not successfully updated: "
                                 f"{_first_failure(child)}")

    def delete(self, r: Resource) -> None:
        child = r.extra
        if child.status == "DELETE_COMPLETE":
            return
        child.set_status("DELETE_IN_PROGRESS", "User Initiated")
        if not engine.delete(child, []):
            raise ResourceFailed(f"Embedded stack {child.id} was not successfully deleted: "
                                 f"{child.reason}")

    def attribute(self, r: Resource, name: str):
        for output in r.extra.outputs:
            if name == f"Outputs.{output['OutputKey']}":
                return output["OutputValue"]
        raise ResourceFailed(f"Template error: resource {r.logical} does not support attribute "
                             f"type {name} in Fn::GetAtt")


def _first_failure(stack: Stack) -> str:
    for event in stack.events:
        if event["ResourceStatus"].endswith("_FAILED"):
            reason = event.get("ResourceStatusReason", "")
            return f"{event['LogicalResourceId']}: {reason}"
    return stack.reason or ""
