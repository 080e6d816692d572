"""Templates: reading YAML and JSON, and expanding the language extensions (Fn::ForEach)."""

import json
import re

import yaml

from localaws.api_error import ApiError

LANGUAGE_EXTENSIONS = "AWS::LanguageExtensions"


def invalid(message: str) -> ApiError:
    """The one error that CloudFormation has for nearly everything."""
    return ApiError("ValidationError", message)


class _Loader(yaml.SafeLoader):
    """YAML as CloudFormation reads it: short tags, and dates stay text."""

_Loader.yaml_implicit_resolvers = {
    key: [(tag, regexp) for tag, regexp in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for key, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()}


def _short_tag(loader, suffix, node):
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = _mapping(loader, node)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {name: value}


def _mapping(loader, node) -> dict:
    """Keys are always text: `Yes:` is no boolean here."""
    result = {}
    for key, value in node.value:
        if key.value in result:
            raise yaml.YAMLError(f"duplicate key: {key.value}")
        result[key.value] = loader.construct_object(value, deep=True)
    return result


_Loader.add_multi_constructor("!", _short_tag)
_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def parse(body: str) -> dict:
    """The template as it was written, with full function names."""
    if len(body.encode()) > 1_048_576:
        raise invalid("Template may not exceed 1000000 bytes in size.")
    try:
        template = json.loads(body) if body.lstrip().startswith("{") else yaml.load(body, _Loader)
    except (ValueError, yaml.YAMLError) as error:
        text = " ".join(str(error).split())
        kind = "JSON" if body.lstrip().startswith("{") else "YAML"
        raise invalid(f"Template format error: {kind} not well-formed. ({text})") from error
    if not isinstance(template, dict):
        raise invalid("Template format error: unsupported structure.")
    if not isinstance(template.get("Resources"), dict) or not template["Resources"]:
        raise invalid("Template format error: At least one Resources member must be defined.")
    return template


def transforms(template: dict) -> list[str]:
    """The names of the template's transforms."""
    declared = template.get("Transform", [])
    declared = declared if isinstance(declared, list) else [declared]
    return [one if isinstance(one, str) else one.get("Name", "") for one in declared]


def expand(template: dict, parameters: dict) -> dict:
    """The processed template; `parameters` are the values that collections may refer to."""
    unknown = [name for name in transforms(template) if name != LANGUAGE_EXTENSIONS]
    if unknown:
        raise invalid(f"No transform named {unknown[0]} found.")
    if LANGUAGE_EXTENSIONS not in transforms(template):
        if "Fn::ForEach" in json.dumps(template):
            raise invalid("Template format error: Fn::ForEach needs the transform "
                          f"{LANGUAGE_EXTENSIONS}")
        return template
    context = {"parameters": parameters, "mappings": template.get("Mappings", {})}
    result = {key: value for key, value in template.items() if key != "Transform"}
    for section in ("Conditions", "Resources", "Outputs"):
        if section in result:
            result[section] = _literal_names(_expand(result[section], context))
    return result


def _literal_names(node):
    """Ref and Fn::GetAtt take a name that Fn::Sub made, once nothing is left to substitute."""
    if isinstance(node, list):
        return [_literal_names(item) for item in node]
    if not isinstance(node, dict):
        return node
    result = {key: _literal_names(value) for key, value in node.items()}
    for key in ("Ref", "Fn::GetAtt"):
        if set(result) == {key}:
            value = result[key]
            result[key] = list(map(_literal, value)) if isinstance(value, list) else _literal(value)
    return result


def _literal(name):
    text = name.get("Fn::Sub") if isinstance(name, dict) else None
    return text if isinstance(text, str) and "${" not in text else name


def _expand(node, context: dict):
    if isinstance(node, list):
        return [_expand(item, context) for item in node]
    if not isinstance(node, dict):
        return node
    result = {}
    for key, value in node.items():
        pieces = _for_each(key, value, context) if str(key).startswith("Fn::ForEach::") else {
            key: _expand(value, context)}
        doubled = result.keys() & pieces.keys()
        if doubled:
            raise invalid(f"Template format error: {key} makes the key {sorted(doubled)[0]} twice")
        result |= pieces
    return result


def _for_each(key: str, value, context: dict) -> dict:
    if not isinstance(value, list) or len(value) != 3 or not isinstance(value[2], dict):
        raise invalid(f"Template error: {key} must be a list of an identifier, a collection and "
                      "an output")
    identifier, collection, body = value
    result = {}
    for item in _collection(key, collection, context):
        pieces = _expand(_substitute(body, identifier, str(item)), context)
        doubled = result.keys() & pieces.keys()
        if doubled:
            raise invalid(f"Template format error: {key} makes the key {sorted(doubled)[0]} twice")
        result |= pieces
    return result


def _collection(key: str, node, context: dict) -> list:
    if isinstance(node, dict) and len(node) == 1:
        name, argument = next(iter(node.items()))
        if name == "Ref" and argument in context["parameters"]:
            value = context["parameters"][argument]
            return value if isinstance(value, list) else str(value).split(",")
        if name == "Fn::FindInMap":
            found = context["mappings"]
            for step in argument[:3]:
                if isinstance(step, dict) and "Ref" in step:
                    step = context["parameters"].get(step["Ref"])
                found = found.get(str(step), {})
            node = found
        if name == "Fn::Split":
            return str(argument[1]).split(argument[0])
    if not isinstance(node, list):
        raise invalid(f"Template error: the collection of {key} is not a list")
    result = []
    for item in node:
        result += _collection(key, item, context) if isinstance(item, dict) else [item]
    return result


def _substitute(node, identifier: str, item: str):
    if isinstance(node, str):
        plain = re.sub(r"[^A-Za-z0-9]", "", item)
        return node.replace(f"${{{identifier}}}", item).replace(f"&{{{identifier}}}", plain)
    if isinstance(node, list):
        return [_substitute(part, identifier, item) for part in node]
    if isinstance(node, dict):
        if node == {"Ref": identifier}:
            return item
        return {_substitute(key, identifier, item): _substitute(value, identifier, item)
                for key, value in node.items()}
    return node
