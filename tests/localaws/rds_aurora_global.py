"""Aurora global clusters: members come and go, and roles change."""

from typing import Any

from moto.rds.exceptions import InvalidParameterCombination, InvalidParameterValue

from localaws import rds_aurora as aurora
from localaws import rds_aurora_clusters as clusters
from localaws import rds_aurora_snapshots as snapshots
from localaws import rds_replication
from localaws.rds_aurora import Cluster, Global, Store
from localaws.rds_transitions import clock, plan, seconds
from localaws.unknowns import get as unknown


def not_found(name: Any) -> Exception:
    """GlobalClusterNotFoundFault."""
    return aurora.refuse("GlobalClusterNotFoundFault", f"Global cluster {name} not found")


def known_in(group: Global, region: str) -> bool:
    """Whether a Region answers for a global cluster."""
    inside = region in group.regions() or region == group.home
    return inside or unknown("rds.global_outside_members") == "shown"


def find(store: Store, region: str, name: Any) -> Global:
    """The global cluster as a Region knows it."""
    group = store.globals.get(str(name).lower())
    if group is None or group.hidden > clock() or not known_in(group, region):
        raise not_found(name)
    return group


def create(store: Store, account: str, region: str, p: Any) -> Global:
    """CreateGlobalCluster: from a cluster of any Region, or empty."""
    name = str(p["GlobalClusterIdentifier"]).lower()
    if name in store.globals:
        raise aurora.refuse("GlobalClusterAlreadyExistsFault",
                            f"Global Cluster {name} already exists")
    source = source_of(store, account, p)
    group = Global(account, name, region, *engine_of(source, p), resource_id="cluster-"
                   + aurora.unique().lower()[:16], protected=bool(p.get("DeletionProtection")),
                   encrypted=source.encrypted if source else bool(p.get("StorageEncrypted")),
                   database=p.get("DatabaseName"), hidden=clock() + seconds("visible"))
    store.globals[name] = group
    if source is not None:
        clusters.join(group, source)

    def ready() -> None:
        group.status = "available"

    plan(group, (seconds("rds.global.create"), ready))
    return group


def source_of(store: Store, account: str, p: Any) -> Cluster | None:
    """The cluster that becomes the primary."""
    name = p.get("SourceDBClusterIdentifier")
    if not name:
        return None
    if not str(name).startswith("arn:"):
        raise InvalidParameterValue("SourceDBClusterIdentifier must be an ARN.")
    given = [key for key in ("Engine", "EngineVersion", "DatabaseName", "StorageEncrypted")
             if p.get(key) is not None]
    if given:
        raise InvalidParameterCombination(
            f"{', '.join(given)} cannot be specified with SourceDBClusterIdentifier.")
    source = aurora.cluster_of(account, name)
    if source is None:
        raise aurora.refuse("DBClusterNotFoundFault", f"DBCluster {name} not found.")
    if source.global_id:
        raise aurora.invalid_state(f"{source.id} is a member of {source.global_id} already.")
    aurora.require_available(source)
    return source


def engine_of(source: Cluster | None, p: Any) -> tuple[str, str]:
    """Engine and version."""
    if source is not None:
        return source.engine, source.version
    engine = p.get("Engine")
    if engine not in clusters.ENGINES:
        raise InvalidParameterValue(f"Invalid DB engine: {engine}")
    return engine, str(p.get("EngineVersion") or clusters.NEWEST[engine])


def delete(store: Store, group: Global) -> None:
    """DeleteGlobalCluster: of an empty one without protection."""
    if group.members:
        raise aurora.invalid_global(f"Global Cluster {group.id} is not empty")
    if group.protected:
        raise InvalidParameterCombination(
            "Cannot delete protected Global Cluster, please disable deletion protection and try "
            "again.")

    def gone() -> None:
        store.globals.pop(group.id, None)

    if group.busy == "deleting":
        raise aurora.invalid_global(f"Global Cluster {group.id} is being deleted")
    group.busy = "deleting"
    plan(group, (seconds("visible"), gone))


