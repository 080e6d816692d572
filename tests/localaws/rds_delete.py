"""Deletion of DB instances: protection, final snapshots, replicas, and the time it takes.

moto 5.2.5 knows the protection; everything else it deletes at once, with or without a snapshot.
"""

from typing import Any

from moto.rds.exceptions import DBInstanceNotFoundError, InvalidParameterCombination
from moto.rds.models import DBInstance, DBSnapshot, RDSBackend

from localaws import rds_replicas, rds_replication, rds_snapshots, unknowns
from localaws.rds_transitions import (LOCK, READY, finish, forget, plan, real_status, refuse_state,
                                      seconds, show)
from localaws.rds_instances import answer

# In these states AWS deletes, but takes no final snapshot. The first three are documented; that
# the others can be deleted is known to operators, that they give no snapshot is the hard reading.
WITHOUT_SNAPSHOT = ("failed", "incompatible-restore", "incompatible-network",
                    "incompatible-parameters", "incompatible-option-group", "restore-error",
                    "storage-full", "inaccessible-encryption-credentials",
                    "inaccessible-encryption-credentials-recoverable", "stopped")

# What becomes of a database whose final snapshot fails is not documented. Here it is kept, so that an
# operation must not take its disappearance for granted; or it is deleted all the same.
unknowns.define("rds.final_snapshot_failed", "kept", ("kept", "deleted"))

_moto_delete = RDSBackend.delete_db_instance


def delete_db_instance(self: RDSBackend, db_instance_identifier: str,
                       final_db_snapshot_identifier: str | None = None,
                       skip_final_snapshot: bool | None = False,
                       delete_automated_backups: bool | None = True, **_: Any) -> DBInstance:
    """DeleteDBInstance. The order of AWS's checks is unknown; this one serves its messages."""
    with LOCK:
        instance = self.databases.get(db_instance_identifier)
        if instance is None:
            raise DBInstanceNotFoundError(db_instance_identifier)
        if instance.db_cluster_identifier:
            return _moto_delete(self, db_instance_identifier, final_db_snapshot_identifier,
                                skip_final_snapshot, delete_automated_backups)
        check_parameters(instance, final_db_snapshot_identifier, skip_final_snapshot)
        check_deletable(instance, final_db_snapshot_identifier)
        final = rds_snapshots.take(self, instance, final_db_snapshot_identifier) \
            if final_db_snapshot_identifier else None
        begin_deletion(instance, final, delete_automated_backups is not False)
        return answer(instance, "deleting")


def check_parameters(instance: DBInstance, final: str | None, skip: bool | None) -> None:
    """The combinations that AWS refuses."""
    replica = bool(instance.source_db_instance_identifier)
    if final and skip:
        raise InvalidParameterCombination(
            "FinalDBSnapshotIdentifier can not be specified when deleting with SkipFinalSnapshot.")
    if final and replica:
        raise InvalidParameterCombination(
            "FinalDBSnapshotIdentifier can not be specified when deleting a replica instance")
    if not final and not skip:
        raise InvalidParameterCombination(
            "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified.")
    if instance.deletion_protection:
        raise InvalidParameterCombination(
            "Cannot delete protected DB Instance, please disable deletion protection and try "
            "again.")


def check_deletable(instance: DBInstance, final: str | None) -> None:
    """The states in which an instance can be deleted, with a final snapshot and without."""
    status = real_status(instance)
    if status == "deleting":
        raise refuse_state(f"Instance {instance.db_instance_identifier} is already being deleted.")
    if status not in READY + WITHOUT_SNAPSHOT:
        # AWS is said to delete in some of the transient states too: the hard reading is in none.
        raise refuse_state(f"Instance {instance.db_instance_identifier} is currently {status} and "
                           "cannot be deleted.")
    if final:
        rds_snapshots.require_snapshot_state(instance)


def begin_deletion(instance: DBInstance, snapshot: DBSnapshot | None, with_backups: bool) -> None:
    """deleting, until the final snapshot is complete and `rds.delete` is over, then gone."""
    forget(instance)
    instance.accepted = "deleting"
    visible = seconds("visible")
    over = max(visible + seconds("rds.delete"), seconds("rds.snapshot") if snapshot else 0.0)

    def gone() -> None:
        failed = snapshot is not None and snapshot.status == "failed"
        if failed and unknowns.get("rds.final_snapshot_failed") == "kept":
            finish(instance)()
        else:
            remove(instance, with_backups)

    plan(instance, (visible, show(instance, "deleting")), (over, gone))
    for replica in rds_replication.replicas_of(instance):
        if replica.region == instance.region:
            rds_replicas.lose_source(replica, instance)


def remove(instance: DBInstance, with_backups: bool) -> None:
    """The instance is DBInstanceNotFound from here on."""
    for replica in rds_replication.replicas_of(instance):
        rds_replicas.lose_source(replica, instance)
    if instance.source_db_instance_identifier:
        rds_replication.delist(instance)
    if with_backups:
        rds_snapshots.drop_automated(instance)
    if getattr(instance, "manage_master_user_password", False):
        instance.master_user_secret.delete_secret()
    del instance.backend.settled_databases[instance.db_instance_identifier]


def install() -> None:
    """Puts the model in the place of moto's."""
    RDSBackend.delete_db_instance = delete_db_instance
