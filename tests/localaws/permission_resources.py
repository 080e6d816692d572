"""What IAM checks for a call: the IAM action, and the ARNs of the resources it touches.

Names come from AWS's Service Authorization Reference. Calls of services that are not listed here
are checked against whatever ARN they carry, else against `*`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from moto.utilities.utils import get_partition

S3_ACTIONS = {
    "ListObjects": "ListBucket", "ListObjectsV2": "ListBucket", "HeadBucket": "ListBucket",
    "ListObjectVersions": "ListBucketVersions", "ListBuckets": "ListAllMyBuckets",
    "HeadObject": "GetObject", "CopyObject": "PutObject", "CreateMultipartUpload": "PutObject",
    "UploadPart": "PutObject", "CompleteMultipartUpload": "PutObject",
    "DeleteObjects": "DeleteObject", "GetBucketEncryption": "GetEncryptionConfiguration",
    "PutBucketEncryption": "PutEncryptionConfiguration",
}
# A parameter that names a resource -> the kind in the resource's ARN.
RDS_KINDS = {
    "DBInstanceIdentifier": "db", "SourceDBInstanceIdentifier": "db",
    "TargetDBInstanceIdentifier": "db", "DBSnapshotIdentifier": "snapshot",
    "FinalDBSnapshotIdentifier": "snapshot", "TargetDBSnapshotIdentifier": "snapshot",
    "SourceDBSnapshotIdentifier": "snapshot", "DBClusterIdentifier": "cluster",
    "DBSubnetGroupName": "subgrp", "DBParameterGroupName": "pg", "OptionGroupName": "og",
    "DBClusterParameterGroupName": "cluster-pg", "ResourceName": "db",
    "GlobalClusterIdentifier": "global-cluster", "SourceDBClusterIdentifier": "cluster",
    "TargetDbClusterIdentifier": "cluster", "DbClusterIdentifier": "cluster",
    "DBClusterSnapshotIdentifier": "cluster-snapshot",
    "TargetDBClusterSnapshotIdentifier": "cluster-snapshot",
    "SourceDBClusterSnapshotIdentifier": "cluster-snapshot",
}
RDS_LISTED = {"DescribeDBInstances": "db", "DescribeDBSnapshots": "snapshot",
              "DescribeDBClusters": "cluster", "DescribeDBSubnetGroups": "subgrp",
              "DescribeGlobalClusters": "global-cluster",
              "DescribeDBClusterSnapshots": "cluster-snapshot"}
ELASTICACHE_KINDS = {
    "GlobalReplicationGroupId": "globalreplicationgroup", "CacheSubnetGroupName": "subnetgroup",
    "CacheParameterGroupName": "parametergroup", "SnapshotName": "snapshot",
    "FinalSnapshotIdentifier": "snapshot", "CacheClusterId": "cluster",
}
ELASTICACHE_LISTED = {
    "DescribeReplicationGroups": "replicationgroup", "DescribeSnapshots": "snapshot",
    "DescribeGlobalReplicationGroups": "globalreplicationgroup",
    "DescribeCacheClusters": "cluster", "DescribeCacheSubnetGroups": "subnetgroup",
    "DescribeCacheParameterGroups": "parametergroup",
}
# A deletion -> the action that its final snapshot asks for.
SNAPSHOTS = {("rds", "DeleteDBInstance"): "rds:CreateDBSnapshot",
             ("rds", "DeleteDBCluster"): "rds:CreateDBClusterSnapshot",
             ("elasticache", "DeleteReplicationGroup"): "elasticache:CreateSnapshot"}
# Roles that a call hands on, and the service that will act with them.
PASSED = {"RoleARN": None, "RoleArn": None, "roleArn": None, "Role": None,
          "MonitoringRoleArn": "monitoring.rds.amazonaws.com",
          "SubscriptionRoleArn": "sns.amazonaws.com"}
WITHOUT_RESOURCE = {
    "states": ("SendTaskSuccess", "SendTaskFailure", "SendTaskHeartbeat", "ListStateMachines"),
    "cloudformation": ("ListExports", "ListImports", "ListStacks", "ValidateTemplate"),
    "cloudwatch": ("PutMetricData", "GetMetricData", "GetMetricStatistics", "ListMetrics",
                   "ListDashboards"),
    "ssm": ("DescribeParameters",), "lambda": ("ListFunctions",), "sns": ("ListTopics",),
}


@dataclass(frozen=True)
class Place:
    """Where a call goes: it completes names to ARNs."""

    region: str
    account: str

    def arn(self, service: str, resource: str, region: str | None = None) -> str:
        """An ARN of this account."""
        region = self.region if region is None else region
        return f"arn:{get_partition(self.region)}:{service}:{region}:{self.account}:{resource}"


def checks(service: str, action: str, parameters: Mapping[str, Any],
           place: Place) -> list[tuple[str, str]]:
    """(IAM action, resource ARN) pairs; the call is allowed when each of them is."""
    name = _iam_action(service, action)
    found = [(name, arn) for arn in _resources(service, action, parameters, place)]
    return found + _dependents(service, action, parameters, [arn for _, arn in found])


def passed_roles(service: str, parameters: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(role ARN, service that gets it) for each role that the call passes on."""
    return [(value, PASSED[key] or f"{service}.amazonaws.com")
            for key, value in parameters.items()
            if key in PASSED and ":role/" in str(value)]


