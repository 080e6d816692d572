"""The Lambda Runtime API of one sandbox, as `bootstrap` sees it on AWS_LAMBDA_RUNTIME_API."""

import json
import re
import socket
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PREFIX = "/2018-06-01/runtime"
OUTCOME = re.compile(PREFIX + r"/invocation/([^/]+)/(response|error)")
MAX_RESPONSE = 6_291_556


class RuntimeApi(ThreadingHTTPServer):
    """Serves one sandbox, on a port of its own."""

    daemon_threads = True
    request_queue_size = 16

    def __init__(self, sandbox):
        super().__init__(("127.0.0.1", 0), Handler)
        self.sandbox = sandbox

    @property
    def address(self) -> str:
        """What AWS_LAMBDA_RUNTIME_API says."""
        return f"127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request, client_address) -> None:
        """A killed sandbox leaves broken connections behind; that is no news."""


class Handler(BaseHTTPRequestHandler):
    """One connection of the runtime."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *args) -> None:
        """The runtime's polling is not worth a log line."""

    def do_GET(self) -> None:
        if self.path != PREFIX + "/invocation/next":
            return self._answer(404, {"errorType": "NotFound"})
        invocation = self.server.sandbox.next_invocation()
        if invocation is None:
            self.close_connection = True
            return None
        return self._send(200, invocation.payload, self._invocation_headers(invocation))

    def do_POST(self) -> None:
        body = self._body()
        sandbox = self.server.sandbox
        if self.path == PREFIX + "/init/error":
            sandbox.init_failed(body)
            return self._answer(202, {"status": "OK"})
        found = OUTCOME.fullmatch(self.path)
        if not found:
            return self._answer(404, {"errorType": "NotFound"})
        return self._outcome(sandbox, found[1], found[2], body)

    def _outcome(self, sandbox, request_id: str, kind: str, body: bytes) -> None:
        too_large = kind == "response" and len(body) > MAX_RESPONSE
        if too_large:
            kind, body = "error", _too_large(len(body))
        if not sandbox.finished(request_id, kind, body):
            return self._answer(400, {"errorMessage": "Invalid request ID",
                                      "errorType": "InvalidRequestID"})
        return self._answer(413 if too_large else 202, {"status": "OK"})

    def _invocation_headers(self, invocation) -> dict[str, str]:
        return {"Lambda-Runtime-Aws-Request-Id": invocation.request_id,
                "Lambda-Runtime-Deadline-Ms": str(invocation.deadline_ms),
                "Lambda-Runtime-Invoked-Function-Arn": invocation.arn,
                "Lambda-Runtime-Trace-Id": invocation.trace_id}

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            return self._chunks()
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _chunks(self) -> bytes:
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass  # trailers: the streaming way to report an error, which our functions do not use
        return body

    def _answer(self, status: int, document: dict) -> None:
        self._send(status, json.dumps(document).encode(), {})

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def _too_large(size: int) -> bytes:
    return json.dumps({
        "errorMessage": f"Response payload size ({size} bytes) exceeded maximum allowed payload "
                        f"size ({MAX_RESPONSE} bytes).",
        "errorType": "Function.ResponseSizeTooLarge"}).encode()


def close_inherited(server: RuntimeApi) -> None:
    """Closes a forked copy's handle of its parent's listening socket, without ending the server."""
    listening: socket.socket = server.socket
    if listening.fileno() >= 0:
        listening.close()
