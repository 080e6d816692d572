"""AWS::RDS::DBInstance in templates.

moto 5.2.5 reads a property that does not exist (VpcSecurityGroupIds), ignores DeletionProtection
and most others, gives every engine MySQL's port, cannot update, and lacks GetAtt DBInstanceArn.
"""

import random
import string
from typing import Any

from botocore import xform_name
from moto.cloudformation.exceptions import UnformattedGetAttTemplateException
from moto.rds.models import DBInstance, RDSBackend, rds_backends

from localaws import rds_delete
from localaws.rds_transitions import READY, real_status

RENAMED = {"VPCSecurityGroups": "vpc_security_group_ids"}
NUMBERS = ("AllocatedStorage", "BackupRetentionPeriod", "Iops", "MaxAllocatedStorage",
           "MonitoringInterval", "Port", "StorageThroughput", "PerformanceInsightsRetentionPeriod")
# Steer CloudFormation only, or are handled by name.
NOT_PASSED = ("SourceRegion", "DBSnapshotIdentifier", "DeleteAutomatedBackups", "ApplyImmediately",
              "AllowMajorVersionUpgrade", "UseLatestRestorableTime", "DBInstanceIdentifier")
FAILED = ("failed", "incompatible-restore", "incompatible-network", "incompatible-parameters",
          "incompatible-option-group", "restore-error", "inaccessible-encryption-credentials")
ATTRIBUTES = {
    "Endpoint.Address": lambda instance: instance.address,
    "Endpoint.Port": lambda instance: str(instance.port),
    "Endpoint.HostedZoneId": lambda instance: "Z2R2ITUGPM61AM",
    "DBInstanceArn": lambda instance: instance.db_instance_arn,
    "DbiResourceId": lambda instance: instance.dbi_resource_id,
    "MasterUserSecret.SecretArn": lambda instance: instance.master_user_secret.secret_arn,
}


def creation_state(instance: DBInstance) -> str:
    """For a stack that waits: IN_PROGRESS, COMPLETE or FAILED."""
    instance.backend.databases  # takes the steps that are due
    if instance.status in FAILED:
        return "FAILED"
    return "COMPLETE" if real_status(instance) in READY else "IN_PROGRESS"


def deletion_state(instance: DBInstance) -> str:
    """For a stack that waits: IN_PROGRESS until the instance is gone, then COMPLETE."""
    found = instance.backend.databases.get(instance.db_instance_identifier)
    return "IN_PROGRESS" if found is instance else "COMPLETE"


def value_of(name: str, value: Any) -> Any:
    """A template's value as the API has it: numbers and booleans may be strings there."""
    if name in NUMBERS:
        return int(value)
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    if name == "DBSubnetGroupName":
        return getattr(value, "name", value)
    if name == "PreferredMaintenanceWindow":
        return value.lower()
    return value


def arguments(properties: dict[str, Any]) -> dict[str, Any]:
    """The API's parameters for a template's properties."""
    return {RENAMED.get(name) or xform_name(name): value_of(name, value)
            for name, value in properties.items() if value is not None and name not in NOT_PASSED}


def create(cls: type[DBInstance], resource_name: str, cloudformation_json: Any, account_id: str,
           region_name: str, **_: Any) -> DBInstance:
    """Creates, restores or replicates, as the properties say."""
    properties = cloudformation_json.get("Properties", {})
    backend = rds_backends[account_id][region_name]
    wanted = arguments(properties)
    wanted["db_instance_identifier"] = resource_name.replace("_", "-").lower()
    if properties.get("SourceDBInstanceIdentifier"):
        instance = create_replica(backend, wanted)
    elif properties.get("DBSnapshotIdentifier"):
        instance = backend.restore_db_instance_from_db_snapshot(
            properties["DBSnapshotIdentifier"], wanted)
    else:
        instance = backend.create_db_instance(wanted)
    instance.template_arguments = wanted
    instance.deletion_policy = cloudformation_json.get("DeletionPolicy")
    return instance


def create_replica(backend: RDSBackend, wanted: dict[str, Any]) -> DBInstance:
    """CloudFormation turns a replica's backups on by itself once it is created."""
    instance = backend.create_db_instance_read_replica(wanted)
    instance.backup_retention_period = wanted.get("backup_retention_period", 0)
    return instance


def update(cls: type[DBInstance], original_resource: DBInstance, new_resource_name: str,
           cloudformation_json: Any, account_id: str, region_name: str) -> DBInstance:
    """Modifies with ApplyImmediately; promotes when the source was taken out; else replaces."""
    properties = cloudformation_json.get("Properties", {})
    name = new_resource_name.replace("_", "-").lower()
    if properties.get("DBInstanceIdentifier") and name != original_resource.db_instance_identifier:
        made = create(cls, new_resource_name, cloudformation_json, account_id, region_name)
        original_resource.delete(account_id, region_name)
        return made
    wanted, had = arguments(properties), original_resource.template_arguments
    backend, identifier = original_resource.backend, original_resource.db_instance_identifier
    changed = {key: value for key, value in wanted.items() if had.get(key) != value}
    promoted = "source_db_instance_identifier" in had and \
        "source_db_instance_identifier" not in wanted
    if promoted:
        changed["db_instance_identifier"] = identifier
        backend.promote_read_replica(changed)
    elif changed:
        backend.modify_db_instance(identifier, changed | {"apply_immediately": True})
    original_resource.deletion_policy = cloudformation_json.get("DeletionPolicy")
    original_resource.template_arguments = wanted | {"db_instance_identifier": identifier}
    return original_resource


def delete(self: DBInstance, account_id: str, region_name: str) -> None:
    """A stack's deletion takes a final snapshot unless the DeletionPolicy is Delete (this is the
    default of CloudFormation for instances outside clusters); replicas have none."""
    status = real_status(self)
    if status == "deleting":
        return
    if status not in READY:
        # A rollback comes before the instance is ready; the real one waits for it. A broken or
        # half-made instance leaves no snapshot.
        rds_delete.check_parameters(self, None, True)
        rds_delete.begin_deletion(self, None, True)
        return
    keep = not self.source_db_instance_identifier and not self.db_cluster_identifier \
        and getattr(self, "deletion_policy", None) != "Delete"
    suffix = "".join(random.choices(string.ascii_lowercase + string.digits, k=12))
    final = f"{self.db_instance_identifier}-snapshot-{suffix}" if keep else None
    self.backend.delete_db_instance(self.db_instance_identifier, final, not keep)


def has_cfn_attr(cls: type[DBInstance], attr: str) -> bool:
    """Whether GetAtt knows the attribute."""
    return attr in ATTRIBUTES


def get_cfn_attribute(self: DBInstance, attribute_name: str) -> Any:
    """The value for GetAtt."""
    if attribute_name not in ATTRIBUTES:
        raise UnformattedGetAttTemplateException()
    return ATTRIBUTES[attribute_name](self)


def install() -> None:
    """Puts these in the place of moto's."""
    DBInstance.create_from_cloudformation_json = classmethod(create)
    DBInstance.update_from_cloudformation_json = classmethod(update)
    DBInstance.delete = delete
    DBInstance.has_cfn_attr = classmethod(has_cfn_attr)
    DBInstance.get_cfn_attribute = get_cfn_attribute
