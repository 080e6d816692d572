"""DB instances: creation, description, reboot, stop and start, with their states in between.

moto 5.2.5 does each of these in an instant, keeps no state in between and refuses little.
Members of clusters are left to moto: a model of clusters can be put beside this one.
"""

import copy
import random
import string
from datetime import datetime
from typing import Any

from moto.ec2.models import ec2_backends
from moto.rds.exceptions import (DBInstanceAlreadyExists, InvalidParameterCombination,
                                 InvalidParameterValue, KMSKeyNotAccessibleFault)
from moto.rds.models import DBInstance, RDSBackend

from localaws import rds_replication, rds_snapshots
from localaws.rds_transitions import (LOCK, clock, finish, plan, real_status, refuse_state,
                                      require_ready, seconds, show, utc)

# moto 5.2.5 offers versions that RDS stopped to offer years ago, and none for MariaDB.
ENGINE_VERSIONS = {"postgres": "16.4", "mysql": "8.0.39", "mariadb": "10.11.9",
                   "oracle-ee": "19.0.0.0.ru-2024-07.rur-2024-07.r1",
                   "oracle-se2": "19.0.0.0.ru-2024-07.rur-2024-07.r1"}


def add_instance(backend: RDSBackend, instance: DBInstance) -> None:
    """Gives a new instance the fields of this model, and puts it in the state `creating`."""
    instance.steps, instance.accepted, instance.status = (), None, "creating"
    # moto 5.2.5 gives one and the same DbiResourceId to all instances.
    letters = string.ascii_uppercase + string.digits
    instance.dbi_resource_id = "db-" + "".join(random.choices(letters, k=26))
    instance.instance_create_time = None
    instance.first_backup, instance.pending_modified_values = None, {}
    instance.is_replica = bool(instance.source_db_instance_identifier)
    if not instance.option_group_supplied:
        instance.option_group_name = default_option_group(instance)
    backend.databases[instance.db_instance_identifier] = instance


def default_option_group(instance: DBInstance) -> str:
    """`default:postgres-16`; moto 5.2.5 says `default:postgres-16-4`."""
    family, _ = instance.default_db_parameter_group_details()
    version = family.removeprefix(instance.engine.lower())
    return f"default:{instance.engine}-{version.replace('.', '-')}"


def begin_creation(instance: DBInstance) -> None:
    """creating, backing-up if backups are on, perhaps configuring-enhanced-monitoring, available.

    AWS documents the words, not their order; a replica with backups off was seen to go through
    `backing-up` nevertheless by some, by others not: it has the state here (the longer way).
    """
    total = seconds("rds.create")

    def created() -> None:
        instance.instance_create_time = utc(clock())
        instance.add_event("DB_INSTANCE_CREATE")
        instance.status = "backing-up"

    def backed_up() -> None:
        if instance.backup_retention_period > 0:
            rds_snapshots.take_automated(instance)
        instance.status = "configuring-enhanced-monitoring" if instance.monitoring_interval \
            else "backing-up"

    def ready() -> None:
        finish(instance)()
        rds_replication.start(instance)

    plan(instance, (0.7 * total, created), (0.9 * total, backed_up), (total, ready))


def create_db_instance(self: RDSBackend, db_kwargs: Any) -> DBInstance:
    """CreateDBInstance; also the end of moto's restores and of CloudFormation."""
    wanted = {key: value for key, value in dict(db_kwargs).items() if value is not None}
    if wanted.get("db_cluster_identifier") is not None:
        return create_cluster_member(self, db_kwargs)
    with LOCK:
        identifier = wanted["db_instance_identifier"]
        if identifier in self.databases:
            raise DBInstanceAlreadyExists()
        self._validate_db_identifier(identifier)
        retention(wanted.get("backup_retention_period", 1))
        wanted.pop("source_db_instance_identifier", None)  # a restored replica is none
        wanted["engine_version"] = full_version(wanted["engine"], wanted.get("engine_version"))
        encrypt(self, wanted)
        network(self, wanted)
        instance = DBInstance(self, **wanted)
        add_instance(self, instance)
        begin_creation(instance)
        return instance


def full_version(engine: str, version: Any) -> str | None:
    """RDS takes a major version and chooses the minor one; moto 5.2.5 keeps `16` as it is."""
    newest = ENGINE_VERSIONS.get(engine)
    if version is None:
        return newest
    text = str(version)
    if newest is None:
        return text
    if newest.startswith(text + "."):
        return newest
    return f"{text}.1" if text.count(".") < newest.count(".") else text


def create_cluster_member(backend: RDSBackend, db_kwargs: Any) -> DBInstance:
    """Aurora and Multi-AZ cluster members: as moto does them, with the fields that we read."""
    instance = _moto_create(backend, db_kwargs)
    instance.dbi_resource_id = "db-" + "".join(random.choices(string.ascii_uppercase, k=26))
    return instance


_moto_create = RDSBackend.create_db_instance


def retention(days: Any) -> int:
    """The checked BackupRetentionPeriod; moto 5.2.5 takes any number."""
    if not 0 <= int(days) <= 35:
        raise InvalidParameterValue(
            f"Invalid backup retention period: {days}. Must be between 0 and 35.")
    return int(days)


def kms_key(backend: RDSBackend, key: str) -> str:
    """The ARN of a usable key of the backend's Region, or the refusal.

    moto 5.2.5 accepts any text as KmsKeyId of an instance.
    """
    parts = key.split(":")
    if key.startswith("arn:") and (len(parts) < 6 or parts[3] != backend.region_name):
        raise KMSKeyNotAccessibleFault(key)
    arn = backend._validate_kms_key(key)
    if backend.kms.describe_key(arn.split("/")[-1]).key_state != "Enabled":
        raise KMSKeyNotAccessibleFault(key)
    return arn


