"""Faults on demand: throttling, 5xx, timeouts, lost answers, killed sandboxes, dark Regions."""

from collections import Counter
from dataclasses import asdict, dataclass, field, fields

from localaws import state
from localaws.calls import Call

KINDS = ("throttle", "5xx", "timeout", "drop", "kill")


@dataclass
class Fault:
    """A rule: which calls, what happens to them, and to how many."""

    kind: str
    service: str = "*"
    action: str = "*"
    region: str = "*"
    function: str = "*"
    times: int = 1
    after: int = 0
    each: bool = False
    seen: Counter = field(default_factory=Counter, repr=False)
    fired: int = 0
    origin: str = "lambda"  # "from" in the control API: calls of sandboxes only, or "any"

    def matches(self, call: Call) -> bool:
        """Whether the rule speaks about this call."""
        if self.origin != "any" and call.sandbox is None:
            return False
        pairs = ((self.service, call.service), (self.action, call.action),
                 (self.region, call.region), (self.function, call.function))
        return all(wanted in ("*", None, actual) for wanted, actual in pairs)

    def due(self, call: Call) -> bool:
        """Counts a matching call, and says whether it is hit."""
        key = (call.service, call.action) if self.each else ()
        self.seen[key] += 1
        position = self.seen[key] - self.after
        hit = position > 0 and (self.times < 0 or position <= self.times)
        self.fired += hit
        return hit

    def document(self) -> dict:
        """The rule as the control API shows it."""
        shown = asdict(self)
        shown["from"] = shown.pop("origin")
        del shown["seen"]
        return shown


_faults: list[Fault] = []
_dark: set[str] = set()
_lock = state.lock()


def add(document: dict) -> dict:
    """Adds a rule from the control API; what it does not understand is refused."""
    document = dict(document)
    if "from" in document:
        document["origin"] = document.pop("from")
    known = {one.name for one in fields(Fault)} - {"seen", "fired"}
    unknown = set(document) - known
    if unknown:
        raise ValueError(f"unknown keys: {', '.join(sorted(unknown))}")
    if document.get("kind") not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}")
    if document.get("origin", "lambda") not in ("lambda", "any"):
        raise ValueError('from must be "lambda" or "any"')
    fault = Fault(**{key: value for key, value in document.items() if value is not None})
    with _lock:
        _faults.append(fault)
    return fault.document()


def hit(call: Call) -> Fault | None:
    """The fault that this call meets, if any. The first rule that is due wins."""
    with _lock:
        for fault in _faults:
            if fault.matches(call) and fault.due(call):
                return fault
    return None


def listing() -> list[dict]:
    """All rules, with how often each has fired."""
    with _lock:
        return [fault.document() for fault in _faults]


def clear() -> None:
    """Removes all rules; dark Regions stay dark."""
    with _lock:
        _faults.clear()


def set_dark(region: str, dark: bool) -> list[str]:
    """Makes a Region unreachable, or reachable again."""
    with _lock:
        (_dark.add if dark else _dark.discard)(region)
        return sorted(_dark)


def is_dark(region: str) -> bool:
    """Whether the Region closes every connection. Global services live in their home Region."""
    return region in _dark


def dark_regions() -> list[str]:
    """The Regions that are dark now."""
    return sorted(_dark)
