"""The directories of this server process, and the locks that a fork must not find held.

Extracted zips are shared by a server and its forks (a fork never outlives its parent); log files
belong to one process each.
"""

import atexit
import os
import shutil
import tempfile
import threading
from pathlib import Path

_dirs: dict[str, Path] = {}
_locks: list[threading.RLock] = []


def lock() -> threading.RLock:
    """A lock that `fork.py` takes before it forks, so that the copy never inherits it held."""
    made = threading.RLock()
    _locks.append(made)
    return made


def locks() -> list[threading.RLock]:
    """All locks made by `lock`, in the order in which a fork takes them."""
    return list(_locks)


def start(directory: str | None = None) -> None:
    """Creates the state directory; a temporary one is removed when the process ends."""
    keep = directory is not None
    root = Path(directory) if keep else Path(tempfile.mkdtemp(prefix="localaws-"))
    for name in ("code", "logs"):
        (root / name).mkdir(parents=True, exist_ok=True)
    _dirs.update(root=root, code=root / "code", own=root)
    if not keep:
        _remove_at_exit(root)


def start_copy() -> None:
    """The directories of a forked copy: its own logs below its parent's directory."""
    own = code_dir().parent / f"fork-{os.getpid()}"
    (own / "logs").mkdir(parents=True, exist_ok=True)
    _dirs["own"] = own


def _remove_at_exit(root: Path) -> None:
    owner = os.getpid()

    def remove() -> None:
        # A forked copy inherits this exit handler, and must leave its parent's files alone.
        if os.getpid() == owner:
            shutil.rmtree(root, ignore_errors=True)

    atexit.register(remove)


def _dir(name: str) -> Path:
    if name not in _dirs:
        start()
    return _dirs[name]


def code_dir() -> Path:
    """Where zips are extracted, one folder per CodeSha256."""
    return _dir("code")


def log_dir() -> Path:
    """Where each function's output is kept, one file per function."""
    return _dir("own") / "logs"
