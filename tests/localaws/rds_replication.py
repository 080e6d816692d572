"""What ties a replica to its source: the state of replication, its lag, and the source's list.

moto 5.2.5 has no StatusInfos, forgets the source's list on promotion, and knows no lag.
"""

from typing import Any

from moto.rds.models import DBInstance, rds_backends

from localaws import timings
from localaws.rds_transitions import clock, plan, seconds

# How long the old source still lists a cross-Region replica after its promotion. AWS does not say
# whether and how long it does; the hard reading is: for a while.
timings.define("rds.keeps_promoted_replica_listed", 10.0)
# How long a replica is cut off from its source until RDS calls that an error. Not documented.
timings.define("rds.replication_error", 10.0)

_dark_since: dict[str, float] = {}


def set_dark(region: str, dark: bool) -> None:
    """Told by the control API: replicas of sources in a dark Region lose their source."""
    if dark:
        _dark_since.setdefault(region, clock())
    else:
        _dark_since.pop(region, None)


def is_dark(region: str) -> bool:
    """Whether the Region is dark now."""
    return region in _dark_since


def dark_for(region: str, at: float | None = None) -> float:
    """Seconds since the Region went dark, now or at a time; 0 when it is not dark."""
    if not is_dark(region):
        return 0.0
    now = clock()
    return max(0.0, min(now if at is None else at, now) - _dark_since[region])


def source_region(replica: DBInstance) -> str:
    """The Region of a replica's source, which is named by ARN if it is another one."""
    source = replica.source_db_instance_identifier
    return source.split(":")[3] if source.startswith("arn:") else replica.region


def source_of(replica: DBInstance) -> DBInstance | None:
    """The source instance, if it still exists."""
    if not replica.source_db_instance_identifier:
        return None
    name = replica.source_db_instance_identifier.split(":")[-1]
    return rds_backends[replica.account_id][source_region(replica)].settled_databases.get(name)


def name_for(instance: DBInstance, elsewhere: DBInstance) -> str:
    """How one instance is named by another: by id in its own Region, by ARN in another."""
    same = instance.region == elsewhere.region
    return instance.db_instance_identifier if same else instance.db_instance_arn


def replicas_of(source: DBInstance) -> list[DBInstance]:
    """The instances that name this one as their source, in all Regions."""
    return [one for backend in list(dict.values(rds_backends[source.account_id]))
            for one in list(backend.settled_databases.values())
            if one.source_db_instance_identifier and source_of(one) is source]


def start(instance: DBInstance) -> None:
    """Replication runs from the moment at which a replica is available."""
    if instance.source_db_instance_identifier:
        instance.replication, instance.replicating_since = "replicating", clock()


def terminate(replica: DBInstance) -> None:
    """The source is gone; the replica goes on naming it (AWS says that replication is terminated,
    not what becomes of ReadReplicaSourceDBInstanceIdentifier: the hard reading is that it stays).
    """
    replica.replication = "terminated"


def delist(replica: DBInstance, after: float = 0.0) -> None:
    """Takes the replica off its source's list, in a Region that is dark only when that is back."""
    source = source_of(replica)
    if source is None:
        return
    name = name_for(replica, source)
    was_dark = is_dark(source.region)

    def remove() -> None:
        nonlocal was_dark
        if is_dark(source.region) or was_dark:
            was_dark = is_dark(source.region)
            plan(source, (after or 1.0, remove))
        elif name in source.replicas:
            source.replicas.remove(name)

    if after or was_dark:
        plan(source, (after, remove))
    else:
        remove()


def detach(replica: DBInstance) -> None:
    """The replica becomes an instance of its own."""
    crossed = replica.source_db_instance_identifier.startswith("arn:")
    delist(replica, seconds("rds.keeps_promoted_replica_listed") if crossed else 0.0)
    replica.source_db_instance_identifier, replica.is_replica = None, False
    replica.replication = None


def cut_off_for(replica: DBInstance, at: float | None = None) -> float:
    """Seconds since the replica lost its source's Region, now or at a time; 0 when it has not."""
    region = source_region(replica)
    return 0.0 if region == replica.region else dark_for(region, at)


def replication_status(replica: DBInstance, at: float | None = None) -> str | None:
    """replicating, error, stopped or terminated; None before replication has begun."""
    cut_off = cut_off_for(replica, at)
    if replica.replication == "replicating" and cut_off:
        return "error" if cut_off >= seconds("rds.replication_error") else "replicating"
    return replica.replication


def status_infos(self: DBInstance) -> list[dict[str, Any]]:
    """StatusInfos: one entry for a replica whose replication has begun."""
    status = replication_status(self) if self.source_db_instance_identifier else None
    if status is None:
        return []
    normal = status == "replicating"
    info = {"StatusType": "read replication", "Normal": normal, "Status": status}
    return [info if normal else info | {"Message": f"Replication has {status}."}]


def lag(replica: DBInstance, at: float | None = None) -> float | None:
    """ReplicaLag in seconds, now or at a time; None when there is no such metric.

    MySQL and MariaDB report -1 while replication is not active, PostgreSQL a lag that grows.
    """
    status = replication_status(replica, at) if replica.source_db_instance_identifier else None
    if status is None:
        return None
    if status != "replicating" and replica.engine in ("mysql", "mariadb"):
        return -1.0
    return seconds("replica_lag") + cut_off_for(replica, at)


def install() -> None:
    """Adds what a description of a replica shows."""
    DBInstance.replication, DBInstance.replicating_since = None, 0.0
    DBInstance.status_infos = property(status_infos)
