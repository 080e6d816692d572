"""EventBridge: rules that really call their targets. Scheduled rules fire when they are told to.

moto 5.2.5 answers an error 500 for targets in Lambda, Step Functions and SNS, lets a disabled or
scheduled rule match every event, and asks nobody for permission.
"""

import json
import logging
import re
import threading
import uuid
from datetime import UTC, datetime
from fnmatch import fnmatchcase

import jsonpath_ng.ext

from localaws import DEFAULT_ACCOUNT

LOG = logging.getLogger(__name__)
_installed = False


def put(account: str, region: str, source: str, detail_type: str, detail: dict,
        resources: list[str]) -> None:
    """An AWS service's event on the default bus; matching rules deliver it in the background."""
    from moto.events.models import events_backends

    event = {"version": "0", "id": str(uuid.uuid4()), "detail-type": detail_type, "source": source,
             "account": account, "time": _time(None), "region": region, "resources": resources,
             "detail": detail}
    for rule in list(events_backends[account][region].describe_event_bus("default").rules.values()):
        rule.send_to_targets(event)


def fire(region: str, name: str) -> dict:
    """What the clock does on AWS: a scheduled rule calls its targets now, and its input is told."""
    from moto.events.models import events_backends

    rule = events_backends[DEFAULT_ACCOUNT][region].describe_event_bus("default").rules.get(name)
    if rule is None:
        raise ValueError(f"there is no rule {name} in {region}")
    if rule.state == "DISABLED" or not rule.scheduled_expression:
        raise ValueError(f"the rule {name} is disabled or has no schedule")
    event = {"version": "0", "id": str(uuid.uuid4()), "detail-type": "Scheduled Event",
             "source": "aws.events", "account": DEFAULT_ACCOUNT, "time": _time(None),
             "region": region, "resources": [rule.arn], "detail": {}}
    for target in rule.targets:
        threading.Thread(target=_deliver, args=(rule, target, event), daemon=True).start()
    return {"fired": [{"target": target["Arn"], "input": target_input(rule, target, event)}
                      for target in rule.targets]}


