"""A real `python -m localaws` process for tests, a copy of it per test, and a small function."""

import io
import json
import os
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import boto3
import requests
from botocore.config import Config

TESTS = Path(__file__).resolve().parents[2]
ROLE = "arn:aws:iam::123456789012:role/dr-orchestrator/worker"
KEYS = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}

# Speaks the Runtime API; what it does with an event is the event's "do".
BOOTSTRAP = f"""#!{sys.executable}
import json, os, sys, time, urllib.request
BASE = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime"

def post(path, document):
    data = json.dumps(document).encode()
    urllib.request.urlopen(urllib.request.Request(BASE + path, data=data, method="POST")).read()

def aws(service, action, **arguments):
    import boto3
    from botocore.config import Config
    config = Config(retries={{"total_max_attempts": 1}}, read_timeout=5)
    return getattr(boto3.Session().client(service, config=config), action)(**arguments)

def work(event, context):
    do = event.get("do", "echo")
    if do == "exit":
        os._exit(event["code"])
    if do == "sleep":
        time.sleep(event["seconds"])
    if do == "print":
        print(event["text"], flush=True)
    if do == "big":
        return "x" * event["size"]
    if do == "environment":
        return dict(os.environ)
    if do == "call":
        keys = event.get("assume")
        if keys:
            answer = aws("sts", "assume_role", RoleArn=keys, RoleSessionName="dr")["Credentials"]
            os.environ.update(AWS_ACCESS_KEY_ID=answer["AccessKeyId"],
                              AWS_SECRET_ACCESS_KEY=answer["SecretAccessKey"],
                              AWS_SESSION_TOKEN=answer["SessionToken"])
        try:
            aws(event["service"], event["action"], **event.get("arguments", {{}}))
        except Exception as error:
            code = getattr(error, "response", {{}}).get("Error", {{}}).get("Code")
            return {{"error": code or type(error).__name__}}
        return {{"error": None}}
    return {{"event": event, "pid": os.getpid(), "context": context}}

if os.environ.get("FAIL_INIT"):
    post("/init/error", {{"errorType": "Config.Missing", "errorMessage": "no configuration"}})
    sys.exit(1)
while True:
    with urllib.request.urlopen(BASE + "/invocation/next") as answer:
        headers, event = dict(answer.headers), json.loads(answer.read())
    request_id = headers["Lambda-Runtime-Aws-Request-Id"]
    if isinstance(event, dict) and event.get("do") == "fail":
        post(f"/invocation/{{request_id}}/error", {{"errorType": "Dr.Test", "errorMessage": "no"}})
    else:
        event = event if isinstance(event, dict) else {{"value": event}}
        try:
            post(f"/invocation/{{request_id}}/response", work(event, headers))
        except urllib.error.HTTPError as error:
            if error.code != 413:
                raise
"""


def zipped(text: str = BOOTSTRAP, mode: int = 0o755) -> bytes:
    """A function's zip with one file, `bootstrap`."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        info = zipfile.ZipInfo("bootstrap")
        info.external_attr = mode << 16
        archive.writestr(info, text)
    return buffer.getvalue()


class Local:
    """One running server, seen from a test."""

    def __init__(self, port: int):
        self.port = port
        self.url = f"http://127.0.0.1:{port}"

    def client(self, service, region="us-east-1", **keys):
        config = Config(retries={"total_max_attempts": 1}, read_timeout=30)
        return boto3.client(service, region_name=region, endpoint_url=self.url, config=config,
                            **(keys or KEYS))

    def get(self, path, **query):
        return requests.get(f"{self.url}/_localaws/{path}", params=query, timeout=30).json()

    def post(self, path, **document):
        return requests.post(f"{self.url}/_localaws/{path}", json=document, timeout=30)

    def delete(self, path):
        return requests.delete(f"{self.url}/_localaws/{path}", timeout=30)

    def copy(self):
        return Local(self.post("fork").json()["port"])

    def function(self, name="worker", region="us-east-1", code=None, **settings):
        settings.setdefault("Timeout", 10)
        self.role()
        return self.client("lambda", region).create_function(
            FunctionName=name, Runtime="provided.al2023", Handler="bootstrap", Role=ROLE,
            Code={"ZipFile": code or zipped()}, **settings)["FunctionArn"]

    def role(self, name="worker", principal=None):
        iam = self.client("iam")
        trust = {"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Action": "sts:AssumeRole",
            "Principal": principal or {"Service": "lambda.amazonaws.com"}}]}
        try:
            iam.create_role(RoleName=name, Path="/dr-orchestrator/",
                            AssumeRolePolicyDocument=json.dumps(trust))
        except iam.exceptions.EntityAlreadyExistsException:
            pass

    def invoke(self, event, name="worker", region="us-east-1", **more):
        answer = self.client("lambda", region).invoke(
            FunctionName=name, Payload=json.dumps(event), **more)
        text = answer["Payload"].read()
        return answer.get("FunctionError"), json.loads(text) if text else None


def start() -> tuple[subprocess.Popen, Local]:
    """Starts a server process on a free port."""
    environment = os.environ | {"PYTHONPATH": str(TESTS)}
    process = subprocess.Popen([sys.executable, "-m", "localaws", "--port", "0"],
                               env=environment, stdout=subprocess.PIPE, text=True)
    first = process.stdout.readline()
    return process, Local(int(first.strip().rsplit(":", 1)[1]))


def eventually(check, seconds=10):
    """The first true answer of `check`."""
    end = time.monotonic() + seconds
    while True:
        answer = check()
        if answer or time.monotonic() > end:
            assert answer, "it did not happen in time"
            return answer
        time.sleep(0.05)
