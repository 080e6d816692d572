"""Repairs of moto's STS: AssumeRole asks the role's trust policy and the caller's own policies.

moto 5.2.5 assumes any role, existing or not, for anybody, with any external id and duration.
"""

import re
from typing import Any
from xml.sax.saxutils import escape

from moto.core.responses import ActionResult
from moto.iam.models import IAMBackend, ManagedPolicy, Role, iam_backends
from moto.organizations.models import organizations_backends
from moto.sts.exceptions import STSClientError
from moto.sts.models import STSBackend, sts_backends
from moto.sts.responses import TokenResponse
from werkzeug.exceptions import HTTPException

from localaws import DEFAULT_ACCOUNT, policies
from localaws.identity import Caller, caller_of
from localaws.policies import ALLOW, DENY, Request, evaluate

# As AWS Organizations makes it in each new account: the way into an account that is still empty.
ADMIN_ROLE = "OrganizationAccountAccessRole"
ROLE_ARN = re.compile(r"arn:(aws|aws-cn|aws-us-gov):iam::(\d{12}):role/"
                      r"((?:[\w+=,.@-]+/)*[\w+=,.@-]+)")

_moto_assume = TokenResponse.assume_role
_moto_identity = STSBackend.get_caller_identity


class Denied(HTTPException):
    """AccessDenied, with 403."""

    code = 403

    def __init__(self, caller: str, arn: str):
        message = escape(f"User: {caller} is not authorized to perform: sts:AssumeRole on "
                         f"resource: {arn}")
        super().__init__(
            '<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error>'
            f"<Type>Sender</Type><Code>AccessDenied</Code><Message>{message}</Message></Error>"
            "<RequestId></RequestId></ErrorResponse>")


def invalid(message: str, code: str = "ValidationError") -> STSClientError:
    """A refusal with 400."""
    return STSClientError(code, message)


def check_parameters(response: TokenResponse) -> None:
    """Lengths, ranges and patterns of the service model; moto 5.2.5 checks one length."""
    session = response._get_param("RoleSessionName") or ""
    if not re.fullmatch(r"[\w+=,.@-]{2,64}", session, re.ASCII):
        raise invalid(f"1 validation error detected: Value '{session}' at 'roleSessionName' failed "
                      "to satisfy constraint: Member must satisfy regular expression pattern: "
                      r"[\w+=,.@-]* with a length between 2 and 64")
    seconds = response._get_param("DurationSeconds")
    if seconds is not None and not 900 <= int(seconds) <= 43200:
        raise invalid(f"1 validation error detected: Value '{seconds}' at 'durationSeconds' failed "
                      "to satisfy constraint: Member must have value between 900 and 43200")
    external = response._get_param("ExternalId")
    if external is not None and not re.fullmatch(r"[\w+=,.@:/-]{2,1224}", external, re.ASCII):
        raise invalid(f"1 validation error detected: Value '{external}' at 'externalId' failed to "
                      "satisfy constraint")
    check_session_policy(response._get_param("Policy"))


def check_session_policy(text: str | None) -> None:
    """At most 2048 characters of a policy document."""
    if text is None:
        return
    if not 1 <= len(text) <= 2048:
        raise invalid("1 validation error detected: Value at 'policy' failed to satisfy "
                      "constraint: Member must have length less than or equal to 2048")
    try:
        found = policies.statements(text)
        sound = bool(found) and all(one.get("Effect") in (ALLOW, DENY) and "Principal" not in one
                                    for one in found)
    except (ValueError, AttributeError):
        sound = False
    if not sound:
        raise invalid("The policy is not in the valid JSON format.", "MalformedPolicyDocument")


def role_of(arn: str) -> Role | None:
    """The role in its account; moto's look-up by ARN ignores the account."""
    partition, account, name = ROLE_ARN.fullmatch(arn).groups()
    if account not in iam_backends:
        return None
    roles = iam_backends[account][partition].roles.values()
    return next((role for role in roles if role.arn == arn), None)


def organization_of(account: str) -> str | None:
    """The organization that the account is in: what aws:PrincipalOrgID compares."""
    for owner in list(organizations_backends):
        for backend in list(organizations_backends[owner].values()):
            if backend.org and any(one.id == account for one in backend.accounts):
                return backend.org.id
    return None


