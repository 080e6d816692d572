"""All sandboxes: warm ones are used again, parallel invocations get one each."""

import atexit
import os
from pathlib import Path

import localaws
from localaws import identity, lambda_code, state
from localaws.lambda_logs import LogStream
from localaws.lambda_sandbox import Invocation, Outcome, Sandbox, failure

MOST_IDLE = 48

_idle: dict[str, list[Sandbox]] = {}
_busy: dict[str, list[Sandbox | None]] = {}
_by_id: dict[str, Sandbox] = {}
_lock = state.lock()
_owner = {"pid": os.getpid()}


class ConcurrencyExceeded(Exception):
    """The function's reserved concurrency is used up."""


def run(fn, invocation: Invocation) -> Outcome:
    """Runs one invocation of a moto LambdaFunction in a warm or a new sandbox."""
    arn = fn.function_arn
    _take_slot(arn, fn.reserved_concurrency)
    sandbox = None
    try:
        try:
            sandbox = _warm(arn, _key(fn)) or _cold(fn)
        except (lambda_code.InvalidEntrypoint, OSError) as error:
            return failure("Runtime.InvalidEntrypoint", _entrypoint(invocation, error))
        return sandbox.invoke(invocation)
    finally:
        _give_back(arn, sandbox)


def kill(sandbox_id: str) -> None:
    """kill -9 of one sandbox, by the id that its credentials carry."""
    sandbox = _by_id.get(sandbox_id)
    if sandbox:
        sandbox.kill()


def mode_of(sandbox_id: str | None) -> str | None:
    """The `mode` of the event that a sandbox works on, or worked on last."""
    sandbox = _by_id.get(sandbox_id) if sandbox_id else None
    return sandbox.mode if sandbox else None


def running() -> int:
    """How many invocations run now."""
    with _lock:
        return sum(len(busy) for busy in _busy.values())


def forget_all() -> None:
    """In a forked copy: the sandboxes are the parent's; start with none."""
    for sandbox in _by_id.values():
        sandbox.forget()
    for table in (_idle, _busy, _by_id):
        table.clear()
    _owner["pid"] = os.getpid()


def kill_all() -> None:
    """Ends every sandbox of this process."""
    if _owner["pid"] != os.getpid():
        return
    with _lock:
        sandboxes = list(_by_id.values())
        _idle.clear()
    for sandbox in sandboxes:
        sandbox.kill()


atexit.register(kill_all)


def _take_slot(arn: str, reserved: int | None) -> None:
    with _lock:
        busy = _busy.setdefault(arn, [])
        if reserved is not None and len(busy) >= int(reserved):
            raise ConcurrencyExceeded(arn)
        busy.append(None)


def _give_back(arn: str, sandbox: Sandbox | None) -> None:
    with _lock:
        _busy[arn].pop()
        if sandbox is None:
            return
        if sandbox.alive:
            _idle.setdefault(arn, []).append(sandbox)
        else:
            _by_id.pop(sandbox.id, None)
    _drop_superfluous()


def _drop_superfluous() -> None:
    with _lock:
        idle = [sandbox for sandboxes in _idle.values() for sandbox in sandboxes]
        oldest = idle[:max(0, len(idle) - MOST_IDLE)]
        for sandboxes in _idle.values():
            sandboxes[:] = [sandbox for sandbox in sandboxes if sandbox not in oldest]
    _end(oldest)


def _end(sandboxes: list[Sandbox]) -> None:
    for sandbox in sandboxes:
        sandbox.kill()
        _by_id.pop(sandbox.id, None)


def _warm(arn: str, key: tuple) -> Sandbox | None:
    """An idle sandbox with this very code and configuration; others of the function end."""
    with _lock:
        idle = _idle.pop(arn, [])
        usable = [sandbox for sandbox in idle if sandbox.alive and sandbox.key == key]
        _idle[arn] = usable
        chosen = usable.pop() if usable else None
        stale = [sandbox for sandbox in idle if sandbox not in usable and sandbox is not chosen]
    _end(stale)
    return chosen


def _cold(fn) -> Sandbox:
    folder = lambda_code.extracted(fn)
    bootstrap = lambda_code.bootstrap(folder)
    log = LogStream(fn.function_name, str(fn.version), fn.region, fn.account_id)
    sandbox = Sandbox(_key(fn), log)
    with _lock:
        _by_id[sandbox.id] = sandbox
    try:
        sandbox.start(bootstrap, _environment(fn, folder, sandbox))
    except OSError:
        _by_id.pop(sandbox.id, None)
        sandbox.discard()
        raise
    return sandbox


def _key(fn) -> tuple:
    """What a sandbox is made from; when it changes, warm sandboxes are not used any more."""
    variables = tuple(sorted((fn.environment_vars or {}).items()))
    return (fn.code_sha_256, str(fn.version), fn.role, fn.timeout, fn.memory_size, fn.handler,
            variables, localaws.endpoint())


def _environment(fn, folder: Path, sandbox: Sandbox) -> dict[str, str]:
    credentials = identity.role_credentials(
        fn.role, fn.function_name, fn.region, function=fn.function_name, sandbox=sandbox.id)
    own = {name: str(value) for name, value in (fn.environment_vars or {}).items()}
    return own | {name.upper(): value for name, value in credentials.items()} | {
        "AWS_ENDPOINT_URL": localaws.endpoint(),
        "AWS_REGION": fn.region,
        "AWS_DEFAULT_REGION": fn.region,
        "AWS_LAMBDA_FUNCTION_NAME": fn.function_name,
        "AWS_LAMBDA_FUNCTION_VERSION": str(fn.version),
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(fn.memory_size),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": sandbox.log.group,
        "AWS_LAMBDA_LOG_STREAM_NAME": sandbox.log.name,
        "LAMBDA_TASK_ROOT": str(folder),
        "_HANDLER": fn.handler or "bootstrap",
        "PATH": "/usr/local/bin:/usr/bin:/bin:/opt/bin",
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
    }


def _entrypoint(invocation: Invocation, error: Exception) -> str:
    text = str(error)
    if isinstance(error, OSError):
        text = f"fork/exec /var/task/bootstrap: {(error.strerror or 'unknown error').lower()}"
    return f"RequestId: {invocation.request_id} Error: {text}"
