"""The call log: every AWS call that reached the server, and how it ended."""

import datetime
from dataclasses import asdict, dataclass, field

from localaws import state


@dataclass
class Call:
    """One call. `result` is "ok", an error code, or what a fault made of it."""

    service: str
    action: str
    region: str
    principal: str | None
    function: str | None
    mutating: bool
    request: dict = field(default_factory=dict)
    protocol: str = "json"
    sandbox: str | None = None
    mode: str | None = None  # of the event that the calling function works on
    iam: str | None = None  # "allowed" or "denied"; None when nobody was asked
    result: str = "running"
    status: int = 0
    n: int = 0
    time: str = ""

    def document(self) -> dict:
        """The call as the control API shows it."""
        shown = asdict(self)
        for name in ("protocol", "sandbox"):
            del shown[name]
        return shown


_calls: list[Call] = []
_counter = {"n": 0}
_lock = state.lock()


def begin(call: Call) -> None:
    """Numbers a call and puts it into the log, in the order in which calls arrive."""
    with _lock:
        _counter["n"] += 1
        call.n = _counter["n"]
        now = datetime.datetime.now(datetime.timezone.utc)
        call.time = now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        _calls.append(call)


def end(call: Call, result: str, status: int) -> None:
    """Writes down how a call ended."""
    call.result, call.status = result, status


def since(n: int = 0) -> list[dict]:
    """All calls with a higher number."""
    with _lock:
        return [call.document() for call in _calls if call.n > n]


def clear() -> None:
    """Empties the log; the numbers go on."""
    with _lock:
        _calls.clear()
