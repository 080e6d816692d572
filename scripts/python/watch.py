"""Live progress of one execution; used by watch-run.sh and demo.sh. Read-only."""

import argparse
import json
import sys
import time

from run_state import UNREACHABLE, Run, Snapshot
from run_view import Lines, Screen, whole_table

EXIT_FAILED, EXIT_RUNNING = 1, 3


def main() -> int:
    """0: succeeded (or --once); 1: ended otherwise; 3: still running when the time was over."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("execution", help="ARN of the execution")
    parser.add_argument("--once", action="store_true", help="print the state once")
    parser.add_argument("--timeout", type=float, default=0, help="stop watching after so many seconds")
    parser.add_argument("--interval", type=float, default=2, help="seconds between two looks")
    parser.add_argument("--until", help="return at this stage, for example 'waiting for approval'")
    options = parser.parse_args()
    try:
        run = Run(options.execution)
        if options.once:
            return once(run)
        return watch(run, options)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nNo longer watching; the run itself goes on.", file=sys.stderr)
        return 130
    except UNREACHABLE as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_FAILED


def once(run: Run) -> int:
    """The table as it is now."""
    snapshot = run.look()
    print("\n".join(whole_table(snapshot, run.region)))
    explain(snapshot)
    return 0


def watch(run: Run, options: argparse.Namespace) -> int:
    """Looks until the run ends, the stage is reached or the time is over."""
    view = Screen(run.region) if sys.stdout.isatty() else Lines(run.region)
    end = time.monotonic() + options.timeout if options.timeout else None
    failures = 0
    while True:
        try:
            snapshot = run.look()
            failures = 0
        except UNREACHABLE:
            failures += 1
            if failures >= 5:
                raise
            time.sleep(options.interval)
            continue
        view.show(snapshot)
        if snapshot.status != "RUNNING":
            view.finish()
            explain(snapshot)
            return 0 if snapshot.status == "SUCCEEDED" else EXIT_FAILED
        if options.until and snapshot.stage in (options.until, "acting"):
            return 0
        if end and time.monotonic() > end:
            print(f"Still running after {options.timeout:.0f} s; the run goes on.", file=sys.stderr)
            return EXIT_RUNNING
        time.sleep(options.interval)


def explain(snapshot: Snapshot) -> None:
    """The causes of a run that did not succeed, one line each."""
    if snapshot.status in ("RUNNING", "SUCCEEDED"):
        return
    print(f"\n{snapshot.status} {snapshot.error}".rstrip())
    for line in "\n".join(causes(snapshot.cause)).splitlines():
        print(f"  {line}")


def causes(text: str) -> list[str]:
    """The lines of a cause, whichever of its forms it has."""
    try:
        document = json.loads(text)
    except ValueError:
        return [text] if text else []
    if isinstance(document, dict):
        document = document.get("lines") or [document.get("errorMessage") or text]
    return [str(line) for line in document] if isinstance(document, list) else [text]


if __name__ == "__main__":
    sys.exit(main())
