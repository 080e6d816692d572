"""What a server does once before its first copy, so that no copy has to: moto imports a service, loads
its data (AWS's own policies, machine images) and builds its routes when it is first asked; botocore reads
the model of a service for its first client.
"""

import gc
import json

from werkzeug.test import Client

from localaws import stepfunctions_clients

QUERIES = {"iam": "ListRoles", "sts": "GetCallerIdentity", "sns": "ListTopics", "ec2": "DescribeVpcs",
           "rds": "DescribeDBInstances", "cloudformation": "ListStacks", "monitoring": "ListDashboards"}
TARGETS = {"states": "AWSStepFunctions.ListStateMachines", "ssm": "AmazonSSM.DescribeParameters",
           "events": "AWSEvents.ListRules", "logs": "Logs_20140328.DescribeLogGroups",
           "sqs": "AmazonSQS.ListQueues"}
PATHS = {"s3": "/", "lambda": "/2015-03-31/functions/"}
# What the interpreter of state machines calls.
CLIENTS = ["lambda", "s3", "sns", "stepfunctions"]

_done: list[bool] = []


def once(moto_application) -> None:
    """Asks every service for something harmless, behind the call log; the first time only."""
    if _done:
        return
    _done.append(True)
    client = Client(moto_application)
    for service, action in QUERIES.items():
        client.post("/", data={"Action": action}, headers=_headers(service))
    for service, target in TARGETS.items():
        more = {"X-Amz-Target": target, "Content-Type": "application/x-amz-json-1.1"}
        client.post("/", data=json.dumps({}), headers=_headers(service) | more)
    for service, path in PATHS.items():
        client.get(path, headers=_headers(service))
    for service in CLIENTS:
        stepfunctions_clients.client(
            service, "us-east-1", aws_access_key_id="local", aws_secret_access_key="local")
    gc.collect()


def _headers(service: str) -> dict[str, str]:
    scope = f"local/20260101/us-east-1/{service}/aws4_request"
    return {"Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"}
