"""Resource types around the functions: IAM, SNS, SQS, SSM, S3 policies, CloudWatch."""

import json

from localaws.cloudformation_types import Resource, Type, register
from localaws.cloudformation_types_app import pick, tags_map


def _text(document) -> str:
    return document if isinstance(document, str) else json.dumps(document)


def _tags(p: dict) -> list[dict]:
    return [{"Key": key, "Value": str(value)} for key, value in tags_map(p).items()]


@register
class Role(Type):
    """moto 5.2.5 cannot update the path, boundary, session length or inline policies."""

    name = "AWS::IAM::Role"

    def create(self, r: Resource, p: dict) -> None:
        iam = r.client("iam")
        name = p.get("RoleName") or r.generated()
        settings = pick(p, "Path", "Description", "MaxSessionDuration", "PermissionsBoundary")
        trust = _text(p["AssumeRolePolicyDocument"])
        made = iam.create_role(RoleName=name, Tags=_tags(p), AssumeRolePolicyDocument=trust,
                               **settings)["Role"]
        r.physical_id = name
        r.attributes = {"Arn": made["Arn"], "RoleId": made["RoleId"]}
        self._policies(iam, r, p, {})

    def _policies(self, iam, r: Resource, p: dict, old: dict) -> None:
        wanted = {one["PolicyName"]: one["PolicyDocument"] for one in p.get("Policies", [])}
        for name in {one["PolicyName"] for one in old.get("Policies", [])} - wanted.keys():
            iam.delete_role_policy(RoleName=r.physical_id, PolicyName=name)
        for name, document in wanted.items():
            iam.put_role_policy(RoleName=r.physical_id, PolicyName=name,
                                PolicyDocument=_text(document))
        managed, before = set(p.get("ManagedPolicyArns", [])), set(old.get("ManagedPolicyArns", []))
        for arn in before - managed:
            iam.detach_role_policy(RoleName=r.physical_id, PolicyArn=arn)
        for arn in managed - before:
            iam.attach_role_policy(RoleName=r.physical_id, PolicyArn=arn)

    def update(self, r: Resource, p: dict, old: dict) -> None:
        iam = r.client("iam")
        iam.update_assume_role_policy(RoleName=r.physical_id,
                                      PolicyDocument=_text(p["AssumeRolePolicyDocument"]))
        iam.update_role(RoleName=r.physical_id, Description=p.get("Description", ""),
                        MaxSessionDuration=p.get("MaxSessionDuration", 3600))
        self._policies(iam, r, p, old)

    def delete(self, r: Resource) -> None:
        iam = r.client("iam")
        for policy in iam.list_attached_role_policies(RoleName=r.physical_id)["AttachedPolicies"]:
            iam.detach_role_policy(RoleName=r.physical_id, PolicyArn=policy["PolicyArn"])
        for name in iam.list_role_policies(RoleName=r.physical_id)["PolicyNames"]:
            iam.delete_role_policy(RoleName=r.physical_id, PolicyName=name)
        iam.delete_role(RoleName=r.physical_id)


@register
class Policy(Type):
    """An inline policy of roles, users and groups."""

    name = "AWS::IAM::Policy"
    HOLDERS = (("Roles", "role", "RoleName"), ("Users", "user", "UserName"),
               ("Groups", "group", "GroupName"))

    def create(self, r: Resource, p: dict) -> None:
        r.physical_id = p["PolicyName"]
        self.update(r, p, {})

    def update(self, r: Resource, p: dict, old: dict) -> None:
        iam = r.client("iam")
        for field, verb, key in self.HOLDERS:
            for gone in set(old.get(field, [])) - set(p.get(field, [])):
                getattr(iam, f"delete_{verb}_policy")(**{key: gone}, PolicyName=r.physical_id)
            for holder in p.get(field, []):
                getattr(iam, f"put_{verb}_policy")(
                    **{key: holder}, PolicyName=p["PolicyName"],
                    PolicyDocument=_text(p["PolicyDocument"]))
        r.physical_id = p["PolicyName"]

    def delete(self, r: Resource) -> None:
        self.update(r, {"PolicyName": r.physical_id, "PolicyDocument": {}}, r.properties)


