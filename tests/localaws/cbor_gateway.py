"""rpc-v2-cbor requests for moto, which speaks JSON but no CBOR: translated there and back.

The AWS SDK for Rust calls CloudWatch that way.
"""

import datetime
import io
import json

from botocore.parsers import create_parser
from moto.core.utils import get_service_model

from localaws import cbor
from localaws.actions import CBOR_PATH, MODELS


def is_cbor(environ: dict) -> bool:
    """Whether the request uses the rpc-v2-cbor protocol."""
    return (environ.get("HTTP_SMITHY_PROTOCOL") == "rpc-v2-cbor"
            and CBOR_PATH.fullmatch(environ.get("PATH_INFO", "")) is not None)


def to_json(environ: dict, body: bytes) -> bytes:
    """Rewrites the request in place as an awsJson request; answers the new body."""
    target, action = CBOR_PATH.fullmatch(environ["PATH_INFO"]).groups()
    translated = json.dumps(cbor.decode(body), default=_plain).encode()
    environ.update({
        "PATH_INFO": "/", "RAW_URI": "/", "REQUEST_URI": "/",
        "HTTP_X_AMZ_TARGET": f"{target}.{action}",
        "CONTENT_TYPE": "application/x-amz-json-1.0", "HTTP_ACCEPT": "*/*",
        "CONTENT_LENGTH": str(len(translated)), "wsgi.input": io.BytesIO(translated)})
    environ.pop("HTTP_CONTENT_ENCODING", None)
    return translated


def to_cbor(signing_name: str, action: str, status: int, headers: list[tuple[str, str]],
            body: bytes) -> tuple[list[tuple[str, str]], bytes]:
    """The JSON answer as CBOR."""
    document = json.loads(body or b"{}")
    if status < 400:
        document = _typed(signing_name, action, status, body or b"{}")
    translated = cbor.encode(document)
    dropped = ("content-type", "content-length")
    kept = [(name, value) for name, value in headers if name.lower() not in dropped]
    return kept + [("Content-Type", "application/cbor"), ("smithy-protocol", "rpc-v2-cbor"),
                   ("Content-Length", str(len(translated)))], translated


def _typed(signing_name: str, action: str, status: int, body: bytes) -> dict:
    """Parsed by the service model, so that timestamps and blobs get their CBOR types."""
    model = get_service_model(MODELS.get(signing_name, signing_name))
    shape = model.operation_model(action).output_shape
    parsed = create_parser("json").parse(
        {"status_code": status, "headers": {}, "body": body}, shape)
    parsed.pop("ResponseMetadata", None)
    return parsed


def _plain(value):
    if isinstance(value, datetime.datetime):
        return value.timestamp()
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    raise TypeError(type(value).__name__)
