"""Aurora clusters and global clusters: what is kept, and its clock.

One store per account holds the clusters of all Regions and the global clusters. Everything becomes
what it becomes by steps with due times (see `rds_transitions`); a step of a dark Region waits until
that Region is back. Instances of clusters are DB instances of `rds_instances` that name their
cluster.
"""

import random
import string
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from moto.rds.exceptions import RDSClientError
from moto.rds.models import TaggingMixin, rds_backends
from werkzeug.exceptions import ServiceUnavailable

from localaws import rds_replication, rds_transitions, timings, unknowns
from localaws.rds_transitions import clock, plan, seconds

TIMES = {"rds.cluster.create": 2, "rds.cluster.delete": 1, "rds.cluster.modify": 1,
         "rds.cluster.snapshot": 1, "rds.snapshot.copy": 1, "rds.global.create": 1,
         "rds.global.switchover": 2, "rds.global.failover": 2, "rds.global.detach": 2,
         "rds.global.resync": 2, "aurora_lag": 0.2}
for _name, _default in TIMES.items():
    timings.define(_name, _default)
unknowns.define("rds.global_call_regions", "documented", ("documented", "any"))
unknowns.define("rds.status_words", "silent", ("silent", "busy"))
unknowns.define("rds.failover_state_visible", "late", ("late", "at-once"))
unknowns.define("rds.lost_writer_listed", "listed", ("listed", "absent"))
unknowns.define("rds.global_metadata_when_dark", "fresh", ("fresh", "stale", "unavailable"))
unknowns.define("rds.member_id_writer_flip", "late", ("late", "early"))
# Whether a Region without a member, other than the one it was created in, knows a global cluster.
unknowns.define("rds.global_outside_members", "absent", ("absent", "shown"))


@dataclass(eq=False)
class Cluster(TaggingMixin):
    """An Aurora cluster."""

    account: str
    region: str
    id: str
    engine: str
    version: str
    details: dict[str, Any]
    status: str = "creating"
    accepted: str | None = None  # ahead of the shown status while a call is not yet visible
    global_id: str | None = None
    encrypted: bool = False
    kms_key: str | None = None
    protected: bool = False
    retention: int = 1
    scaling: dict[str, Any] | None = None
    writer: str | None = None  # the instance that the cluster shows as its writer
    created: float = 0.0
    following_since: float = 0.0
    next_snapshot: str = "available"
    resource_id: str = ""
    steps: tuple = ()

    @property
    def arn(self) -> str:
        """arn:aws:rds:<region>:<account>:cluster:<id>."""
        return arn(self.region, self.account, f"cluster:{self.id}")

    @property
    def real_status(self) -> str:
        """The status that decides refusals."""
        return self.accepted or self.status

    def instances(self) -> list[Any]:
        """Its instances, oldest first."""
        databases = rds_backends[self.account][self.region].settled_databases
        return [one for one in databases.values() if one.db_cluster_identifier == self.id]


@dataclass(eq=False)
class Global:
    """A global cluster: its members, which of them writes, and what is going on."""

    account: str
    id: str
    home: str  # the Region it was created in
    engine: str
    version: str
    encrypted: bool = False
    protected: bool = False
    database: str | None = None
    status: str = "creating"
    members: list[str] = field(default_factory=list)  # ARNs
    writer: str | None = None
    synchronization: dict[str, str] = field(default_factory=dict)
    failover: dict[str, Any] | None = None
    busy: str | None = None  # what was accepted and has not ended
    cancel: bool = False
    hidden: float = 0.0  # not shown before
    resource_id: str = ""
    steps: tuple = ()

    @property
    def arn(self) -> str:
        """Of no Region."""
        return arn("", self.account, f"global-cluster:{self.id}")

    def regions(self) -> set[str]:
        """Where its members are."""
        return {member.split(":")[3] for member in self.members}


@dataclass(eq=False)
class Snapshot(TaggingMixin):
    """A cluster snapshot. It outlives its cluster."""

    account: str
    region: str
    id: str
    cluster: str
    cluster_resource_id: str
    kind: str
    engine: str
    version: str
    encrypted: bool
    kms_key: str | None
    created: float
    status: str = "creating"
    progress: int = 0
    source: str | None = None
    tags: list[dict[str, str]] = field(default_factory=list)
    steps: tuple = ()

    @property
    def arn(self) -> str:
        """arn:aws:rds:<region>:<account>:cluster-snapshot:<id>."""
        return arn(self.region, self.account, f"cluster-snapshot:{self.id}")


