"""The wire side of Aurora clusters, their snapshots and global clusters."""

from collections.abc import Callable
from typing import Any

from moto.core.responses import ActionResult
from moto.rds.exceptions import InvalidParameterValue
from moto.rds.models import DBInstance, RDSBackend
from moto.rds.responses import RDSResponse
from moto.rds.utils import split_arn

from localaws import rds_aurora as aurora
from localaws import rds_aurora_clusters as clusters
from localaws import rds_aurora_global as globals_
from localaws import rds_aurora_snapshots as snapshots
from localaws import rds_delete, rds_instances, rds_snapshots
from localaws.rds_aurora import Cluster, Global, Snapshot, Store
from localaws.rds_transitions import utc


def cluster_document(cluster: Cluster) -> dict[str, Any]:
    """A DBCluster."""
    group = aurora._stores[cluster.account].globals.get(cluster.global_id or "")
    secondary = group is not None and group.writer != cluster.arn
    kept = cluster.details
    return {
        "DBClusterIdentifier": cluster.id, "DBClusterArn": cluster.arn, "Status": cluster.status,
        "Engine": cluster.engine, "EngineVersion": cluster.version, "EngineMode": "provisioned",
        "DbClusterResourceId": cluster.resource_id, "StorageEncrypted": cluster.encrypted,
        "KmsKeyId": cluster.kms_key, "DeletionProtection": cluster.protected,
        "BackupRetentionPeriod": cluster.retention, "DBSubnetGroup": kept["DBSubnetGroupName"],
        "Port": port_of(cluster), "MasterUsername": kept["MasterUsername"],
        "DatabaseName": kept["DatabaseName"], "CopyTagsToSnapshot": kept["CopyTagsToSnapshot"],
        "DBClusterParameterGroup": kept["DBClusterParameterGroupName"] or "default",
        "IAMDatabaseAuthenticationEnabled": bool(kept["EnableIAMDatabaseAuthentication"]),
        "StorageType": kept["StorageType"] or "aurora",
        "ServerlessV2ScalingConfiguration": cluster.scaling,
        "GlobalClusterIdentifier": cluster.global_id,
        "ReplicationSourceIdentifier": group.writer if secondary else None,
        "Endpoint": None if secondary else endpoint(cluster, "cluster"),
        "ReaderEndpoint": endpoint(cluster, "cluster-ro"),
        "VpcSecurityGroups": [{"VpcSecurityGroupId": one, "Status": "active"}
                              for one in kept["VpcSecurityGroupIds"]],
        "ClusterCreateTime": utc(cluster.created), "TagList": cluster.tags,
        "DBClusterMembers": [member_document(cluster, one) for one in cluster.instances()],
    }


def member_document(cluster: Cluster, instance: DBInstance) -> dict[str, Any]:
    """A DBClusterMember."""
    name = instance.db_instance_identifier
    return {"DBInstanceIdentifier": name, "IsClusterWriter": name == cluster.writer,
            "DBClusterParameterGroupStatus": "in-sync",
            "PromotionTier": getattr(instance, "promotion_tier", 1)}


def port_of(cluster: Cluster) -> int:
    """The given port, or the engine's."""
    return int(cluster.details["Port"] or (5432 if "postgres" in cluster.engine else 3306))


def endpoint(cluster: Cluster, kind: str) -> str:
    """A cluster's address."""
    return f"{cluster.id}.{kind}-localaws.{cluster.region}.rds.amazonaws.com"


def snapshot_document(snapshot: Snapshot) -> dict[str, Any]:
    """A DBClusterSnapshot."""
    return {"DBClusterSnapshotIdentifier": snapshot.id, "DBClusterSnapshotArn": snapshot.arn,
            "DBClusterIdentifier": snapshot.cluster, "Status": snapshot.status,
            "DbClusterResourceId": snapshot.cluster_resource_id, "SnapshotType": snapshot.kind,
            "Engine": snapshot.engine, "EngineVersion": snapshot.version,
            "PercentProgress": snapshot.progress, "StorageEncrypted": snapshot.encrypted,
            "KmsKeyId": snapshot.kms_key, "SnapshotCreateTime": utc(snapshot.created),
            "SourceDBClusterSnapshotArn": snapshot.source, "TagList": snapshot.tags}