def encrypt(backend: RDSBackend, wanted: dict[str, Any]) -> None:
    """KmsKeyId as an ARN; the default key when there is none."""
    if wanted.get("kms_key_id") and not wanted.get("storage_encrypted"):
        raise InvalidParameterCombination(
            "KmsKeyId can only be specified when StorageEncrypted is enabled.")
    if wanted.get("storage_encrypted"):
        wanted["kms_key_id"] = kms_key(backend, wanted.get("kms_key_id") or "alias/aws/rds")


def network(backend: RDSBackend, wanted: dict[str, Any]) -> None:
    """Subnet group and security groups must exist here and lie in one VPC (moto checks neither)."""
    ec2 = ec2_backends[backend.account_id][backend.region_name]
    vpc = ec2.default_vpc.id if ec2.default_vpc else None
    if wanted.get("db_subnet_group_name"):
        vpc = backend.describe_db_subnet_groups(wanted["db_subnet_group_name"])[0].vpc_id
    for group_id in wanted.get("vpc_security_group_ids") or []:
        group = ec2.get_security_group_from_id(group_id)
        if group is None:
            raise InvalidParameterValue(
                f"Invalid security group , groupId= {group_id}, groupName=.")
        if group.vpc_id != vpc:
            raise InvalidParameterCombination(
                "The DB instance and EC2 security group are in different VPCs. The DB instance is "
                f"in {vpc} and the EC2 security group is in {group.vpc_id}")
    if not wanted.get("vpc_security_group_ids") and vpc:
        # moto 5.2.5 takes the default VPC's group even if the subnet group is in another VPC.
        wanted["vpc_security_group_ids"] = [ec2.get_default_security_group(vpc).id]


def answer(instance: DBInstance, status: str) -> DBInstance:
    """The instance as the call itself shows it, while descriptions still show the old state."""
    shown = copy.copy(instance)
    shown.status = status
    return shown


def reboot_db_instance(self: RDSBackend, db_instance_identifier: str,
                       force_failover: bool = False) -> DBInstance:
    """RebootDBInstance."""
    with LOCK:
        instance = self.describe_db_instances(db_instance_identifier)[0]
        if (instance.db_cluster_identifier or "") in self.clusters:
            return instance
        require_ready(instance)
        if force_failover and not instance.multi_az:
            raise InvalidParameterCombination(
                "ForceFailover cannot be specified since the instance is not configured for "
                "MultiAZ.")
        return run(instance, "rebooting", seconds("rds.reboot"))


def run(instance: DBInstance, status: str, takes: float, end: str = "available") -> DBInstance:
    """A plain operation: accepted now, visible later, over after that."""
    instance.accepted = status
    visible = seconds("visible")
    plan(instance, (visible, show(instance, status)), (visible + takes, finish(instance, end)))
    return answer(instance, status)


def stop_db_instance(self: RDSBackend, db_instance_identifier: str,
                     db_snapshot_identifier: str | None = None) -> DBInstance:
    """StopDBInstance: not for replicas and not for sources of replicas."""
    with LOCK:
        instance = self.describe_db_instances(db_instance_identifier)[0]
        if instance.source_db_instance_identifier or instance.replicas:
            # AWS documents the refusal, not its code.
            raise refuse_state(f"Cannot stop or start a Read Replica or a source of Read Replicas: "
                               f"{db_instance_identifier}")
        require_ready(instance)
        if db_snapshot_identifier:
            rds_snapshots.take(self, instance, db_snapshot_identifier)
        return run(instance, "stopping", seconds("rds.modify"), "stopped")


def start_db_instance(self: RDSBackend, db_instance_identifier: str) -> DBInstance:
    """StartDBInstance."""
    with LOCK:
        instance = self.describe_db_instances(db_instance_identifier)[0]
        if real_status(instance) != "stopped":
            raise refuse_state(f"Instance {db_instance_identifier} is not stopped, "
                               "it cannot be started.")
        return run(instance, "starting", seconds("rds.modify"))


def latest_restorable_time(self: DBInstance) -> datetime | None:
    """Only with backups, up to five minutes back; moto 5.2.5 says `now` for every instance."""
    if self.first_backup is None or not self.backup_retention_period:
        return None
    return utc(max(self.first_backup, clock() // 300 * 300))


def endpoint(self: DBInstance) -> dict[str, Any] | None:
    """An instance has no endpoint while it is being created (in moto 5.2.5 it has)."""
    if self.instance_create_time is None:
        return None
    return {"Address": self.address, "Port": self.port, "HostedZoneId": "Z2R2ITUGPM61AM"}


def install() -> None:
    """Puts the model in the place of moto's."""
    DBInstance.steps, DBInstance.accepted, DBInstance.first_backup = (), None, None
    DBInstance.pending_modified_values = {}
    DBInstance.default_engine_versions = DBInstance.default_engine_versions | ENGINE_VERSIONS
    DBInstance.latest_restorable_time = property(latest_restorable_time)
    DBInstance.endpoint = property(endpoint)
    RDSBackend.create_db_instance = create_db_instance
    RDSBackend.reboot_db_instance = reboot_db_instance
    RDSBackend.stop_db_instance = stop_db_instance
    RDSBackend.start_db_instance = start_db_instance
