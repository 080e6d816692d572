"""Asynchronous invocations: two retries, then the dead-letter queue or on-failure destination."""

import json
import threading
import time
import traceback

from localaws import timings
from localaws.lambda_sandbox import Outcome

THROTTLED_ATTEMPTS = 120


def start(fn, payload: bytes) -> None:
    """Takes the event; the attempts go on in the background."""
    threading.Thread(target=_attempts, args=(fn, payload), daemon=True).start()


def _attempts(fn, payload: bytes) -> None:
    try:
        failed = _last_failure(fn, payload)
        if failed is not None:
            _deliver(fn, payload, failed)
    except Exception:  # a background thread: nobody else would hear of it
        traceback.print_exc()


def _last_failure(fn, payload: bytes) -> Outcome | None:
    """None after a success, else what the last allowed attempt said."""
    retries = _config(fn).get("MaximumRetryAttempts", 2)
    outcome = None
    for attempt in range(retries + 1):
        if attempt:
            time.sleep(timings.get("lambda.retry"))
        outcome = _once(fn, payload)
        if outcome.error is None:
            return None
    return outcome


def _once(fn, payload: bytes) -> Outcome:
    """One attempt; being throttled uses up none of the retries."""
    from localaws import lambda_runtime

    for _ in range(THROTTLED_ATTEMPTS):
        try:
            return lambda_runtime.run(fn, payload)
        except lambda_runtime.Refused as refused:
            last = Outcome(refused.body, refused.code)
            time.sleep(timings.get("lambda.retry"))
    return last


def _config(fn) -> dict:
    return fn.event_invoke_config[-1].response() if fn.event_invoke_config else {}


def _deliver(fn, payload: bytes, failed: Outcome) -> None:
    queue = (getattr(fn, "dead_letter_config", None) or {}).get("TargetArn")
    if queue:
        _send(queue, fn, payload.decode(), _attributes(failed))
    destination = _config(fn).get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
    if destination:
        _send(destination, fn, json.dumps(_record(fn, payload, failed)), {})


def _attributes(failed: Outcome) -> dict[str, str]:
    """What Lambda adds to the event in a dead-letter queue."""
    message = json.loads(failed.payload).get("errorMessage", "")
    return {"ErrorCode": "200", "ErrorMessage": message[:1000]}


def _record(fn, payload: bytes, failed: Outcome) -> dict:
    return {"version": "1.0",
            "requestContext": {"functionArn": fn.function_arn + ":$LATEST",
                               "condition": "RetriesExhausted"},
            "requestPayload": json.loads(payload),
            "responseContext": {"statusCode": 200, "functionError": failed.error},
            "responsePayload": json.loads(failed.payload)}


def _send(target: str, fn, body: str, attributes: dict[str, str]) -> None:
    """Sends with the function's own role, through the front door."""
    from localaws import identity, stepfunctions_clients

    service, region = target.split(":")[2:4]
    keys = identity.role_credentials(fn.role, fn.function_name, region)
    # Lambda tries again what is refused for a moment: botocore's own configuration.
    client = stepfunctions_clients.client(service, region, config=None, **keys)
    texts = {name: {"DataType": "String", "StringValue": value}
             for name, value in attributes.items() if value}
    if service == "sqs":
        name = target.split(":")[-1]
        url = client.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=target.split(":")[4])
        client.send_message(QueueUrl=url["QueueUrl"], MessageBody=body, MessageAttributes=texts)
    elif service == "sns":
        client.publish(TopicArn=target, Message=body, MessageAttributes=texts)
    else:
        client.invoke(FunctionName=target, Payload=body, InvocationType="Event")
