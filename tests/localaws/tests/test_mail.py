"""E-mail subscriptions wait for their confirmation; messages become mails."""

import re

import pytest
import requests
from botocore.exceptions import ClientError

TO = "approver@example.com"


@pytest.fixture
def topic(local):
    return local.client("sns").create_topic(Name="approvals")["TopicArn"]


def link_of(local, topic):
    mail = local.get("mail", topic=topic)["mails"][-1]
    assert mail["to"] == TO and "Confirmation" in mail["subject"]
    return re.search(r"http://\S+", mail["body"])[0]


def test_only_confirmed_addresses_get_mail(local, topic):
    sns = local.client("sns")
    answer = sns.subscribe(TopicArn=topic, Protocol="email", Endpoint=TO)
    assert answer["SubscriptionArn"] == "pending confirmation"
    listed = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert [one["SubscriptionArn"] for one in listed] == ["PendingConfirmation"]
    attributes = sns.get_topic_attributes(TopicArn=topic)["Attributes"]
    assert (attributes["SubscriptionsPending"], attributes["SubscriptionsConfirmed"]) == ("1", "0")
    sns.publish(TopicArn=topic, Message="lost", Subject="early")
    assert len(local.get("mail")["mails"]) == 1

    page = requests.get(link_of(local, topic))
    assert page.status_code == 200 and topic in page.text
    listed = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert listed[0]["SubscriptionArn"].startswith(topic + ":")
    sns.publish(TopicArn=topic, Message="please approve", Subject="DR")
    mail = local.get("mail", topic=topic)["mails"][-1]
    assert (mail["to"], mail["subject"], mail["body"]) == (TO, "DR", "please approve")
    attributes = sns.get_topic_attributes(TopicArn=topic)["Attributes"]
    assert (attributes["SubscriptionsPending"], attributes["SubscriptionsConfirmed"]) == ("0", "1")


def test_wrong_tokens_confirm_nothing(local, topic):
    local.client("sns").subscribe(TopicArn=topic, Protocol="email", Endpoint=TO)
    link = link_of(local, topic)
    assert requests.get(link[:-1] + "x").status_code == 400
    with pytest.raises(ClientError, match="Token"):
        local.client("sns").confirm_subscription(TopicArn=topic, Token="no")
    token = link.rsplit("Token=", 1)[1]
    arn = local.client("sns").confirm_subscription(TopicArn=topic, Token=token)["SubscriptionArn"]
    assert arn.startswith(topic)


@pytest.mark.parametrize("subject", ["x" * 100, "two\nlines", "Überfall", " space", ""])
def test_subjects_that_sns_refuses(local, topic, subject):
    with pytest.raises(ClientError, match="Invalid parameter: Subject"):
        local.client("sns").publish(TopicArn=topic, Message="m", Subject=subject)


def test_messages_are_limited_in_bytes(local, topic):
    sns = local.client("sns")
    sns.publish(TopicArn=topic, Message="x" * 262_144, Subject="x" * 99)
    with pytest.raises(ClientError, match="too long"):
        sns.publish(TopicArn=topic, Message="é" * 131_073)
    with pytest.raises(ClientError, match="Empty message"):
        sns.publish(TopicArn=topic, Message="")


def test_messages_reach_functions_that_permit_it(worker):
    arn = "arn:aws:lambda:us-east-1:123456789012:function:worker"
    sns = worker.client("sns")
    topic = sns.create_topic(Name="events")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=arn)
    sns.publish(TopicArn=topic, Message="not permitted")
    worker.client("lambda").add_permission(
        FunctionName="worker", StatementId="sns", Action="lambda:InvokeFunction",
        Principal="sns.amazonaws.com", SourceArn=topic)
    sns.publish(TopicArn=topic, Message="permitted")

    from running import eventually
    lines = eventually(lambda: worker.get("logs", function="worker")["lines"])
    assert len([line for line in lines if " START " in line]) == 1


def test_moto_still_confirms_by_itself():
    """When this fails, moto knows pending subscriptions, and the repair can go."""
    import boto3
    from moto import mock_aws

    with mock_aws():
        sns = boto3.client("sns", "us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
        topic = sns.create_topic(Name="t")["TopicArn"]
        arn = sns.subscribe(TopicArn=topic, Protocol="email", Endpoint=TO)["SubscriptionArn"]
        assert arn.startswith(topic)
