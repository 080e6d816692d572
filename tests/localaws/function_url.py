"""Lambda function URLs, served under /_lambda-url/<id>/ with events of payload format 2.0."""

import json
import uuid

from moto.awslambda.models import FunctionUrlConfig, LambdaFunction
from moto.awslambda.responses import LambdaResponse
from moto.core.exceptions import JsonRESTError

import localaws
from localaws import faults, function_url_event, lambda_runtime

PREFIX = "/_lambda-url/"
FORBIDDEN = ("Forbidden. For troubleshooting Function URL authorization issues, see: "
             "https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html")

_configs: dict[str, FunctionUrlConfig] = {}

Answer = tuple[int, list[tuple[str, str]], bytes]


def serve(environ: dict, body: bytes) -> Answer | None:
    """Answers one request to a function URL; None when the Region is dark."""
    url_id = environ["PATH_INFO"].removeprefix(PREFIX).split("/")[0]
    config = _configs.get(url_id)
    if config is None or config.function.url_config is not config:
        return _message(404, "Not Found")
    fn = config.function
    if faults.is_dark(fn.region):
        return None
    caller = function_url_event.signer(environ)
    if not allowed(fn, config.config.get("AuthType"), caller):
        return _message(403, FORBIDDEN, [("x-amzn-ErrorType", "AccessDeniedException")])
    if len(body) > lambda_runtime.MAX_PAYLOAD["RequestResponse"]:
        return _message(413, "Request Entity Too Large")
    request_id = str(uuid.uuid4())
    event = function_url_event.build(environ, body, url_id, fn.region, request_id, caller)
    status, error, payload = lambda_runtime.invoke(
        fn.function_arn, fn.region, fn.account_id, json.dumps(event).encode())
    return _answer(status, error, payload, request_id)


def allowed(fn, auth_type: str | None, caller) -> bool:
    """Whether the resource policy (or, for AWS_IAM, a signature) opens the URL.

    A public URL needs both actions in the policy; new URLs with only one of them are refused.
    """
    if auth_type == "AWS_IAM":
        return caller is not None
    return all(any(_grants(statement, action) for statement in fn.policy.statements)
               for action in ("lambda:InvokeFunctionUrl", "lambda:InvokeFunction"))


def _grants(statement: dict, action: str) -> bool:
    actions = statement.get("Action", [])
    actions = [actions] if isinstance(actions, str) else actions
    public = statement.get("Principal") in ("*", {"AWS": "*"}, {"AWS": ["*"]})
    return (public and statement.get("Effect") == "Allow" and action in actions
            and _holds(statement.get("Condition") or {}))


def _holds(condition: dict) -> bool:
    """Conditions on anything else than these two keys do not hold for an unsigned request."""
    known = {("StringEquals", "lambda:FunctionUrlAuthType"): "NONE",
             ("Bool", "lambda:InvokedViaFunctionUrl"): "true"}
    return all(known.get((operator, key)) == str(value)
               for operator, keys in condition.items() for key, value in keys.items())


def _answer(status: int, error: str | None, payload: bytes, request_id: str) -> Answer:
    if status == 429:
        return _message(429, "Too Many Requests")
    if status >= 400 or error:
        return _message(502, "Internal Server Error")
    try:
        return function_url_event.parse(payload, request_id)
    except (ValueError, TypeError):
        return _message(502, "Internal Server Error")


def _message(status: int, message: str, headers: list[tuple[str, str]] | None = None) -> Answer:
    body = json.dumps({"Message": message}).encode()
    return status, [("Content-Type", "application/json"),
                    ("Content-Length", str(len(body)))] + (headers or []), body


def install() -> None:
    """Gives moto's URL configurations an address that is served."""
    original_init = FunctionUrlConfig.__init__
    original_create = LambdaFunction.create_url_config
    original_document = FunctionUrlConfig.to_dict

    def __init__(self, function, config):
        original_init(self, function, config)
        self.id = uuid.uuid4().hex
        _configs[self.id] = self

    def to_dict(self):
        # moto 5.2.5 says "Buffered".
        return original_document(self) | {"InvokeMode": self.config.get("InvokeMode") or "BUFFERED"}

    def create_url_config(self, config):
        # moto 5.2.5 replaces an existing URL.
        if self.url_config is not None:
            raise Conflict(self)
        return original_create(self, config)

    def get_function_url_config(self):
        # moto 5.2.5 answers 201.
        _, headers, body = original_get(self)
        return 200, headers, body

    original_get = LambdaResponse.get_function_url_config
    FunctionUrlConfig.__init__ = __init__
    FunctionUrlConfig.to_dict = to_dict
    # moto 5.2.5 makes up an address that nobody serves.
    FunctionUrlConfig.url = property(
        lambda self: f"{localaws.endpoint()}{PREFIX}{self.id}/", lambda self, value: None)
    LambdaFunction.create_url_config = create_url_config
    LambdaResponse.get_function_url_config = get_function_url_config


class Conflict(JsonRESTError):
    """The function has a URL already."""

    code = 409

    def __init__(self, fn: LambdaFunction):
        super().__init__("ResourceConflictException", "Failed to create function url config for "
                         f"[functionArn = {fn.function_arn}]. Error message:  FunctionUrlConfig "
                         "exists for this Lambda function")