@register
class ManagedPolicy(Type):
    """A customer managed policy and who holds it."""

    name = "AWS::IAM::ManagedPolicy"

    def create(self, r: Resource, p: dict) -> None:
        iam = r.client("iam")
        name = p.get("ManagedPolicyName") or r.generated(128)
        made = iam.create_policy(PolicyName=name, PolicyDocument=_text(p["PolicyDocument"]),
                                 **pick(p, "Path", "Description"))["Policy"]
        r.physical_id = made["Arn"]
        r.attributes = {"PolicyArn": made["Arn"], "PolicyId": made["PolicyId"]}
        self._holders(iam, r, p, {})

    def _holders(self, iam, r: Resource, p: dict, old: dict) -> None:
        for field, verb, key in Policy.HOLDERS:
            for gone in set(old.get(field, [])) - set(p.get(field, [])):
                getattr(iam, f"detach_{verb}_policy")(**{key: gone}, PolicyArn=r.physical_id)
            for holder in set(p.get(field, [])) - set(old.get(field, [])):
                getattr(iam, f"attach_{verb}_policy")(**{key: holder}, PolicyArn=r.physical_id)

    def update(self, r: Resource, p: dict, old: dict) -> None:
        iam = r.client("iam")
        if p["PolicyDocument"] != old["PolicyDocument"]:
            versions = iam.list_policy_versions(PolicyArn=r.physical_id)["Versions"]
            if len(versions) >= 5:
                oldest = [one for one in versions if not one["IsDefaultVersion"]][-1]
                iam.delete_policy_version(PolicyArn=r.physical_id, VersionId=oldest["VersionId"])
            iam.create_policy_version(PolicyArn=r.physical_id, SetAsDefault=True,
                                      PolicyDocument=_text(p["PolicyDocument"]))
        self._holders(iam, r, p, old)

    def delete(self, r: Resource) -> None:
        iam = r.client("iam")
        self._holders(iam, r, {}, r.properties)
        for version in iam.list_policy_versions(PolicyArn=r.physical_id)["Versions"]:
            if not version["IsDefaultVersion"]:
                iam.delete_policy_version(PolicyArn=r.physical_id, VersionId=version["VersionId"])
        iam.delete_policy(PolicyArn=r.physical_id)


@register
class Topic(Type):
    """moto 5.2.5 ignores most attributes of a topic."""

    name = "AWS::SNS::Topic"
    ATTRIBUTES = ("DisplayName", "KmsMasterKeyId", "TracingConfig", "SignatureVersion")

    def create(self, r: Resource, p: dict) -> None:
        sns = r.client("sns")
        fifo = p.get("FifoTopic")
        name = p.get("TopicName") or r.generated(240) + (".fifo" if fifo else "")
        attributes = {"FifoTopic": "true"} if fifo else {}
        made = sns.create_topic(Name=name, Attributes=attributes, Tags=_tags(p))
        r.physical_id = made["TopicArn"]
        r.attributes = {"TopicArn": r.physical_id, "TopicName": name}
        self.update(r, p, {})

    def update(self, r: Resource, p: dict, old: dict) -> None:
        sns = r.client("sns")
        for name in self.ATTRIBUTES:
            if p.get(name) != old.get(name):
                sns.set_topic_attributes(TopicArn=r.physical_id, AttributeName=name,
                                         AttributeValue=str(p.get(name, "")))
        before = [(one["Protocol"], one["Endpoint"]) for one in old.get("Subscription", [])]
        for one in p.get("Subscription", []):
            if (one["Protocol"], one["Endpoint"]) not in before:
                sns.subscribe(TopicArn=r.physical_id, **pick(one, "Protocol", "Endpoint"))

    def delete(self, r: Resource) -> None:
        sns = r.client("sns")
        found = sns.list_subscriptions_by_topic(TopicArn=r.physical_id)["Subscriptions"]
        for one in found:
            if one["SubscriptionArn"].startswith("arn:"):
                sns.unsubscribe(SubscriptionArn=one["SubscriptionArn"])
        sns.delete_topic(TopicArn=r.physical_id)


