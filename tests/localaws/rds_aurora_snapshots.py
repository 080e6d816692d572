"""Cluster snapshots: taken, copied, kept after their cluster is gone."""

from typing import Any

from moto.rds.exceptions import InvalidParameterCombination, InvalidParameterValue
from moto.rds.models import RDSBackend

from localaws import rds_aurora as aurora
from localaws import rds_instances
from localaws.rds_aurora import Cluster, Snapshot, Store
from localaws.rds_transitions import clock, plan, seconds, utc

POINT_OF_FAILURE = "rds:unplanned-global-failover-"


def missing(name: str) -> Exception:
    """DBClusterSnapshotNotFoundFault."""
    return aurora.refuse("DBClusterSnapshotNotFoundFault",
                         f"DBClusterSnapshot {name} not found.")


def take(store: Store, cluster: Cluster, name: str, kind: str) -> Snapshot:
    """A snapshot that is `creating` for rds.cluster.snapshot seconds."""
    require_free(store, cluster.region, name)
    snapshot = Snapshot(cluster.account, cluster.region, name, cluster.id, cluster.resource_id,
                        kind, cluster.engine, cluster.version, cluster.encrypted, cluster.kms_key,
                        clock())
    store.snapshots[(cluster.region, name)] = snapshot
    end, cluster.next_snapshot = cluster.next_snapshot, "available"
    hold(snapshot, seconds("rds.cluster.snapshot"), end)
    return snapshot


def hold(snapshot: Snapshot, takes: float, end: str = "available") -> None:
    """It is not available before that."""
    def over() -> None:
        snapshot.status, snapshot.progress = end, 100 if end == "available" else 40

    plan(snapshot, (takes, aurora.in_light(snapshot.region, over, snapshot)))


def require_free(store: Store, region: str, name: str) -> None:
    """Refuses a name that is taken."""
    if (region, name) in store.snapshots:
        raise aurora.refuse("DBClusterSnapshotAlreadyExistsFault",
                            f"Cannot create the snapshot: {name} exists already.")


def create(store: Store, region: str, p: Any) -> Snapshot:
    """CreateDBClusterSnapshot: the cluster is `backing-up` meanwhile."""
    name = str(p["DBClusterIdentifier"]).split(":")[-1].lower()
    cluster = store.clusters.get((region, name))
    if cluster is None:
        raise aurora.refuse("DBClusterNotFoundFault", f"DBCluster {name} not found.")
    aurora.require_available(cluster)
    snapshot = take(store, cluster, legal_name(p["DBClusterSnapshotIdentifier"]), "manual")
    snapshot.tags = list(p.get("Tags") or [])
    visible = seconds("visible")
    cluster.accepted = "backing-up"
    aurora.later(cluster, (visible, aurora.show(cluster, "backing-up")),
                 (max(visible, seconds("rds.cluster.snapshot")), aurora.finish(cluster)))
    return snapshot


def legal_name(name: Any) -> str:
    """1 to 63 letters, digits and single hyphens."""
    text = str(name).lower()
    legal = text.replace("-", "").isalnum() and text[0].isalpha() and "--" not in text \
        and not text.endswith("-") and len(text) <= 63
    if not legal:
        raise InvalidParameterValue(
            f"The parameter DBClusterSnapshotIdentifier is not a valid identifier: {name}")
    return text


def copy(store: Store, backend: RDSBackend, p: Any) -> Snapshot:
    """CopyDBClusterSnapshot, in the copy's Region."""
    region, given = backend.region_name, str(p["SourceDBClusterSnapshotIdentifier"])
    key = (given.split(":")[3] if given.startswith("arn:") else region, own_name(given))
    source = store.snapshots.get(key)
    if source is None:
        raise missing(given)
    name = legal_name(p["TargetDBClusterSnapshotIdentifier"])
    require_free(store, region, name)
    if source.status != "available":
        raise aurora.refuse("InvalidDBClusterSnapshotStateFault",
                            f"Snapshot {source.id} is not available.")
    copied = Snapshot(source.account, region, name, source.cluster, source.cluster_resource_id,
                      "manual", source.engine, source.version, source.encrypted,
                      key_of_copy(backend, source, p.get("KmsKeyId")), clock(),
                      status="copying" if key[0] != region else "creating", source=source.arn,
                      tags=list(source.tags) if p.get("CopyTags") else list(p.get("Tags") or []))
    store.snapshots[(region, name)] = copied
    hold(copied, seconds("rds.snapshot.copy"))
    return copied


def key_of_copy(backend: RDSBackend, source: Snapshot, key: str | None) -> str | None:
    """An encrypted copy in another Region needs a key of that Region."""
    if not source.encrypted:
        if key:
            raise InvalidParameterCombination(
                "KmsKeyId cannot be specified when copying an unencrypted cluster snapshot.")
        return None
    if source.region != backend.region_name and not key:
        raise InvalidParameterCombination(
            "KmsKeyId is required to copy an encrypted snapshot to another Region.")
    return rds_instances.kms_key(backend, key) if key else source.kms_key


def find(store: Store, region: str, p: Any) -> list[Snapshot]:
    """DescribeDBClusterSnapshots."""
    kind = p.get("SnapshotType")
    name = p.get("DBClusterSnapshotIdentifier")
    clusters = wanted_clusters(p)
    found = [one for (where, _), one in sorted(store.snapshots.items()) if where == region
             and (kind is None or one.kind == kind)
             and (not name or one.id == own_name(str(name)))
             and (clusters is None or one.cluster in clusters)]
    if name and not found:
        raise missing(name)
    return found


def own_name(name: str) -> str:
    """The identifier in an ARN, or the name itself; that of an automated one begins with rds:."""
    return (name.split(":", 6)[6] if name.startswith("arn:") else name).lower()


def wanted_clusters(p: Any) -> set[str] | None:
    """By the parameter of that name, or by filter; both find snapshots of deleted clusters."""
    if p.get("DBClusterIdentifier"):
        return {str(p["DBClusterIdentifier"]).split(":")[-1].lower()}
    for one in p.get("Filters") or []:
        if one["Name"] == "db-cluster-id":
            return {str(value).split(":")[-1].lower() for value in one["Values"]}
    return None


def drop_automated(store: Store, cluster: Cluster) -> None:
    """Automated snapshots, those of a failover too, go with their cluster."""
    for key, snapshot in list(store.snapshots.items()):
        if snapshot.kind == "automated" and snapshot.cluster_resource_id == cluster.resource_id:
            del store.snapshots[key]


def point_of_failure(store: Store, cluster: Cluster) -> None:
    """What AWS tries to save of writes that had not been replicated."""
    stamp = utc(clock()).strftime("%Y-%m-%d-%H-%M-%S")
    name = f"{POINT_OF_FAILURE}{cluster.id}-{stamp}"
    if (cluster.region, name) not in store.snapshots:
        take(store, cluster, name, "automated")
