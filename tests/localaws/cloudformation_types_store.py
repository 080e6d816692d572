"""Resource types of the template store and of its neighbours: buckets, keys, metric filters.

moto 5.2.5 makes buckets and keys too, but leaves out most of their properties in silence. Here a
property that is not carried out fails the resource: a bucket must never only look protected.
"""

import json

from botocore.exceptions import ClientError

from localaws.cloudformation_types import Resource, ResourceFailed, Type, register
from localaws.cloudformation_types_app import pick
from localaws.cloudformation_types_base import _tags


def only(where: str, given: dict, *known: str) -> dict:
    """The properties, all of which must be known."""
    unknown = sorted(given.keys() - set(known))
    if unknown:
        raise ResourceFailed(f"{where}: the local AWS does not carry out {', '.join(unknown)}")
    return given


@register
class Bucket(Type):
    """A bucket with what protects it."""

    name = "AWS::S3::Bucket"
    OWNERSHIP = "BucketOwnerEnforced"

    def create(self, r: Resource, p: dict) -> None:
        s3, name = r.client("s3"), p.get("BucketName") or r.generated(63, lower=True)
        settings = _settings(p)
        where = {} if r.stack.region == "us-east-1" else {
            "CreateBucketConfiguration": {"LocationConstraint": r.stack.region}}
        try:
            s3.head_bucket(Bucket=name)
        except ClientError:
            s3.create_bucket(Bucket=name, ObjectOwnership=self.OWNERSHIP, **where)
        else:
            # In us-east-1 creating one's own bucket again succeeds; CloudFormation refuses it.
            raise ResourceFailed(f"{name} already exists")
        r.physical_id = name
        host = f"{name}.s3.amazonaws.com"
        r.attributes = {
            "Arn": f"arn:{r.stack.partition}:s3:::{name}", "DomainName": host,
            "RegionalDomainName": f"{name}.s3.{r.stack.region}.amazonaws.com"}
        self._put(s3, name, settings)

    def _put(self, s3, name: str, settings: dict) -> None:
        for call, arguments in settings.items():
            getattr(s3, call)(Bucket=name, **arguments)

    def update(self, r: Resource, p: dict, old: dict) -> None:
        s3, settings = r.client("s3"), _settings(p)
        for gone in _settings(old).keys() - settings.keys():
            if gone == "put_bucket_versioning":
                s3.put_bucket_versioning(Bucket=r.physical_id,
                                         VersioningConfiguration={"Status": "Suspended"})
            else:
                getattr(s3, DELETES[gone])(Bucket=r.physical_id)
        self._put(s3, r.physical_id, settings)

    def delete(self, r: Resource) -> None:
        # S3 refuses a bucket that holds anything, old versions included.
        s3 = r.client("s3")
        held = s3.list_object_versions(Bucket=r.physical_id)
        if held.get("Versions") or held.get("DeleteMarkers"):
            raise ResourceFailed("The bucket you tried to delete is not empty. You must delete all "
                                 "versions in the bucket.")
        s3.delete_bucket(Bucket=r.physical_id)


DELETES = {"put_bucket_encryption": "delete_bucket_encryption",
           "put_public_access_block": "delete_public_access_block",
           "put_bucket_ownership_controls": "delete_bucket_ownership_controls",
           "put_bucket_lifecycle_configuration": "delete_bucket_lifecycle",
           "put_bucket_tagging": "delete_bucket_tagging"}


def _settings(p: dict) -> dict[str, dict]:
    """The calls that carry out a bucket's properties."""
    only("AWS::S3::Bucket", p, "BucketName", "Tags", "VersioningConfiguration", "BucketEncryption",
         "PublicAccessBlockConfiguration", "OwnershipControls", "LifecycleConfiguration")
    calls = {}
    if "VersioningConfiguration" in p:
        calls["put_bucket_versioning"] = {"VersioningConfiguration": only(
            "VersioningConfiguration", p["VersioningConfiguration"], "Status")}
    if "BucketEncryption" in p:
        calls["put_bucket_encryption"] = {"ServerSideEncryptionConfiguration": {
            "Rules": [_encryption(rule) for rule in
                      p["BucketEncryption"]["ServerSideEncryptionConfiguration"]]}}
    if "PublicAccessBlockConfiguration" in p:
        calls["put_public_access_block"] = {"PublicAccessBlockConfiguration": only(
            "PublicAccessBlockConfiguration", p["PublicAccessBlockConfiguration"],
            "BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")}
    if "OwnershipControls" in p:
        calls["put_bucket_ownership_controls"] = {"OwnershipControls": only(
            "OwnershipControls", p["OwnershipControls"], "Rules")}
    if "LifecycleConfiguration" in p:
        calls["put_bucket_lifecycle_configuration"] = {"LifecycleConfiguration": {
            "Rules": [_lifecycle(rule) for rule in p["LifecycleConfiguration"]["Rules"]]}}
    if "Tags" in p:
        calls["put_bucket_tagging"] = {"Tagging": {"TagSet": _tags(p)}}
    return calls


