"""Repairs of moto's S3: atomic conditional writes, checked checksums, Regions, bucket owners."""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any
from urllib.parse import unquote

from moto.core.exceptions import ServiceException
from moto.iam.access_control import PermissionResult
from moto.s3 import responses
from moto.s3.exceptions import PreconditionFailed
from moto.s3.models import FakeBucket
from moto.s3.responses import S3Response

from localaws import state
from localaws.identity import Caller, caller_of, credential_scope
from localaws.policies import ALLOW, DENY, Request, evaluate

LOCK = state.lock()

_caller: ContextVar[Caller] = ContextVar("s3_caller", default=Caller(None))

CHECKSUMS = ("crc32", "crc32c", "crc64nvme", "sha1", "sha256")
TRAILER = re.compile(rb"x-amz-checksum-(\w+):([A-Za-z0-9+/]+={0,2})")

_moto = {name: getattr(S3Response, name) for name in
         ("put_object", "copy_object", "_bucket_response", "_key_response")}


class S3Refusal(Exception):
    """An error that moto does not have."""

    def __init__(self, status: int, code: str, message: str):
        super().__init__(message)
        self.status, self.code, self.message = status, code, message

    def answer(self, method: str) -> Any:
        """As S3 sends it; the answer to HEAD has no body."""
        body = ('<?xml version="1.0" encoding="UTF-8"?>\n'
                f"<Error><Code>{self.code}</Code><Message>{self.message}</Message></Error>")
        return self.status, {"Content-Type": "application/xml"}, "" if method == "HEAD" else body


def _table(polynomial: int) -> list[int]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = (value >> 1) ^ (polynomial if value & 1 else 0)
        table.append(value)
    return table


_CRC32C, _CRC64 = _table(0x82F63B78), _table(0x9A6C9329AC4BC9B5)


def _crc(body: bytes, table: list[int], mask: int) -> int:
    value = mask
    for byte in body:
        value = table[(value ^ byte) & 0xFF] ^ (value >> 8)
    return value ^ mask


def compute_checksum(body: bytes, algorithm: str, encode_base64: bool = True) -> bytes:
    """The checksum of a body; moto 5.2.5 gives CRC32 for what it has no library for."""
    name = algorithm.lower().replace("-", "")
    if name == "crc32":
        digest = binascii.crc32(body).to_bytes(4, "big")
    elif name == "crc32c":
        digest = _crc(body, _CRC32C, 0xFFFFFFFF).to_bytes(4, "big")
    elif name == "crc64nvme":
        digest = _crc(body, _CRC64, 0xFFFFFFFFFFFFFFFF).to_bytes(8, "big")
    else:
        digest = hashlib.new(name or "sha256", body, usedforsecurity=False).digest()
    return base64.b64encode(digest) if encode_base64 else digest


def sent_checksum(response: S3Response) -> tuple[str, str] | None:
    """(algorithm, value) of the checksum in a header, or in the trailer of a chunked body."""
    for name in CHECKSUMS:
        value = response.headers.get(f"x-amz-checksum-{name}")
        if value:
            return name, value
    declared = response.headers.get("x-amz-trailer", "").lower().strip()
    if declared.startswith("x-amz-checksum-"):
        # Only what follows the last chunk is a trailer: the object may hold such a line itself.
        for name, value in TRAILER.findall(bytes(response.raw_body)[-256:]):
            if name.decode().lower() == declared.removeprefix("x-amz-checksum-"):
                return name.decode().lower(), value.decode()
        raise S3Refusal(400, "MalformedTrailerError",
                        "The request contained trailing data that was not well-formed or did not "
                        "conform to our published schema.")
    return None


def get_checksum(self: S3Response, response_headers: dict[str, Any]) -> tuple[str, str | None]:
    """The checksum to keep; moto 5.2.5 believes any value, and hashes the chunk frames too."""
    sent = sent_checksum(self)
    body = bytes(self.body or b"")
    if sent is None:
        algorithm = self.headers.get("x-amz-sdk-checksum-algorithm", "").lower()
        if not algorithm:
            return "", None
        value = compute_checksum(body, algorithm).decode()
    else:
        algorithm, value = sent
        if compute_checksum(body, algorithm).decode() != value:
            raise S3Refusal(400, "BadDigest", f"The {algorithm.upper()} you specified did not "
                                              "match the calculated checksum.")
    response_headers[f"x-amz-checksum-{algorithm}"] = value
    return algorithm.upper(), value


def check_md5(response: S3Response) -> None:
    """Content-MD5, which moto 5.2.5 ignores."""
    sent = response.headers.get("Content-MD5")
    if not sent:
        return
    try:
        valid = len(base64.b64decode(sent, validate=True)) == 16
    except binascii.Error:
        valid = False
    if not valid:
        raise S3Refusal(400, "InvalidDigest", "The Content-MD5 you specified was invalid.")
    body = bytes(response.body or b"")
    if base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode() != sent:
        raise S3Refusal(400, "BadDigest",
                        "The Content-MD5 you specified did not match what we received.")


