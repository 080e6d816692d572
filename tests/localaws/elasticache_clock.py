"""The clock of the ElastiCache model: what becomes of a thing, and when.

A change that takes time is a list of steps with due times, kept in the account's store. Steps are
taken when somebody looks (`settle`), in the order of their due times, so that there is no timer
thread and a forked copy goes on where the original was. In a dark Region time stands still: its
steps wait until it is back, and then take what was left of their time.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from localaws import state, timings

LOCK = state.lock()

for _name, _seconds in {"create": 2.0, "delete": 1.0, "failover": 2.0, "disassociate": 1.0,
                        "global.create": 1.0, "snapshot": 1.0, "modify": 1.0}.items():
    timings.define(f"elasticache.{_name}", _seconds)

_reading_at: list[float] = []
_dark_since: dict[str, float] = {}


@dataclass(eq=False)
class Step:
    """At `due`, call `change`; not while `region` is dark."""

    due: float
    planned: float
    region: str
    owner: Any
    change: Callable[[], None]


def clock() -> float:
    """Now; while steps are taken late, the moment at which the step was due."""
    return _reading_at[-1] if _reading_at else time.time()


def seconds(name: str) -> float:
    """A duration of the model: `visible`, or one of `elasticache.`"""
    return timings.get(name if name == "visible" else f"elasticache.{name}")


def plan(steps: list[Step], owner: Any, region: str,
         *changes: tuple[float, Callable[[], None]]) -> None:
    """Adds to the owner's future: (seconds from now, change)."""
    now = clock()
    steps.extend(Step(now + after, now, region, owner, change) for after, change in changes)


def forget(steps: list[Step], owner: Any) -> None:
    """Drops everything that was to become of the owner."""
    steps[:] = [step for step in steps if step.owner is not owner]


def settle(steps: list[Step]) -> None:
    """Takes all steps that are due."""
    if _reading_at:
        return
    now = time.time()
    while due := [one for one in steps if one.due <= now and one.region not in _dark_since]:
        step = min(due, key=lambda one: one.due)
        steps.remove(step)
        _reading_at.append(step.due)
        try:
            step.change()
        finally:
            _reading_at.pop()


def is_dark(region: str) -> bool:
    """Whether the Region is dark now."""
    return region in _dark_since


def dark_for(region: str, at: float | None = None) -> float:
    """Seconds since the Region went dark, now or at a time; 0 when it is not."""
    if region not in _dark_since:
        return 0.0
    return max(0.0, min(clock() if at is None else at, clock()) - _dark_since[region])


def begin_dark(region: str) -> bool:
    """Stops the Region's time; False when it was dark already."""
    if region in _dark_since:
        return False
    _dark_since[region] = clock()
    return True


def end_dark(region: str, all_steps: Iterable[list[Step]]) -> bool:
    """Lets the Region's time go on; False when it was not dark."""
    since = _dark_since.pop(region, None)
    if since is None:
        return False
    now = clock()
    for steps in all_steps:
        for step in steps:
            if step.region == region:
                step.due += now - max(since, step.planned)
    return True
