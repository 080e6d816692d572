"""Payload format 2.0: the event that a function URL makes of a request, and the answer back."""

import base64
import json
import time
from urllib.parse import parse_qsl

from localaws import identity

TEXT = ("application/json", "application/xml", "application/javascript")
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "upgrade"}


def signer(environ: dict) -> identity.Caller | None:
    """Who signed the request for the service lambda, if anybody did."""
    scope = identity.credential_scope(environ.get("HTTP_AUTHORIZATION", ""))
    return identity.caller_of(scope[0]) if scope and scope[2] == "lambda" else None


def build(environ: dict, body: bytes, url_id: str, region: str, request_id: str,
          caller: identity.Caller | None) -> dict:
    """The event of one request. Keys without a value are left out, as Lambda leaves them out."""
    query = environ.get("QUERY_STRING", "")
    headers = _headers(environ)
    cookies = [one.strip() for one in headers.pop("cookie", "").split(";") if one.strip()]
    event = {"version": "2.0", "routeKey": "$default", "rawPath": _raw_path(environ, url_id),
             "rawQueryString": query, "headers": headers,
             "requestContext": _context(environ, url_id, region, request_id, caller),
             "isBase64Encoded": False}
    if cookies:
        event["cookies"] = cookies
    if query:
        event["queryStringParameters"] = _joined(parse_qsl(query, keep_blank_values=True))
    if body:
        event["isBase64Encoded"] = not _is_text(environ.get("CONTENT_TYPE", ""))
        encoded = base64.b64encode(body) if event["isBase64Encoded"] else body
        event["body"] = encoded.decode(errors="replace")
    return event


def _is_text(content_type: str) -> bool:
    """Everything else arrives in base64, forms (x-www-form-urlencoded) too."""
    kind = content_type.split(";")[0].strip().lower()
    return kind.startswith("text/") or kind in TEXT or kind.endswith(("+json", "+xml"))


def _raw_path(environ: dict, url_id: str) -> str:
    raw = (environ.get("RAW_URI") or environ["PATH_INFO"]).split("?")[0]
    return raw.split(url_id, 1)[1] or "/"


def _headers(environ: dict) -> dict[str, str]:
    headers = {key[5:].replace("_", "-").lower(): value
               for key, value in environ.items() if key.startswith("HTTP_")}
    for key in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(key) not in (None, "", "0"):
            headers[key.replace("_", "-").lower()] = environ[key]
    return headers | {"x-forwarded-for": environ.get("REMOTE_ADDR", "127.0.0.1"),
                      "x-forwarded-proto": "https", "x-forwarded-port": "443"}


def _joined(pairs: list[tuple[str, str]]) -> dict[str, str]:
    joined: dict[str, str] = {}
    for key, value in pairs:
        joined[key] = f"{joined[key]},{value}" if key in joined else value
    return joined


def _context(environ: dict, url_id: str, region: str, request_id: str,
             caller: identity.Caller | None) -> dict:
    now = time.time()
    context = {
        "accountId": caller.account if caller else "anonymous", "apiId": url_id,
        "domainName": f"{url_id}.lambda-url.{region}.on.aws", "domainPrefix": url_id,
        "http": {"method": environ["REQUEST_METHOD"], "path": _raw_path(environ, url_id),
                 "protocol": environ.get("SERVER_PROTOCOL", "HTTP/1.1"),
                 "sourceIp": environ.get("REMOTE_ADDR", "127.0.0.1"),
                 "userAgent": environ.get("HTTP_USER_AGENT", "")},
        "requestId": request_id, "routeKey": "$default", "stage": "$default",
        "time": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now)),
        "timeEpoch": int(now * 1000)}
    if caller:
        context["authorizer"] = {"iam": {"accountId": caller.account, "userArn": caller.principal,
                                         "callerId": caller.principal}}
    return context


def parse(payload: bytes, request_id: str) -> tuple[int, list[tuple[str, str]], bytes]:
    """The HTTP answer that the function's result stands for; ValueError if it stands for none."""
    result = json.loads(payload)
    if not isinstance(result, dict) or "statusCode" not in result:
        body = payload if not isinstance(result, str) else result.encode()
        return 200, _finish({"content-type": "application/json"}, [], body, request_id), body
    body = result.get("body") or ""
    if not isinstance(body, str):
        raise TypeError("body must be a string")
    encoded = bool(result.get("isBase64Encoded"))
    data = base64.b64decode(body, validate=True) if encoded else body.encode()
    headers = {str(key).lower(): str(value) for key, value in (result.get("headers") or {}).items()}
    headers = {"content-type": "application/json"} | headers
    status = int(result["statusCode"])
    if not 100 <= status <= 599:
        raise ValueError(f"status {status}")
    return status, _finish(headers, result.get("cookies") or [], data, request_id), data


def _finish(headers: dict[str, str], cookies: list[str], body: bytes,
            request_id: str) -> list[tuple[str, str]]:
    kept = [(key, value) for key, value in headers.items() if key not in HOP_BY_HOP]
    return kept + [("Set-Cookie", str(one)) for one in cookies] + [
        ("Content-Length", str(len(body))), ("x-amzn-RequestId", request_id)]