@register
class Subscription(Type):
    """moto 5.2.5 skips subscriptions in silence."""

    name = "AWS::SNS::Subscription"
    ATTRIBUTES = ("FilterPolicy", "FilterPolicyScope", "RawMessageDelivery", "RedrivePolicy",
                  "DeliveryPolicy", "SubscriptionRoleArn")

    def _attributes(self, p: dict) -> dict:
        return {name: str(value).lower() if isinstance(value, bool) else _text(value)
                for name, value in pick(p, *self.ATTRIBUTES).items()}

    def create(self, r: Resource, p: dict) -> None:
        made = r.client("sns", p.get("Region")).subscribe(
            TopicArn=p["TopicArn"], Protocol=p["Protocol"], Endpoint=p["Endpoint"],
            ReturnSubscriptionArn=True, Attributes=self._attributes(p))
        r.physical_id = made["SubscriptionArn"]
        r.attributes = {"Arn": r.physical_id}

    def update(self, r: Resource, p: dict, old: dict) -> None:
        for name, value in self._attributes(p).items():
            r.client("sns", p.get("Region")).set_subscription_attributes(
                SubscriptionArn=r.physical_id, AttributeName=name, AttributeValue=value)

    def delete(self, r: Resource) -> None:
        r.client("sns", r.properties.get("Region")).unsubscribe(SubscriptionArn=r.physical_id)


@register
class TopicPolicy(Type):
    """The resource policy of topics."""

    name = "AWS::SNS::TopicPolicy"

    def create(self, r: Resource, p: dict) -> None:
        r.physical_id = r.generated(100)
        r.attributes = {"Id": r.physical_id}
        self.update(r, p, {})

    def update(self, r: Resource, p: dict, old: dict) -> None:
        for topic in p["Topics"]:
            r.client("sns").set_topic_attributes(TopicArn=topic, AttributeName="Policy",
                                                 AttributeValue=_text(p["PolicyDocument"]))

    def delete(self, r: Resource) -> None:
        """AWS leaves a default policy behind; the topic usually goes too."""


