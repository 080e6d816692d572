"""SNS messages to Lambda functions: asynchronous invocations with the event of the real service."""

import datetime
import json
import uuid

from moto.sns.models import Subscription

from localaws import lambda_runtime


def install() -> None:
    """Replaces moto's delivery to functions."""
    original = Subscription.publish

    def publish(self, message, message_id, subject=None, message_attributes=None, group_id=None,
                deduplication_id=None, message_structure=None):
        if self.protocol != "lambda":
            return original(self, message, message_id, subject, message_attributes, group_id,
                            deduplication_id, message_structure)
        matcher = self._filter_policy_matcher
        if matcher is None or matcher.matches(message_attributes, message):
            if message_structure == "json":
                message = self._parse_message_structure(message, self.protocol)
            _deliver(self, message, message_id, subject, message_attributes)
        return None

    # moto 5.2.5 invokes synchronously, so that a failing function fails the publisher, with an
    # event that names neither topic nor subscription.
    Subscription.publish = publish


def _deliver(subscription: Subscription, message: str, message_id: str, subject: str | None,
             attributes: dict | None) -> None:
    region, account = subscription.endpoint.split(":")[3:5]
    if not _permitted(subscription, region, account):
        return
    record = {"EventSource": "aws:sns", "EventVersion": "1.0",
              "EventSubscriptionArn": subscription.arn,
              "Sns": _notification(subscription, message, message_id, subject, attributes)}
    lambda_runtime.invoke(subscription.endpoint, region, account,
                          json.dumps({"Records": [record]}).encode(), "Event")


def _permitted(subscription: Subscription, region: str, account: str) -> bool:
    """Without a permission for sns.amazonaws.com the message is lost, as on AWS."""
    try:
        fn = lambda_runtime.find(subscription.endpoint, region, account)
    except lambda_runtime.Refused:
        return False
    return any(statement.get("Principal") in ({"Service": "sns.amazonaws.com"}, "*")
               and statement.get("Action") in ("lambda:InvokeFunction", "lambda:*")
               for statement in fn.policy.statements)


def _notification(subscription: Subscription, message: str, message_id: str, subject: str | None,
                  attributes: dict | None) -> dict:
    now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds")
    return {"Type": "Notification", "MessageId": message_id or str(uuid.uuid4()),
            "TopicArn": subscription.topic.arn, "Subject": subject, "Message": message,
            "Timestamp": now.replace("+00:00", "Z"), "SignatureVersion": "1",
            "Signature": "none", "SigningCertUrl": "none", "UnsubscribeUrl": "none",
            "MessageAttributes": attributes or {}}