def request_of(caller: Caller, arn: str, external: str | None, session: str) -> Request:
    """The call as the trust policy sees it."""
    return Request("sts:AssumeRole", arn, caller.principal, caller.account, context={
        "sts:ExternalId": external, "sts:RoleSessionName": session,
        "aws:PrincipalArn": caller.principal, "aws:PrincipalAccount": caller.account,
        "aws:PrincipalOrgID": organization_of(caller.account), "aws:SecureTransport": "true",
        "aws:PrincipalType": "AssumedRole" if ":role/" in (caller.principal or "") else "User"})


def trusts(role: Role, request: Request, caller: Caller, session_policy: str | None) -> bool:
    """The role's trust policy must allow, and the caller's own policies too, unless the role is in
    the caller's account and names the caller itself."""
    trust = role.assume_role_policy_document
    if evaluate([trust], request) != ALLOW:
        return False
    own = own_effect(caller, request, session_policy)
    if own == DENY:
        return False
    exactly = any(policies.names_exactly(one, request) for one in policies.statements(trust)
                  if policies.effect_of(one, request) == ALLOW)
    same_account = caller.account == request.resource.split(":")[4]
    return own == ALLOW or (exactly and same_account)


def own_effect(caller: Caller, request: Request, session_policy: str | None) -> str | None:
    """What the caller's identity policies say; a local administrator may do everything."""
    if ":role/" not in (caller.principal or ""):
        return ALLOW
    role = role_of(caller.principal)
    if role is None:
        return ALLOW if caller.principal.endswith("/" + ADMIN_ROLE) else None
    effect = evaluate(documents_of(iam_backends[caller.account]["aws"], role), request)
    if effect == ALLOW and session_policy:
        return evaluate([session_policy], request)
    return effect


def documents_of(backend: IAMBackend, role: Role) -> list[Any]:
    """Inline and attached policies of a role."""
    attached = [default_document(policy) for policy in role.managed_policies.values()]
    return list(role.policies.values()) + attached


def default_document(policy: ManagedPolicy) -> Any:
    """The version of a managed policy that counts."""
    return next(version.document for version in policy.versions
                if version.version_id == policy.default_version_id)


def session_policy_of(access_key: str | None, account: str) -> str | None:
    """The session policy under which the caller itself works."""
    for role in sts_backends[account]["aws"].assumed_roles:
        if role.access_key_id == access_key:
            return role.policy
    return None


def assume_role(self: TokenResponse) -> ActionResult:
    """AssumeRole."""
    check_parameters(self)
    arn, key = self._get_param("RoleArn") or "", self.get_access_key()
    if not ROLE_ARN.fullmatch(arn):
        raise invalid(f"{arn} is invalid")
    caller = caller_of(key)
    role = role_of(arn)
    if role is None:
        if not (arn.endswith(f":role/{ADMIN_ROLE}") and ":role/" not in (caller.principal or "")
                and caller.account == DEFAULT_ACCOUNT):
            raise Denied(shown(caller, self), arn)
        return _moto_assume(self)
    request = request_of(caller, arn, self._get_param("ExternalId"),
                         self._get_param("RoleSessionName"))
    if not trusts(role, request, caller, session_policy_of(key, caller.account)):
        raise Denied(shown(caller, self), arn)
    check_duration(role, caller, int(self._get_param("DurationSeconds") or 3600))
    return _moto_assume(self)


def check_duration(role: Role, caller: Caller, seconds: int) -> None:
    """The role's own maximum, and one hour when a role assumes a role."""
    if seconds > int(role.max_session_duration or 3600):
        raise invalid("The requested DurationSeconds exceeds the MaxSessionDuration set for this "
                      "role.")
    if seconds > 3600 and ":role/" in (caller.principal or ""):
        raise invalid("The requested DurationSeconds exceeds the 1 hour session limit for roles "
                      "assumed by role chaining.")


def shown(caller: Caller, response: TokenResponse) -> str:
    """The caller's ARN as errors show it: of the session, not of the role."""
    return response.backend.get_caller_identity(response.get_access_key(), response.region)[1]


def get_caller_identity(self: STSBackend, access_key_id: str, region: str) -> tuple[str, str, str]:
    """GetCallerIdentity: moto 5.2.5 calls unknown keys an IAM user with an STS ARN."""
    user_id, arn, account = _moto_identity(self, access_key_id, region)
    if arn.endswith(":user/moto"):
        arn = caller_of(access_key_id).principal \
            or f"arn:aws:iam::{account}:user/local-administrator"
    return user_id, arn, account


def install() -> None:
    """Puts these in the place of moto's."""
    TokenResponse.assume_role = assume_role
    STSBackend.get_caller_identity = get_caller_identity
