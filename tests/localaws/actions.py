"""Which operation a request asks for, whatever its protocol, and a few of its parameters."""

import json
import re
from dataclasses import dataclass, field

from botocore.exceptions import UnknownServiceError
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request, determine_request_protocol
from moto.core.routing import get_service_router
from moto.core.utils import get_service_model

from localaws import mutations

# Signing name -> botocore's name, where they differ (and the service is one that we meet).
MODELS = {"states": "stepfunctions", "monitoring": "cloudwatch", "elasticloadbalancing": "elbv2",
          "email": "ses", "elasticfilesystem": "efs", "aoss": "opensearchserverless",
          "tagging": "resourcegroupstaggingapi", "es": "opensearch"}
# Signing name -> the prefix of IAM actions, which is how the call log names services.
PREFIXES = {"monitoring": "cloudwatch", "email": "ses"}

SECRET = re.compile(r"password|secret|token|privatekey", re.IGNORECASE)
CBOR_PATH = re.compile(r"/service/([^/]+)/operation/([^/]+)")
MOST_TEXT = 256
WHOLE = {"Policy"}  # what a session may do is worth reading to its end
MOST_ITEMS = 20


@dataclass
class Operation:
    """One call of the API, as the log shows it."""

    service: str
    action: str
    protocol: str
    parameters: dict = field(default_factory=dict)
    payload: str | None = None
    mutating: bool = True

    @property
    def request(self) -> dict:
        """A small part of the parameters, without secrets and bodies."""
        return {key: _small(key, value) for key, value in self.parameters.items()
                if value is not None and key != self.payload}


def resolve(signing_name: str, environ: dict) -> Operation:
    """The operation behind a request that is signed for `signing_name`."""
    request = Request(dict(environ))
    name = MODELS.get(signing_name, signing_name)
    service = PREFIXES.get(signing_name, signing_name)
    try:
        model = get_service_model(name)
    except UnknownServiceError:
        return Operation(service, _target(request) or "Unknown", "json")
    return _with_model(service, name, model, request)


def _with_model(service: str, name: str, model, request: Request) -> Operation:
    protocol = protocol_of(model, request)
    try:
        found, uri_params = get_service_router(name).match(request)
    except Exception:  # moto answers such requests itself; the log only needs a name
        action = _target(request) or "Unknown"
        return Operation(service, action, protocol, mutating=mutations.mutates(name, action))
    parameters = _parameters(found, protocol, request, uri_params)
    return Operation(service, found.name, protocol, parameters, _payload_member(found),
                     mutations.mutates(name, found.name))


def protocol_of(model, request: Request) -> str:
    """The wire protocol of a request: json, query, ec2, rest-json or rest-xml."""
    try:
        return determine_request_protocol(model, request.content_type)
    except NotImplementedError:
        return str(model.protocol)


def _target(request: Request) -> str | None:
    target = request.headers.get("X-Amz-Target")
    if target:
        return target.rsplit(".", 1)[-1]
    return request.values.get("Action")


def _parameters(found, protocol: str, request: Request, uri_params: dict) -> dict:
    try:
        return PROTOCOL_PARSERS[protocol](found).parse({
            "method": request.method, "values": request.values, "headers": request.headers,
            "body": request.data, "url_path": request.path, "url_params": uri_params})
    except Exception:  # a malformed request: moto refuses it, the log shows it without parameters
        return {}


def _payload_member(found) -> str | None:
    """The name of a blob in the body (an object, an event): not for the log."""
    shape = found.input_shape
    name = shape.serialization.get("payload") if shape is not None else None
    return name if name and shape.members[name].type_name == "blob" else None


def _small(key: str, value, depth: int = 0):
    if SECRET.search(key):
        return "***"
    if isinstance(value, dict):
        return "..." if depth > 2 else {
            name: _small(str(name), one, depth + 1)
            for name, one in list(value.items())[:MOST_ITEMS]}
    if isinstance(value, (list, tuple)):
        return "..." if depth > 2 else [_small(key, one, depth + 1) for one in value[:MOST_ITEMS]]
    if value is None or isinstance(value, (bool, int, float)):
        return value
    text = value.decode(errors="replace") if isinstance(value, bytes) else str(value)
    return text if len(text) <= MOST_TEXT or key in WHOLE else text[:MOST_TEXT] + "..."


def error_code(status: int, headers: dict[str, str], body: bytes) -> str:
    """The error code of an answer, wherever its protocol puts it."""
    code = headers.get("x-amzn-errortype") or headers.get("x-amzn-query-error", "").split(";")[0]
    if not code:
        code = _code_in(body)
    return code.split(":")[0].rsplit("#", 1)[-1] if code else str(status)


def _code_in(body: bytes) -> str:
    text = body[:100_000].decode(errors="replace").strip()
    found = re.search(r"<Code>([^<]+)</Code>", text)
    if found:
        return found[1]
    try:
        document = json.loads(text)
    except ValueError:
        return ""
    if not isinstance(document, dict):
        return ""
    return str(document.get("__type") or document.get("code") or document.get("Code") or "")
