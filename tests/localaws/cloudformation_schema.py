"""The resource specifications that cfn-lint ships: types of properties, and what replaces."""

import json
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path


@lru_cache(maxsize=1)
def _index() -> dict:
    # Not imported: that takes seconds.
    folder = Path(find_spec("cfnlint").origin).parent / "data" / "schemas"
    return {"folder": folder,
            "types": json.loads((folder / "providers" / "us-east-1.json").read_text())}


@lru_cache(maxsize=256)
def schema(resource_type: str) -> dict | None:
    """The JSON Schema of a type, or nothing."""
    name = _index()["types"].get(resource_type)
    if name is None:
        return None
    return json.loads((_index()["folder"] / "resources" / f"{name}.json").read_text())


def coerce(resource_type: str, properties: dict) -> dict:
    """Properties with the types of the specification: a parameter's "5" becomes 5 where asked."""
    root = schema(resource_type)
    return _coerce(properties, root, root) if root else properties


def _coerce(value, node: dict, root: dict):
    while isinstance(node, dict) and "$ref" in node:
        node = _pointer(root, node["$ref"])
    if not isinstance(node, dict):
        return value
    kinds = node.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if isinstance(value, dict):
        return {key: _coerce(item, _child(node, key), root) for key, item in value.items()}
    if isinstance(value, list):
        return [_coerce(item, node.get("items", {}), root) for item in value]
    return _scalar(value, kinds)


def _child(node: dict, key: str) -> dict:
    if key in node.get("properties", {}):
        return node["properties"][key]
    patterns = list(node.get("patternProperties", {}).values())
    if patterns:
        return patterns[0]
    extra = node.get("additionalProperties")
    return extra if isinstance(extra, dict) else {}


def _scalar(value, kinds: list[str]):
    if isinstance(value, str):
        if "string" in kinds or not kinds:
            return value
        if "boolean" in kinds and value.lower() in ("true", "false"):
            return value.lower() == "true"
        if "integer" in kinds and value.lstrip("-").isdigit():
            return int(value)
        if "number" in kinds:
            try:
                return float(value)
            except ValueError:
                return value
    elif isinstance(value, (bool, int, float)) and "string" in kinds:
        return str(value).lower() if isinstance(value, bool) else str(value)
    return value


def _pointer(root: dict, reference: str) -> dict:
    node = root
    for step in reference.removeprefix("#/").split("/"):
        node = node.get(step, {}) if isinstance(node, dict) else {}
    return node


def problems(resource_type: str, properties: dict) -> str | None:
    """Unknown and missing top-level properties, in CloudFormation's words."""
    root = schema(resource_type)
    if root is None:
        return None
    found = [f"#: extraneous key [{key}] is not permitted" for key in properties
             if root.get("additionalProperties") is False and key not in root["properties"]]
    found += [f"#: required key [{key}] not found" for key in root.get("required", [])
              if key not in properties]
    return ", ".join(found) or None


def recreation(resource_type: str, name: str, old: dict, new: dict) -> str:
    """Whether the change of a top-level property replaces: Never, Conditionally or Always."""
    root = schema(resource_type) or {}
    for field, answer in (("createOnlyProperties", "Always"),
                          ("conditionalCreateOnlyProperties", "Conditionally")):
        for path in root.get(field, []):
            steps = path.removeprefix("/properties/").split("/")
            if steps[0] == name and _at(old, steps) != _at(new, steps):
                return answer
    return "Never"


def _at(value, steps: list[str]):
    for step in steps:
        if not isinstance(value, dict):
            break
        value = value.get(step)
    return value


def changed(old: dict, new: dict) -> list[str]:
    """The top-level properties that differ."""
    return sorted(key for key in old.keys() | new.keys() if old.get(key) != new.get(key))
