"""The steps of demo.sh that are not one command of the AWS CLI."""

import argparse
import json
import shutil
import sys
import time
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError

import mailbox
import topology
from run_state import Run
from run_view import duration, table
from watch import causes

APPROVER = "Ada Approver"
FUNCTIONS = "aws-dr-orchestrator-"


def approve(options: argparse.Namespace) -> int:
    """Waits for the mail that asks, prints it, opens its link and approves."""
    run = Run(options.execution)
    about = boto3.client("stepfunctions", region_name=run.region)

    def asked():
        for mail in mailbox.mails_about(run.name):
            if mailbox.approval_link(mail):
                return mail
        ended = about.describe_execution(executionArn=run.arn)["status"] != "RUNNING"
        return {} if ended else None

    mail = mailbox.wait_for(asked, options.timeout)
    if not mail:
        why = "the run ended before it asked" if mail == {} else f"none within {options.timeout:.0f} s"
        print(f"error: no approval mail: {why}", file=sys.stderr)
        return 1
    mailbox.show(mail)
    link = mailbox.approval_link(mail)
    print(f"\n  {APPROVER} opens {link}")
    print("  and presses Approve on the page.")
    words = mailbox.approve(link, APPROVER, options.reason)
    print(f"  The page answers: {words[0] if words else '(nothing)'}", flush=True)
    return 0


def report(options: argparse.Namespace) -> int:
    """Prints the mail with the report of an ended run."""
    name = options.execution.rsplit(":", 1)[-1]

    def found():
        mails = [m for m in mailbox.mails_about(name) if not mailbox.approval_link(m)]
        return mails[-1] if mails else None

    mail = mailbox.wait_for(found, options.timeout)
    if mail is None:
        print(f"error: no report mail within {options.timeout:.0f} s", file=sys.stderr)
        return 1
    mailbox.show(mail)
    return 0


def snapshot(options: argparse.Namespace) -> int:
    """Writes the topology to a file, with the resources of a run when one is given."""
    document = {"topology": topology.read()}
    if options.execution:
        look = Run(options.execution).look()
        document |= {
            "phase": look.phase, "region": options.execution.split(":")[3], "status": look.status,
            "seconds": ((look.stopped or look.started) - look.started).total_seconds(),
            "resources": [{"name": row.name, "app": row.app, "changed": row.changed, "state": row.state,
                           "text": row.text,
                           "seconds": (row.until - row.started).total_seconds() if row.until else 0}
                          for row in look.rows],
        }
    Path(options.file).write_text(json.dumps(document))
    return 0


def summary(options: argparse.Namespace) -> int:
    """What moved where, how long it took; 1 unless the final topology is the wanted one."""
    documents = [json.loads(Path(file).read_text()) for file in options.files]
    before, phases = documents[0]["topology"], documents[1:]
    print("\nWhat was done")
    rows = [[p["phase"], p["region"], duration(p["seconds"]), r["app"], r["name"], duration(r["seconds"]),
             r["text"]] for p in phases for r in p["resources"]]
    for number in range(len(rows) - 1, 0, -1):
        if rows[number][:2] == rows[number - 1][:2]:
            rows[number][:3] = ["", "", ""]
    width = shutil.get_terminal_size().columns - 1 if sys.stdout.isatty() else None
    lines = table(["Phase", "Run in", "Took", "App", "Resource", "Took", "Result"], rows)
    print("\n".join(line[:width] for line in lines))
    print("\nWhere the orders database lived")
    moves = [["at the beginning", *_places(before)]]
    moves += [[f"after {p['phase']}", *_places(p["topology"])] for p in phases]
    print("\n".join(table(["", topology.EAST, topology.WEST], moves)))
    return _judge(before)


def _places(world: dict) -> list[str]:
    return [topology.place(world, topology.EAST, topology.OLD),
            topology.place(world, topology.WEST, topology.NEW)]


def _judge(before: dict) -> int:
    print("\nThe end, read from the RDS API")
    results = topology.checks(before, topology.read())
    for right, text in results:
        print(f"  {'✓' if right else '✗'} {text}")
    return 0 if all(right for right, _ in results) else 1


def explain(options: argparse.Namespace) -> int:
    """Why a run failed, what its functions printed last, and where to look."""
    if options.execution:
        _explain_run(options.execution)
    _explain_functions()
    return 0


def _explain_run(arn: str) -> None:
    region = arn.split(":")[3]
    about = boto3.client("stepfunctions", region_name=region).describe_execution(executionArn=arn)
    print(f"\n{arn.rsplit(':', 1)[-1]}: {about['status']} {about.get('error') or ''}".rstrip())
    for line in "\n".join(causes(about.get("cause") or "")).splitlines():
        print(f"  {line}")
    print(f"  look: aws stepfunctions get-execution-history --reverse-order --region {region} "
          f"--execution-arn {arn}")


def _explain_functions() -> None:
    shown = False
    for name in _functions():
        lines = mailbox.control(f"logs?function={name}")["lines"]
        bad = [line for line in lines if any(w in line for w in ('"ERROR"', '"WARN"', "panicked", " ERROR "))]
        for line in bad[-4:]:
            shown = True
            print(f"  {name}: {line[:1200]}")
    if not shown:
        print("  No function logged a warning or an error.")


def _functions() -> list[str]:
    names = set()
    for region in (topology.EAST, topology.WEST):
        pages = boto3.client("lambda", region_name=region).get_paginator("list_functions").paginate()
        try:
            names |= {f["FunctionName"] for page in pages for f in page["Functions"]}
        except topology.LOST:
            continue
    return sorted(name for name in names if name.startswith(FUNCTIONS))


def quiet(options: argparse.Namespace) -> int:
    """Waits until every database is available: the product is at rest."""
    end = time.monotonic() + options.timeout
    while time.monotonic() < end:
        world = topology.read()
        found = [one for region in world.values() if region
                 for one in region["instances"].values()]
        if found and all(one["status"] == "available" for one in found):
            return 0
        time.sleep(0.5)
    print(f"error: the databases are not available after {options.timeout:.0f} s", file=sys.stderr)
    return 1


def main() -> int:
    """One step; see demo.sh."""
    parser = argparse.ArgumentParser(description=__doc__)
    steps = parser.add_subparsers(dest="step", required=True)
    for step in (approve, report, snapshot, summary, explain, quiet):
        options = steps.add_parser(step.__name__, help=step.__doc__)
        options.set_defaults(run=step)
        options.add_argument("--execution", default="")
        options.add_argument("--timeout", type=float, default=120)
        if step is approve:
            options.add_argument("--reason", default="demo")
        if step is snapshot:
            options.add_argument("file")
        if step is summary:
            options.add_argument("files", nargs="+")
    options = parser.parse_args()
    try:
        return options.run(options)
    except (ClientError, BotoCoreError, OSError, ValueError) as error:
        print(f"error: {options.step}: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