def global_document(group: Global) -> dict[str, Any]:
    """A GlobalCluster."""
    failover = globals_.seen(group)
    readers = [arn for arn in group.members if arn != group.writer]
    members = [{"DBClusterArn": arn, "IsWriter": arn == group.writer,
                "Readers": readers if arn == group.writer else [],
                "GlobalWriteForwardingStatus": forwarding(arn, group),
                "SynchronizationStatus": group.synchronization.get(arn, "connected")}
               for arn in group.members]
    return {"GlobalClusterIdentifier": group.id, "GlobalClusterArn": group.arn,
            "GlobalClusterResourceId": group.resource_id, "Status": group.status,
            "Engine": group.engine, "EngineVersion": group.version,
            "DatabaseName": group.database, "StorageEncrypted": group.encrypted,
            "DeletionProtection": group.protected, "GlobalClusterMembers": members,
            "FailoverState": failover}


def forwarding(arn: str, group: Global) -> str | None:
    """Whether a secondary hands writes on; a primary has no such status."""
    cluster = aurora.cluster_of(group.account, arn)
    if cluster is None or arn == group.writer:
        return None
    return "enabled" if cluster.details["EnableGlobalWriteForwarding"] else "disabled"


def find_cluster(store: Store, region: str, name: Any) -> Cluster:
    """The cluster of that identifier, or ARN of this Region."""
    text = str(name)
    if text.startswith("arn:") and text.split(":")[3] != region:
        raise aurora.refuse("DBClusterNotFoundFault", f"DBCluster {text} not found.")
    cluster = store.clusters.get((region, text.split(":")[-1].lower()))
    if cluster is None:
        raise aurora.refuse("DBClusterNotFoundFault", f"DBCluster {text} not found.")
    return cluster


def our_store(self: RDSResponse) -> Store:
    """The caller's account's."""
    return aurora.store(self.current_account)


def is_aurora(self: RDSResponse) -> bool:
    """Whether a call is about a cluster of this model; Multi-AZ clusters are moto's."""
    name = str(self.params.get("DBClusterIdentifier") or "").split(":")[-1].lower()
    return (self.region, name) in our_store(self).clusters


def create_db_cluster(self: RDSResponse) -> ActionResult:
    """CreateDBCluster."""
    if self.params.get("Engine") not in clusters.ENGINES:
        return _moto["create_db_cluster"](self)
    cluster = clusters.create(our_store(self), self.backend, self.params)
    return ActionResult({"DBCluster": cluster_document(cluster)})


def describe_db_clusters(self: RDSResponse) -> ActionResult:
    """DescribeDBClusters."""
    store, name = our_store(self), self.params.get("DBClusterIdentifier")
    if name and (is_aurora(self) or not in_moto(self.backend, name)):
        found = [find_cluster(store, self.region, name)]
        return ActionResult({"DBClusters": [cluster_document(one) for one in found]})
    theirs = _moto["describe_db_clusters"](self).result["DBClusters"]
    ours = [cluster_document(one) for (region, _), one in store.clusters.items()
            if region == self.region and matches(one, self.params.get("Filters") or [])]
    return ActionResult({"DBClusters": ours + list(theirs)})


def matches(cluster: Cluster, filters: list[dict[str, Any]]) -> bool:
    """The filters db-cluster-id and engine."""
    for one in filters:
        values = [str(value).split(":")[-1].lower() for value in one["Values"]]
        shown = {"db-cluster-id": cluster.id, "engine": cluster.engine}.get(one["Name"])
        if shown is not None and shown not in values:
            return False
    return True


