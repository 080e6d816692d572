"""Intrinsic functions, conditions and references."""

import base64
import ipaddress
import json
import re

from localaws.cloudformation_template import invalid

NO_VALUE = object()
_SUB = re.compile(r"\$\{(!?)([^${}]*)\}")
_DYNAMIC = re.compile(r"\{\{resolve:(ssm|ssm-secure|secretsmanager):([^}]+)\}\}")


class Resolver:
    """Evaluates nodes of one template; `lookup` knows what lies outside it."""

    def __init__(self, template: dict, parameters: dict, pseudo: dict, lookup):
        self.template, self.parameters, self.pseudo = template, parameters, pseudo
        self.lookup = lookup
        self._conditions: dict[str, bool] = {}

    def condition(self, name: str) -> bool:
        """The value of a named condition."""
        if name not in self._conditions:
            if name not in self.template.get("Conditions", {}):
                raise invalid("Template format error: Unresolved condition dependency "
                              f"{name} in the Resources block of the template")
            self._conditions[name] = self._boolean(self.template["Conditions"][name])
        return self._conditions[name]

    def _boolean(self, node) -> bool:
        value = self.resolve(node)
        return value if isinstance(value, bool) else str(value).lower() == "true"

    def active(self, section: str) -> dict:
        """The members of a section whose condition holds."""
        return {name: body for name, body in (self.template.get(section) or {}).items()
                if "Condition" not in body or self.condition(body["Condition"])}

    def resolve(self, node):
        """A node with every function evaluated."""
        if isinstance(node, str):
            return self._dynamic(node) if "{{resolve:" in node else node
        if isinstance(node, list):
            return [value for value in map(self.resolve, node) if value is not NO_VALUE]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            name, argument = next(iter(node.items()))
            function = getattr(self, "_" + str(name).replace("Fn::", "fn_"), None)
            if name in ("Ref", "Condition") and not isinstance(argument, str):
                function = None
            if name in ("Ref", "Condition") or str(name).startswith("Fn::"):
                if function is None and str(name).startswith("Fn::"):
                    raise invalid(f"Template error: unknown function {name}")
                if function is not None:
                    return function(argument)
        resolved = {key: self.resolve(value) for key, value in node.items()}
        return {key: value for key, value in resolved.items() if value is not NO_VALUE}

    def _dynamic(self, text: str) -> str:
        return _DYNAMIC.sub(lambda found: self.lookup.dynamic(found[1], found[2]), text)

    def _Ref(self, name: str):  # noqa: N802 - named after the function
        if name == "AWS::NoValue":
            return NO_VALUE
        if name in self.pseudo:
            return self.pseudo[name]
        if name in self.parameters:
            return self.parameters[name]
        return self.lookup.ref(name)

    def _Condition(self, name: str) -> bool:  # noqa: N802
        return self.condition(name)

    def _fn_GetAtt(self, argument):  # noqa: N802
        if isinstance(argument, str):
            argument = argument.split(".", 1)
        name, *rest = [self.resolve(part) for part in argument]
        return self.lookup.attribute(name, ".".join(rest))

    def _fn_Sub(self, argument) -> str:  # noqa: N802
        text, variables = argument if isinstance(argument, list) else (argument, {})
        values = {key: self.resolve(value) for key, value in variables.items()}

        def fill(found):
            name = found[2].strip()
            if found[1]:
                return "${" + found[2] + "}"
            if name in values:
                value = values[name]
            elif "." in name and name not in self.parameters:
                value = self._fn_GetAtt(name)
            else:
                value = self._Ref(name)
            return ",".join(value) if isinstance(value, list) else _text(value)

        return self._dynamic(_SUB.sub(fill, text))

    def _fn_Join(self, argument) -> str:  # noqa: N802
        delimiter, parts = argument
        return self._dynamic(delimiter.join(_text(part) for part in self.resolve(parts)))

    def _fn_Split(self, argument) -> list:  # noqa: N802
        return self.resolve(argument[1]).split(argument[0])

    def _fn_Select(self, argument):  # noqa: N802
        index, values = int(self.resolve(argument[0])), self.resolve(argument[1])
        values = values.split(",") if isinstance(values, str) else values
        if not 0 <= index < len(values):
            raise invalid("Template error: Fn::Select cannot select nonexistent value at index "
                          f"{index}")
        return values[index]

    def _fn_If(self, argument):  # noqa: N802
        name, yes, no = argument
        return self.resolve(yes if self.condition(name) else no)

    def _fn_Equals(self, argument) -> bool:  # noqa: N802
        left, right = self.resolve(argument)
        return _text(left) == _text(right)

    def _fn_And(self, argument) -> bool:  # noqa: N802
        return all(self._boolean(part) for part in argument)

    def _fn_Or(self, argument) -> bool:  # noqa: N802
        return any(self._boolean(part) for part in argument)

    def _fn_Not(self, argument) -> bool:  # noqa: N802
        return not self._boolean(argument[0])

    def _fn_FindInMap(self, argument):  # noqa: N802
        default = [part["DefaultValue"] for part in argument
                   if isinstance(part, dict) and "DefaultValue" in part]
        name, first, second = (self.resolve(part) for part in argument[:3])
        try:
            return self.resolve(self.template["Mappings"][name][str(first)][str(second)])
        except KeyError:
            if default:
                return self.resolve(default[0])
            raise invalid("Template error: Unable to get mapping for "
                          f"{name}::{first}::{second}") from None

    def _fn_ImportValue(self, argument):  # noqa: N802
        return self.lookup.import_value(self.resolve(argument))

    def _fn_Base64(self, argument) -> str:  # noqa: N802
        return base64.b64encode(self.resolve(argument).encode()).decode()

    def _fn_GetAZs(self, argument) -> list:  # noqa: N802
        region = self.resolve(argument) or self.pseudo["AWS::Region"]
        return [region + letter for letter in "abc"]

    def _fn_Cidr(self, argument) -> list:  # noqa: N802
        block, count, *bits = (self.resolve(part) for part in argument)
        prefix = 32 - int(bits[0] if bits else 8)
        subnets = ipaddress.ip_network(block).subnets(new_prefix=prefix)
        return [str(next(subnets)) for _ in range(int(count))]

    def _fn_ToJsonString(self, argument) -> str:  # noqa: N802
        return json.dumps(self.resolve(argument), separators=(",", ":"))

    def _fn_Length(self, argument) -> int:  # noqa: N802
        return len(self.resolve(argument))


def _text(value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def mentions(node):
    """The names that a node refers to (Ref, Fn::GetAtt, Fn::Sub)."""
    if isinstance(node, list):
        for item in node:
            yield from mentions(item)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key == "Ref" and isinstance(value, str):
                yield value
            elif key == "Fn::GetAtt":
                yield value.split(".")[0] if isinstance(value, str) else value[0]
            elif key == "Fn::Sub":
                yield from _sub_mentions(value)
            else:
                yield from mentions(value)


def _sub_mentions(value):
    text, variables = value if isinstance(value, list) else (value, {})
    yield from mentions(variables)
    for escaped, name in _SUB.findall(text):
        if not escaped and name.strip() not in variables:
            yield name.strip().split(".")[0]
