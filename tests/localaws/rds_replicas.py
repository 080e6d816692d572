"""Read replicas: their creation from a source of the same or another Region, and their promotion.

moto 5.2.5 copies the source object (the replica keeps the source's ARN, backups, tags, groups and
protection), refuses nothing, and promotes in an instant while it goes on naming the source.
"""

from typing import Any

from moto.rds.exceptions import (DBInstanceAlreadyExists, DBInstanceNotFoundError,
                                 InvalidParameterCombination, InvalidParameterValue,
                                 RDSClientError)
from moto.rds.models import DBInstance, RDSBackend, rds_backends
from moto.rds.utils import valid_preferred_maintenance_window
from werkzeug.exceptions import HTTPException

from localaws import rds_replication, rds_snapshots
from localaws.rds_instances import (add_instance, answer, begin_creation, kms_key, network,
                                    retention)
from localaws.rds_transitions import (LOCK, READY, finish, plan, real_status, refuse_state,
                                      require_ready, seconds, show)

MAX_REPLICAS = 15

INHERITED = ("engine", "engine_version", "db_instance_class", "allocated_storage", "storage_type",
             "iops", "storage_throughput", "port", "db_name", "license_model", "master_username",
             "character_set_name", "auto_minor_version_upgrade", "publicly_accessible",
             "preferred_backup_window", "preferred_maintenance_window", "storage_encrypted",
             "ca_certificate_identifier")
INHERITED_IN_REGION = ("db_parameter_group_name", "vpc_security_group_ids")
OWN = ("db_instance_identifier", "db_instance_class", "availability_zone", "port", "multi_az",
       "auto_minor_version_upgrade", "iops", "option_group_name", "db_parameter_group_name",
       "publicly_accessible", "tags", "db_subnet_group_name", "vpc_security_group_ids",
       "storage_type", "storage_throughput", "copy_tags_to_snapshot", "monitoring_interval",
       "monitoring_role_arn", "enable_iam_database_authentication", "deletion_protection",
       "enable_cloudwatch_logs_exports", "max_allocated_storage", "allocated_storage",
       "ca_certificate_identifier")


class SourceUnreachable(HTTPException):
    """A fault of the service itself, which is no refusal of the request."""

    code = 500
    description = ("<ErrorResponse><Error><Type>Receiver</Type><Code>InternalFailure</Code>"
                   "<Message>The request processing has failed because of an unknown error, exception or "
                   "failure.</Message></Error><RequestId></RequestId></ErrorResponse>")


def create_db_instance_read_replica(self: RDSBackend, db_kwargs: Any) -> DBInstance:
    """CreateDBInstanceReadReplica, called in the Region in which the replica is to be."""
    wanted = {key: value for key, value in dict(db_kwargs).items() if value is not None}
    with LOCK:
        self._validate_db_identifier(wanted["db_instance_identifier"])
        if wanted["db_instance_identifier"] in self.databases:
            raise DBInstanceAlreadyExists()
        source = find_source(self, wanted)
        require_source(source)
        details = replica_details(self, source, wanted)
        network(self, details)
        replica = DBInstance(self, **details)
        replica.source_db_instance_identifier = rds_replication.name_for(source, replica)
        add_instance(self, replica)
        source.replicas.append(rds_replication.name_for(replica, source))
        begin_creation(replica)
        return replica


def find_source(backend: RDSBackend, wanted: dict[str, Any]) -> DBInstance:
    """A plain id means this Region; another Region's source must be named by its ARN."""
    named = wanted.get("source_db_instance_identifier")
    if not named:
        raise InvalidParameterCombination(
            "One of the parameters SourceDBInstanceIdentifier or SourceDBClusterIdentifier must "
            "be specified.")
    if not named.startswith("arn:"):
        return _existing(backend, named, DBInstanceNotFoundError(named))
    parts = named.split(":")
    if len(parts) != 7 or parts[2] != "rds" or parts[5] != "db":
        raise InvalidParameterValue(f"Invalid resource name: {named}")
    missing = RDSClientError("DBInstanceNotFound",
                             f"The source instance could not be found: {named}")
    if parts[4] != backend.account_id or parts[3] not in rds_backends[backend.account_id]:
        raise missing
    if parts[3] != backend.region_name and rds_replication.is_dark(parts[3]):
        # What AWS answers while the source's Region is down is unknown: a fault of the service.
        raise SourceUnreachable()
    return _existing(rds_backends[backend.account_id][parts[3]], parts[6], missing)


def _existing(backend: RDSBackend, identifier: str, missing: RDSClientError) -> DBInstance:
    source = backend.databases.get(identifier)
    if source is None:
        raise missing
    return source


def require_source(source: DBInstance) -> None:
    """A source must be available, keep backups, and be an instance of its own."""
    if source.db_cluster_identifier:
        raise InvalidParameterCombination(
            "Read replicas of the members of a DB cluster are not supported by this operation.")
    if real_status(source) not in READY:
        raise refuse_state(f"Instance {source.db_instance_identifier} is not in available state.")
    if not source.backup_retention_period:
        raise refuse_state(
            "Automated backups are not enabled for this database instance. To enable automated "
            "backups, use ModifyDBInstance to set the backup retention period to a non-zero value.")
    if len(source.replicas) >= MAX_REPLICAS:
        raise RDSClientError("InstanceQuotaExceeded",
                             f"{source.db_instance_identifier} has {MAX_REPLICAS} read replicas.")


