"""The WSGI layer around moto: identifies and logs each call, applies faults, lets moto answer."""

import io
import re
import select
import socket
import threading
import time
import traceback
from contextlib import contextmanager
from urllib.parse import parse_qs

from werkzeug.wsgi import ClosingIterator

from localaws import (actions, calls, cbor_gateway, control, error_bodies, faults, function_url,
                      identity, lambda_pool, mail, permissions)
from localaws.calls import Call

HELD_SECONDS = 20.0
ACCESS_KEY_ID = re.compile(rb"<AccessKeyId>([^<]+)</AccessKeyId>")


class ConnectionClosed(ConnectionError):
    """Tells the HTTP server that this request gets no answer."""


class Gate:
    """Counts the requests in flight, and can keep new ones waiting while the server forks."""

    def __init__(self):
        self._changed = threading.Condition()
        self._closed, self._inside = False, 0

    @contextmanager
    def passing(self):
        """Around each request."""
        with self._changed:
            self._changed.wait_for(lambda: not self._closed)
            self._inside += 1
        try:
            yield
        finally:
            with self._changed:
                self._inside -= 1
                self._changed.notify_all()

    def close(self, seconds: float) -> bool:
        """Waits for a moment without requests and lets nobody in; False when there is none.

        New requests pass until then: one that is in flight may need them to end.
        """
        with self._changed:
            self._closed = self._changed.wait_for(lambda: self._inside == 0, seconds)
            return self._closed

    def open(self) -> None:
        """Lets requests in again."""
        with self._changed:
            self._closed = False
            self._changed.notify_all()


class Middleware:
    """The application that the HTTP server runs."""

    def __init__(self, moto_application):
        self.moto = moto_application
        self.gate = Gate()

    def __call__(self, environ, start_response):
        path = environ.get("PATH_INFO", "")
        if path.startswith("/_localaws/"):
            body = _send(start_response, *control.answer(environ, read_body(environ)))
            return ClosingIterator(body, control.after(environ))
        with self.gate.passing():
            if path.startswith("/moto-api"):
                return self.moto(environ, start_response)
            status, headers, body = self._answer(path, environ)
            without_body = environ["REQUEST_METHOD"] == "HEAD"
            return _send(start_response, status, headers, b"" if without_body else body)

    def _answer(self, path: str, environ: dict) -> error_bodies.Answer:
        body = read_body(environ)
        if path.startswith(function_url.PREFIX):
            answer = function_url.serve(environ, body)
            return answer if answer else _close(environ)
        scope = _scope(environ)
        if scope is None and mail.is_confirmation(environ):
            return mail.confirm(environ)
        return self._call(environ, body, scope or (None, "us-east-1", "s3"))

    def _call(self, environ: dict, body: bytes, scope: tuple) -> error_bodies.Answer:
        """One AWS call: logged, perhaps refused or hit by a fault, else answered by moto."""
        is_cbor = cbor_gateway.is_cbor(environ)
        if is_cbor:
            cbor_gateway.to_json(environ, body)
        caller = identity.caller_of(scope[0])
        operation = actions.resolve(scope[2], environ)
        environ["wsgi.input"].seek(0)
        call = Call(operation.service, operation.action, scope[1], caller.principal,
                    caller.function, operation.mutating, operation.request,
                    "cbor" if is_cbor else operation.protocol, caller.sandbox,
                    lambda_pool.mode_of(caller.sandbox))
        calls.begin(call)
        refusal = _refusal(call, caller, scope[0], operation.parameters, environ)
        if refusal:
            return refusal
        fault = faults.hit(call)
        if fault and fault.kind in ("throttle", "5xx", "timeout"):
            return _instead(call, fault, environ)
        status, headers, answer = self._done(call, caller, fault, environ)
        if is_cbor:
            headers, answer = cbor_gateway.to_cbor(scope[2], call.action, status, headers, answer)
        return status, headers, answer

    def _done(self, call: Call, caller: identity.Caller, fault,
              environ: dict) -> error_bodies.Answer:
        """Lets moto do the call, and writes down how it ended."""
        status, headers, answer = self._moto(call, environ)
        if call.action.startswith("AssumeRole") and status == 200 and caller.sandbox:
            _inherit(caller, call, answer)
        if fault:
            return _afterwards(call, fault, status, environ)
        result = "ok" if status < 400 else actions.error_code(status, _lower(headers), answer)
        calls.end(call, result, status)
        return status, headers, answer

    def _moto(self, call: Call, environ: dict) -> error_bodies.Answer:
        """Runs moto; a crash becomes an error that names the operation."""
        started = {}

        def start_response(status, headers, exc_info=None):
            started.update(status=int(status.split()[0]), headers=list(headers))
            return lambda data: None

        try:
            chunks = self.moto(environ, start_response)
            answer = b"".join(chunks)
            if hasattr(chunks, "close"):
                chunks.close()
        except NotImplementedError as error:
            return error_bodies.render(call.service, call.protocol, 501, "NotImplemented",
                                       f"{call.service}:{call.action}: {error}")
        except Exception as error:  # the boundary to moto: whatever it raises is an answer
            traceback.print_exc()
            return error_bodies.render(call.service, call.protocol, 500, "InternalFailure",
                                       f"{call.service}:{call.action}: {error!r}")
        return started["status"], started["headers"], answer


