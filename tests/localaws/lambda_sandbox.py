"""One sandbox: a process that runs `bootstrap`, and what happens to the invocations it gets."""

import contextlib
import errno
import json
import os
import queue
import signal
import subprocess
import threading
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path

from localaws import lambda_api, timings
from localaws.lambda_logs import LogStream


@dataclass
class Invocation:
    """One event for a function."""

    payload: bytes
    arn: str
    timeout: float
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    deadline_ms: int = 0

    @property
    def mode(self) -> str | None:
        """The event's `mode`, if it has one: what a function may do, for the call log."""
        with contextlib.suppress(ValueError, AttributeError):
            mode = json.loads(self.payload).get("mode")
            return mode if isinstance(mode, str) else None
        return None

    @property
    def trace_id(self) -> str:
        """An X-Ray header that says: not sampled."""
        return f"Root=1-{int(time.time()):08x}-{self.request_id.replace('-', '')[:24]};Sampled=0"


@dataclass(frozen=True)
class Outcome:
    """What came of an invocation; `error` is None or the value of X-Amz-Function-Error."""

    payload: bytes
    error: str | None = None


def failure(error_type: str, message: str) -> Outcome:
    """An error that Lambda itself reports."""
    body = json.dumps({"errorType": error_type, "errorMessage": message})
    return Outcome(body.encode(), "Unhandled")


def execute(bootstrap: Path, environment: dict[str, str], output: int) -> subprocess.Popen:
    """The process. For a moment after its extraction the file may be "busy": a process that was
    forked meanwhile still has it open for writing."""
    end = time.monotonic() + 2
    while True:
        try:
            return subprocess.Popen(
                [str(bootstrap)], cwd=bootstrap.parent, env=environment, stdout=output,
                stdin=subprocess.DEVNULL, stderr=output, start_new_session=True)
        except OSError as error:
            if error.errno != errno.ETXTBSY or time.monotonic() > end:
                raise
            time.sleep(0.02)


class Sandbox:
    """A process, its Runtime API and its log stream. It takes one invocation at a time."""

    def __init__(self, key: tuple, log: LogStream):
        self.id = uuid.uuid4().hex
        self.key, self.log = key, log
        self.mode: str | None = None
        self.process: subprocess.Popen | None = None
        self._api = lambda_api.RuntimeApi(self)
        self._inbox: queue.SimpleQueue = queue.SimpleQueue()
        self._changed = threading.Condition()
        self._current: str | None = None
        self._outcome: Outcome | None = None
        self._init_error: bytes | None = None
        self._polling = self._initialised = self._ended = False
        self._pipe = -1

    def start(self, bootstrap: Path, environment: dict[str, str]) -> None:
        """Starts the process; an OSError says that it cannot be executed."""
        environment = environment | {"AWS_LAMBDA_RUNTIME_API": self._api.address}
        self._pipe, write_end = os.pipe()
        try:
            self.process = execute(bootstrap, environment, write_end)
        finally:
            os.close(write_end)
        for work in (self._api.serve_forever, self._read_output, self._watch):
            threading.Thread(target=work, daemon=True).start()

    # What the runtime does, seen from the Runtime API.

    def next_invocation(self) -> Invocation | None:
        """Blocks until there is an event; None when the sandbox is at its end."""
        with self._changed:
            self._polling = self._initialised = True
            self._changed.notify_all()
        invocation = self._inbox.get()
        if invocation is not None:
            with self._changed:
                self._polling = False
        return invocation

    def finished(self, request_id: str, kind: str, body: bytes) -> bool:
        """Takes a response or an error; False when it answers no running invocation."""
        with self._changed:
            if request_id != self._current or self._outcome is not None:
                return False
            self._outcome = Outcome(body, "Unhandled" if kind == "error" else None)
            self._changed.notify_all()
            return True

    def init_failed(self, body: bytes) -> None:
        """The runtime reports that it cannot initialise; it then exits by itself."""
        with self._changed:
            self._init_error = body
            self._changed.notify_all()

    # What Lambda does with the sandbox.

    def invoke(self, invocation: Invocation) -> Outcome:
        """Runs one invocation; afterwards `alive` says whether the sandbox can take another."""
        if not self._await(lambda: self._initialised, timings.get("lambda.init")):
            return self._not_initialised(invocation)
        started = time.monotonic()
        invocation.deadline_ms = int((time.time() + invocation.timeout) * 1000)
        with self._changed:
            self._current, self._outcome = invocation.request_id, None
        self.mode = invocation.mode
        self.log.write([f"START RequestId: {invocation.request_id} Version: $LATEST"])
        self._inbox.put(invocation)
        outcome = self._result(invocation)
        spent = (time.monotonic() - started) * 1000
        self.log.write([f"END RequestId: {invocation.request_id}",
                        f"REPORT RequestId: {invocation.request_id}\tDuration: {spent:.2f} ms"])
        return outcome

    def _result(self, invocation: Invocation) -> Outcome:
        answered = self._await(lambda: self._outcome is not None, invocation.timeout)
        with self._changed:
            outcome, self._current = self._outcome, None
        if outcome is not None:
            self._await(lambda: self._polling, 0.1)
            return outcome
        if self._ended and not answered:
            return self._exited(invocation)
        self.kill()
        return failure("Sandbox.Timedout", f"RequestId: {invocation.request_id} Error: Task timed "
                                           f"out after {invocation.timeout:.2f} seconds")

    def _await(self, condition, seconds: float) -> bool:
        """Waits for `condition`, at most so long, and no longer than the process lives."""
        with self._changed:
            self._changed.wait_for(lambda: condition() or self._ended, seconds)
            return bool(condition())

    def _not_initialised(self, invocation: Invocation) -> Outcome:
        exited = self._ended
        self.kill()
        if self._init_error is not None:
            return Outcome(self._init_error, "Unhandled")
        if exited:
            return self._exited(invocation)
        return failure("Sandbox.Timedout", f"RequestId: {invocation.request_id} Error: Init timed "
                                           f"out after {timings.get('lambda.init'):.2f} seconds")

    def _exited(self, invocation: Invocation) -> Outcome:
        code = self.process.returncode
        text = "Runtime exited without providing a reason"
        if code < 0:
            text = f"Runtime exited with error: signal: {signal.strsignal(-code).lower()}"
        elif code > 0:
            text = f"Runtime exited with error: exit status {code}"
        return failure("Runtime.ExitError", f"RequestId: {invocation.request_id} Error: {text}")

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self.process is not None and not self._ended

    def kill(self) -> None:
        """kill -9 of the process and whatever it started; waits until it is gone."""
        if self.process is not None and self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
        with self._changed:
            self._changed.wait_for(lambda: self._ended or self.process is None, 5)

    def forget(self) -> None:
        """In a forked copy: lets go of the parent's sandbox without touching it."""
        lambda_api.close_inherited(self._api)
        if self._pipe >= 0:
            os.close(self._pipe)

    def discard(self) -> None:
        """Closes the Runtime API of a sandbox whose process never started."""
        self._api.server_close()
        if self._pipe >= 0:
            os.close(self._pipe)
            self._pipe = -1

    def _watch(self) -> None:
        self.process.wait()
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        self._inbox.put(None)
        self._api.shutdown()
        self._api.server_close()

    def _read_output(self) -> None:
        rest = b""
        while chunk := os.read(self._pipe, 65536):
            *lines, rest = (rest + chunk).split(b"\n")
            self.log.write([line.decode(errors="replace") for line in lines])
        self.log.write([rest.decode(errors="replace")] if rest else [])
        pipe, self._pipe = self._pipe, -1
        os.close(pipe)
