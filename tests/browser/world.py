"""The local AWS with everything deployed, a copy of it for each test, and the runs that ask for approval."""

import json
import os
import re
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import boto3

REPO = Path(__file__).resolve().parents[2]
EAST, WEST, ACCOUNT = "us-east-1", "us-west-2", "123456789012"
FOLDER = "dr-orchestration-artifacts"
SAMPLE = "manifest-files/sampleproduct-app1-ACTIVATE.json"
MACHINE = f"arn:aws:states:{WEST}:{ACCOUNT}:stateMachine:aws-dr-orchestrator-stepfunction-product-orchestrator"
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class World:
    """One running local AWS."""

    def __init__(self, port: int):
        self.endpoint = f"http://127.0.0.1:{port}"

    def control(self, name: str, document: dict | None = None) -> dict:
        """One request of the control API: GET, or POST with a document."""
        body = None if document is None else json.dumps(document).encode()
        with OPENER.open(f"{self.endpoint}/_localaws/{name}", body, timeout=60) as answer:
            return json.load(answer)

    def copy(self) -> "World":
        return World(self.control("fork", {})["port"])

    def client(self, service: str):
        return boto3.client(service, region_name=WEST, endpoint_url=self.endpoint,
                            aws_access_key_id="local", aws_secret_access_key="local")

    def request(self, link: str, method: str, form: dict | None = None) -> int:
        """The status with which the page answers a program."""
        body = form and urllib.parse.urlencode(form).encode()
        try:
            with OPENER.open(urllib.request.Request(link, body, method=method), timeout=30) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code


class Run:
    """A product that moves the sample's orders database, which may lose data; it waits for its approval."""

    def __init__(self, world: World, product: str = "orders-shop", **approval):
        self.world, self.product = world, product
        self.arn = world.client("stepfunctions").start_execution(
            stateMachineArn=MACHINE,
            input=json.dumps({"productmanifestpath": self._upload(approval)}))["executionArn"]
        self.name = self.arn.rsplit(":", 1)[1]
        self.link = eventually(self._link, 60)
        self.typed = f"{product} {WEST}"

    def _upload(self, approval: dict) -> str:
        manifest = {
            "action": "ACTIVATE", "product_name": self.product, "region": WEST, "primary_region": EAST,
            "secondary_region": WEST, "unplanned": True, "rto_minutes": 30, "rpo_seconds": 300,
            "approval": {"timeout_minutes": 30} | approval,
            "product": [{"app_layer": 1, "apps": [{"name": "app1", "service_order_files": self._files()}]}]}
        return self.put(f"manifest-files/{self.product}.json", manifest)

    def _files(self) -> list[str]:
        """The application manifests that it runs."""
        return [f"{FOLDER}/{SAMPLE}"]

    def put(self, name: str, document) -> str:
        """Writes into the orchestrator's folder and gives the key."""
        key = f"{FOLDER}/{name}"
        self.world.client("s3").put_object(Bucket=self._bucket(), Key=key, Body=json.dumps(document))
        return key

    def get(self, key: str):
        return json.load(self.world.client("s3").get_object(Bucket=self._bucket(), Key=key)["Body"])

    def _bucket(self) -> str:
        return f"dr-orchestrator-{ACCOUNT}-{WEST}"

    def _link(self) -> str | None:
        """The mail's link, at this copy: the page was deployed on the port of the original."""
        return next(iter(self.links("")), None)

    def links(self, subject: str) -> list[str]:
        """The link of each mail about this run with these words in its subject, in their order."""
        mails = [m["body"] for m in self.world.control("mail")["mails"] if subject in m["subject"]]
        found = [re.search(r"https?://[^/]+(/\S+\?id=\w+)", body) for body in mails if self.name in body]
        return [self.world.endpoint + one[1] for one in found if one]

    def _key(self) -> str:
        return f"{FOLDER}/pending/{self.link.split('id=')[1]}.json"

    def pending(self) -> dict:
        """What waits for an answer, as the bucket holds it."""
        return self.get(self._key())

    def amend(self, **changed) -> None:
        """Writes it anew with something changed."""
        self.put(self._key().removeprefix(f"{FOLDER}/"), self.pending() | changed)

    def expire(self) -> None:
        """Its time is over: what otherwise takes a minute at least."""
        self.amend(expiresAt="2026-01-01T00:00:00Z")

    def status(self) -> str:
        return self.world.client("stepfunctions").describe_execution(executionArn=self.arn)["status"]

    def ended(self) -> str:
        return eventually(lambda: (s := self.status()) != "RUNNING" and s, 60)

    def waits(self) -> bool:
        """Whether nobody has answered it."""
        return self.status() == "RUNNING" and self.pending()["answer"] is None


def eventually(find, seconds: float):
    """The first true answer of `find`."""
    end = time.monotonic() + seconds
    while not (found := find()):
        assert time.monotonic() < end, f"nothing within {seconds} s"
        time.sleep(0.2)
    return found


def deployed() -> tuple[subprocess.Popen | None, World]:
    """The world of all tests; `DR_LOCALAWS_PORT` names one that is deployed already."""
    if given := os.environ.get("DR_LOCALAWS_PORT"):
        return None, World(int(given))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(["bash", str(REPO / "scripts/localaws.sh"), "--port", str(port), "--iam", "enforce",
                               "--until-stdin-closes"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    world = World(port)
    eventually(lambda: healthy(world), 120)
    world.control("timings", json.loads((REPO / "tests/timings.json").read_text()))
    subprocess.run(["bash", str(REPO / "scripts/localaws-deploy.sh"), "--port", str(port), "--zips",
                    os.environ["DR_DIST"]], stdin=subprocess.DEVNULL, check=True, timeout=600)
    # A copy can be taken only when nothing runs any more.
    time.sleep(2)
    return server, world


def healthy(world: World) -> bool:
    try:
        return bool(world.control("health"))
    except OSError:
        return False
