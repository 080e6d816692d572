#!/usr/bin/env python3
"""A resource function with bugs: in PLAN it promotes a database, and leaves its answer undone.

`resourceName` chooses what it writes as its plan entry: nothing, or an UNKNOWN that waits for nothing.
"""
import json
import os
import urllib.error
import urllib.request

NEXT = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/invocation/"
ANSWER = {"status": "PLANNED", "changed": False, "changeClass": "create", "summary": "planted",
          "deadline": None, "waitSeconds": 0, "progress": None, "rpoSeconds": None,
          "expectedSeconds": 1, "creates": [], "dependsOn": [], "errorType": None, "message": None,
          "nextStep": None}


def call(service, method, path, body):
    scope = f"{os.environ['AWS_ACCESS_KEY_ID']}/20260101/{os.environ['AWS_REGION']}/{service}"
    headers = {"Authorization": f"AWS4-HMAC-SHA256 Credential={scope}/aws4_request, Signature=0",
               "Content-Type": "application/octet-stream" if method == "PUT"
               else "application/x-www-form-urlencoded"}
    url = os.environ["AWS_ENDPOINT_URL"] + path
    try:
        urllib.request.urlopen(urllib.request.Request(url, body, headers, method=method)).read()
    except urllib.error.HTTPError as error:
        # IAM stops the promotion: it was tried all the same.
        print(service, error, error.read(), flush=True)


def promote():
    form = "Action=PromoteReadReplica&Version=2014-10-31&DBInstanceIdentifier=orders-db-dr"
    call("rds", "POST", "/", form.encode())


def write(event):
    context = event["context"]
    bucket = f"dr-orchestrator-123456789012-{context['region']}"
    key = "{folder}plan/{file}-{layer}-{index}.json".format(**context)
    entry = {name: context[name] for name in ("app", "file", "layer", "index")}
    entry |= {name: event[name] for name in ("resourceType", "resourceName")}
    entry |= ANSWER | {"status": "UNKNOWN"}
    call("s3", "PUT", f"/{bucket}/{key}", json.dumps(entry).encode())


while True:
    with urllib.request.urlopen(NEXT + "next") as answer:
        name, event = answer.headers["Lambda-Runtime-Aws-Request-Id"], json.load(answer)
    promote()
    if event["resourceName"] == "Waits for nothing":
        write(event)
    body = json.dumps(ANSWER).encode()
    urllib.request.urlopen(urllib.request.Request(NEXT + name + "/response", body)).read()
