"""ModifyDBInstance: what applies at once, what is pending, and the status meanwhile.

moto 5.2.5 applies everything at once, whatever ApplyImmediately says, keeps nothing pending, and
ignores a new port.
"""

import copy
from collections.abc import Callable
from typing import Any

from moto.rds.exceptions import (DBInstanceAlreadyExists, DBInstanceNotFoundError,
                                 DBParameterGroupNotFoundError, InvalidParameterCombination,
                                 InvalidParameterValue)
from moto.rds.models import DBInstance, RDSBackend
from moto.rds.utils import valid_preferred_maintenance_window

from localaws import rds_replication, rds_snapshots
from localaws.rds_instances import network, retention
from localaws.rds_transitions import LOCK, finish, plan, require_ready, seconds, show

# Parameter -> (our attribute, name in PendingModifiedValues) of what waits for the maintenance
# window without ApplyImmediately. BackupRetentionPeriod waits only when it goes from or to 0.
WAITING = {
    "allocated_storage": ("allocated_storage", "AllocatedStorage"),
    "db_instance_class": ("db_instance_class", "DBInstanceClass"),
    "engine_version": ("engine_version", "EngineVersion"),
    "iops": ("iops", "Iops"),
    "storage_type": ("storage_type", "StorageType"),
    "storage_throughput": ("storage_throughput", "StorageThroughput"),
    "multi_az": ("multi_az", "MultiAZ"),
    "license_model": ("license_model", "LicenseModel"),
    "db_port_number": ("port", "Port"),
    "new_db_instance_identifier": ("db_instance_identifier", "DBInstanceIdentifier"),
    "ca_certificate_identifier": ("ca_certificate_identifier", "CACertificateIdentifier"),
    "enable_iam_database_authentication": ("enable_iam_database_authentication",
                                           "IAMDatabaseAuthenticationEnabled"),
    "backup_retention_period": ("backup_retention_period", "BackupRetentionPeriod"),
}
# These change without a status of their own.
QUIET = ("deletion_protection", "copy_tags_to_snapshot", "max_allocated_storage",
         "preferred_backup_window", "preferred_maintenance_window", "auto_minor_version_upgrade")
CONTROL = ("db_instance_identifier", "apply_immediately", "allow_major_version_upgrade")


def modify_db_instance(self: RDSBackend, db_instance_identifier: str, db_kwargs: Any) -> DBInstance:
    """ModifyDBInstance."""
    wanted = {key: value for key, value in dict(db_kwargs).items() if value is not None}
    with LOCK:
        instance = self.databases.get(db_instance_identifier)
        if instance is None:
            raise DBInstanceNotFoundError(db_instance_identifier)
        if instance.db_cluster_identifier:
            return _moto_modify(self, db_instance_identifier, db_kwargs)
        require_ready(instance, also=("storage-full", "incompatible-parameters",
                                      "incompatible-option-group"))
        now = bool(wanted.get("apply_immediately"))
        changes = {key: value for key, value in wanted.items() if key not in CONTROL}
        check(self, instance, changes, now)
        begin(instance, changes, now)
        return answer(instance, changes)


_moto_modify = RDSBackend.modify_db_instance


def check(backend: RDSBackend, instance: DBInstance, changes: dict[str, Any], now: bool) -> None:
    """What AWS refuses before anything changes."""
    if "backup_retention_period" in changes:
        days = changes["backup_retention_period"] = retention(changes["backup_retention_period"])
        if not days and instance.replicas:
            raise InvalidParameterCombination("BackupRetentionPeriod can't be 0 for a DB instance "
                                              "that is a source of read replicas.")
    group = changes.get("db_parameter_group_name")
    if group and not instance.is_default_parameter_group(group) \
            and group not in backend.db_parameter_groups:
        raise DBParameterGroupNotFoundError(group)
    check_windows(instance, changes)
    if changes.get("rotate_master_user_password") and not now:
        raise InvalidParameterCombination(
            "You must specify apply immediately when rotating the master user password.")
    if changes.get("new_db_instance_identifier"):
        backend._validate_db_identifier(changes["new_db_instance_identifier"])
        if changes["new_db_instance_identifier"] in backend.databases:
            raise DBInstanceAlreadyExists()
    if changes.get("vpc_security_group_ids"):
        network(backend, {"vpc_security_group_ids": changes["vpc_security_group_ids"],
                          "db_subnet_group_name": getattr(instance, "_db_subnet_group_name", None)})


