"""IAM for calls of roles: what their policies, and the policy of the session, say about a call.

In the mode "audit" (the default) the call log shows the answer, in "enforce" denied calls are
refused, "off" asks nobody. Local administrators (any unknown key) and users may do everything.
moto 5.2.5 has one switch for every caller, and checks most calls against the resource `*`.
"""

from collections.abc import Mapping
from typing import Any

from moto.iam.models import iam_backends
from moto.s3.models import s3_backends
from moto.sts.models import sts_backends

from localaws import error_bodies, identity, permission_resources, policies, sts

MODES = ("off", "audit", "enforce")
OWN_CHECK = {"sts"}  # AssumeRole asks the trust policy too, GetCallerIdentity nobody: see sts.py

_mode = {"mode": "audit"}


def set_mode(mode: str) -> str:
    """Changes the mode."""
    if mode not in MODES:
        raise ValueError(f"mode must be one of {', '.join(MODES)}")
    _mode["mode"] = mode
    return mode


def mode() -> str:
    """The mode of now."""
    return _mode["mode"]


def denial(caller: identity.Caller, access_key: str | None, service: str, action: str,
           region: str, parameters: Mapping[str, Any]) -> str | None:
    """Why IAM denies a call of a role; None when it allows it, "" when nobody was asked."""
    if _mode["mode"] == "off" or service in OWN_CHECK or ":role/" not in (caller.principal or ""):
        return ""
    place = permission_resources.Place(region, caller.account)
    asked = [(name, arn, _context(caller, service, region, parameters))
             for name, arn in permission_resources.checks(service, action, parameters, place)]
    asked += [("iam:PassRole", role, {"iam:PassedToService": receiver}) for role, receiver
              in permission_resources.passed_roles(service, parameters)]
    for name, arn, context in asked:
        reason = _refused(caller, access_key, name, arn, context)
        if reason:
            return (f"User: {caller_arn(caller, access_key)} is not authorized to perform: {name} on "
                    f"resource: {arn} {reason}")
    return None


def answer(service: str, protocol: str, message: str) -> error_bodies.Answer:
    """The refusal, as the service's protocol writes it."""
    if service == "ec2":
        return error_bodies.render(service, protocol, 403, "UnauthorizedOperation", message)
    if protocol in ("json", "cbor"):
        return error_bodies.render(service, protocol, 400, "AccessDeniedException", message)
    code = "AccessDeniedException" if protocol == "rest-json" else "AccessDenied"
    return error_bodies.render(service, protocol, 403, code, message)


def _refused(caller: identity.Caller, access_key: str | None, name: str, arn: str,
             context: dict) -> str | None:
    role = sts.role_of(caller.principal)
    if role is None:
        # Nobody made the role by which an organization enters its accounts.
        administers = caller.principal.endswith("/" + sts.ADMIN_ROLE)
        return None if administers else "because the role does not exist"
    request = policies.Request(name, arn, caller.principal, caller.account, context=context)
    own = sts.documents_of(iam_backends[caller.account][arn_partition(role.arn)], role)
    session = sts.session_policy_of(access_key, caller.account)
    layers = [("identity-based", own)] + ([("session", [session])] if session else [])
    for kind, documents in layers:
        effect = policies.evaluate(documents, request)
        if effect == policies.DENY:
            article = "a" if kind == "session" else "an"
            return f"with an explicit deny in {article} {kind} policy"
        if effect != policies.ALLOW:
            return f"because no {kind} policy allows the {name} action"
    return None


def arn_partition(arn: str) -> str:
    """aws, aws-cn or aws-us-gov."""
    return arn.split(":")[1]


def caller_arn(caller: identity.Caller, access_key: str | None) -> str:
    """The ARN by which services name a caller: of a role, the session's."""
    backend = sts_backends[caller.account][arn_partition(caller.principal)]
    found = backend.get_assumed_role_from_access_key(access_key)
    return found.arn if found else caller.principal


def _bucket_account(service: str, parameters: Mapping[str, Any]) -> str | None:
    """The account that owns the bucket of an S3 call."""
    owner = s3_backends.bucket_accounts.get(parameters.get("Bucket")) if service == "s3" else None
    return owner[1] if owner else None


def _context(caller: identity.Caller, service: str, region: str,
             parameters: Mapping[str, Any]) -> dict:
    """The condition keys that our policies may ask for."""
    context = {"aws:PrincipalArn": caller.principal, "aws:PrincipalAccount": caller.account,
               "aws:ResourceAccount": caller.account, "aws:RequestedRegion": region,
               "aws:SecureTransport": "true",
               "aws:PrincipalOrgID": sts.organization_of(caller.account),
               "s3:prefix": parameters.get("Prefix") if service == "s3" else None,
               "s3:ResourceAccount": _bucket_account(service, parameters),
               "cloudwatch:namespace": parameters.get("Namespace"),
               "cloudformation:RoleArn": parameters.get("RoleARN")}
    tags = parameters.get("Tags") or parameters.get("tags") or []
    pairs = tags.items() if isinstance(tags, dict) else [
        (one.get("Key", one.get("key")), one.get("Value", one.get("value"))) for one in tags]
    context |= {f"aws:RequestTag/{key}": value for key, value in pairs}
    return context | {"aws:TagKeys": [key for key, _ in pairs] or None}