def in_moto(backend: RDSBackend, name: Any) -> bool:
    """Whether moto has a cluster of that name: a Multi-AZ DB cluster."""
    return str(name).split(":")[-1].lower() in backend.clusters


def modify_db_cluster(self: RDSResponse) -> ActionResult:
    """ModifyDBCluster."""
    if in_moto(self.backend, self.params["DBClusterIdentifier"]):
        return _moto["modify_db_cluster"](self)
    cluster = find_cluster(our_store(self), self.region, self.params["DBClusterIdentifier"])
    clusters.modify(cluster, self.params)
    return ActionResult({"DBCluster": cluster_document(cluster)})


def delete_db_cluster(self: RDSResponse) -> ActionResult:
    """DeleteDBCluster."""
    if in_moto(self.backend, self.params["DBClusterIdentifier"]):
        return _moto["delete_db_cluster"](self)
    store = our_store(self)
    cluster = find_cluster(store, self.region, self.params["DBClusterIdentifier"])
    clusters.delete(store, cluster, self.params)
    return ActionResult({"DBCluster": cluster_document(cluster) | {"Status": "deleting"}})


def create_db_cluster_snapshot(self: RDSResponse) -> ActionResult:
    """CreateDBClusterSnapshot."""
    made = snapshots.create(our_store(self), self.region, self.params)
    return ActionResult({"DBClusterSnapshot": snapshot_document(made)})


def copy_db_cluster_snapshot(self: RDSResponse) -> ActionResult:
    """CopyDBClusterSnapshot."""
    made = snapshots.copy(our_store(self), self.backend, self.params)
    return ActionResult({"DBClusterSnapshot": snapshot_document(made)})


def describe_db_cluster_snapshots(self: RDSResponse) -> ActionResult:
    """DescribeDBClusterSnapshots."""
    found = snapshots.find(our_store(self), self.region, self.params)
    return ActionResult({"DBClusterSnapshots": [snapshot_document(one) for one in found]})


def delete_db_cluster_snapshot(self: RDSResponse) -> ActionResult:
    """DeleteDBClusterSnapshot: of a manual one."""
    store, name = our_store(self), str(self.params["DBClusterSnapshotIdentifier"]).lower()
    snapshot = store.snapshots.get((self.region, name))
    if snapshot is None:
        raise snapshots.missing(name)
    if snapshot.kind == "automated" or snapshot.status != "available":
        raise aurora.refuse("InvalidDBClusterSnapshotStateFault",
                            f"Snapshot {name} is {snapshot.kind} and {snapshot.status}.")
    del store.snapshots[(self.region, name)]
    return ActionResult({"DBClusterSnapshot": snapshot_document(snapshot)})


def global_call(work: Callable[[RDSResponse, Store], Global]) -> Callable[[RDSResponse], Any]:
    """A call that answers a global cluster."""
    def method(self: RDSResponse) -> ActionResult:
        return ActionResult({"GlobalCluster": global_document(work(self, our_store(self)))})
    return method


def describe_global_clusters(self: RDSResponse) -> ActionResult:
    """DescribeGlobalClusters, as this Region knows them."""
    store, name = our_store(self), self.params.get("GlobalClusterIdentifier")
    if name:
        found = [globals_.find(store, self.region, name)]
    else:
        found = [one for one in store.globals.values() if one.hidden <= aurora.now()
                 and globals_.known_in(one, self.region)]
    if any(globals_.lost(one, "unavailable") for one in found):
        raise aurora.unavailable()
    return ActionResult({"GlobalClusters": [global_document(one) for one in found]})


def delete_global(self: RDSResponse, store: Store) -> Global:
    """DeleteGlobalCluster."""
    group = globals_.find(store, self.region, self.params["GlobalClusterIdentifier"])
    globals_.delete(store, group)
    return group


