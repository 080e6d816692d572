"""Bringing a stack to a template: what is made, changed in place and replaced, in which order."""

import logging
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter

from botocore.exceptions import ClientError
from moto.core.exceptions import ServiceException

from localaws.cloudformation_functions import mentions
from localaws.cloudformation_parameters import chosen
from localaws.cloudformation_schema import changed, coerce, problems, recreation
from localaws.cloudformation_stack import Lookup, Stack, Template, exports, importers, now
from localaws.cloudformation_template import invalid
from localaws.cloudformation_types import Resource, ResourceFailed, type_of, wait

LOG = logging.getLogger(__name__)


@dataclass
class Journal:
    """What an operation did, to be able to take it back."""

    done: list[tuple] = field(default_factory=list)
    obsolete: list[Resource] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


def ordered(active: dict, resolver) -> list[str]:
    """Logical ids, each after what it depends on."""
    graph = {}
    for name, body in active.items():
        depends = body.get("DependsOn", [])
        needed = set(mentions(chosen(body, resolver)))
        needed |= set([depends] if isinstance(depends, str) else depends)
        graph[name] = {one for one in needed if one in active and one != name}
    try:
        return list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        names = ", ".join(sorted(set(error.args[1])))
        raise invalid(f"Circular dependency between resources: [{names}]") from error


def reason_of(error: Exception) -> str:
    """A failure as the status reason of a resource."""
    if isinstance(error, ClientError):
        found, meta = error.response["Error"], error.response["ResponseMetadata"]
        return (f"Resource handler returned message: \"{found.get('Message', '')} (Service: "
                f"{error.operation_name}, Status Code: {meta.get('HTTPStatusCode')})\" "
                f"(HandlerErrorCode: {found['Code']})")
    if isinstance(error, (ResourceFailed, ServiceException)):
        return str(getattr(error, "message", None) or error)
    LOG.error("a resource handler crashed", exc_info=error)
    return f"Internal Failure: {type(error).__name__}: {error}"


