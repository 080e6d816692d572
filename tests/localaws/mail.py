"""E-mail subscriptions of SNS: they wait for confirmation, and then get every message as a mail."""

import datetime
import json
import re
import uuid
from html import escape
from urllib.parse import parse_qs, quote

from moto.sns.exceptions import InvalidParameterValue
from moto.sns.models import SNSBackend, Subscription, Topic, sns_backends
from moto.sns.responses import SNSResponse

import localaws
from localaws import mail_lambda, state

PROTOCOLS = ("email", "email-json")
MAX_MESSAGE = 262_144
DEFAULT_SUBJECT = "AWS Notification Message"
CONFIRM_SUBJECT = "AWS Notification - Subscription Confirmation"

_mails: list[dict] = []
_lock = state.lock()


def record(to: str, topic: str, subject: str, body: str) -> None:
    """Writes down one mail that SNS would have sent."""
    with _lock:
        now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds")
        _mails.append({"n": len(_mails) + 1, "to": to, "topic": topic, "subject": subject,
                       "body": body, "time": now.replace("+00:00", "Z")})


def listing(topic: str | None = None) -> list[dict]:
    """All mails, or those of one topic."""
    with _lock:
        return [dict(mail) for mail in _mails if topic in (None, mail["topic"])]


def confirmation_link(subscription: Subscription) -> str:
    """The link that confirms a subscription, as an API call without a signature."""
    return (f"{localaws.endpoint()}/?Action=ConfirmSubscription"
            f"&TopicArn={quote(subscription.topic.arn, safe='')}&Token={subscription.token}")


def is_confirmation(environ: dict) -> bool:
    """Whether an unsigned request is somebody's click on a confirmation link."""
    query = parse_qs(environ.get("QUERY_STRING", ""))
    return environ.get("PATH_INFO") == "/" and query.get("Action") == ["ConfirmSubscription"]


def confirm(environ: dict) -> tuple[int, list[tuple[str, str]], bytes]:
    """Confirms the subscription of a link, and shows a page that says so."""
    query = parse_qs(environ.get("QUERY_STRING", ""))
    arn, token = query.get("TopicArn", [""])[0], query.get("Token", [""])[0]
    subscription = _find(arn, token)
    if subscription is None:
        return _page(400, "Invalid token")
    _set_confirmed(subscription)
    return _page(200, f"Subscription confirmed! Your subscription's id is: {subscription.arn}")


def _page(status: int, text: str) -> tuple[int, list[tuple[str, str]], bytes]:
    body = f"<html><body><p>{escape(text)}</p></body></html>".encode()
    return status, [("Content-Type", "text/html"), ("Content-Length", str(len(body)))], body


def _find(topic_arn: str, token: str) -> Subscription | None:
    parts = topic_arn.split(":")
    if len(parts) != 6 or not token:
        return None
    for subscription in sns_backends[parts[4]][parts[3]].subscriptions.values():
        if subscription.topic.arn == topic_arn and getattr(subscription, "token", None) == token:
            return subscription
    return None


def _set_confirmed(subscription: Subscription) -> None:
    subscription.confirmed = True
    subscription.attributes["PendingConfirmation"] = "false"


def is_pending(subscription: Subscription) -> bool:
    """Whether nobody has confirmed this e-mail subscription yet."""
    return subscription.protocol in PROTOCOLS and not subscription.confirmed


def check_message(message: str, subject: str | None) -> None:
    """Refuses what SNS refuses."""
    if not message:
        raise InvalidParameterValue("Invalid parameter: Empty message")
    if len(message.encode()) > MAX_MESSAGE:
        raise InvalidParameterValue("Invalid parameter: Message too long")
    if subject is None:
        return
    if not 0 < len(subject) < 100 or not re.fullmatch(r"[\x21-\x7e][\x20-\x7e]*", subject):
        raise InvalidParameterValue("Invalid parameter: Subject")


def install() -> None:
    """Teaches moto's SNS what e-mail subscriptions are."""
    _repair_subscribe()
    _repair_publish()
    _repair_responses()
    mail_lambda.install()
    _repair_counts()


def _repair_subscribe() -> None:
    original = SNSBackend.subscribe

    def subscribe(self, topic_arn, endpoint, protocol):
        if protocol in PROTOCOLS and not re.fullmatch(r"[^@\s]+@[^@\s]+", endpoint or ""):
            raise InvalidParameterValue("Invalid parameter: Email address")
        subscription = original(self, topic_arn, endpoint, protocol)
        if is_pending(subscription):
            _await_confirmation(subscription)
        return subscription

    # moto 5.2.5 takes every subscription as confirmed.
    SNSBackend.subscribe = subscribe


