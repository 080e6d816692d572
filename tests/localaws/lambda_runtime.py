"""Lambda Invoke: finds the function, checks the request as Lambda does, runs it in a sandbox."""

import json

from moto.awslambda.exceptions import UnknownFunctionException
from moto.awslambda.models import lambda_backends

from localaws import lambda_async, lambda_model, lambda_pool
from localaws.lambda_sandbox import Invocation, Outcome

MAX_PAYLOAD = {"RequestResponse": 6_291_456, "Event": 1_048_576, "DryRun": 6_291_456}


class Refused(Exception):
    """Lambda's own answer to an invocation that never reaches the function."""

    def __init__(self, status: int, code: str, message: str, reason: str | None = None):
        super().__init__(message)
        self.status, self.code, self.message, self.reason = status, code, message, reason

    @property
    def body(self) -> bytes:
        """The error document of the HTTP answer."""
        document = {"Type": "Service" if self.status >= 500 else "User", "Message": self.message}
        if self.reason:
            document = {"Reason": self.reason, "Type": "User", "message": self.message}
        return json.dumps(document).encode()


def invoke(function: str, region: str, account: str, payload: bytes,
           invocation_type: str = "RequestResponse") -> tuple[int, str | None, bytes]:
    """Invokes a function by ARN or name: (status, value of X-Amz-Function-Error, payload).

    A status of 400 and above means that the function did not run; the payload says why.
    """
    try:
        return invoke_strictly(function, region, account, payload, invocation_type)
    except Refused as refused:
        return refused.status, None, refused.body


def invoke_strictly(function: str, region: str, account: str, payload: bytes,
                    invocation_type: str = "RequestResponse",
                    qualifier: str | None = None) -> tuple[int, str | None, bytes]:
    """As `invoke`, but raises Refused."""
    fn = find(function, region, account, qualifier)
    _check(fn, payload, invocation_type)
    if invocation_type == "DryRun":
        return 204, None, b""
    if invocation_type == "Event":
        lambda_async.start(fn, payload or b"{}")
        return 202, None, b""
    outcome = run(fn, payload or b"{}")
    return 200, outcome.error, outcome.payload


def run(fn, payload: bytes) -> Outcome:
    """One synchronous invocation of a function that was found."""
    try:
        return lambda_pool.run(fn, Invocation(payload, fn.function_arn, float(fn.timeout)))
    except lambda_pool.ConcurrencyExceeded:
        raise Refused(429, "TooManyRequestsException", "Rate Exceeded.",
                      "ReservedFunctionConcurrentInvocationLimitExceeded") from None


def find(function: str, region: str, account: str, qualifier: str | None = None):
    """The moto function for a name, partial ARN or ARN; Refused when there is none."""
    parts = function.split(":")
    if len(parts) >= 7 and parts[0] == "arn":
        if parts[3] != region:
            raise Refused(404, "ResourceNotFoundException",
                          f"Functions from '{parts[3]}' are not reachable in this region "
                          f"('{region}')")
        account = parts[4]
    elif len(parts) in (3, 4) and parts[1] == "function":
        account, function = parts[0], ":".join(parts[2:])
    try:
        return lambda_backends[account][region].get_function(function, qualifier)
    except UnknownFunctionException as error:
        raise Refused(404, "ResourceNotFoundException", error.message) from None


def _check(fn, payload: bytes, invocation_type: str) -> None:
    limit = MAX_PAYLOAD.get(invocation_type)
    if limit is None:
        raise Refused(400, "InvalidParameterValueException",
                      f"Invalid invocation type: {invocation_type}")
    if len(payload) > limit:
        raise Refused(413, "RequestTooLargeException",
                      f"Request must be smaller than {limit} bytes for the InvokeFunction "
                      "operation")
    if payload:
        try:
            json.loads(payload)
        except ValueError as error:
            raise Refused(400, "InvalidRequestContentException",
                          f"Could not parse request body into json: {error}") from None
    if fn.package_type != "Zip" or not str(fn.run_time).startswith("provided"):
        raise Refused(502, "InvalidRuntimeException",
                      f"Only zips for the OS-only runtimes run here, not {fn.run_time}")


def install() -> None:
    """Replaces moto's Invoke, which needs Docker and starts a container for each event."""
    from moto.awslambda.models import LambdaFunction
    from moto.awslambda.responses import LambdaResponse

    LambdaResponse.invoke = _http_invoke
    LambdaFunction.invoke = _moto_invoke
    lambda_model.install()


def _http_invoke(response) -> tuple[int, dict, bytes]:
    """The Invoke operation over HTTP."""
    from urllib.parse import unquote

    name = unquote(response.path.rsplit("/", 2)[-2])
    kind = response.headers.get("X-Amz-Invocation-Type") or "RequestResponse"
    headers = {"content-type": "application/json"}
    try:
        status, error, payload = invoke_strictly(
            name, response.region, response.current_account, response.raw_body or b"", kind,
            response.querystring.get("Qualifier", [None])[0])
    except Refused as refused:
        headers |= {"x-amzn-errortype": refused.code, "status": str(refused.status)}
        return refused.status, headers, refused.body
    if kind == "RequestResponse":
        headers["x-amz-executed-version"] = "$LATEST"
    if error:
        headers["x-amz-function-error"] = error
    return status, headers | {"status": str(status)}, payload


def _moto_invoke(fn, body: str, request_headers, response_headers) -> bytes:
    """moto's own way in, for the events of SNS, SQS, Kinesis, DynamoDB and CloudWatch Logs."""
    payload = body.encode() if isinstance(body, str) else (body or b"{}")
    arn = fn.function_arn
    _, error, answer = invoke(arn, fn.region, fn.account_id, payload)
    if error:
        response_headers["x-amz-function-error"] = error
    return answer
