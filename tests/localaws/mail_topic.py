"""Topics of SNS: the counts of their subscriptions, and their life in CloudFormation stacks."""

from moto.core.utils import camelcase_to_underscores
from moto.sns.models import Topic


def install() -> None:
    """Applies the repairs."""
    _repair_counts()
    _repair_cloudformation()


def _count(pending: bool) -> property:
    def count(self) -> int:
        from localaws.mail import is_pending

        subscriptions = self.sns_backend._get_topic_subscriptions(self)
        return sum(is_pending(one) == pending for one in subscriptions)

    return property(count, lambda self, value: None)


def _repair_counts() -> None:
    # moto 5.2.5 always answers zero.
    Topic.subscriptions_pending = _count(True)
    Topic.subscriptions_confimed = _count(False)


def _repair_cloudformation() -> None:
    def get_cfn_attribute(self, attribute_name):
        return self.arn if attribute_name == "TopicArn" else original(self, attribute_name)

    def update(cls, original_resource, new_resource_name, cloudformation_json, account_id,
               region_name):
        properties = cloudformation_json["Properties"]
        named = properties.get("TopicName", original_resource.name)
        if named != original_resource.name:
            original_resource.delete(account_id, region_name)
            return cls.create_from_cloudformation_json(
                named, cloudformation_json, account_id, region_name)
        _set(original_resource, properties)
        return original_resource

    original = Topic.get_cfn_attribute
    # moto 5.2.5 knows no TopicArn, and an update deletes the topic with all its subscriptions.
    Topic.get_cfn_attribute = get_cfn_attribute
    Topic.has_cfn_attr = classmethod(lambda cls, attr: attr in ("TopicName", "TopicArn"))
    Topic.update_from_cloudformation_json = classmethod(update)


def _set(topic: Topic, properties: dict) -> None:
    for name in ("DisplayName", "KmsMasterKeyId", "DeliveryPolicy"):
        setattr(topic, camelcase_to_underscores(name), properties.get(name, ""))
    existing = topic.sns_backend._get_topic_subscriptions(topic)
    known = {(one.protocol, one.endpoint) for one in existing}
    for one in properties.get("Subscription", []):
        if (one["Protocol"], one["Endpoint"]) not in known:
            topic.sns_backend.subscribe(topic.arn, one["Endpoint"], one["Protocol"])
