"""How long things take, in seconds: set through POST /_localaws/timings, read by all modules."""

import threading

DEFAULTS: dict[str, float] = {
    "rds.create": 2.0,
    "rds.promote": 2.0,
    "rds.delete": 1.0,
    "rds.snapshot": 1.0,
    "rds.modify": 1.0,
    "rds.reboot": 1.0,
    "visible": 2.0,  # after an accepted call the old state is still shown for so long
    "cloudformation": 0.0,
    "replica_lag": 0.0,
    "lambda.retry": 1.0,  # between the attempts of an asynchronous invocation (60 and 120 on AWS)
    "lambda.init": 10.0,  # how long the init phase of a sandbox may take
}

_values = dict(DEFAULTS)
_lock = threading.Lock()


def define(name: str, default: float) -> None:
    """Lets a module add a setting of its own."""
    with _lock:
        DEFAULTS.setdefault(name, float(default))
        _values.setdefault(name, float(default))


def get(name: str) -> float:
    """The seconds set for `name`; an unknown name is a KeyError."""
    return _values[name]


def set_many(changes: dict[str, float]) -> dict[str, float]:
    """Changes settings and answers all of them; unknown names or negative values are refused."""
    for name, value in changes.items():
        if name not in DEFAULTS:
            raise ValueError(f"unknown timing {name!r}; known are: {', '.join(sorted(DEFAULTS))}")
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
            raise ValueError(f"timing {name!r} must be a number of seconds, not {value!r}")
    with _lock:
        _values.update({name: float(value) for name, value in changes.items()})
        return dict(_values)


def all_values() -> dict[str, float]:
    """A copy of all settings."""
    return dict(_values)


def reset() -> None:
    """Back to the defaults."""
    with _lock:
        _values.update(DEFAULTS)