def _encryption(rule: dict) -> dict:
    only("BucketEncryption", rule, "ServerSideEncryptionByDefault", "BucketKeyEnabled")
    default = only("ServerSideEncryptionByDefault", rule["ServerSideEncryptionByDefault"],
                   "SSEAlgorithm", "KMSMasterKeyID")
    if "KMSMasterKeyID" in default and default["SSEAlgorithm"] == "AES256":
        raise ResourceFailed("a KMSMasterKeyID is not applicable if the default sse algorithm is "
                             "not aws:kms or aws:kms:dsse")
    return {"ApplyServerSideEncryptionByDefault": default} | pick(rule, "BucketKeyEnabled")


def _lifecycle(rule: dict) -> dict:
    """A rule of the template as the API takes it: another place for two of its properties."""
    only("LifecycleConfiguration", rule, "Id", "Status", "Prefix", "ExpirationInDays",
         "ExpiredObjectDeleteMarker", "NoncurrentVersionExpiration",
         "AbortIncompleteMultipartUpload")
    made = pick(rule, "Status", "NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload",
                ID="Id") | {"Filter": {"Prefix": rule.get("Prefix", "")}}
    expiration = pick(rule, "ExpiredObjectDeleteMarker", Days="ExpirationInDays")
    if len(expiration) > 1:
        raise ResourceFailed("ExpiredObjectDeleteMarker cannot be specified with ExpirationInDays")
    return made | ({"Expiration": expiration} if expiration else {})


@register
class Key(Type):
    """A key; moto 5.2.5 ignores PendingWindowInDays and the change of most properties."""

    name = "AWS::KMS::Key"
    KNOWN = ("Description", "EnableKeyRotation", "KeyPolicy", "PendingWindowInDays", "Tags",
             "KeySpec", "KeyUsage", "MultiRegion")

    def create(self, r: Resource, p: dict) -> None:
        only(self.name, p, *self.KNOWN)
        kms = r.client("kms")
        made = kms.create_key(
            Policy=json.dumps(p["KeyPolicy"]) if "KeyPolicy" in p else "",
            Tags=[{"TagKey": tag["Key"], "TagValue": tag["Value"]} for tag in _tags(p)],
            **pick(p, "Description", "KeySpec", "KeyUsage", "MultiRegion"))["KeyMetadata"]
        r.physical_id = made["KeyId"]
        r.attributes = {"Arn": made["Arn"], "KeyId": made["KeyId"]}
        if p.get("EnableKeyRotation"):
            kms.enable_key_rotation(KeyId=r.physical_id)

    def update(self, r: Resource, p: dict, old: dict) -> None:
        only(self.name, p, *self.KNOWN)
        kms = r.client("kms")
        if p.get("KeyPolicy") != old.get("KeyPolicy"):
            kms.put_key_policy(KeyId=r.physical_id, PolicyName="default",
                               Policy=json.dumps(p["KeyPolicy"]))
        if p.get("Description") != old.get("Description"):
            kms.update_key_description(KeyId=r.physical_id, Description=p.get("Description", ""))
        rotation = "enable" if p.get("EnableKeyRotation") else "disable"
        getattr(kms, f"{rotation}_key_rotation")(KeyId=r.physical_id)

    def delete(self, r: Resource) -> None:
        window = pick(r.properties, "PendingWindowInDays")
        r.client("kms").schedule_key_deletion(KeyId=r.physical_id, **window)


@register
class MetricFilter(Type):
    """moto 5.2.5 skips metric filters in silence. They are kept, not applied to what is logged."""

    name = "AWS::Logs::MetricFilter"

    def create(self, r: Resource, p: dict) -> None:
        r.physical_id = p.get("FilterName") or r.generated(512)
        self.update(r, p, {})

    def update(self, r: Resource, p: dict, old: dict) -> None:
        only(self.name, p, "FilterName", "FilterPattern", "LogGroupName", "MetricTransformations")
        if any("Dimensions" in one and "DefaultValue" in one for one in p["MetricTransformations"]):
            raise ResourceFailed("Invalid metric transformation: dimensions and default value are "
                                 "mutually exclusive properties.")
        r.client("logs").put_metric_filter(
            filterName=r.physical_id, filterPattern=p["FilterPattern"],
            logGroupName=p["LogGroupName"],
            metricTransformations=[_transformation(one) for one in p["MetricTransformations"]])

    def delete(self, r: Resource) -> None:
        r.client("logs").delete_metric_filter(filterName=r.physical_id,
                                              logGroupName=r.properties["LogGroupName"])


def _transformation(given: dict) -> dict:
    only("MetricTransformations", given, "MetricName", "MetricNamespace", "MetricValue", "Unit",
         "DefaultValue", "Dimensions")
    made = pick(given, metricName="MetricName", metricNamespace="MetricNamespace",
                metricValue="MetricValue", unit="Unit", defaultValue="DefaultValue")
    if "Dimensions" in given:
        made["dimensions"] = {one["Key"]: one["Value"] for one in given["Dimensions"]}
    return made