def create_db_snapshot(self: RDSBackend, db_instance_identifier: str, *args: Any, **more: Any
                       ) -> Any:
    """CreateDBSnapshot: instances of clusters have no snapshots of their own."""
    instance = self.databases.get(db_instance_identifier)
    if instance is not None and instance.db_cluster_identifier:
        raise InvalidParameterValue(
            "The specified instance is a member of a cluster and a snapshot cannot be created "
            "directly. Please use the CreateDBClusterSnapshot API instead.")
    return rds_snapshots.create_db_snapshot(self, db_instance_identifier, *args, **more)


def reset(self: RDSBackend) -> None:
    """An empty account has no clusters either."""
    aurora.forget_account(self.account_id)
    _moto_reset(self)


def create_member(backend: RDSBackend, db_kwargs: Any) -> DBInstance:
    """CreateDBInstance of a cluster: ours, or of moto's Multi-AZ clusters."""
    wanted = {key: value for key, value in dict(db_kwargs).items() if value is not None}
    if in_moto(backend, wanted["db_cluster_identifier"]):
        return _moto_member(backend, db_kwargs)
    return clusters.create_member(aurora.store(backend.account_id), backend, wanted)


_moto_member = rds_instances.create_cluster_member


def delete_db_instance(self: RDSBackend, db_instance_identifier: str,
                       final_db_snapshot_identifier: str | None = None,
                       skip_final_snapshot: bool | None = False, **more: Any) -> DBInstance:
    """DeleteDBInstance: of a cluster's instance, or as `rds_delete` has it."""
    instance = self.databases.get(db_instance_identifier)
    cluster = instance is not None and instance.db_cluster_identifier
    if cluster and not in_moto(self, cluster):
        return clusters.delete_member(self, instance, final_db_snapshot_identifier,
                                      skip_final_snapshot)
    return rds_delete.delete_db_instance(self, db_instance_identifier,
                                         final_db_snapshot_identifier, skip_final_snapshot, **more)


def tagged(self: RDSBackend, arn: str) -> Any:
    """Tags of clusters and cluster snapshots."""
    kind = arn.split(":")[5] if arn.count(":") >= 6 else ""
    if kind == "cluster" and not in_moto(self, arn):
        return find_cluster(aurora.store(self.account_id), self.region_name, arn)
    if kind == "cluster-snapshot":
        name = snapshots.own_name(arn)
        found = aurora.store(self.account_id).snapshots.get((self.region_name, name))
        if found is None:
            raise snapshots.missing(name)
        return found
    return _moto_tagged(self, arn)


_moto = {name: getattr(RDSResponse, name) for name in (
    "create_db_cluster", "describe_db_clusters", "modify_db_cluster", "delete_db_cluster")}
_moto_tagged: Any = None
_moto_reset = RDSBackend.reset


def install() -> None:
    """Puts these in the place of moto's."""
    global _moto_tagged
    for method in (create_db_cluster, describe_db_clusters, modify_db_cluster, delete_db_cluster,
                   create_db_cluster_snapshot, copy_db_cluster_snapshot,
                   describe_db_cluster_snapshots, delete_db_cluster_snapshot,
                   describe_global_clusters):
        setattr(RDSResponse, method.__name__, method)
    calls: dict[str, Callable[[RDSResponse, Store], Global]] = {
        "create_global_cluster": lambda self, store: globals_.create(
            store, self.current_account, self.region, self.params),
        "switchover_global_cluster": lambda self, store: globals_.switchover(
            store, self.region, self.params),
        "failover_global_cluster": lambda self, store: globals_.failover(
            store, self.region, self.params),
        "remove_from_global_cluster": lambda self, store: globals_.remove(
            store, self.region, self.params),
        "delete_global_cluster": delete_global,
    }
    for name, work in calls.items():
        setattr(RDSResponse, name, global_call(work))
    rds_instances.create_cluster_member = create_member
    RDSBackend.delete_db_instance = delete_db_instance
    RDSBackend.create_db_snapshot = create_db_snapshot
    RDSBackend.reset = reset
    _moto_tagged = RDSBackend._get_resource_for_tagging
    RDSBackend._get_resource_for_tagging = tagged