def put_object(self: S3Response) -> Any:
    """PutObject: the conditions and the write are one step.

    moto 5.2.5 looks and writes apart, so that two writers with If-None-Match may both succeed; and
    it takes every If-None-Match but `*` as none at all, where S3 knows no other.
    """
    if self.headers.get("If-None-Match", "*") != "*":
        raise S3Refusal(501, "NotImplemented",
                        "A header you provided implies functionality that is not implemented")
    check_md5(self)
    with LOCK:
        return _moto["put_object"](self)


def copy_object(self: S3Response) -> Any:
    """CopyObject: moto 5.2.5 ignores x-amz-copy-source-if-match."""
    wanted = self.headers.get("x-amz-copy-source-if-match")
    with LOCK:
        if wanted:
            bucket, key = self.headers["x-amz-copy-source"].lstrip("/").split("?")[0].split("/", 1)
            found = self.backend.get_object(bucket, unquote(key))
            if found and found.etag.strip('"') != wanted.strip('"'):
                raise PreconditionFailed("x-amz-copy-source-If-Match")
        return _moto["copy_object"](self)


def refusal_of_bucket(response: S3Response) -> Any:
    """What S3 answers before it looks at the request: another owner, another Region."""
    try:
        bucket = response.backend.get_bucket(response.bucket_name)
    except ServiceException:
        return None
    owner = response.headers.get("x-amz-expected-bucket-owner")
    if owner and owner != bucket.account_id:
        raise S3Refusal(403, "AccessDenied", "Access Denied")
    scope = credential_scope(response.headers.get("Authorization", ""))
    creates = response.method == "PUT" and not response.querystring \
        and not response.parse_key_name()
    if scope is None or creates or "location" in response.querystring \
            or scope[1] == bucket.region_name:
        return None
    return redirect(bucket.name, bucket.region_name, response.method)


def redirect(bucket: str, region: str, method: str) -> Any:
    """The answer of a Region in which the bucket is not (moto 5.2.5 serves it everywhere)."""
    body = ('<?xml version="1.0" encoding="UTF-8"?><Error><Code>PermanentRedirect</Code>'
            "<Message>The bucket you are attempting to access must be addressed using the specified endpoint. "
            "Please send all future requests to this endpoint.</Message><Endpoint>"
            f"{bucket}.s3.{region}.amazonaws.com</Endpoint><Bucket>{bucket}</Bucket></Error>")
    headers = {"x-amz-bucket-region": region, "Content-Type": "application/xml"}
    return 301, headers, "" if method == "HEAD" else body


def checked(original: Callable[..., Any]) -> Callable[..., Any]:
    """Wraps the handling of one request to a bucket or an object."""
    def handle(self: S3Response, request: Any, full_url: str) -> Any:
        token = _caller.set(caller_of(self.get_access_key()))
        try:
            answer = refusal_of_bucket(self) or original(self, request, full_url)
        except S3Refusal as refusal:
            return refusal.answer(request.method)
        finally:
            _caller.reset(token)
        # A denial by a bucket policy has no body in moto 5.2.5.
        denied = isinstance(answer, tuple) and answer[0] == 403 and not answer[2]
        refusal = S3Refusal(403, "AccessDenied", "Access Denied")
        return refusal.answer(request.method) if denied else answer
    return handle


def get_permission(self: FakeBucket, action: str, resource: str) -> PermissionResult:
    """The bucket policy's answer; moto 5.2.5 knows no principal and takes each statement with an
    unmet condition for a denial, so that a policy against plain HTTP denies everything.

    What comes here stands for TLS: aws:SecureTransport is true.
    """
    if self.policy is None:
        return PermissionResult.NEUTRAL
    caller = _caller.get()
    context = {"aws:SecureTransport": "true", "aws:PrincipalArn": caller.principal,
               "aws:PrincipalAccount": caller.account if caller.principal else None}
    # HeadObject is no action of IAM: GetObject is.
    request = Request(action.replace("s3:HeadObject", "s3:GetObject"), resource, caller.principal,
                      caller.account if caller.principal else None, context=context)
    effect = evaluate([self.policy], request)
    return {ALLOW: PermissionResult.PERMITTED, DENY: PermissionResult.DENIED,
            None: PermissionResult.NEUTRAL}[effect]


def install() -> None:
    """Puts these in the place of moto's."""
    responses.compute_checksum = compute_checksum
    S3Response._get_checksum = get_checksum
    S3Response.put_object = put_object
    S3Response.copy_object = copy_object
    S3Response._bucket_response = checked(_moto["_bucket_response"])
    S3Response._key_response = checked(_moto["_key_response"])
    FakeBucket.get_permission = get_permission
