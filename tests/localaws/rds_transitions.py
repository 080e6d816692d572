"""The clock of the RDS model: what an instance or snapshot becomes, and when.

A change that takes time is a list of steps with due times, kept at the thing itself. Steps are
taken when somebody looks (`settle`), in the order of their due times over the whole account, so
that there is no timer thread, a forked copy goes on where the original was, and idle time is free.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from moto.rds.exceptions import RDSClientError
from moto.rds.models import rds_backends

from localaws import state, timings

LOCK = state.lock()

# Operational states in which AWS allows what it allows in `available`.
READY = ("available", "storage-optimization")

_reading_at: list[float] = []
# What else has steps, by account: clusters, global clusters and their snapshots.
MORE_THINGS: list[Callable[[str], Iterator[Any]]] = []


@dataclass(frozen=True)
class Step:
    """At `due`, call `change`."""

    due: float
    change: Callable[[], None]


def clock() -> float:
    """Now; while steps are taken late, the moment at which the step was due."""
    return _reading_at[-1] if _reading_at else time.time()


def utc(moment: float) -> datetime:
    """A time as moto's models keep it."""
    return datetime.fromtimestamp(moment, timezone.utc).replace(tzinfo=None)


def seconds(name: str) -> float:
    """A duration of the model, e.g. `rds.promote`."""
    return timings.get(name)


def plan(thing: Any, *steps: tuple[float, Callable[[], None]]) -> None:
    """Adds steps to the thing's future: (seconds from now, change)."""
    now = clock()
    thing.steps = tuple(thing.steps) + tuple(Step(now + after, change) for after, change in steps)


def forget(thing: Any) -> None:
    """Drops everything that was to become of the thing."""
    thing.steps = ()


def settle(account: str) -> None:
    """Takes all steps of the account that are due."""
    with LOCK:
        if _reading_at:
            return
        now = time.time()
        while found := _next_due(account, now):
            thing, step = found
            thing.steps = tuple(other for other in thing.steps if other is not step)
            _take(step)


def _take(step: Step) -> None:
    _reading_at.append(step.due)
    try:
        step.change()
    finally:
        _reading_at.pop()


def _next_due(account: str, now: float) -> tuple[Any, Step] | None:
    due = [(thing, step) for thing in _things(account) for step in thing.steps if step.due <= now]
    return min(due, key=lambda pair: pair[1].due, default=None)


def _things(account: str) -> Iterator[Any]:
    for backend in list(dict.values(rds_backends[account])):
        yield from list(backend.settled_databases.values())
        yield from list(backend.settled_snapshots.values())
    for more in MORE_THINGS:
        yield from more(account)


def real_status(instance: Any) -> str:
    """The status that decides refusals: ahead of the shown one while a call is not yet visible."""
    return instance.accepted or instance.status


def refuse_state(message: str) -> RDSClientError:
    """The refusal of an operation in the wrong state."""
    return RDSClientError("InvalidDBInstanceState", message)


def require_ready(instance: Any, also: tuple[str, ...] = ()) -> None:
    """Refuses unless the instance is available, or in one of the states in `also`."""
    if real_status(instance) not in READY + also:
        raise refuse_state(f"Instance {instance.db_instance_identifier} is not in available state.")


def show(instance: Any, status: str) -> Callable[[], None]:
    """A step that makes the status visible."""
    def change() -> None:
        instance.status = status
    return change


def finish(instance: Any, status: str = "available") -> Callable[[], None]:
    """The last step of an operation: the status, and the instance takes calls again."""
    def change() -> None:
        instance.status, instance.accepted = status, None
    return change
