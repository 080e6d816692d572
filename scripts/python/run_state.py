"""How one run of the orchestrator stands: its stage, and the state of each of its resources.

Read-only: describe-execution and the history from Step Functions, plan and journal objects from the
bucket. Works on AWS and, with AWS_ENDPOINT_URL, on the local AWS.
"""

import json
from dataclasses import dataclass, field
from datetime import datetime, timezone

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

STAGES = {
    "Begin": "checking the manifests",
    "Load and check": "checking the manifests",
    "Load": "checking the manifests",
    "Plan": "planning (looks only)",
    "Plan first": "planning (looks only)",
    "Check plan": "planning (looks only)",
    "Request approval": "waiting for approval",
    "App layers": "acting",
    "Run file": "acting",
    "Layers": "acting",
    "Report": "writing the report",
}
LOADERS = ("Load and check", "Load")
# A run must be watched through a throttled or slow control plane without piling up calls.
PATIENT = Config(connect_timeout=5, read_timeout=30, retries={"mode": "standard", "total_max_attempts": 4})


@dataclass
class Row:
    """One resource."""

    app: str
    file: str
    layer: int
    index: int
    type: str
    name: str
    state: str = "PENDING"
    text: str = ""
    since: datetime | None = None
    until: datetime | None = None
    started: datetime | None = None
    problem: str | None = None
    changed: bool = False

    def place(self) -> str:
        """Where it stands, for people, who count from one."""
        return f"{self.app} / {self.file} / layer {self.layer + 1}"


@dataclass
class Snapshot:
    """The run at one moment."""

    status: str
    stage: str
    started: datetime
    stopped: datetime | None
    product: str
    phase: str
    rows: list[Row] = field(default_factory=list)
    error: str = ""
    cause: str = ""


