"""Who calls: access key -> principal, and the Lambda function and sandbox behind it, if any."""

import re
from dataclasses import dataclass

from moto.iam.models import get_account_id_from, iam_backends
from moto.sts.models import sts_backends
from moto.utilities.utils import get_partition

from localaws import DEFAULT_ACCOUNT, state

CREDENTIAL = re.compile(r"Credential=([^/,\s]+)/(\d{8})/([^/]*)/([^/]*)/aws4_request")


@dataclass(frozen=True)
class Caller:
    """The identity behind one request."""

    principal: str | None
    account: str = DEFAULT_ACCOUNT
    function: str | None = None
    sandbox: str | None = None


@dataclass(frozen=True)
class Session:
    """What we remember of session credentials that were given out."""

    role_arn: str
    function: str | None
    sandbox: str | None


_sessions: dict[str, Session] = {}
_lock = state.lock()


def role_credentials(role_arn: str, session_name: str, region: str, function: str | None = None,
                     sandbox: str | None = None, policy: str | None = None) -> dict[str, str]:
    """Session credentials of a role, as AWS services hand them to functions and state machines.

    The answer has the keys aws_access_key_id, aws_secret_access_key and aws_session_token.
    """
    account = role_arn.split(":")[4] or DEFAULT_ACCOUNT
    role = sts_backends[account][get_partition(region)].assume_role(
        region_name=region, role_session_name=session_name[:64], role_arn=role_arn,
        policy=policy, duration=3600, external_id=None)
    remember(role.access_key_id, Session(role_arn, function, sandbox))
    return {"aws_access_key_id": role.access_key_id,
            "aws_secret_access_key": role.secret_access_key,
            "aws_session_token": role.session_token}


def remember(access_key: str, session: Session) -> None:
    """Ties session credentials to their role and, if they live in one, to a sandbox."""
    with _lock:
        _sessions[access_key] = session


def inherit(caller: Caller, access_key: str, role_arn: str) -> None:
    """A role assumed inside a sandbox still acts for that sandbox's function."""
    remember(access_key, Session(role_arn, caller.function, caller.sandbox))


def credential_scope(authorization: str) -> tuple[str, str, str] | None:
    """(access key, region, service) of a SigV4 Authorization header or X-Amz-Credential value."""
    found = CREDENTIAL.search(authorization)
    return (found[1], found[3], found[4].lower()) if found else None


def caller_of(access_key: str | None) -> Caller:
    """The principal of an access key; keys that nobody made belong to a local administrator."""
    if access_key is None:
        return Caller(None)
    session = _sessions.get(access_key)
    if session:
        account = session.role_arn.split(":")[4]
        return Caller(session.role_arn, account, session.function, session.sandbox)
    return _user_of(access_key)


def _user_of(access_key: str) -> Caller:
    account = get_account_id_from(access_key)
    key = iam_backends[account]["aws"].access_keys.get(access_key)
    if key is not None and getattr(key, "role_arn", None):
        return Caller(key.role_arn, account)
    name = getattr(key, "user_name", None) or "local-administrator"
    return Caller(f"arn:aws:iam::{account}:user/{name}", account)


def install() -> None:
    """Makes moto take region and account from where AWS takes them."""
    from moto.core.responses import BaseResponse

    original = BaseResponse.get_region_from_url

    def get_region_from_url(self, request, full_url):
        # moto 5.2.5 prefers anything that looks like a Region in the URL (an S3 key is enough) and
        # in the User-Agent to the signed credential scope, and ignores presigned queries.
        scope = credential_scope(request.headers.get("Authorization", ""))
        scope = scope or credential_scope("Credential=" + request.args.get("X-Amz-Credential", ""))
        return scope[1] if scope and scope[1] else original(self, request, full_url)

    BaseResponse.get_region_from_url = get_region_from_url