def _iam_action(service: str, action: str) -> str:
    if service == "s3":
        return f"s3:{S3_ACTIONS.get(action, action)}"
    if (service, action) == ("lambda", "Invoke"):
        return "lambda:InvokeFunction"
    return f"{service}:{action}"


def _resources(service: str, action: str, p: Mapping[str, Any], place: Place) -> list[str]:
    if action in WITHOUT_RESOURCE.get(service, ()):
        return ["*"]
    finder = FINDERS.get(service)
    found = finder(action, p, place) if finder else []
    return found or [str(value) for value in p.values() if str(value).startswith("arn:")] or ["*"]


def _s3(action: str, p: Mapping[str, Any], place: Place) -> list[str]:
    if "Bucket" not in p:
        return ["*"]
    bucket = f"arn:{get_partition(place.region)}:s3:::{p['Bucket']}"
    return [f"{bucket}/{p['Key']}" if p.get("Key") else bucket]


def _lambda(action: str, p: Mapping[str, Any], place: Place) -> list[str]:
    name = str(p.get("FunctionName") or "")
    if name.startswith("arn:"):
        return [name]
    return [place.arn("lambda", f"function:{name}")] if name else []


def _states(action: str, p: Mapping[str, Any], place: Place) -> list[str]:
    if action == "CreateStateMachine":
        return [place.arn("states", f"stateMachine:{p.get('name')}")]
    return [str(p[key]) for key in ("executionArn", "stateMachineArn", "resourceArn") if key in p]


def _sns(action: str, p: Mapping[str, Any], place: Place) -> list[str]:
    if action == "CreateTopic":
        return [place.arn("sns", str(p.get("Name")))]
    return [str(p[key]) for key in ("TopicArn", "TargetArn", "ResourceArn") if key in p]


def _ssm(action: str, p: Mapping[str, Any], place: Place) -> list[str]:
    names = list(p.get("Names") or []) + [p[key] for key in ("Name", "Path") if key in p]
    return [name if name.startswith("arn:")
            else place.arn("ssm", f"parameter/{name.split(':')[0].lstrip('/')}") for name in names]


def _rds(action: str, p: Mapping[str, Any], place: Place) -> list[str]:
    kinds = dict(RDS_KINDS)
    if action == "DeleteDBCluster":
        kinds["FinalDBSnapshotIdentifier"] = "cluster-snapshot"
    named = [str(p[key]) if str(p[key]).startswith("arn:")
             else _rds_arn(place, kind, str(p[key]).lower())
             for key, kind in kinds.items() if p.get(key)]
    if named or action not in RDS_LISTED:
        return named
    return [_rds_arn(place, RDS_LISTED[action], "*")]


