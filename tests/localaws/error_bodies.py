"""Error answers as each protocol writes them, for faults and for what moto does not answer."""

import json
import uuid
from xml.sax.saxutils import escape

from localaws import cbor

THROTTLED = {
    "s3": (503, "SlowDown", "Please reduce your request rate."),
    "lambda": (429, "TooManyRequestsException", "Rate exceeded"),
    "ec2": (503, "RequestLimitExceeded", "Request limit exceeded."),
    "dynamodb": (400, "ThrottlingException", "Rate exceeded"),
}
THROTTLED_BY_PROTOCOL = {
    "query": (400, "Throttling", "Rate exceeded"),
    "json": (400, "ThrottlingException", "Rate exceeded"),
    "cbor": (400, "ThrottlingException", "Rate exceeded"),
    "rest-json": (429, "TooManyRequestsException", "Rate exceeded"),
    "rest-xml": (400, "Throttling", "Rate exceeded"),
}
BROKEN = {
    "s3": (500, "InternalError", "We encountered an internal error. Please try again."),
    "lambda": (500, "ServiceException", "Internal server error"),
}
BROKEN_BY_PROTOCOL = {
    "query": (500, "InternalFailure", "The request processing has failed because of an unknown "
                                      "error, exception or failure."),
    "json": (500, "InternalServerError", "Internal server error"),
}

Answer = tuple[int, list[tuple[str, str]], bytes]


def throttled(service: str, protocol: str) -> Answer:
    """The answer of a service that wants its caller to slow down."""
    fallback = THROTTLED_BY_PROTOCOL.get(protocol, THROTTLED_BY_PROTOCOL["query"])
    return render(service, protocol, *THROTTLED.get(service, fallback))


def broken(service: str, protocol: str) -> Answer:
    """The answer of a service with an internal error."""
    family = "json" if protocol in ("json", "rest-json", "cbor") else "query"
    return render(service, protocol, *BROKEN.get(service, BROKEN_BY_PROTOCOL[family]))


def render(service: str, protocol: str, status: int, code: str, message: str) -> Answer:
    """An error in the shape of the protocol."""
    request_id = str(uuid.uuid4())
    if protocol == "cbor":
        return _cbor(status, code, message, request_id)
    if protocol in ("json", "rest-json"):
        return _json(protocol, status, code, message, request_id)
    return _xml(service, protocol, status, code, message, request_id)


def _json(protocol: str, status: int, code: str, message: str, request_id: str) -> Answer:
    body = {"__type": code, "message": message}
    kind = "application/x-amz-json-1.1"
    if protocol == "rest-json":
        body, kind = {"Type": "User", "message": message, "Message": message}, "application/json"
    return _answer(status, kind, json.dumps(body).encode(), request_id,
                   [("x-amzn-errortype", code)])


def _cbor(status: int, code: str, message: str, request_id: str) -> Answer:
    body = cbor.encode({"__type": code, "message": message})
    return _answer(status, "application/cbor", body, request_id,
                   [("smithy-protocol", "rpc-v2-cbor")])


def _xml(service: str, protocol: str, status: int, code: str, message: str,
         request_id: str) -> Answer:
    error = f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
    if service == "s3":
        body = f"<Error>{error}<RequestId>{request_id}</RequestId></Error>"
    elif protocol == "ec2":
        body = (f"<Response><Errors><Error>{error}</Error></Errors>"
                f"<RequestID>{request_id}</RequestID></Response>")
    else:
        kind = "Sender" if status < 500 else "Receiver"
        body = (f"<ErrorResponse><Error><Type>{kind}</Type>{error}</Error>"
                f"<RequestId>{request_id}</RequestId></ErrorResponse>")
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n{body}'
    return _answer(status, "application/xml", text.encode(), request_id, [])


def _answer(status: int, kind: str, body: bytes, request_id: str,
            more: list[tuple[str, str]]) -> Answer:
    headers = [("Content-Type", kind), ("Content-Length", str(len(body))),
               ("x-amzn-RequestId", request_id)]
    return status, headers + more, body
