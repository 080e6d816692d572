"""IAM policy documents: does a statement speak about this call, and what does it say?

moto 5.2.5's evaluator knows no principal but `*`, takes an unmet condition for a denial, and has no
ArnLike. This one knows what our templates use; an operator that it does not know never matches an
Allow and always matches a Deny.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

ALLOW, DENY = "Allow", "Deny"


@dataclass(frozen=True)
class Request:
    """One call: what, on what, by whom, in what context (keys in any case)."""

    action: str
    resource: str = "*"
    principal: str | None = None  # ARN of the role or user
    account: str | None = None  # of the principal
    service: str | None = None  # e.g. lambda.amazonaws.com, when a service calls
    context: Mapping[str, Any] = field(default_factory=dict)

    def values(self, key: str) -> list[str]:
        """The context's values for a condition key."""
        for name, value in self.context.items():
            if name.lower() == key.lower() and value is not None:
                many = value if isinstance(value, (list, tuple)) else [value]
                return [str(one) for one in many]
        return []


def as_list(value: Any) -> list[Any]:
    """One or many."""
    return value if isinstance(value, list) else [] if value is None else [value]


def like(pattern: str, value: str) -> bool:
    """IAM's wildcards."""
    text = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(text, value, re.DOTALL) is not None


def arn_like(pattern: str, value: str) -> bool:
    """As `like`, but the first five colons separate; a wildcard does not reach over them."""
    wanted, actual = pattern.split(":", 5), value.split(":", 5)
    return len(wanted) == len(actual) and all(map(like, wanted, actual))


def _boolean(wanted: str, value: str) -> bool:
    return str(wanted).lower() == value.lower()


OPERATORS = {
    "StringEquals": lambda wanted, value: wanted == value,
    "StringEqualsIgnoreCase": lambda wanted, value: wanted.lower() == value.lower(),
    "StringLike": like,
    "ArnEquals": arn_like,
    "ArnLike": arn_like,
    "Bool": _boolean,
    "NumericEquals": lambda wanted, value: float(wanted) == float(value),
    "NumericLessThan": lambda wanted, value: float(value) < float(wanted),
    "NumericLessThanEquals": lambda wanted, value: float(value) <= float(wanted),
    "NumericGreaterThan": lambda wanted, value: float(value) > float(wanted),
    "NumericGreaterThanEquals": lambda wanted, value: float(value) >= float(wanted),
}
NEGATED = {"StringNotEquals": "StringEquals", "StringNotLike": "StringLike",
           "ArnNotEquals": "ArnEquals", "ArnNotLike": "ArnLike",
           "NumericNotEquals": "NumericEquals",
           "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase"}


def evaluate(documents: list[Any], request: Request) -> str | None:
    """Deny if any statement denies, else Allow if any allows, else None."""
    found = [effect for document in documents for statement in statements(document)
             if (effect := effect_of(statement, request))]
    return DENY if DENY in found else ALLOW if ALLOW in found else None


def statements(document: Any) -> list[dict[str, Any]]:
    """The statements of a document, given as text or as an object."""
    parsed = json.loads(document) if isinstance(document, (str, bytes)) else document
    return as_list(parsed.get("Statement"))


def effect_of(statement: dict[str, Any], request: Request) -> str | None:
    """The statement's effect if it matches the call."""
    denies = statement.get("Effect") == DENY
    matches = (_listed(statement, "Action", request.action, ignore_case=True)
               and _listed(statement, "Resource", request.resource)
               and principal_matches(statement, request)
               and conditions_match(statement.get("Condition") or {}, request, denies))
    return statement.get("Effect") if matches else None


def _listed(statement: dict[str, Any], name: str, value: str, ignore_case: bool = False) -> bool:
    negated = f"Not{name}" in statement
    patterns = as_list(statement.get(f"Not{name}" if negated else name))
    if not patterns:
        return True  # trust policies have no resource
    if ignore_case:
        patterns, value = [pattern.lower() for pattern in patterns], value.lower()
    return any(like(pattern, value) for pattern in patterns) != negated


def principal_matches(statement: dict[str, Any], request: Request) -> bool:
    """Whether the call's principal is meant; identity policies name none."""
    if "NotPrincipal" in statement:
        return not _named(statement["NotPrincipal"], request)
    return "Principal" not in statement or _named(statement["Principal"], request)


def _named(principal: Any, request: Request) -> bool:
    if principal == "*":
        return True
    if request.service:
        return request.service in as_list(principal.get("Service"))
    return any(_is(name, request) for name in as_list(principal.get("AWS")))


def _is(name: str, request: Request) -> bool:
    """`*`, an account, its root, or exactly one role or user: there are no wildcards in names."""
    if name == "*" or name == request.principal or name == request.account:
        return True
    return name.startswith("arn:") and name.endswith(f":iam::{request.account}:root")


def names_exactly(statement: dict[str, Any], request: Request) -> bool:
    """Whether the statement names the role or user itself, not just its account."""
    principal = statement.get("Principal")
    return isinstance(principal, dict) and request.principal in as_list(principal.get("AWS"))


def conditions_match(conditions: dict[str, Any], request: Request, denies: bool) -> bool:
    """All operators and all their keys must hold."""
    return all(_holds(operator, key, [str(one) if not isinstance(one, bool) else str(one).lower()
                                      for one in as_list(wanted)], request.values(key), denies)
               for operator, keys in conditions.items() for key, wanted in keys.items())


def _holds(operator: str, key: str, wanted: list[str], actual: list[str], denies: bool) -> bool:
    quantifier, _, name = operator.rpartition(":")
    if name == "Null":
        return (not actual) == _boolean("true", wanted[0])
    if_exists, name = name.endswith("IfExists"), name.removesuffix("IfExists")
    negated = name in NEGATED
    test = OPERATORS.get(NEGATED.get(name, name))
    if test is None:
        return denies
    if not actual:
        return if_exists or negated or quantifier == "ForAllValues"
    each = [any(test(pattern, value) for pattern in wanted) != negated for value in actual]
    return any(each) if quantifier == "ForAnyValue" else all(each)