def member_of(store: Store, group: Global, name: Any) -> Cluster:
    """The member of that ARN."""
    cluster = aurora.cluster_of(group.account, str(name)) if str(name).startswith("arn:") else None
    if cluster is None:
        raise aurora.refuse("DBClusterNotFoundFault", f"DBCluster {name} not found.")
    if cluster.arn not in group.members:
        raise aurora.refuse("DBClusterNotFoundFault",
                            f"DBCluster {name} is not a member of {group.id}.")
    return cluster


def require_idle(group: Global) -> None:
    """One change of roles at a time."""
    if group.busy or group.status != "available":
        raise aurora.invalid_global(f"Global cluster {group.id} is in {group.busy or group.status}")


def switchover(store: Store, region: str, p: Any) -> Global:
    """SwitchoverGlobalCluster: documented for the primary's Region, between healthy members."""
    group = find(store, region, p["GlobalClusterIdentifier"])
    target = member_of(store, group, p["TargetDbClusterIdentifier"])
    primary = aurora.cluster_of(group.account, str(group.writer))
    if unknown("rds.global_call_regions") == "documented" and region != primary.region:
        raise InvalidParameterValue(
            f"A switchover must be requested in the primary's Region, {primary.region}.")
    check_target(group, target)
    for one in (primary, target):
        if rds_replication.is_dark(one.region):
            raise aurora.invalid_global(f"{one.arn} is not available")
        aurora.require_available(one)
    if target.version != primary.version:
        raise aurora.invalid_global("The members have different engine versions.")
    begin(store, group, target, False, seconds("rds.global.switchover"))
    return group


def failover(store: Store, region: str, p: Any) -> Global:
    """FailoverGlobalCluster: documented for the target's Region; AllowDataLoss or Switchover."""
    if bool(p.get("AllowDataLoss")) == bool(p.get("Switchover")):
        # Both is refused by AWS; that neither is too is not documented: the hard reading.
        raise InvalidParameterCombination("Specify either AllowDataLoss or Switchover.")
    if p.get("Switchover"):
        return switchover(store, region, p)
    group = find(store, region, p["GlobalClusterIdentifier"])
    target = member_of(store, group, p["TargetDbClusterIdentifier"])
    if unknown("rds.global_call_regions") == "documented" and region != target.region:
        raise InvalidParameterValue(
            f"A failover must be requested in the target's Region, {target.region}.")
    check_target(group, target)
    aurora.require_available(target)
    if minor(target.version) != minor(group.version):
        raise aurora.invalid_global("The members have different engine versions.")
    begin(store, group, target, True, seconds("rds.global.failover"))
    return group


def minor(version: str) -> list[str]:
    """Major and minor version."""
    return version.rsplit("aurora.", 1)[-1].split(".")[:2]


def check_target(group: Global, target: Cluster) -> None:
    """A secondary with an instance, while nothing else goes on."""
    require_idle(group)
    if group.writer == target.arn:
        raise aurora.invalid_global(f"{target.arn} is the primary already.")
    if not any(one.status == "available" for one in target.instances()):
        raise aurora.invalid_state(f"{target.arn} has no available instance.")


def begin(store: Store, group: Global, target: Cluster, data_loss: bool, takes: float) -> None:
    """pending, under way, and at the end the roles are exchanged."""
    old = aurora.cluster_of(group.account, str(group.writer))
    word = "failing-over" if data_loss else "switching-over"
    group.busy = word
    state = {"Status": "pending", "FromDbClusterArn": group.writer,
             "ToDbClusterArn": target.arn, "IsDataLossAllowed": data_loss}
    visible = seconds("visible")

    def shows() -> None:
        group.failover = dict(state)
        if unknown("rds.status_words") == "busy":
            group.status, target.status = word, "modifying"

    def under_way() -> None:
        if group.failover:
            group.failover["Status"] = "cancelling" if group.cancel else word
        if clusters.writer_early() and not group.cancel:
            target.writer = first(target)

    def over() -> None:
        end(store, group, old, target, data_loss)

    at_once = unknown("rds.failover_state_visible") == "at-once"
    plan(group, (0.0 if at_once else visible, shows), (visible + takes / 2, under_way),
         (visible + takes, aurora.in_light(target.region, over, group)))


def first(cluster: Cluster) -> str | None:
    """An instance that can write."""
    available = [one for one in cluster.instances() if one.status == "available"]
    return available[0].db_instance_identifier if available else None


