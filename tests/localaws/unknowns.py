"""What nobody outside AWS knows: switches, set through POST /_localaws/unknowns.

The first choice of each is the hard reading, and the default; handlers must be right under all.
"""

import threading

_choices: dict[str, tuple[str, ...]] = {}
_values: dict[str, str] = {}
_lock = threading.Lock()


def define(name: str, default: str, choices: tuple[str, ...]) -> None:
    """Lets a module add a switch of its own."""
    if default not in choices:
        raise ValueError(f"the default {default!r} of {name!r} is none of {', '.join(choices)}")
    with _lock:
        _choices[name] = tuple(choices)
        _values.setdefault(name, default)


def get(name: str) -> str:
    """The choice made for `name`; an unknown name is a KeyError."""
    return _values[name]


def set_many(changes: dict[str, str]) -> dict[str, dict]:
    """Changes switches and answers all of them; unknown names and choices are refused."""
    for name, value in changes.items():
        if name not in _choices:
            raise ValueError(f"unknown switch {name!r}; known are: {', '.join(sorted(_choices))}")
        if value not in _choices[name]:
            raise ValueError(f"{name!r} must be one of {', '.join(_choices[name])}, not {value!r}")
    with _lock:
        _values.update(changes)
    return all_values()


def all_values() -> dict[str, dict]:
    """All switches: {"name": {"value", "choices"}}."""
    return {name: {"value": _values[name], "choices": list(choices)}
            for name, choices in sorted(_choices.items())}
