"""Function code: each uploaded zip is extracted once, into a folder named after its CodeSha256."""

import base64
import io
import os
import shutil
import tempfile
import zipfile
from pathlib import Path

from localaws import state


class InvalidEntrypoint(Exception):
    """The code has nothing that Lambda could start."""


def extracted(fn) -> Path:
    """The folder with the function's code; extracted on first use, safe between processes."""
    name = base64.b16encode(base64.b64decode(fn.code_sha_256)).decode().lower()
    target = state.code_dir() / name
    if not target.is_dir():
        _extract(fn.code_bytes, target)
    return target


def bootstrap(folder: Path) -> Path:
    """The executable that starts the runtime; refused as Lambda refuses it."""
    path = folder / "bootstrap"
    if not path.is_file():
        raise InvalidEntrypoint(
            "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]")
    if not os.access(path, os.X_OK):
        raise InvalidEntrypoint("fork/exec /var/task/bootstrap: permission denied")
    return path


def _extract(zipped: bytes, target: Path) -> None:
    building = Path(tempfile.mkdtemp(dir=target.parent))
    with zipfile.ZipFile(io.BytesIO(zipped)) as archive:
        for info in archive.infolist():
            path = archive.extract(info, building)
            if not info.is_dir():
                # zipfile drops the mode; an archive without Unix modes has no executable files.
                os.chmod(path, ((info.external_attr >> 16) & 0o777) or 0o644)
    building.chmod(0o755)
    try:
        building.rename(target)
    except OSError:
        shutil.rmtree(building, ignore_errors=True)  # another thread or process was faster
        if not target.is_dir():
            raise
