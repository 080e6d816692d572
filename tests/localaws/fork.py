"""Copies of the whole world: a quiescent server forks, and its copy serves on a port of its own.

The main thread does it: a parent-death signal belongs to the thread that forked.
"""

import contextlib
import ctypes
import gc
import json
import os
import queue
import signal
import sys
import threading
import time
import traceback

from localaws import cloudformation_stack, lambda_pool, state, stepfunctions_executions, warm

QUIET_SECONDS = 15.0
PR_SET_PDEATHSIG = 1

# Replaced in a copy: the requests that wait here are the parent's.
_waiting: dict[str, queue.SimpleQueue] = {"jobs": queue.SimpleQueue()}
_hooks: list = []


class NotQuiescent(Exception):
    """The server is busy: a copy would hold half of a request."""


def in_copy(hook) -> None:
    """Registers a function that runs in each new copy, for instance to drop cached clients."""
    _hooks.append(hook)


def request_copy() -> dict:
    """Asks the main thread for a copy: its port and process id."""
    reply: queue.SimpleQueue = queue.SimpleQueue()
    _waiting["jobs"].put(reply)
    answer = reply.get()
    if isinstance(answer, Exception):
        raise answer
    return answer


def request_shutdown() -> None:
    """Asks the main thread to end this server."""
    _waiting["jobs"].put(None)


def main_loop(server) -> None:
    """The main thread's work: serves requests for copies until the server shall end."""
    while (reply := _waiting["jobs"].get()) is not None:
        try:
            answer = _copy(server)
        except Exception as error:  # the answer belongs to the request that asked
            if not isinstance(error, NotQuiescent):
                traceback.print_exc()
                error = NotQuiescent(f"the copy failed: {error}")
            answer = error
        if answer is not None:
            reply.put(answer)


def _copy(server) -> dict | None:
    """The answer in the parent; None in the copy, whose main loop goes on with its own server."""
    warm.once(server.application.moto)
    try:
        if not server.gate.close(QUIET_SECONDS):
            raise NotQuiescent("there are requests in flight")
        _await_sandboxes()
        parent = os.getpid()
        read_end, write_end = os.pipe()
        pid = _forked()
        if pid == 0:
            os.close(read_end)
            _begin_copy(server, parent, write_end)
            return None
    finally:
        server.gate.open()
    os.close(write_end)
    return _port_of(pid, read_end)


def _await_sandboxes() -> None:
    end = time.monotonic() + QUIET_SECONDS
    while _busy():
        if time.monotonic() > end:
            raise NotQuiescent("there are functions, executions or stack operations running")
        time.sleep(0.02)


def _busy() -> bool:
    """A copy has no threads: what runs in one would stay as it is for ever."""
    return bool(lambda_pool.running() or stepfunctions_executions.running()
                or cloudformation_stack.operations_running())


def _forked() -> int:
    """os.fork while no other thread holds one of our locks."""
    sys.stdout.flush()
    sys.stderr.flush()
    with contextlib.ExitStack() as held:
        for lock in state.locks():
            held.enter_context(lock)
        # The copy's collector would write to each object, and the system copy every shared page.
        gc.freeze()
        pid = os.fork()
        if pid:
            gc.unfreeze()
        return pid


def _port_of(pid: int, read_end: int) -> dict:
    threading.Thread(target=os.waitpid, args=(pid, 0), daemon=True).start()
    with os.fdopen(read_end) as pipe:
        text = pipe.read()
    if not text:
        raise NotQuiescent("the copy did not start")
    return json.loads(text)


def _begin_copy(server, parent: int, write_end: int) -> None:
    """Turns this process, a fork, into a server of its own."""
    try:
        _waiting["jobs"] = queue.SimpleQueue()
        _die_with(parent)
        lambda_pool.forget_all()
        state.start_copy()
        server.restart_in_copy()
        for hook in _hooks:
            hook()
        os.write(write_end, json.dumps({"port": server.port, "pid": os.getpid()}).encode())
        os.close(write_end)
    except BaseException:
        traceback.print_exc()
        os._exit(1)


def _die_with(parent: int) -> None:
    """Ends this process when its parent ends."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(0)
    else:
        threading.Thread(target=_watch_parent, args=(parent,), daemon=True).start()


def _watch_parent(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os.kill(os.getpid(), signal.SIGTERM)