def read_body(environ: dict) -> bytes:
    """Reads the whole request body and puts it back, with its length known."""
    stream = environ["wsgi.input"]
    length = environ.get("CONTENT_LENGTH")
    if environ.get("HTTP_TRANSFER_ENCODING", "").lower() == "chunked":
        body = stream.read()
        environ.pop("HTTP_TRANSFER_ENCODING")
        environ.pop("wsgi.input_terminated", None)
    else:
        body = stream.read(int(length)) if length else b""
    environ["CONTENT_LENGTH"] = str(len(body))
    environ["wsgi.input"] = io.BytesIO(body)
    return body


def _scope(environ: dict) -> tuple[str, str, str] | None:
    found = identity.credential_scope(environ.get("HTTP_AUTHORIZATION", ""))
    if found:
        return found
    presigned = parse_qs(environ.get("QUERY_STRING", "")).get("X-Amz-Credential", [""])[0]
    return identity.credential_scope("Credential=" + presigned) if presigned else None


def _refusal(call: Call, caller: identity.Caller, access_key: str | None, parameters: dict,
             environ: dict) -> error_bodies.Answer | None:
    """What keeps a call from being done at all: a dark Region, or IAM."""
    if faults.is_dark(call.region):
        calls.end(call, "dark", 0)
        return _close(environ)
    denied = permissions.denial(caller, access_key, call.service, call.action, call.region,
                                parameters)
    call.iam = {"": None, None: "allowed"}.get(denied, "denied")
    if not denied or permissions.mode() != "enforce":
        return None
    status, headers, body = permissions.answer(call.service, call.protocol, denied)
    calls.end(call, actions.error_code(status, _lower(headers), body), status)
    return status, headers, body


def _instead(call: Call, fault, environ: dict) -> error_bodies.Answer:
    """The faults that come instead of the call."""
    if fault.kind == "timeout":
        calls.end(call, "timeout", 0)
        _hold(environ.get("werkzeug.socket"))
        return _close(environ)
    render = error_bodies.throttled if fault.kind == "throttle" else error_bodies.broken
    answer = render(call.service, call.protocol)
    calls.end(call, "throttled" if fault.kind == "throttle" else "5xx", answer[0])
    return answer


def _afterwards(call: Call, fault, status: int, environ: dict) -> error_bodies.Answer:
    """The faults that come after the call was done: nobody learns its result."""
    if fault.kind == "kill" and call.sandbox:
        calls.end(call, "killed", status)
        lambda_pool.kill(call.sandbox)
    else:
        calls.end(call, "dropped", status)
    return _close(environ)


def _hold(connection: socket.socket | None) -> None:
    """Keeps the client waiting, until it leaves or for HELD_SECONDS."""
    end = time.monotonic() + HELD_SECONDS
    while connection is not None and time.monotonic() < end:
        readable, _, _ = select.select([connection], [], [], 0.25)
        if readable and connection.recv(1, socket.MSG_PEEK) == b"":
            return


def _close(environ: dict):
    connection = environ.get("werkzeug.socket")
    if connection is not None:
        try:
            connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # the client was faster
    raise ConnectionClosed("no answer")


def _inherit(caller: identity.Caller, call: Call, answer: bytes) -> None:
    found = ACCESS_KEY_ID.search(answer)
    if found:
        identity.inherit(caller, found[1].decode(), call.request.get("RoleArn", ""))


def _lower(headers: list[tuple[str, str]]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers}


def _send(start_response, status: int, headers: list[tuple[str, str]], body: bytes):
    start_response(f"{status} {'OK' if status < 400 else 'Error'}", headers)
    return [body]
