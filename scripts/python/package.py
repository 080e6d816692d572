"""Packs built functions into reproducible Lambda zips; used by scripts/build.sh.

A zip is left alone when it already holds the same binary. Binaries that Amazon Linux 2023 cannot
load are refused before any zip is written.
"""

import argparse
import hashlib
import re
import subprocess
import sys
import zipfile
from pathlib import Path

AMAZON_LINUX_GLIBC = (2, 34)
# The earliest time a zip can hold, so that equal binaries give equal zips.
FIXED_TIME = (1980, 1, 1, 0, 0, 0)


def main(arguments: list[str]) -> int:
    options = parse_arguments(arguments)
    binaries = {name: options.binaries / name for name in options.names}
    problems = [f"{path} was not built" for path in binaries.values() if not path.is_file()]
    glibc = {name: needed_glibc(path) for name, path in binaries.items() if path.is_file()}
    problems += [
        too_new(name, version) for name, version in glibc.items() if version > AMAZON_LINUX_GLIBC
    ]
    if problems:
        print("\n".join(f"error: {problem}" for problem in problems), file=sys.stderr)
        return 1
    options.out.mkdir(parents=True, exist_ok=True)
    remove_strangers(options.out, options.names)
    rows = [pack(name, path, options, glibc[name]) for name, path in binaries.items()]
    print_table(rows, options.out)
    return 0


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profile", choices=["dev", "release"], required=True)
    parser.add_argument("--binaries", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("names", nargs="+")
    return parser.parse_args(arguments)


def needed_glibc(binary: Path) -> tuple[int, ...]:
    """The newest glibc whose symbols the binary needs."""
    report = subprocess.run(
        ["readelf", "-W", "-V", str(binary)], capture_output=True, text=True, check=True
    )
    versions = [
        tuple(map(int, v.split("."))) for v in re.findall(r"GLIBC_(\d+(?:\.\d+)+)", report.stdout)
    ]
    return max(versions, default=(0,))


def too_new(name: str, version: tuple[int, ...]) -> str:
    return (
        f"{name} needs glibc {dotted(version)}, "
        f"Amazon Linux 2023 has {dotted(AMAZON_LINUX_GLIBC)}: "
        "build on an older distribution (Debian 12, Amazon Linux 2023)"
    )


def remove_strangers(out: Path, names: list[str]) -> None:
    """A function that is gone must not be deployed from an old zip."""
    for old in out.glob("*.zip"):
        if old.stem not in names:
            old.unlink()


def pack(name: str, binary: Path, options: argparse.Namespace, glibc: tuple[int, ...]) -> list[str]:
    content = binary.read_bytes()
    target = options.out / f"{name}.zip"
    # The comment is the zip's own record of what it holds.
    mark = f"{options.profile} {hashlib.sha256(content).hexdigest()}".encode()
    state = "unchanged"
    if not holds(target, mark):
        write_zip(target, content, mark, level=1 if options.profile == "dev" else 9)
        state = "packed"
    return [name, megabytes(len(content)), megabytes(target.stat().st_size), dotted(glibc), state]


def holds(target: Path, mark: bytes) -> bool:
    try:
        with zipfile.ZipFile(target) as archive:
            return archive.comment == mark
    except (OSError, zipfile.BadZipFile):
        return False


def write_zip(target: Path, content: bytes, mark: bytes, level: int) -> None:
    entry = zipfile.ZipInfo("bootstrap", FIXED_TIME)
    entry.create_system = 3  # Unix: the permissions below count
    entry.external_attr = 0o100755 << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    partial = target.with_suffix(".partial")
    with zipfile.ZipFile(partial, "w") as archive:
        archive.comment = mark
        archive.writestr(entry, content, compresslevel=level)
    partial.replace(target)


def print_table(rows: list[list[str]], out: Path) -> None:
    table = [["function", "binary MB", "zip MB", "glibc", ""], *rows]
    widths = [max(len(row[i]) for row in table) for i in range(5)]
    for row in table:
        cells = [row[0].ljust(widths[0]), *(row[i].rjust(widths[i]) for i in range(1, 4)), row[4]]
        print("  ".join(cells).rstrip())
    print(f"{len(rows)} functions in {out}")


def megabytes(size: int) -> str:
    return f"{size / 1e6:.2f}"


def dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