def _time(at) -> str:
    if isinstance(at, str):
        return at
    moment = datetime.fromtimestamp(at, tz=UTC) if at else datetime.now(tz=UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _send_to_targets(original):
    def send_to_targets(self, original_event, transform_input=True) -> None:
        if self.state == "DISABLED" or not self.event_pattern.get_pattern():
            return
        event = {key: value for key, value in original_event.items() if key != "ingestion-time"}
        event["time"] = _time(event.get("time"))
        if not self.event_pattern.matches_event(event):
            return
        for target in self.targets:
            if target["Arn"].split(":")[2] not in _TARGETS:
                original(self, original_event, transform_input)
                continue
            threading.Thread(target=_deliver, args=(self, target, event), daemon=True).start()
    return send_to_targets


def _deliver(rule, target: dict, event: dict) -> None:
    try:
        _TARGETS[target["Arn"].split(":")[2]](rule, target, target_input(rule, target, event))
    except Exception:
        # EventBridge reports failed deliveries as a metric only.
        LOG.exception("rule %s could not deliver to %s", rule.name, target["Arn"])


def target_input(rule, target: dict, event: dict) -> str:
    """What a target receives: a constant, a part of the event, a filled template, or the event."""
    if target.get("Input") is not None:
        return target["Input"]
    if target.get("InputPath"):
        return json.dumps(_select(target["InputPath"], event))
    if target.get("InputTransformer"):
        return _transform(rule, target["InputTransformer"], event)
    return json.dumps(event)


def _select(path: str, event: dict):
    found = jsonpath_ng.ext.parse(path).find(event)
    return found[0].value if found else None


def _transform(rule, transformer: dict, event: dict) -> str:
    values = {name: _select(path, event)
              for name, path in (transformer.get("InputPathsMap") or {}).items()}
    values |= {"aws.events.rule-arn": rule.arn, "aws.events.rule-name": rule.name,
               "aws.events.event.json": event, "aws.events.event": event,
               "aws.events.event.ingestion-time": _time(None)}
    template = transformer["InputTemplate"]

    def fill(found: re.Match) -> str:
        if found[1] not in values:
            return found[0]
        value = values[found[1]]
        before = re.sub(r"\\.", "", template[:found.start()])
        if before.count('"') % 2 == 0:
            return json.dumps(value)
        text = value if isinstance(value, str) else "" if value is None else json.dumps(value)
        return json.dumps(text)[1:-1]

    return re.sub(r"<([\w.-]+)>", fill, template)


def allowed(policy: dict, source_arn: str) -> bool:
    """Whether a resource policy lets EventBridge in, for this rule."""
    statements = policy.get("Statement", [])
    for statement in statements if isinstance(statements, list) else [statements]:
        principal = statement.get("Principal", {})
        services = principal if isinstance(principal, str) else principal.get("Service", [])
        services = services if isinstance(services, list) else [services]
        if statement.get("Effect") == "Allow" and {"events.amazonaws.com", "*"} & set(services):
            if all(_matches(operands, source_arn)
                   for operands in statement.get("Condition", {}).values()):
                return True
    return False


def _matches(operands: dict, source_arn: str) -> bool:
    values = {"aws:sourcearn": source_arn, "aws:sourceaccount": source_arn.split(":")[4]}
    for key, wanted in operands.items():
        wanted = wanted if isinstance(wanted, list) else [wanted]
        actual = values.get(key.lower(), "")
        if not any(fnmatchcase(actual, pattern) for pattern in wanted):
            return False
    return True


def _require(policy: dict, rule, action: str) -> None:
    if not allowed(policy, rule.arn):
        raise PermissionError(f"events.amazonaws.com may not {action} for rule {rule.arn}: the "
                              "target's resource policy does not allow it")


def _to_lambda(rule, target: dict, text: str) -> None:
    from localaws import lambda_runtime

    _, _, _, region, account, *_ = target["Arn"].split(":")
    function = lambda_runtime.find(target["Arn"], region, account)
    _require({"Statement": _statements(function)}, rule, "lambda:InvokeFunction")
    status, _, answer = lambda_runtime.invoke(target["Arn"], region, account, text.encode(),
                                              "Event")
    if status >= 400:
        raise RuntimeError(answer.decode())


def _statements(function) -> list[dict]:
    return json.loads(json.loads(function.policy.wire_format())["Policy"])["Statement"]


def _to_states(rule, target: dict, text: str) -> None:
    from localaws.stepfunctions_clients import client
    from localaws import identity

    region = target["Arn"].split(":")[3]
    keys = identity.role_credentials(target["RoleArn"], "events", region)
    client("stepfunctions", region, **keys).start_execution(
        stateMachineArn=target["Arn"], input=text)


def _to_sns(rule, target: dict, text: str) -> None:
    from moto.sns.models import sns_backends

    _, _, _, region, account, *_ = target["Arn"].split(":")
    backend = sns_backends[account][region]
    topic = backend.get_topic(target["Arn"])
    _require(json.loads(topic.policy), rule, "sns:Publish")
    backend.publish(text, arn=target["Arn"])


def _to_sqs(rule, target: dict, text: str) -> None:
    from moto.sqs.models import sqs_backends

    _, _, _, region, account, name = target["Arn"].split(":")
    backend = sqs_backends[account][region]
    _require(json.loads(backend.get_queue(name).policy or "{}"), rule, "sqs:SendMessage")
    group = (target.get("SqsParameters") or {}).get("MessageGroupId")
    backend.send_message(queue_name=name, message_body=text, group_id=group)


def _to_logs(rule, target: dict, text: str) -> None:
    from moto.logs.models import logs_backends

    _, _, _, region, account, _, name, *_ = target["Arn"].split(":")
    backend = logs_backends[account][region]
    policies = [json.loads(policy.policy_document) for policy in backend.resource_policies.values()]
    if not any(allowed(policy, rule.arn) for policy in policies):
        raise PermissionError(f"no CloudWatch Logs resource policy lets events into {name}")
    stream = str(uuid.uuid4())
    backend.create_log_stream(name, stream)
    backend.put_log_events(name, stream, [
        {"timestamp": int(datetime.now(tz=UTC).timestamp() * 1000), "message": text}])


_TARGETS = {"lambda": _to_lambda, "states": _to_states, "sns": _to_sns, "sqs": _to_sqs,
            "logs": _to_logs}


def install() -> None:
    """Replaces moto's delivery; a second call does nothing."""
    global _installed
    if _installed:
        return
    _installed = True
    from moto.events.models import Rule

    Rule.send_to_targets = _send_to_targets(Rule.send_to_targets)