@dataclass
class Store:
    """All of an account, by (Region, identifier)."""

    clusters: dict[tuple[str, str], Cluster] = field(default_factory=dict)
    globals: dict[str, Global] = field(default_factory=dict)
    snapshots: dict[tuple[str, str], Snapshot] = field(default_factory=dict)


_stores: dict[str, Store] = defaultdict(Store)


def store(account: str) -> Store:
    """The account's store, after all steps that are due."""
    rds_transitions.settle(account)
    return _stores[account]


def forget_account(account: str) -> None:
    """Everything that the account has is gone."""
    _stores.pop(account, None)


def things(account: str) -> Iterator[Any]:
    """All that has steps; asked by the clock."""
    kept = _stores[account]
    yield from list(kept.clusters.values())
    yield from list(kept.globals.values())
    yield from list(kept.snapshots.values())


def arn(region: str, account: str, resource: str) -> str:
    """An ARN of RDS."""
    partition = "aws-cn" if region.startswith("cn-") else "aws"
    return f"arn:{partition}:rds:{region}:{account}:{resource}"


def unique() -> str:
    """The last part of a resource id."""
    return "".join(random.choices(string.ascii_uppercase + string.digits, k=26))


def cluster_of(account: str, name: str) -> Cluster | None:
    """A cluster by its ARN, without taking steps."""
    parts = name.split(":")
    return _stores[account].clusters.get((parts[3], parts[6].lower()))


def in_light(region: str, change: Callable[[], None], thing: Any) -> Callable[[], None]:
    """The change, put off while the Region is dark: there nothing goes on."""
    def take() -> None:
        if rds_replication.is_dark(region):
            plan(thing, (0.5, in_light(region, change, thing)))
        else:
            change()
    return take


def later(cluster: Cluster, *steps: tuple[float, Callable[[], None]]) -> None:
    """Plans steps of a cluster, which stand still with its Region."""
    plan(cluster, *((after, in_light(cluster.region, change, cluster)) for after, change in steps))


def finish(cluster: Cluster, status: str = "available") -> Callable[[], None]:
    """The last step of an operation."""
    def change() -> None:
        cluster.status, cluster.accepted = status, None
    return change


def show(cluster: Cluster, status: str) -> Callable[[], None]:
    """A step that makes a status visible."""
    def change() -> None:
        cluster.status = status
    return change


def operate(cluster: Cluster, status: str, takes: float, end: str = "available") -> None:
    """A plain operation: accepted now, visible later, over after that."""
    cluster.accepted = status
    visible = seconds("visible")
    later(cluster, (visible, show(cluster, status)), (visible + takes, finish(cluster, end)))


def refuse(code: str, message: str) -> RDSClientError:
    """A refusal with the wire code of the service."""
    return RDSClientError(code, message)


def unavailable() -> ServiceUnavailable:
    """HTTP 503, with the body of a service that cannot answer."""
    return ServiceUnavailable(
        "<ErrorResponse><Error><Type>Receiver</Type><Code>ServiceUnavailable</Code>"
        "<Message>Service is unavailable.</Message></Error></ErrorResponse>")


def invalid_state(message: str) -> RDSClientError:
    """The refusal of an operation in a cluster's wrong state."""
    return refuse("InvalidDBClusterStateFault", message)


def invalid_global(message: str) -> RDSClientError:
    """The refusal of an operation in a global cluster's wrong state."""
    return refuse("InvalidGlobalClusterStateFault", message)


def require_available(cluster: Cluster) -> None:
    """Refuses unless the cluster is available."""
    if cluster.real_status != "available":
        raise invalid_state(f"DB cluster {cluster.id} is not in available state.")


def lag(cluster: Cluster, at: float | None = None) -> float | None:
    """AuroraGlobalDBRPOLag in seconds; None where there is no such metric: it is a secondary's."""
    group = _stores[cluster.account].globals.get(cluster.global_id or "")
    if group is None or group.writer in (None, cluster.arn) or not cluster.following_since:
        return None
    return seconds("aurora_lag") + rds_replication.dark_for(source_region(cluster), at)


def source_region(cluster: Cluster) -> str:
    """Where the primary is that a secondary follows."""
    group = _stores[cluster.account].globals[cluster.global_id or ""]
    return str(group.writer).split(":")[3]


def now() -> float:
    """The model's time."""
    return clock()
