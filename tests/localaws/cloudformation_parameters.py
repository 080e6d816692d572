"""Template parameters, capabilities, and what else is checked before anything is made."""

import re

from localaws.api_error import ApiError
from localaws.cloudformation_clients import client
from localaws.cloudformation_functions import mentions
from localaws.cloudformation_template import LANGUAGE_EXTENSIONS, invalid, transforms

_NAMED = {"AWS::IAM::Role": "RoleName", "AWS::IAM::User": "UserName",
          "AWS::IAM::Group": "GroupName",
          "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
          "AWS::IAM::InstanceProfile": "InstanceProfileName"}
_SSM = re.compile(r"AWS::SSM::Parameter::Value<(.+)>")


def values(declared: dict, given: dict, region: str, account: str) -> dict:
    """The value of each declared parameter; all that is wrong with them is refused."""
    unknown = sorted(given.keys() - declared.keys())
    if unknown:
        raise invalid(f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    missing = [name for name, body in declared.items() if name not in given
               and "Default" not in body]
    if missing:
        raise invalid(f"Parameters: [{', '.join(missing)}] must have values")
    return {name: _value(name, body, given.get(name, body.get("Default")), region, account)
            for name, body in declared.items()}


def _value(name: str, body: dict, raw, region: str, account: str):
    text = str(raw).lower() if isinstance(raw, bool) else str(raw)
    if isinstance(raw, list):
        text = ",".join(str(part) for part in raw)
    kind = body.get("Type", "String")
    _constraints(name, body, kind, text)
    ssm = _SSM.fullmatch(kind)
    if ssm:
        text, kind = _from_ssm(name, text, region, account), ssm[1]
    if kind.startswith("List<") or kind == "CommaDelimitedList":
        return [part.strip() for part in text.split(",")]
    return text


def _constraints(name: str, body: dict, kind: str, text: str) -> None:
    listed = kind == "CommaDelimitedList" or kind.startswith("List<")
    for part in [piece.strip() for piece in text.split(",")] if listed else [text]:
        _constraint(name, body, kind, part)


def _constraint(name: str, body: dict, kind: str, text: str) -> None:
    allowed = [str(one).lower() if isinstance(one, bool) else str(one)
               for one in body.get("AllowedValues", [])]
    if allowed and text not in allowed:
        raise _unmet(name, body, f"Parameter '{name}' must be one of AllowedValues")
    pattern = body.get("AllowedPattern")
    if pattern and not re.fullmatch(pattern, text):
        raise _unmet(name, body, f"Parameter '{name}' must match pattern {pattern}")
    for limit, bad, words in (
            ("MinLength", lambda bound: len(text) < bound, "contain at least {} characters"),
            ("MaxLength", lambda bound: len(text) > bound, "contain at most {} characters"),
            ("MinValue", lambda bound: float(text) < bound, "be a number not less than {}"),
            ("MaxValue", lambda bound: float(text) > bound, "be a number not greater than {}")):
        if limit in body and bad(float(body[limit])):
            raise _unmet(name, body, f"Parameter '{name}' must {words.format(body[limit])}")
    if kind in ("Number", "List<Number>") and not re.fullmatch(r"-?\d+(\.\d+)?", text):
        raise invalid(f"Parameter '{name}' must be a number.")


def _unmet(name: str, body: dict, message: str) -> ApiError:
    words = body.get("ConstraintDescription")
    return invalid(f"Parameter {name} failed to satisfy constraint: {words}" if words else message)


def _from_ssm(name: str, key: str, region: str, account: str) -> str:
    ssm = client("ssm", region, account)
    try:
        found = ssm.get_parameter(Name=key)["Parameter"]
    except ssm.exceptions.ClientError as error:
        raise invalid(f"Unable to fetch parameters [{key}] from parameter store for this account."
                      ) from error
    if found["Type"] == "SecureString":
        raise invalid(f"Parameters [{key}] referenced by template have types not supported by "
                      "CloudFormation.")
    return found["Value"]


def check_capabilities(original: dict, processed: dict, given: list[str],
                       change_set: bool) -> None:
    """Refuses a template that needs a consent which was not given."""
    if LANGUAGE_EXTENSIONS in transforms(original) and not change_set \
            and "CAPABILITY_AUTO_EXPAND" not in given:
        raise _insufficient("CAPABILITY_AUTO_EXPAND")
    iam = [body for body in processed["Resources"].values()
           if str(body.get("Type", "")).startswith("AWS::IAM::")]
    named = [body for body in iam
             if _NAMED.get(body["Type"]) in (body.get("Properties") or {})]
    if named and "CAPABILITY_NAMED_IAM" not in given:
        raise _insufficient("CAPABILITY_NAMED_IAM")
    if iam and not {"CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"} & set(given):
        raise _insufficient("CAPABILITY_IAM")


def _insufficient(capability: str) -> ApiError:
    return ApiError("InsufficientCapabilitiesException",
                            f"Requires capabilities : [{capability}]")


def needed_capabilities(processed: dict) -> list[str]:
    """What ValidateTemplate and GetTemplateSummary name."""
    try:
        check_capabilities({}, processed, [], True)
    except ApiError as error:
        return [error.message.split("[")[1].rstrip("]")]
    return []


def check_references(template: dict, resolver) -> None:
    """Refuses references to what the template does not have."""
    active = resolver.active("Resources")
    known = set(active) | set(template.get("Parameters", {})) | set(resolver.pseudo) | {
        "AWS::NoValue"}
    for section in ("Resources", "Outputs"):
        missing = set()
        for name, body in resolver.active(section).items():
            if section == "Resources" and not isinstance(body.get("Type"), str):
                raise invalid("Template format error: [/Resources/"
                              f"{name}] Every Resources object must contain a Type member.")
            depends = body.get("DependsOn", [])
            mentioned = set(mentions(chosen(body, resolver)))
            mentioned |= set([depends] if isinstance(depends, str) else depends)
            missing |= {one for one in mentioned if one not in known
                        and not one.startswith("AWS::")}
        if missing:
            raise invalid("Template format error: Unresolved resource dependencies "
                          f"[{', '.join(sorted(missing))}] in the {section} block of the template")


def chosen(node, resolver) -> list:
    """The parts of a node that its conditions leave."""
    if isinstance(node, list):
        return [chosen(item, resolver) for item in node]
    if isinstance(node, dict):
        if set(node) == {"Fn::If"}:
            name, yes, no = node["Fn::If"]
            return [chosen(yes if resolver.condition(name) else no, resolver)]
        plain = {"Ref", "Fn::GetAtt", "Fn::Sub"}
        return [{key: value} if key in plain else chosen(value, resolver)
                for key, value in node.items()]
    return []