def replica_details(backend: RDSBackend, source: DBInstance, wanted: dict[str, Any]
                    ) -> dict[str, Any]:
    """What a replica inherits, has by default and is given.

    Backups, Multi-AZ, deletion protection and tags are never inherited; parameter group, option
    group, subnet group and security groups only within the Region.
    """
    crosses = source.region != backend.region_name
    details = {name: getattr(source, name) for name in INHERITED}
    details |= {"backup_retention_period": 0, "multi_az": False, "deletion_protection": False}
    if not crosses:
        details |= {name: getattr(source, name) for name in INHERITED_IN_REGION}
        details["db_subnet_group_name"] = getattr(source, "_db_subnet_group_name", None)
        if source.option_group_supplied:
            details["option_group_name"] = source.option_group_name
    details["kms_key_id"] = replica_key(backend, source, wanted.get("kms_key_id"))
    details |= {name: wanted[name] for name in OWN if name in wanted}
    if not getattr(source, "manage_master_user_password", False):
        details["master_user_password"] = getattr(source, "_master_user_password", None)
    return details


def replica_key(backend: RDSBackend, source: DBInstance, key: str | None) -> str | None:
    """The replica's key: keys stay in their Region, and encryption is as at the source."""
    if key and not source.storage_encrypted:
        raise InvalidParameterCombination(
            "Cannot create an encrypted Read Replica from an unencrypted DB instance.")
    if not source.storage_encrypted:
        return None
    if key:
        return kms_key(backend, key)
    if source.region != backend.region_name:
        raise InvalidParameterCombination(
            "Cannot create a cross region unencrypted read replica from encrypted source.")
    return source.kms_key_id


def promote_read_replica(self: RDSBackend, db_kwargs: Any) -> DBInstance:
    """PromoteReadReplica: accepted at once, visible later, complete at the end of `rds.promote`."""
    with LOCK:
        instance = self.databases.get(db_kwargs["db_instance_identifier"])
        if instance is None:
            raise DBInstanceNotFoundError(db_kwargs["db_instance_identifier"])
        if not instance.source_db_instance_identifier:
            raise refuse_state("DB Instance is not a read replica.")
        # `backing-up` among others; the states of an accepted promotion are among them too.
        require_ready(instance)
        # AWS documents 1 as the default, not "as the replica had it".
        days = retention(_given(db_kwargs, "backup_retention_period", 1))
        window = _given(db_kwargs, "preferred_backup_window", instance.preferred_backup_window)
        check_promotion(instance, days, window)
        begin_promotion(instance, days, window, seconds("visible"))
        # What the call itself shows is not documented: the hard reading is the old state.
        return answer(instance, instance.status)


def _given(db_kwargs: Any, name: str, default: Any) -> Any:
    value = db_kwargs.get(name)
    return default if value is None else value


def check_promotion(instance: DBInstance, days: int, window: str) -> None:
    """Refuses backups off on a source of replicas, and overlapping windows."""
    if instance.replicas and not days:
        raise InvalidParameterCombination(
            "BackupRetentionPeriod can't be 0 for a DB instance that is a source of read replicas.")
    problem = valid_preferred_maintenance_window(instance.preferred_maintenance_window, window)
    if problem:
        raise InvalidParameterValue(problem)


def begin_promotion(instance: DBInstance, days: int, window: str, visible: float) -> None:
    """available (still a replica), modifying, rebooting (no replica any more), backing-up,
    available. The order of the words is as operators saw it; AWS documents only the reboot."""
    total = seconds("rds.promote")
    instance.accepted = "modifying"

    def modifying() -> None:
        instance.status = "modifying"
        instance.pending_modified_values = {"BackupRetentionPeriod": days}

    def detached() -> None:
        instance.status = "rebooting"
        if instance.source_db_instance_identifier:
            rds_replication.detach(instance)

    def standalone() -> None:
        instance.backup_retention_period, instance.preferred_backup_window = days, window
        instance.pending_modified_values = {}
        if days:
            instance.status = "backing-up"
            rds_snapshots.take_automated(instance)

    plan(instance, (visible, modifying), (visible + 0.35 * total, detached),
         (visible + 0.65 * total, standalone), (visible + total, finish(instance)))


def lose_source(replica: DBInstance, source: DBInstance) -> None:
    """What becomes of a replica whose source is deleted: promoted in the same Region, without
    replication elsewhere. Replicas keep the source's retention if they have none [unknown]."""
    if replica.region != source.region:
        rds_replication.terminate(replica)
    elif real_status(replica) in READY:
        days = replica.backup_retention_period or 1
        begin_promotion(replica, days, replica.preferred_backup_window, 0.0)
    else:
        rds_replication.detach(replica)


def install() -> None:
    """Puts the model in the place of moto's."""
    RDSBackend.create_db_instance_read_replica = create_db_instance_read_replica
    RDSBackend.promote_read_replica = promote_read_replica