class Application:
    """Brings a stack to a template: creates and updates; deletions come afterwards."""

    def __init__(self, stack: Stack, template: Template, journal: Journal):
        self.stack, self.template, self.journal = stack, template, journal
        self.lookup = Lookup(stack)
        self.resolver = template.resolver(self.lookup)
        self.active = self.resolver.active("Resources")
        self.pending: dict[str, tuple] = {}

    def run(self) -> None:
        """All resources in order, then the outputs."""
        order = ordered(self.active, self.resolver)
        before = dict(self.stack.resources)
        for logical in order:
            self._finish(set(mentions(self.active[logical])) | self._depends(logical))
            self._step(logical)
        self._finish(set(self.pending))
        gone = [resource for name, resource in before.items() if name not in self.active]
        self.journal.obsolete += gone
        outputs = self._outputs()
        self._check_exports(outputs)
        self.stack.resources = {name: self.stack.resources[name] for name in order}
        self.stack.outputs, self.stack.imports = outputs, self.lookup.imports

    def _depends(self, logical: str) -> set[str]:
        depends = self.active[logical].get("DependsOn", [])
        return {depends} if isinstance(depends, str) else set(depends)

    def _finish(self, names: set[str]) -> None:
        """Waits for what is still being created or changed, of these."""
        for logical in [one for one in self.pending if one in names]:
            resource, verb = self.pending.pop(logical)
            with self._failures(resource, verb):
                wait(type_of(resource.kind).done, resource)
                self.stack.mark(resource, f"{verb}_COMPLETE")

    def _failures(self, resource: Resource, verb: str):
        return _Failures(self, resource, verb)

    def _step(self, logical: str) -> None:
        declared, existing = self.active[logical], self.stack.resources.get(logical)
        fresh = Resource(self.stack, logical, declared["Type"])
        fresh.declared = declared
        fresh.deletion_policy = self._policy(declared, "DeletionPolicy")
        with self._failures(existing or fresh, "UPDATE" if existing else "CREATE"):
            properties = self._properties(fresh, declared)
            if existing is None:
                self._create(fresh, properties)
            elif existing.kind != fresh.kind:
                self._replace(existing, fresh, properties)
            else:
                self._update(existing, fresh, properties)

    def _policy(self, declared: dict, name: str) -> str:
        return self.resolver.resolve(declared.get(name, "Delete"))

    def _properties(self, resource: Resource, declared: dict) -> dict:
        type_of(resource.kind)  # an unknown type is named before its properties are read
        resolved = self.resolver.resolve(declared.get("Properties") or {})
        properties = coerce(resource.kind, resolved)
        wrong = problems(resource.kind, properties)
        if wrong:
            raise ResourceFailed(f"Properties validation failed for resource {resource.logical} "
                                 f"with message: {wrong}")
        return properties

    def _create(self, resource: Resource, properties: dict) -> None:
        self.stack.resources[resource.logical] = resource
        self.stack.mark(resource, "CREATE_IN_PROGRESS")
        self.journal.done.append(("created", resource))
        resource.properties = properties
        type_of(resource.kind).create(resource, properties)
        self.stack.mark(resource, "CREATE_IN_PROGRESS", "Resource creation Initiated")
        self._settle(resource, "CREATE")

    def _settle(self, resource: Resource, verb: str) -> None:
        """Most resources are there at once; the others are waited for when somebody needs them."""
        self.pending[resource.logical] = (resource, verb)
        if type_of(resource.kind).done(resource):
            self._finish({resource.logical})

    def _update(self, existing: Resource, fresh: Resource, properties: dict) -> None:
        handler, old = type_of(existing.kind), existing.properties
        differ = changed(old, properties)
        always_look = existing.kind == "AWS::CloudFormation::Stack"
        if not differ and not always_look:
            existing.declared, existing.deletion_policy = fresh.declared, fresh.deletion_policy
            return
        if any(recreation(existing.kind, name, old, properties) == "Always" for name in differ):
            self._replace(existing, fresh, properties)
            return
        if always_look and not differ and not handler.differs(existing, properties):
            return
        self.stack.mark(existing, "UPDATE_IN_PROGRESS")
        kept = (existing.properties, existing.declared, dict(existing.attributes))
        self.journal.done.append(("updated", existing, kept))
        try:
            handler.update(existing, properties, old)
        except NotImplementedError:
            self.journal.done.pop()
            self._replace(existing, fresh, properties)
            return
        existing.properties, existing.declared = properties, fresh.declared
        existing.deletion_policy = fresh.deletion_policy
        self._settle(existing, "UPDATE")

    def _replace(self, existing: Resource, fresh: Resource, properties: dict) -> None:
        self.stack.mark(existing, "UPDATE_IN_PROGRESS", "Requested update requires the creation of "
                        "a new physical resource; hence creating one.")
        self.stack.resources[fresh.logical] = fresh
        fresh.status, fresh.changed_at = "UPDATE_IN_PROGRESS", now()
        self.journal.done.append(("replaced", fresh, existing))
        fresh.properties = properties
        type_of(fresh.kind).create(fresh, properties)
        existing.deletion_policy = self._policy(fresh.declared, "UpdateReplacePolicy")
        self.journal.obsolete.append(existing)
        self._settle(fresh, "UPDATE")

    def _outputs(self) -> list[dict]:
        outputs = []
        for name, body in self.resolver.active("Outputs").items():
            value = self.resolver.resolve(body.get("Value"))
            if isinstance(value, (dict, list)):
                raise invalid("Template format error: The Value field of every Outputs member must "
                              f"evaluate to a String. ({name})")
            text = str(value).lower() if isinstance(value, bool) else str(value)
            output = {"OutputKey": name, "OutputValue": text}
            if body.get("Description"):
                output["Description"] = body["Description"]
            if body.get("Export"):
                output["ExportName"] = self.resolver.resolve(body["Export"]["Name"])
            outputs.append(output)
        return outputs

    def _check_exports(self, outputs: list[dict]) -> None:
        stack = self.stack
        wanted = {one["ExportName"]: one["OutputValue"] for one in outputs if "ExportName" in one}
        for export in exports(stack.account, stack.region):
            name, owner = export["Name"], export["ExportingStackId"]
            if owner != stack.id:
                if name in wanted:
                    raise ResourceFailed(f"Export with name {name} is already exported by stack "
                                         f"{owner.split('/')[1]}")
            elif wanted.get(name) != export["Value"]:
                check_unused(stack, name, "updated" if name in wanted else "deleted")


class _Failures:
    """Records the failure of one resource."""

    def __init__(self, application: Application, resource: Resource, verb: str):
        self.application, self.resource, self.verb = application, resource, verb

    def __enter__(self):
        return self

    def __exit__(self, _kind, error, _trace) -> bool:
        if error is None or not isinstance(error, Exception):
            return False
        if isinstance(error, StepFailed):
            return False
        stack, logical = self.application.stack, self.resource.logical
        resource = stack.resources.get(logical, self.resource)
        if logical not in stack.resources:
            stack.resources[logical] = resource
            self.application.journal.done.append(("created", resource))
            stack.mark(resource, f"{self.verb}_IN_PROGRESS")
        stack.mark(resource, f"{self.verb}_FAILED", reason_of(error))
        self.application.journal.failed.append(logical)
        raise StepFailed(logical) from error


class StepFailed(Exception):
    """One resource failed; its own status says why."""


def check_unused(stack: Stack, export: str, verb: str) -> None:
    """An export that others import must stay as it is."""
    users = [one.name for one in importers(stack.account, stack.region, export) if one is not stack]
    if users:
        raise ResourceFailed(f"Export {export} cannot be {verb} as it is in use by "
                             f"{', '.join(users)}")
