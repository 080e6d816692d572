"""Reads CloudFormation templates for the tests, with the short tags as full function names."""

import re
from pathlib import Path

import yaml

REPO = Path(__file__).resolve().parents[2]
TEMPLATES = sorted(
    [*(REPO / "cloudformation").glob("*.yaml"), *(REPO / "role-templates").glob("*.yaml")]
)


class _Loader(yaml.SafeLoader):
    pass


def _tagged(loader, suffix, node):
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _tagged)


def load(path: Path) -> dict:
    """A template as written."""
    return yaml.load(path.read_text(), _Loader)


def template(name: str) -> dict:
    """A template of cloudformation/ by its name."""
    return load(REPO / "cloudformation" / f"{name}.yaml")


def execution_role() -> dict:
    """The role template of the target accounts."""
    return load(REPO / "role-templates" / "TargetAccountsAssumeRole.yaml")


def loop() -> list:
    """The identifier, the names and the body of the loop over all functions."""
    return template("orchestrator")["Resources"]["Fn::ForEach::AllFunctions"]


def resources(path: Path, kind: str) -> dict:
    """The resources of one type, outside loops."""
    found = load(path)["Resources"].items()
    return {
        name: body for name, body in found if isinstance(body, dict) and body.get("Type") == kind
    }


def documents(body: dict):
    """The permission policies inside a resource; not its trust policy."""
    properties = body.get("Properties", {})
    for policy in properties.get("Policies", []):
        for branch in policy["Fn::If"][1:] if "Fn::If" in policy else [policy]:
            yield from [branch["PolicyDocument"]] if "PolicyDocument" in branch else []
    if (
        isinstance(properties.get("PolicyDocument"), dict)
        and "Statement" in properties["PolicyDocument"]
    ):
        yield properties["PolicyDocument"]


def statements(document: dict):
    """Statements, those behind Fn::If included."""
    for statement in document["Statement"]:
        yield from (
            (s for s in statement["Fn::If"][1:] if "Effect" in s)
            if "Fn::If" in statement
            else [statement]
        )


def listed(value) -> list:
    """IAM takes one value or a list."""
    return value if isinstance(value, list) else [value]


def allowed(body: dict) -> set[str]:
    """The actions that a role or policy allows."""
    return {
        action
        for document in documents(body)
        for statement in statements(document)
        if statement["Effect"] == "Allow"
        for action in listed(statement["Action"])
    }


def text_of(node) -> str:
    """A string property, through Fn::Sub."""
    if isinstance(node, dict):
        node = node.get("Fn::Sub", node)
    return node[0] if isinstance(node, list) else str(node)


def placeholders(text: str) -> set[str]:
    """The ${Names} in a state machine's text."""
    return set(re.findall(r"\$\{(\w+)\}", text))
