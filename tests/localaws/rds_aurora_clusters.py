"""DB clusters of Aurora and their instances: creation, change, deletion."""

from typing import Any

from botocore import xform_name
from moto.rds.exceptions import (DBInstanceAlreadyExists, InvalidParameterCombination,
                                 InvalidParameterValue)
from moto.rds.models import DBInstance, RDSBackend

from localaws import rds_aurora as aurora
from localaws import rds_aurora_checks as checks
from localaws import rds_aurora_snapshots as snapshots
from localaws import rds_instances
from localaws.rds_aurora import Cluster, Global, Snapshot, Store
from localaws.rds_transitions import (clock, finish, forget, plan, real_status, refuse_state,
                                      seconds, show)
from localaws.rds_instances import answer
from localaws.unknowns import get as unknown

ENGINES = ("aurora-mysql", "aurora-postgresql")
NEWEST = checks.NEWEST
MODIFIABLE = {xform_name(name) for name in (
    "DBClusterIdentifier", "ApplyImmediately", "DeletionProtection", "BackupRetentionPeriod",
    "ServerlessV2ScalingConfiguration")}
# What a secondary has from its primary, and refuses when it is given.
FROM_PRIMARY = ("MasterUsername", "MasterUserPassword", "DatabaseName", "ManageMasterUserPassword")


def create(store: Store, backend: RDSBackend, p: Any) -> Cluster:
    """CreateDBCluster: a primary, or with GlobalClusterIdentifier a member of a global cluster."""
    identifier, region = str(p["DBClusterIdentifier"]).lower(), backend.region_name
    backend._validate_db_identifier(identifier)
    if (region, identifier) in store.clusters:
        raise aurora.refuse("DBClusterAlreadyExistsFault", "DB Cluster already exists")
    engine = p.get("Engine")
    if engine not in ENGINES:
        raise InvalidParameterValue(f"Invalid DB engine: {engine}")
    days = checks.retention(p.get("BackupRetentionPeriod"))
    group = joined(store, region, p) if p.get("GlobalClusterIdentifier") else None
    cluster = Cluster(backend.account_id, region, identifier, str(engine), version(p, group),
                      details(p), resource_id="cluster-" + aurora.unique(), created=clock(),
                      protected=bool(p.get("DeletionProtection")),
                      retention=days,
                      scaling=p.get("ServerlessV2ScalingConfiguration"))
    checks.check_owner(p, group)
    checks.cluster_group(backend, p.get("DBClusterParameterGroupName"))
    encrypt(cluster, backend, p, group)
    cluster.tags = list(p.get("Tags") or [])
    wanted = {"db_subnet_group_name": p.get("DBSubnetGroupName"),
              "vpc_security_group_ids": p.get("VpcSecurityGroupIds")}
    rds_instances.network(backend, wanted)
    cluster.details["VpcSecurityGroupIds"] = wanted.get("vpc_security_group_ids") or []
    store.clusters[(region, identifier)] = cluster
    if group is not None:
        join(group, cluster)
    begin_creation(cluster, group)
    return cluster


def details(p: Any) -> dict[str, Any]:
    """What is kept as it was given."""
    return {name: p.get(name) for name in (
        "DBSubnetGroupName", "Port", "MasterUsername", "DatabaseName", "CopyTagsToSnapshot",
        "EnableIAMDatabaseAuthentication", "DBClusterParameterGroupName", "StorageType",
        "EnableCloudwatchLogsExports", "EnableGlobalWriteForwarding")}


def version(p: Any, group: Global | None) -> str:
    """The full version; a member's must be its global cluster's."""
    wanted = p.get("EngineVersion")
    if group is None:
        return checks.full_version(p["Engine"], wanted)
    if p["Engine"] != group.engine or (wanted and str(wanted) != group.version):
        raise InvalidParameterCombination(
            "The engine and version of the cluster must be those of the global cluster: "
            f"{group.engine} {group.version}.")
    return group.version


def joined(store: Store, region: str, p: Any) -> Global:
    """The global cluster that a new cluster may join."""
    group = store.globals.get(str(p["GlobalClusterIdentifier"]).lower())
    if group is None or group.hidden > clock():
        raise aurora.refuse("GlobalClusterNotFoundFault",
                            f"Global cluster {p['GlobalClusterIdentifier']} not found")
    if group.busy or group.status != "available":
        raise aurora.invalid_global(f"Global cluster {group.id} is not available")
    if region in group.regions():
        raise InvalidParameterValue(
            f"The global cluster {group.id} has a DB cluster in {region} already.")
    given = [name for name in FROM_PRIMARY if p.get(name)]
    if group.writer and given:
        raise InvalidParameterCombination(
            f"{', '.join(given)} cannot be specified for a secondary cluster of a global cluster.")
    return group


