"""DB snapshots: creating before they are available, and refused where AWS refuses them."""

from typing import Any

from moto.rds.exceptions import (DBInstanceNotFoundError, DBSnapshotAlreadyExistsError,
                                 RDSClientError, SnapshotQuotaExceededFault)
from moto.rds.models import DBInstance, DBSnapshot, RDSBackend

from localaws.rds_transitions import (LOCK, READY, clock, finish, plan, real_status,
                                      refuse_state, seconds, show, utc)


def require_free(backend: RDSBackend, identifier: str) -> None:
    """Refuses a name that is taken, or one snapshot too many."""
    if identifier in backend.database_snapshots:
        raise DBSnapshotAlreadyExistsError(identifier)
    if len(backend.database_snapshots) >= backend.SNAPSHOT_QUOTA:
        raise SnapshotQuotaExceededFault()


def require_snapshot_state(instance: DBInstance) -> None:
    """A snapshot can be taken of an available instance only (moto 5.2.5: of any)."""
    if real_status(instance) not in READY:
        raise refuse_state(
            "Cannot create a snapshot because the database instance "
            f"{instance.db_instance_identifier} is not currently in the available state.")


def take(backend: RDSBackend, instance: DBInstance, identifier: str, kind: str = "manual",
         **details: Any) -> DBSnapshot:
    """A snapshot that is `creating` for `rds.snapshot` seconds; moto's is there at once."""
    require_free(backend, identifier)
    snapshot = DBSnapshot(backend, instance, identifier, kind, **details)
    snapshot.database.steps = ()
    # The copy keeps the account's open calls out: it is the instance as it was.
    snapshot.database.accepted = None
    end, instance.next_snapshot = instance.next_snapshot, "available"
    hold(snapshot, "creating", end)
    backend.database_snapshots[identifier] = snapshot
    return snapshot


def hold(snapshot: DBSnapshot, status: str, end: str = "available") -> None:
    """Keeps the snapshot in the status until it is available, or failed."""
    snapshot.status, snapshot.percent_progress = status, 0

    def over() -> None:
        snapshot.status, snapshot.percent_progress = end, 100 if end == "available" else 40

    plan(snapshot, (seconds("rds.snapshot"), over))


def take_automated(instance: DBInstance) -> None:
    """The automated backup that ends each `backing-up`."""
    if instance.first_backup is None:
        instance.first_backup = clock()
    stamp = utc(clock()).strftime("%Y-%m-%d-%H-%M")
    identifier = f"rds:{instance.db_instance_identifier}-{stamp}"
    if identifier not in instance.backend.database_snapshots:
        instance.add_event("DB_INSTANCE_BACKUP_START")
        take(instance.backend, instance, identifier, "automated")
        instance.add_event("DB_INSTANCE_BACKUP_FINISH")


def create_db_snapshot(self: RDSBackend, db_instance_identifier: str, db_snapshot_identifier: str,
                       snapshot_type: str = "manual", tags: Any = None, **details: Any
                       ) -> DBSnapshot:
    """CreateDBSnapshot: the instance is `backing-up` meanwhile."""
    with LOCK:
        instance = self.databases.get(db_instance_identifier)
        if instance is None:
            raise DBInstanceNotFoundError(db_instance_identifier)
        require_snapshot_state(instance)
        snapshot = take(self, instance, db_snapshot_identifier, snapshot_type, tags=tags, **details)
        instance.accepted = "backing-up"
        visible = seconds("visible")
        plan(instance, (visible, show(instance, "backing-up")),
             (max(visible, seconds("rds.snapshot")), finish(instance)))
        return snapshot


def delete_db_snapshot(self: RDSBackend, db_snapshot_identifier: str) -> DBSnapshot:
    """DeleteDBSnapshot: not of automated ones and not before they are available."""
    with LOCK:
        snapshot = self.get_db_snapshot(db_snapshot_identifier)
        if snapshot.snapshot_type == "automated" or snapshot.status != "available":
            raise RDSClientError(
                "InvalidDBSnapshotState",
                f"Cannot delete the snapshot {db_snapshot_identifier}: it is "
                f"{snapshot.snapshot_type} and in the state {snapshot.status}.")
        del self.database_snapshots[snapshot.db_snapshot_identifier]
        snapshot.status = "deleted"
        return snapshot


def drop_automated(instance: DBInstance) -> None:
    """The automated backups go with their instance."""
    snapshots = instance.backend.database_snapshots
    for identifier, snapshot in list(snapshots.items()):
        if snapshot.snapshot_type == "automated" \
                and snapshot.dbi_resource_id == instance.dbi_resource_id:
            del snapshots[identifier]


def copy_db_snapshot(self: RDSBackend, *args: Any, **kwargs: Any) -> DBSnapshot:
    """CopyDBSnapshot: the copy takes its time too, and its source must be available."""
    with LOCK:
        source = self.get_db_snapshot(kwargs["source_db_snapshot_identifier"])
        if source.status != "available":
            raise RDSClientError("InvalidDBSnapshotState",
                                 f"Snapshot {source.db_snapshot_identifier} is not available.")
        copied = _moto_copy(self, *args, **kwargs)
        # moto 5.2.5 does not tell where a copy comes from.
        copied.source_db_snapshot_identifier = source.db_snapshot_arn
        if source.region != self.region_name:
            copied.source_region = source.region
        hold(copied, "creating")
        return copied


_moto_copy = RDSBackend.copy_db_snapshot


def install() -> None:
    """Puts the model in the place of moto's."""
    DBSnapshot.steps, DBSnapshot.percent_progress = (), 100
    DBInstance.next_snapshot = "available"
    RDSBackend.create_db_snapshot = create_db_snapshot
    RDSBackend.delete_db_snapshot = delete_db_snapshot
    RDSBackend.copy_db_snapshot = copy_db_snapshot