def end(store: Store, group: Global, old: Cluster | None, target: Cluster,
        data_loss: bool) -> None:
    """The roles are exchanged; or, cancelled by AWS, they are what they were."""
    group.failover, group.busy, group.status = None, None, "available"
    if target.status == "modifying":
        target.status = "available"
    if group.cancel:
        group.cancel, target.writer = False, None
        return
    group.writer = target.arn
    target.writer, target.following_since = first(target), 0.0
    group.synchronization.pop(target.arn, None)
    if old is not None:
        step_down(store, group, old, data_loss)
    for arn in group.members:
        group.synchronization.setdefault(arn, "connected") if arn != target.arn else None


def step_down(store: Store, group: Global, old: Cluster, data_loss: bool) -> None:
    """The old primary follows; after an unplanned failover on a new volume, once it is back."""
    old.writer = None
    group.synchronization[old.arn] = "pending-resync"
    dark = rds_replication.is_dark(old.region)
    if data_loss and dark and unknown("rds.lost_writer_listed") == "absent":
        group.members.remove(old.arn)
        group.synchronization.pop(old.arn)

    def follows() -> None:
        old.following_since = clock()
        group.synchronization[old.arn] = "connected"
        aurora.finish(old)()

    def back() -> None:
        if data_loss:
            snapshots.point_of_failure(store, old)
            old.resource_id = "cluster-" + aurora.unique()
        if old.arn not in group.members:
            group.members.append(old.arn)
            group.synchronization[old.arn] = "pending-resync"
        aurora.later(old, (seconds("rds.global.resync") if data_loss else 0.0, follows))

    if data_loss:
        old.accepted = "modifying"
    aurora.later(old, (0.0, back))


def remove(store: Store, region: str, p: Any) -> Global:
    """RemoveFromGlobalCluster: `promoting`, then a cluster of its own."""
    group = find(store, region, p["GlobalClusterIdentifier"])
    cluster = member_of(store, group, p["DbClusterIdentifier"])
    require_idle(group)
    if group.writer == cluster.arn and len(group.members) > 1:
        raise aurora.invalid_global(
            f"{cluster.arn} is the primary: remove the secondaries of {group.id} first.")
    aurora.require_available(cluster)
    was_primary = group.writer == cluster.arn
    visible, takes = seconds("visible"), 0.0 if was_primary else seconds("rds.global.detach")
    silent = unknown("rds.status_words") == "silent"
    at_once = unknown("rds.failover_state_visible") == "at-once"
    cluster.accepted = "promoting"

    def leaves() -> None:
        group.members.remove(cluster.arn)
        group.synchronization.pop(cluster.arn, None)
        if group.writer == cluster.arn:
            group.writer = None
        cluster.global_id, cluster.following_since = None, 0.0

    def promoting() -> None:
        leaves()
        cluster.status = "promoting"

    def over() -> None:
        if silent:
            leaves()
        aurora.finish(cluster)()
        clusters.designate(cluster)

    begun = [] if silent else [(0.0 if at_once else visible, promoting)]
    aurora.later(cluster, *begun, (visible + takes, over))
    return group


def lost(group: Global, choice: str) -> bool:
    """Whether the writer's Region is dark and `rds.global_metadata_when_dark` is the choice."""
    dark = group.writer and rds_replication.is_dark(str(group.writer).split(":")[3])
    return bool(dark) and unknown("rds.global_metadata_when_dark") == choice


def seen(group: Global) -> dict[str, Any] | None:
    """The failover as it is told; stale metadata does not tell it."""
    return None if lost(group, "stale") else group.failover


def interfere(store: Store, body: dict[str, Any]) -> dict[str, Any]:
    """POST /_localaws/rds/global {"id", "cancel": true | "foreign": "<cluster ARN>"}."""
    group = store.globals[str(body["id"]).lower()]
    if body.get("cancel"):
        group.cancel = True
    if body.get("foreign"):
        target = member_of(store, group, body["foreign"])
        begin(store, group, target, False, seconds("rds.global.switchover"))
    return {"id": group.id, "writer": group.writer, "failover": group.failover}