def _await_confirmation(subscription: Subscription) -> None:
    """A pending subscription gets a mail, and again one each time somebody subscribes it."""
    subscription.token = getattr(subscription, "token", None) or uuid.uuid4().hex * 4
    subscription.attributes |= {"PendingConfirmation": "true",
                                "ConfirmationWasAuthenticated": "false"}
    record(subscription.endpoint, subscription.topic.arn, CONFIRM_SUBJECT,
           "You have chosen to subscribe to the topic:\n"
           f"{subscription.topic.arn}\n\n"
           "To confirm this subscription, click or visit the link below (If this was in error no "
           f"action is necessary):\n{confirmation_link(subscription)}\n")


def _repair_publish() -> None:
    original = Subscription.publish
    original_publish = SNSBackend.publish

    def publish(self, message, message_id, subject=None, message_attributes=None, group_id=None,
                deduplication_id=None, message_structure=None):
        if self.protocol not in PROTOCOLS:
            return original(self, message, message_id, subject, message_attributes, group_id,
                            deduplication_id, message_structure)
        matcher = self._filter_policy_matcher
        if self.confirmed and (matcher is None or matcher.matches(message_attributes, message)):
            if message_structure == "json":
                message = self._parse_message_structure(message, self.protocol)
            _send(self, message, message_id, subject)
        return None

    def backend_publish(self, message, arn, phone_number=None, subject=None, **more):
        # moto 5.2.5 counts characters, not bytes, and takes any subject of up to 100 characters.
        check_message(message, subject)
        return original_publish(self, message, arn, phone_number, subject, **more)

    Subscription.publish = publish
    SNSBackend.publish = backend_publish


def _send(subscription: Subscription, message: str, message_id: str, subject: str | None) -> None:
    topic = subscription.topic.arn
    if subscription.protocol == "email-json":
        document = {"Type": "Notification", "MessageId": message_id, "TopicArn": topic,
                    "Subject": subject, "Message": message}
        message = json.dumps({key: one for key, one in document.items() if one is not None})
    record(subscription.endpoint, topic, subject or DEFAULT_SUBJECT, message)


def _repair_responses() -> None:
    original_subscribe = SNSResponse.subscribe

    def subscribe(self):
        result = original_subscribe(self)
        arn = result.result["SubscriptionArn"]
        subscription = self.backend.subscriptions[arn]
        if is_pending(subscription) and not self._get_param("ReturnSubscriptionArn", False):
            result.result["SubscriptionArn"] = "pending confirmation"
        return result

    def confirm_subscription(self):
        # moto 5.2.5 answers a made-up ARN, whatever the token.
        from moto.core.responses import ActionResult

        subscription = _find(self._get_param("TopicArn"), self._get_param("Token"))
        if subscription is None:
            raise InvalidParameterValue("Invalid parameter: Token")
        _set_confirmed(subscription)
        return ActionResult({"SubscriptionArn": subscription.arn})

    def shown(original):
        def listed(self):
            result = original(self)
            subscriptions = result.result["Subscriptions"]
            result.result["Subscriptions"] = [_document(one) for one in subscriptions]
            return result
        return listed

    SNSResponse.subscribe = subscribe
    SNSResponse.confirm_subscription = confirm_subscription
    SNSResponse.list_subscriptions = shown(SNSResponse.list_subscriptions)
    SNSResponse.list_subscriptions_by_topic = shown(SNSResponse.list_subscriptions_by_topic)


def _count(pending: bool) -> property:
    def count(self) -> int:
        subscriptions = self.sns_backend._get_topic_subscriptions(self)
        return sum(is_pending(one) == pending for one in subscriptions)

    return property(count, lambda self, value: None)


def _repair_counts() -> None:
    # moto 5.2.5 always answers zero.
    Topic.subscriptions_pending = _count(True)
    Topic.subscriptions_confimed = _count(False)


def _document(subscription: Subscription) -> dict:
    """One entry of a list: the ARN of a pending subscription is not shown."""
    return {"SubscriptionArn": "PendingConfirmation" if is_pending(subscription)
            else subscription.arn, "Owner": subscription.owner, "Protocol": subscription.protocol,
            "Endpoint": subscription.endpoint, "TopicArn": subscription.topic.arn}