def check_windows(instance: DBInstance, changes: dict[str, Any]) -> None:
    """Backup and maintenance windows must be well formed and apart."""
    problem = valid_preferred_maintenance_window(
        changes.get("preferred_maintenance_window", instance.preferred_maintenance_window),
        changes.get("preferred_backup_window", instance.preferred_backup_window))
    if problem:
        raise InvalidParameterValue(problem)


def waits(instance: DBInstance, name: str, value: Any) -> bool:
    """Whether a change waits for the maintenance window unless it is applied immediately."""
    if name == "backup_retention_period":
        return bool(value) != bool(instance.backup_retention_period)
    return name in WAITING


def begin(instance: DBInstance, changes: dict[str, Any], now: bool) -> None:
    """Splits the changes into those of now and those that stay pending, and begins the first.

    The maintenance window never comes here: what is pending stays so, until another call with
    ApplyImmediately takes it along, as AWS documents.
    """
    waiting = {name: value for name, value in changes.items() if waits(instance, name, value)}
    at_once = {name: value for name, value in changes.items() if name not in waiting}
    held = dict(getattr(instance, "held_changes", {}))
    if now:
        at_once, waiting = held | at_once | waiting, {}
        held = {}
    instance.held_changes = held | waiting
    loud = [name for name in at_once if name not in QUIET]
    instance.pending_modified_values = pending(instance.held_changes | (at_once if loud else {}))
    schedule(instance, at_once, bool(loud))


def pending(changes: dict[str, Any]) -> dict[str, Any]:
    """PendingModifiedValues of the changes."""
    shown = {WAITING[name][1]: value for name, value in changes.items() if name in WAITING}
    if "master_user_password" in changes:
        shown["MasterUserPassword"] = "****"
    return shown


def schedule(instance: DBInstance, changes: dict[str, Any], loud: bool) -> None:
    """Quiet changes are there as soon as they are visible, the others after `modifying`."""
    visible = seconds("visible")
    if not changes:
        return
    if not loud:
        plan(instance, (visible, applying(instance, changes)))
        return
    status = "renaming" if "new_db_instance_identifier" in changes else "modifying"
    instance.accepted = status
    over = visible + seconds("rds.modify")
    plan(instance, (visible, show(instance, status)), (over, applying(instance, changes)),
         (over, finish(instance)))


def applying(instance: DBInstance, changes: dict[str, Any]) -> Callable[[], None]:
    """The step that makes the changes real."""
    def apply() -> None:
        had_backups = bool(instance.backup_retention_period)
        renamed = changes.get("new_db_instance_identifier")
        values = {WAITING.get(name, (name,))[0]: value for name, value in changes.items()
                  if name != "new_db_instance_identifier"}
        instance.update(**values)
        instance.pending_modified_values = pending(getattr(instance, "held_changes", {}))
        if instance.backup_retention_period and not had_backups:
            rds_snapshots.take_automated(instance)
        if renamed:
            rename(instance, renamed)
    return apply


def rename(instance: DBInstance, name: str) -> None:
    """A new identifier, also where source and replicas name the instance."""
    databases = instance.backend.settled_databases
    replicas = rds_replication.replicas_of(instance)
    source, old = rds_replication.source_of(instance), instance.db_instance_identifier
    listed = rds_replication.name_for(instance, source) if source else None
    del databases[old]
    instance.db_instance_identifier = name
    databases[name] = instance
    for replica in replicas:
        replica.source_db_instance_identifier = rds_replication.name_for(instance, replica)
    if source and listed in source.replicas:
        source.replicas[source.replicas.index(listed)] = rds_replication.name_for(instance, source)


def answer(instance: DBInstance, changes: dict[str, Any]) -> DBInstance:
    """The call's own answer shows the quiet changes, which descriptions show only later."""
    shown = copy.copy(instance)
    for name in QUIET:
        if name in changes:
            setattr(shown, name, changes[name])
    return shown


def install() -> None:
    """Puts the model in the place of moto's."""
    RDSBackend.modify_db_instance = modify_db_instance
