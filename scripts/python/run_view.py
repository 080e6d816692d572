"""Shows a run: a table that is redrawn in a terminal, else one line for each change."""

import os
import shutil
import sys
from datetime import datetime, timezone

from run_state import Row, Snapshot

MARKS = {"PENDING": "·", "LOOKING": "▸", "CHANGING": "▸", "WAITING": "▸", "DONE": "✓", "FAILED": "✗",
         "BLOCKED": "✗", "HELD": "?", "SKIPPED": "-"}
COLOURS = {"LOOKING": "36", "CHANGING": "33", "WAITING": "36", "DONE": "32", "FAILED": "31",
           "BLOCKED": "31", "HELD": "35", "SKIPPED": "33"}


def duration(seconds: float) -> str:
    """A length of time that fits into a column: 7 s, 3:05 min, 1:02:05 h."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes}:{rest:02} min"
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02} h"


def table(headers: list[str], rows: list[list[str]], indent: str = "  ") -> list[str]:
    """Left-aligned columns as wide as their content; the last one is not padded."""
    widths = [max(len(row[column]) for row in [headers, *rows]) for column in range(len(headers))]
    rule = ["─" * width for width in widths]
    lines = []
    for row in [headers, rule, *rows]:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        lines.append((indent + "  ".join(cells)).rstrip())
    return lines


def now() -> datetime:
    """This moment."""
    return datetime.now(timezone.utc)


def age(row: Row) -> str:
    """How long it is in its state; how long it took, once it has ended."""
    if row.until and row.started:
        return duration((row.until - row.started).total_seconds())
    return duration((now() - row.since).total_seconds()) if row.since else ""


def header(snapshot: Snapshot, region: str) -> str:
    """One line: what, where, which stage, for how long."""
    end = snapshot.stopped or now()
    what = " ".join(word for word in (snapshot.phase, snapshot.product) if word) or "Run"
    took = duration((end - snapshot.started).total_seconds())
    return f"{what} in {region}: {snapshot.stage}, {took}"


class Lines:
    """For logs and pipes: each change is a line that starts with the time since the start."""

    def __init__(self, region: str):
        self._region, self._stage = region, None
        self._seen: dict[tuple, tuple] = {}

    def show(self, snapshot: Snapshot) -> None:
        """Prints what is new."""
        since = int(((snapshot.stopped or now()) - snapshot.started).total_seconds())
        stamp = f"  {since // 60:02}:{since % 60:02} "
        for row in snapshot.rows:
            new = (row.state, row.text)
            key = (row.file, row.layer, row.index)
            if row.state != "PENDING" and self._seen.get(key) != new:
                took = f" in {age(row)}" if row.until else ""
                print(f"{stamp} {MARKS[row.state]} {row.app}: {row.name} ({row.type}) {row.state}{took}: "
                      f"{_now(row)}", flush=True)
            self._seen[key] = new
        if snapshot.stage != self._stage:
            print(f"{stamp} {header(snapshot, self._region)}", flush=True)
            self._stage = snapshot.stage

    def finish(self) -> None:
        """Nothing to clean up."""


class Screen:
    """For a terminal: the same table, drawn over the one before."""

    def __init__(self, region: str):
        self._region, self._drawn = region, 0
        self._colour = not os.environ.get("NO_COLOR")

    def show(self, snapshot: Snapshot) -> None:
        """Draws the table in place."""
        columns, height = shutil.get_terminal_size()
        lines = whole_table(snapshot, self._region)
        # A table higher than the terminal could not be drawn over: the parts that move come first.
        room = max(5, height - 2)
        if len(lines) > room:
            lines = _shortened(snapshot, self._region, room)
        back = f"\x1b[{self._drawn}F" if self._drawn else ""
        shown = [self._paint(line[:columns - 1]) for line in lines]
        sys.stdout.write(back + "".join(f"\x1b[2K{line}\n" for line in shown) + "\x1b[J")
        sys.stdout.flush()
        self._drawn = len(lines)

    def _paint(self, line: str) -> str:
        for state, colour in COLOURS.items():
            if self._colour and f" {MARKS[state]} {state} " in line:
                return f"\x1b[{colour}m{line}\x1b[0m"
        return line

    def finish(self) -> None:
        """Leaves the last table where it stands."""
        self._drawn = 0


def whole_table(snapshot: Snapshot, region: str) -> list[str]:
    """The header and a row for each resource."""
    return [header(snapshot, region), *_rows(snapshot.rows)]


def _now(row: Row) -> str:
    return row.text if row.state in ("HELD", "SKIPPED") else row.problem or row.text


def _rows(rows: list[Row]) -> list[str]:
    if not rows:
        return []
    cells = [[f"{MARKS[row.state]} {row.state}", age(row), row.app, f"{row.layer + 1}", row.name, row.type,
              _now(row)] for row in rows]
    return table(["State", "For", "App", "Layer", "Resource", "Type", "Now"], cells)


def _shortened(snapshot: Snapshot, region: str, room: int) -> list[str]:
    urgent = [row for row in snapshot.rows if row.state not in ("DONE", "PENDING")]
    rest = [row for row in snapshot.rows if row.state == "PENDING"]
    shown = (urgent + rest)[:room - 4]
    done = sum(row.state == "DONE" for row in snapshot.rows)
    note = f"  {done} of {len(snapshot.rows)} done; {len(snapshot.rows) - len(shown)} not shown"
    return [header(snapshot, region), *_rows(shown), note]