class Run:
    """One execution, looked at again and again."""

    def __init__(self, arn: str):
        parts = arn.split(":")
        if len(parts) != 8 or parts[2] != "states" or parts[5] != "execution":
            raise ValueError(f"not the ARN of an execution: {arn}")
        self.arn, self.region, self.name = arn, parts[3], parts[7]
        self.machine = parts[6]
        self._states = boto3.client("stepfunctions", region_name=self.region, config=PATIENT)
        self._s3 = boto3.client("s3", region_name=self.region, config=PATIENT)
        self._lambda = boto3.client("lambda", region_name=self.region, config=PATIENT)
        self._bucket: str | None = None
        self._loaded: dict | None = None
        self._objects: dict[str, tuple[str, dict]] = {}

    def look(self) -> Snapshot:
        """Reads everything that may have changed."""
        about = self._states.describe_execution(executionArn=self.arn)
        loaded = self._load()
        context = loaded.get("context") or {}
        snapshot = Snapshot(
            status=about["status"], stage=self._stage(about), started=about["startDate"],
            stopped=about.get("stopDate"), product=context.get("product") or "",
            phase=loaded.get("phase") or self._phase_of_machine(),
            error=about.get("error") or "", cause=about.get("cause") or "")
        if context.get("folder"):
            snapshot.rows = self._rows(context["folder"], loaded)
        return snapshot

    def _phase_of_machine(self) -> str:
        word = self.machine.rsplit("-", 1)[-1]
        return word if word.isupper() else ""

    def _stage(self, about: dict) -> str:
        if about["status"] != "RUNNING":
            return about["status"].lower().replace("_", " ")
        events = self._states.get_execution_history(
            executionArn=self.arn, reverseOrder=True, maxResults=200, includeExecutionData=False)
        for event in sorted(events["events"], key=lambda event: -event["id"]):
            name = event.get("stateEnteredEventDetails", {}).get("name")
            if name in STAGES:
                return STAGES[name]
        return "starting"

    def _load(self) -> dict:
        """What manifest-loader answered: the context and the files of the run."""
        if self._loaded is None:
            events = self._states.get_execution_history(
                executionArn=self.arn, maxResults=50, includeExecutionData=True)["events"]
            for event in events:
                details = event.get("stateExitedEventDetails", {})
                if details.get("name") in LOADERS:
                    self._loaded = json.loads(details.get("output") or "{}").get("loaded", {})
        return self._loaded or {}

    def _rows(self, folder: str, loaded: dict) -> list[Row]:
        rows: dict[tuple, Row] = {}
        for entry in self._documents(folder + "plan/"):
            rows[_position(entry)] = _planned(entry)
        for entry in self._documents(folder + "journal/"):
            if "resourceName" in entry and "events" in entry:
                rows[_position(entry)] = _journalled(entry)
        for entry in sorted(self._documents(folder + "journal/holds/"), key=_moment_of_hold):
            if _position(entry) in rows:
                _held(rows[_position(entry)], entry)
        files = [one.get("file") for one in loaded.get("files") or [loaded.get("file") or {}]]
        order = {name: number for number, name in enumerate(files)}
        return sorted(rows.values(),
                      key=lambda row: (order.get(row.file, 999), row.file, row.layer, row.index))

    def _documents(self, prefix: str) -> list[dict]:
        """All JSON objects directly below a prefix; only changed ones are read again."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket(), Prefix=prefix, Delimiter="/")
        return [self._document(one) for page in pages for one in page.get("Contents", [])]

    def _document(self, listed: dict) -> dict:
        key, tag = listed["Key"], listed["ETag"]
        if self._objects.get(key, ("",))[0] != tag:
            body = self._s3.get_object(Bucket=self.bucket(), Key=key)["Body"].read()
            try:
                document = json.loads(body)
            except ValueError:
                document = {}
            self._objects[key] = (tag, document if isinstance(document, dict) else {})
        return self._objects[key][1]

    def bucket(self) -> str:
        """The bucket of the executing Region, as its functions know it."""
        if self._bucket is None:
            answer = self._lambda.get_function_configuration(
                FunctionName="aws-dr-orchestrator-manifest-loader")
            self._bucket = answer["Environment"]["Variables"]["TEMPLATE_STORE_BUCKET"]
        return self._bucket


UNREACHABLE = (BotoCoreError, ClientError)


def _position(entry: dict) -> tuple:
    return entry.get("file"), entry.get("layer"), entry.get("index")


def _row(entry: dict) -> Row:
    return Row(app=entry.get("app") or "-", file=entry.get("file") or "-",
               layer=entry.get("layer") or 0, index=entry.get("index") or 0,
               type=entry.get("resourceType") or "?", name=entry.get("resourceName") or "?")


def _planned(entry: dict) -> Row:
    row = _row(entry)
    row.text = "planned: " + (entry.get("summary") or entry.get("message") or "")
    if entry.get("status") == "FAILED":
        row.state = "BLOCKED"
        row.problem = _problem(entry)
    return row


def _journalled(entry: dict) -> Row:
    row = _row(entry)
    events = entry.get("events") or [{}]
    last = events[-1]
    row.text = entry.get("summary") or last.get("text") or ""
    row.started = moment(entry.get("startedAt"))
    row.since = moment(last.get("at")) or row.started
    row.until = moment(entry.get("endedAt"))
    row.changed = bool(entry.get("changed"))
    status = entry.get("status")
    if status in ("DONE", "FAILED"):
        row.state = status
        row.problem = _problem(entry) if status == "FAILED" else None
        if status == "DONE" and not row.changed:
            row.text = "already done: " + row.text
    else:
        row.state = {"started": "LOOKING", "change": "CHANGING"}.get(last.get("event"), "WAITING")
        row.text = last.get("text") or row.text
    return row


def _moment_of_hold(entry: dict) -> tuple:
    """In the order of time; an answer comes after its question."""
    return entry.get("at") or "", entry.get("event") != "asked"


def _held(row: Row, entry: dict) -> None:
    """A failed resource that waits for a person, or that a person has decided on."""
    if row.state not in ("FAILED", "HELD", "SKIPPED"):
        return
    if entry.get("event") == "asked":
        row.state, row.since, row.until = "HELD", moment(entry.get("at")), None
        row.text = f"{entry.get('title')} Somebody must decide until {entry.get('expiresAt')}. {row.problem}"
    elif entry.get("decision") == "SKIP":
        row.state, row.until = "SKIPPED", moment(entry.get("at"))
        row.text = f"skipped by {entry.get('approver')}: {entry.get('reason')}"
    elif entry.get("event") == "decided":
        row.state, row.until = "FAILED", moment(entry.get("at"))


def _problem(entry: dict) -> str:
    parts = [entry.get("errorType"), entry.get("message"), entry.get("nextStep")]
    return " ".join(part for part in parts if part)


def moment(text: str | None) -> datetime | None:
    """An RFC 3339 text as a time."""
    if not text:
        return None
    value = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return value if value.tzinfo else value.replace(tzinfo=timezone.utc)
