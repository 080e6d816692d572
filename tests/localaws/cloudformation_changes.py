"""What an update would change, computed without changing anything."""

from localaws.cloudformation_apply import ordered
from localaws.cloudformation_functions import mentions
from localaws.cloudformation_schema import changed, coerce, recreation
from localaws.cloudformation_stack import Lookup, Stack, Template
from localaws.cloudformation_types import type_of

UNKNOWN = "{{changeSet:KNOWN_AFTER_APPLY}}"


class PlanLookup(Lookup):
    """References as far as they are known: what is new or replaced is not."""

    def __init__(self, stack: Stack):
        super().__init__(stack)
        self.unknown: set[str] = set()

    def ref(self, name: str) -> str:
        known = name in self.stack.resources and name not in self.unknown
        return super().ref(name) if known else UNKNOWN

    def attribute(self, name: str, attribute: str):
        known = name in self.stack.resources and name not in self.unknown
        return super().attribute(name, attribute) if known else UNKNOWN


def changes(stack: Stack, template: Template) -> list[dict]:
    """The ResourceChange of each resource that would be added, modified or removed."""
    lookup = PlanLookup(stack)
    resolver = template.resolver(lookup)
    active = resolver.active("Resources")
    found = []
    for logical in ordered(active, resolver):
        change = _change(stack, lookup, resolver, logical, active[logical])
        if change is None:
            continue
        found.append(change)
        if change["Action"] == "Add" or change.get("Replacement") == "True":
            lookup.unknown.add(logical)
    for logical, resource in stack.resources.items():
        if logical not in active and resource.status != "DELETE_COMPLETE":
            found.append({"Action": "Remove", "LogicalResourceId": logical, "Scope": [],
                          "PhysicalResourceId": resource.physical_id, "Details": [],
                          "ResourceType": resource.kind,
                          "PolicyAction": _policy_action(resource.deletion_policy)})
    return found


def _policy_action(policy: str) -> str:
    return {"Retain": "Retain", "Snapshot": "Snapshot"}.get(policy, "Delete")


def _change(stack: Stack, lookup: PlanLookup, resolver, logical: str, body: dict) -> dict | None:
    existing = stack.resources.get(logical)
    if existing is None:
        return {"Action": "Add", "LogicalResourceId": logical, "ResourceType": body["Type"],
                "Scope": [], "Details": []}
    properties = coerce(body["Type"], resolver.resolve(body.get("Properties") or {}))
    change = {"Action": "Modify", "LogicalResourceId": logical, "ResourceType": body["Type"],
              "PhysicalResourceId": existing.physical_id}
    if existing.kind != body["Type"]:
        return change | {"Replacement": "True", "Scope": ["Properties"], "Details": []}
    names = changed(existing.properties, properties)
    details = [_detail(existing, properties, name, body, lookup) for name in names]
    if not names and existing.kind == "AWS::CloudFormation::Stack" \
            and type_of(existing.kind).differs(existing, properties):
        details = [{"Target": {"Attribute": "Properties", "Name": "TemplateURL",
                               "RequiresRecreation": "Never"},
                    "Evaluation": "Dynamic", "ChangeSource": "Automatic"}]
    if not details:
        return None
    scope = ["Tags" if name == "Tags" else "Properties" for name in names] or ["Properties"]
    return change | {"Replacement": _replacement(details), "Scope": sorted(set(scope)),
                     "Details": details}


def _detail(existing, properties: dict, name: str, body: dict, lookup: PlanLookup) -> dict:
    needs = recreation(existing.kind, name, existing.properties, properties)
    raw, before = (body.get("Properties") or {}).get(name), (
        existing.declared.get("Properties") or {}).get(name)
    referred = set(mentions({"value": raw}))
    dynamic = bool(referred & lookup.unknown)
    target = {"Attribute": "Tags"} if name == "Tags" else {"Attribute": "Properties", "Name": name}
    source = "DirectModification"
    if raw == before:
        source = "ResourceReference" if dynamic else "ParameterReference"
    return {"Target": target | {"RequiresRecreation": needs},
            "Evaluation": "Dynamic" if dynamic else "Static", "ChangeSource": source}


def _replacement(details: list[dict]) -> str:
    answer = "False"
    for detail in details:
        needs = detail["Target"]["RequiresRecreation"]
        if needs == "Always" and detail["Evaluation"] == "Static":
            return "True"
        if needs != "Never":
            answer = "Conditional"
    return answer


def outputs_differ(stack: Stack, template: Template) -> bool:
    """Whether outputs or exports would change."""
    resolver = template.resolver(PlanLookup(stack))
    wanted = {}
    for name, body in resolver.active("Outputs").items():
        export = resolver.resolve(body["Export"]["Name"]) if body.get("Export") else None
        value = resolver.resolve(body.get("Value"))
        text = str(value).lower() if isinstance(value, bool) else str(value)
        wanted[name] = (text, export)
    return wanted != {one["OutputKey"]: (one["OutputValue"], one.get("ExportName"))
                      for one in stack.outputs}