def _rds_arn(place: Place, kind: str, name: str) -> str:
    """A global cluster belongs to no Region."""
    return place.arn("rds", f"{kind}:{name}", "" if kind == "global-cluster" else None)


def _elasticache(action: str, p: Mapping[str, Any], place: Place) -> list[str]:
    """A global datastore's ARN has no Region; a replication group is named with its own."""
    where = p.get("PrimaryRegion") or p.get("ReplicationGroupRegion") or place.region
    groups = [str(p[key]).lower() for key in ("ReplicationGroupId", "PrimaryReplicationGroupId")
              if p.get(key)]
    named = [place.arn("elasticache", f"replicationgroup:{name}", where) for name in groups]
    named += [place.arn("elasticache", f"{kind}:{str(p[key]).lower()}",
                        "" if kind == "globalreplicationgroup" else None)
              for key, kind in ELASTICACHE_KINDS.items() if p.get(key)]
    if action == "CreateGlobalReplicationGroup":
        # The id is made by the call: a prefix and the suffix.
        suffix = p.get("GlobalReplicationGroupIdSuffix")
        named.append(place.arn("elasticache", f"globalreplicationgroup:*-{suffix}", ""))
    if named or action not in ELASTICACHE_LISTED:
        return named
    kind = ELASTICACHE_LISTED[action]
    return [place.arn("elasticache", f"{kind}:*", "" if kind.startswith("global") else None)]


def _dependents(service: str, action: str, p: Mapping[str, Any],
                arns: list[str]) -> list[tuple[str, str]]:
    """What RDS and ElastiCache ask for besides: tags on what is made (the first ARN), and a final
    snapshot of what is deleted."""
    more = []
    makes = service in ("rds", "elasticache") and action.startswith(("Create", "Copy"))
    if makes and p.get("Tags"):
        more += [(f"{service}:AddTagsToResource", arn) for arn in arns[:1]]
    if p.get("FinalDBSnapshotIdentifier") or p.get("FinalSnapshotIdentifier"):
        snapshot = SNAPSHOTS.get((service, action))
        more += [(snapshot, arn) for arn in arns if snapshot]
    return more


def _cloudformation(action: str, p: Mapping[str, Any], place: Place) -> list[str]:
    name = str(p.get("StackName") or p.get("ChangeSetName") or "")
    if name.startswith("arn:"):
        return [name]
    return [place.arn("cloudformation", f"stack/{name}/*")] if name else []


def _cloudwatch(action: str, p: Mapping[str, Any], place: Place) -> list[str]:
    names = [p["DashboardName"]] if "DashboardName" in p else p.get("DashboardNames") or []
    if names:
        return [place.arn("cloudwatch", f"dashboard/{name}", region="") for name in names]
    alarms = [p["AlarmName"]] if "AlarmName" in p else p.get("AlarmNames") or ["*"]
    return [place.arn("cloudwatch", f"alarm:{name}") for name in alarms]


def _logs(action: str, p: Mapping[str, Any], place: Place) -> list[str]:
    name = p.get("logGroupName")
    stream = p.get("logStreamName")
    resource = f"log-group:{name}:" + (f"log-stream:{stream}" if stream else "*")
    return [place.arn("logs", resource)] if name else ["*"]


def _sqs(action: str, p: Mapping[str, Any], place: Place) -> list[str]:
    url = str(p.get("QueueUrl") or p.get("QueueName") or "")
    return [place.arn("sqs", url.rsplit("/", 1)[-1])] if url else []


def _events(action: str, p: Mapping[str, Any], place: Place) -> list[str]:
    name = p.get("Rule") or p.get("Name")
    return [place.arn("events", f"rule/{name}")] if name else []


FINDERS = {"s3": _s3, "lambda": _lambda, "states": _states, "sns": _sns, "ssm": _ssm, "rds": _rds,
           "elasticache": _elasticache,
           "cloudformation": _cloudformation, "cloudwatch": _cloudwatch, "logs": _logs,
           "sqs": _sqs, "events": _events}