def encrypt(cluster: Cluster, backend: RDSBackend, p: Any, group: Global | None) -> None:
    """A secondary is encrypted as its primary is, with a key of its own Region."""
    key = p.get("KmsKeyId")
    wanted = p.get("StorageEncrypted")
    if group is not None and group.writer:
        if group.encrypted and not key:
            raise InvalidParameterCombination(
                "KmsKeyId is required for a cross-Region secondary of an encrypted cluster.")
        if not group.encrypted and (key or wanted):
            raise InvalidParameterCombination(
                "A secondary cluster cannot be encrypted when its global cluster is not.")
        wanted = group.encrypted
    elif key and not wanted:
        raise InvalidParameterCombination(
            "KmsKeyId can only be specified when StorageEncrypted is enabled.")
    if wanted:
        cluster.encrypted = True
        cluster.kms_key = rds_instances.kms_key(backend, key or "alias/aws/rds")


def join(group: Global, cluster: Cluster) -> None:
    """Makes the cluster a member: the first one is the primary."""
    cluster.global_id = group.id
    group.members.append(cluster.arn)
    if group.writer is None:
        group.writer = cluster.arn
    else:
        group.synchronization[cluster.arn] = "pending-resync"


def begin_creation(cluster: Cluster, group: Global | None) -> None:
    """creating, then available; a secondary follows from then on."""
    def ready() -> None:
        aurora.finish(cluster)()
        if group is not None and group.writer != cluster.arn:
            cluster.following_since = clock()
            group.synchronization[cluster.arn] = "connected"

    aurora.later(cluster, (seconds("rds.cluster.create"), ready))


def modify(cluster: Cluster, p: Any) -> None:
    """ModifyDBCluster, as far as it is used: deletion protection, retention, capacity range. The
    rest is answered with 501, never ignored."""
    aurora.require_available(cluster)
    unknown_here = sorted(set(p) - MODIFIABLE)
    if unknown_here:
        raise NotImplementedError(f"ModifyDBCluster with {', '.join(unknown_here)}")
    if p.get("ServerlessV2ScalingConfiguration"):
        cluster.scaling = p["ServerlessV2ScalingConfiguration"]
    if p.get("BackupRetentionPeriod") is not None:
        cluster.retention = checks.retention(p["BackupRetentionPeriod"])
    if p.get("DeletionProtection") is not None:
        protect = bool(p["DeletionProtection"])

        def change() -> None:
            cluster.protected = protect

        # At once whatever ApplyImmediately says, and visible a little later.
        aurora.later(cluster, (seconds("visible"), change))


def delete(store: Store, cluster: Cluster, p: Any) -> None:
    """DeleteDBCluster with its refusals."""
    final, skip = p.get("FinalDBSnapshotIdentifier"), bool(p.get("SkipFinalSnapshot"))
    if final and skip:
        raise InvalidParameterCombination(
            "FinalDBSnapshotIdentifier can not be specified when deleting with SkipFinalSnapshot.")
    if not final and not skip:
        raise InvalidParameterCombination(
            "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified.")
    if cluster.protected:
        raise InvalidParameterCombination(
            "Cannot delete protected Cluster, please disable deletion protection and try again.")
    if cluster.global_id:
        raise aurora.invalid_state("This cluster is a part of a global cluster, please remove it "
                                   "from globalcluster first")
    if any(real_status(one) != "deleting" for one in cluster.instances()):
        raise aurora.invalid_state("Cluster cannot be deleted, it still contains DB instances in "
                                   "non-deleting state.")
    if cluster.real_status == "deleting":
        raise aurora.invalid_state(f"Cluster {cluster.id} is already being deleted.")
    if final or cluster.real_status not in ("failed", "inaccessible-encryption-credentials"):
        aurora.require_available(cluster)
    last = snapshots.take(store, cluster, str(final).lower(), "manual") if final else None
    begin_deletion(store, cluster, last, p.get("DeleteAutomatedBackups") is not False)