@register
class Queue(Type):
    """A queue."""

    name = "AWS::SQS::Queue"
    TEXTS = ("DelaySeconds", "MaximumMessageSize", "MessageRetentionPeriod", "VisibilityTimeout",
             "ReceiveMessageWaitTimeSeconds", "KmsMasterKeyId", "SqsManagedSseEnabled",
             "FifoQueue", "ContentBasedDeduplication", "RedrivePolicy", "RedriveAllowPolicy",
             "KmsDataKeyReusePeriodSeconds")

    def _attributes(self, p: dict) -> dict:
        return {name: _text(value).lower() if isinstance(value, bool) else
                json.dumps(value) if isinstance(value, dict) else str(value)
                for name, value in pick(p, *self.TEXTS).items()}

    def create(self, r: Resource, p: dict) -> None:
        sqs = r.client("sqs")
        name = p.get("QueueName") or r.generated(75) + (".fifo" if p.get("FifoQueue") else "")
        r.physical_id = sqs.create_queue(QueueName=name, Attributes=self._attributes(p),
                                         tags=tags_map(p))["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=r.physical_id, AttributeNames=["QueueArn"])
        r.attributes = {"Arn": arn["Attributes"]["QueueArn"], "QueueName": name,
                        "QueueUrl": r.physical_id}

    def update(self, r: Resource, p: dict, old: dict) -> None:
        r.client("sqs").set_queue_attributes(QueueUrl=r.physical_id, Attributes=self._attributes(p))

    def delete(self, r: Resource) -> None:
        r.client("sqs").delete_queue(QueueUrl=r.physical_id)


@register
class QueuePolicy(Type):
    """The resource policy of queues."""

    name = "AWS::SQS::QueuePolicy"

    def create(self, r: Resource, p: dict) -> None:
        r.physical_id = r.generated(100)
        r.attributes = {"Id": r.physical_id}
        self.update(r, p, {})

    def update(self, r: Resource, p: dict, old: dict) -> None:
        for url in p["Queues"]:
            r.client("sqs").set_queue_attributes(
                QueueUrl=url, Attributes={"Policy": _text(p["PolicyDocument"])})

    def delete(self, r: Resource) -> None:
        for url in r.properties["Queues"]:
            r.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": ""})


@register
class Parameter(Type):
    """A Parameter Store value."""

    name = "AWS::SSM::Parameter"

    def create(self, r: Resource, p: dict) -> None:
        r.physical_id = p.get("Name") or f"CFN-{r.generated(100)}"
        self._put(r, p, Overwrite=False, Tags=[
            {"Key": key, "Value": str(value)} for key, value in (p.get("Tags") or {}).items()])
        r.attributes = {"Type": p["Type"], "Value": p["Value"]}

    def _put(self, r: Resource, p: dict, **more) -> None:
        names = ("Type", "Value", "Description", "AllowedPattern", "Tier", "Policies", "DataType")
        r.client("ssm").put_parameter(Name=r.physical_id, **pick(p, *names), **more)

    def update(self, r: Resource, p: dict, old: dict) -> None:
        self._put(r, p, Overwrite=True)
        r.attributes = {"Type": p["Type"], "Value": p["Value"]}

    def delete(self, r: Resource) -> None:
        r.client("ssm").delete_parameter(Name=r.physical_id)


@register
class BucketPolicy(Type):
    """The resource policy of a bucket."""

    name = "AWS::S3::BucketPolicy"

    def create(self, r: Resource, p: dict) -> None:
        r.physical_id = p["Bucket"]
        self.update(r, p, {})

    def update(self, r: Resource, p: dict, old: dict) -> None:
        r.client("s3").put_bucket_policy(Bucket=p["Bucket"], Policy=_text(p["PolicyDocument"]))

    def delete(self, r: Resource) -> None:
        r.client("s3").delete_bucket_policy(Bucket=r.properties["Bucket"])


@register
class Alarm(Type):
    """moto 5.2.5 skips alarms in silence."""

    name = "AWS::CloudWatch::Alarm"

    def create(self, r: Resource, p: dict) -> None:
        r.physical_id = p.get("AlarmName") or r.generated(255)
        self.update(r, p, {})
        r.attributes = {"Arn": f"arn:{r.stack.partition}:cloudwatch:{r.stack.region}:"
                               f"{r.stack.account}:alarm:{r.physical_id}"}

    def update(self, r: Resource, p: dict, old: dict) -> None:
        settings = {name: value for name, value in p.items() if name not in ("AlarmName", "Tags")}
        r.client("cloudwatch").put_metric_alarm(AlarmName=r.physical_id, **settings)

    def delete(self, r: Resource) -> None:
        r.client("cloudwatch").delete_alarms(AlarmNames=[r.physical_id])


@register
class Dashboard(Type):
    """A dashboard."""

    name = "AWS::CloudWatch::Dashboard"

    def create(self, r: Resource, p: dict) -> None:
        r.physical_id = p.get("DashboardName") or r.generated(255)
        self.update(r, p, {})

    def update(self, r: Resource, p: dict, old: dict) -> None:
        json.loads(p["DashboardBody"])  # AWS refuses what is not JSON; moto keeps any text
        r.client("cloudwatch").put_dashboard(DashboardName=r.physical_id,
                                             DashboardBody=p["DashboardBody"])

    def delete(self, r: Resource) -> None:
        r.client("cloudwatch").delete_dashboards(DashboardNames=[r.physical_id])


@register
class VpcEndpoint(Type):
    """moto 5.2.5 fails without RouteTableIds, and ignores policy and groups."""

    name = "AWS::EC2::VPCEndpoint"

    def create(self, r: Resource, p: dict) -> None:
        names = ("VpcId", "ServiceName", "VpcEndpointType", "RouteTableIds", "SubnetIds",
                 "SecurityGroupIds", "PrivateDnsEnabled")
        settings = {"VpcEndpointType": "Gateway"} | pick(p, *names)
        if "PolicyDocument" in p:
            settings["PolicyDocument"] = _text(p["PolicyDocument"])
        made = r.client("ec2").create_vpc_endpoint(**settings)["VpcEndpoint"]
        r.physical_id = made["VpcEndpointId"]
        r.attributes = {"Id": r.physical_id, "DnsEntries": [
            f"{one['HostedZoneId']}:{one['DnsName']}" for one in made.get("DnsEntries", [])]}

    def delete(self, r: Resource) -> None:
        r.client("ec2").delete_vpc_endpoints(VpcEndpointIds=[r.physical_id])