def begin_deletion(store: Store, cluster: Cluster, final: Snapshot | None,
                   with_backups: bool) -> None:
    """deleting, until its instances are gone and its final snapshot is complete."""
    forget(cluster)
    cluster.accepted = "deleting"
    visible = seconds("visible")
    over = max(visible + seconds("rds.cluster.delete"),
               seconds("rds.cluster.snapshot") if final else 0.0)

    def gone() -> None:
        if cluster.instances():
            aurora.later(cluster, (0.3, gone))
            return
        failed = final is not None and final.status == "failed"
        if failed and unknown("rds.final_snapshot_failed") == "kept":
            aurora.finish(cluster)()
            return
        if with_backups:
            snapshots.drop_automated(store, cluster)
        store.clusters.pop((cluster.region, cluster.id), None)

    aurora.later(cluster, (visible, aurora.show(cluster, "deleting")), (over, gone))


def create_member(store: Store, backend: RDSBackend, p: dict[str, Any]) -> DBInstance:
    """CreateDBInstance with DBClusterIdentifier; `p` as moto's backend gets it."""
    name = str(p["db_cluster_identifier"]).lower()
    cluster = store.clusters.get((backend.region_name, name))
    if cluster is None:
        raise aurora.refuse("DBClusterNotFoundFault", f"DBCluster {name} not found.")
    if p["db_instance_identifier"].lower() in backend.databases:
        raise DBInstanceAlreadyExists()
    backend._validate_db_identifier(p["db_instance_identifier"])
    checks.check_member(backend, cluster, p)
    aurora.require_available(cluster)
    given = {key: p[key] for key in ("db_instance_identifier", "db_instance_class", "engine",
                                     "monitoring_interval", "monitoring_role_arn",
                                     "db_parameter_group_name", "tags",
                                     "auto_minor_version_upgrade") if p.get(key) is not None}
    instance = DBInstance(backend, engine_version=cluster.version,
                          storage_encrypted=cluster.encrypted, kms_key_id=cluster.kms_key,
                          db_subnet_group_name=cluster.details["DBSubnetGroupName"],
                          vpc_security_group_ids=cluster.details["VpcSecurityGroupIds"],
                          backup_retention_period=cluster.retention, **given)
    rds_instances.add_instance(backend, instance)
    instance.db_cluster_identifier = cluster.id
    instance.storage_type, instance.promotion_tier = "aurora", checks.tier(p)

    def ready() -> None:
        instance.instance_create_time = rds_instances.utc(clock())
        finish(instance)()
        designate(cluster)

    plan(instance, (seconds("rds.create"), aurora.in_light(cluster.region, ready, instance)))
    return instance


def is_primary(cluster: Cluster) -> bool:
    """Whether it takes writes: standalone, or the writer of its global cluster."""
    if cluster.global_id is None:
        return True
    group = aurora._stores[cluster.account].globals.get(cluster.global_id)
    return group is None or group.writer == cluster.arn


def designate(cluster: Cluster) -> None:
    """A cluster that writes has a writer instance; a secondary shows none."""
    available = [one.db_instance_identifier for one in cluster.instances()
                 if one.status == "available"]
    if not is_primary(cluster):
        cluster.writer = None
    elif cluster.writer not in available:
        cluster.writer = available[0] if available else None


def delete_member(backend: RDSBackend, instance: DBInstance, final: str | None,
                  skip: bool | None) -> DBInstance:
    """DeleteDBInstance of a cluster's instance: it has no snapshot of its own."""
    store = aurora.store(backend.account_id)
    cluster = store.clusters[(backend.region_name, instance.db_cluster_identifier)]
    if final:
        raise InvalidParameterCombination(
            "FinalDBSnapshotIdentifier can not be specified when deleting a cluster instance")
    if real_status(instance) == "deleting":
        raise refuse_state(f"Instance {instance.db_instance_identifier} is already being deleted.")
    if not skip:
        # What AWS does without either is not known: refused, as for other instances.
        raise InvalidParameterCombination(
            "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified.")
    forget(instance)
    instance.accepted = "deleting"
    visible = seconds("visible")

    def gone() -> None:
        backend.settled_databases.pop(instance.db_instance_identifier, None)
        designate(cluster)

    plan(instance, (visible, show(instance, "deleting")),
         (visible + seconds("rds.delete"), aurora.in_light(cluster.region, gone, instance)))
    return answer(instance, "deleting")


def writer_early() -> bool:
    """Whether IsClusterWriter changes before the roles do."""
    return unknown("rds.member_id_writer_flip") == "early"
