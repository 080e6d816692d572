"""What ElastiCache keeps: replication groups, global datastores, snapshots, parameter groups.

moto 5.2.5 has replication groups and snapshots that change in an instant, and nothing of the rest;
only its subnet groups, cache clusters outside of replication groups and users are used here.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from moto.elasticache.exceptions import ElastiCacheException
from moto.utilities.utils import get_partition

from localaws.elasticache_clock import Step, clock, forget, plan, seconds

PRIMARY, SECONDARY = "PRIMARY", "SECONDARY"


def refuse(code: str, message: str) -> ElastiCacheException:
    """A refusal with the service's wire code."""
    return ElastiCacheException(code, message)


def invalid(message: str) -> ElastiCacheException:
    """InvalidParameterValue."""
    return refuse("InvalidParameterValue", message)


def conflicting(message: str) -> ElastiCacheException:
    """InvalidParameterCombination."""
    return refuse("InvalidParameterCombination", message)


@dataclass(eq=False)
class Group:
    """A replication group. `accepted` is an operation that decides refusals before it is shown."""

    account: str
    region: str
    id: str
    description: str
    engine: str
    version: str
    node_type: str
    clustered: bool
    shards: int
    replicas: int
    parameter_group: str
    subnet_group: str | None = None
    vpc: str | None = None
    security_groups: list[str] = field(default_factory=list)
    port: int = 6379
    tls: bool = False
    at_rest: bool = False
    kms_key: str | None = None
    auth: bool = False
    failover: bool = False
    multi_az: bool = False
    minor_upgrade: bool = True
    retention: int = 0
    window: str = "05:00-06:00"
    maintenance: str = "sun:08:00-sun:09:00"
    topic: str | None = None
    status: str = "creating"
    accepted: str | None = None
    made: float = field(default_factory=clock)
    ready_since: float | None = None
    global_id: str | None = None
    role: str | None = None
    next_snapshot: str | None = None

    @property
    def real_status(self) -> str:
        """The status that decides refusals."""
        return self.accepted or self.status

    @property
    def nodes(self) -> list[tuple[int, str]]:
        """(shard, cache cluster id) of each node; a shard's first node is its primary."""
        def name(shard: int, node: int) -> str:
            middle = f"-{shard:04}" if self.clustered else ""
            return f"{self.id}{middle}-{node:03}"
        return [(shard, name(shard, node)) for shard in range(1, self.shards + 1)
                for node in range(1, self.replicas + 2)]


@dataclass(eq=False)
class Member:
    """A replication group as its global datastore lists it."""

    group: Group
    role: str
    status: str = "associating"


@dataclass(eq=False)
class Failover:
    """A change of the primary that is under way."""

    target: Member
    cancelled: bool = False
    swapped: bool = False


@dataclass(eq=False)
class Global:
    """A global datastore: it has no Region of its own, only those of its members."""

    account: str
    id: str
    description: str
    members: list[Member]
    status: str = "creating"
    accepted: str | None = "creating"
    shown: bool = False
    forced: bool = False
    failover: Failover | None = None
    cancel_next: bool = False
    # What a Region that was dark still shows of the time before.
    frozen: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def primary(self) -> Member:
        """The member that accepts writes."""
        return next(one for one in self.members if one.role == PRIMARY)

    @property
    def resting(self) -> str:
        """The status between operations."""
        joined = [one for one in self.members
                  if one.role == SECONDARY and one.status == "associated"]
        return "available" if joined else "primary-only"

    @property
    def real_status(self) -> str:
        """The status that decides refusals."""
        return self.accepted or self.status

    def member(self, region: str, group_id: str) -> Member | None:
        """The member of that Region and name."""
        return next((one for one in self.members
                     if (one.group.region, one.group.id) == (region, group_id)), None)


@dataclass(eq=False)
class Snapshot:
    """A manual snapshot of a whole replication group, as the group was."""

    name: str
    region: str
    group: Group
    made: float
    kms_key: str | None = None
    status: str = "creating"


@dataclass(eq=False)
class ParameterGroup:
    """A cache parameter group."""

    name: str
    family: str
    description: str
    values: dict[str, str] = field(default_factory=dict)
    is_default: bool = False


@dataclass
class Store:
    """Everything of one account; the keys are (Region, name), of global datastores the id."""

    account: str
    groups: dict[tuple[str, str], Group] = field(default_factory=dict)
    globals: dict[str, Global] = field(default_factory=dict)
    snapshots: dict[tuple[str, str], Snapshot] = field(default_factory=dict)
    parameters: dict[tuple[str, str], ParameterGroup] = field(default_factory=dict)
    clusters: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    tags: dict[str, dict[str, str]] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)

    def group(self, region: str, group_id: str) -> Group:
        """The replication group, or the refusal."""
        found = self.groups.get((region, group_id.lower()))
        if found is None:
            raise refuse("ReplicationGroupNotFoundFault", f"ReplicationGroup {group_id} not found.")
        return found

    def plan(self, owner: Any, region: str, *changes: tuple[float, Callable[[], None]]) -> None:
        """Adds to the owner's future, in the Region's time."""
        plan(self.steps, owner, region, *changes)

    def forget(self, owner: Any) -> None:
        """Drops the owner's future."""
        forget(self.steps, owner)


stores: dict[str, Store] = {}


def store_of(account: str) -> Store:
    """The account's store."""
    return stores.setdefault(account, Store(account))


def arn(account: str, region: str, kind: str, name: str) -> str:
    """An ARN; that of a global datastore has no Region."""
    place = "" if kind == "globalreplicationgroup" else region
    return f"arn:{get_partition(region)}:elasticache:{place}:{account}:{kind}:{name}"


def require_available(group: Group) -> None:
    """Refuses what AWS does to available replication groups only."""
    if group.real_status != "available":
        raise refuse("InvalidReplicationGroupState",
                     f"Replication group {group.id} is in the state {group.real_status}, "
                     "it must be available.")


def finish(group: Group) -> None:
    """The end of an operation: available, and open for the next one."""
    group.status, group.accepted = "available", None
    if group.ready_since is None:
        group.ready_since = clock()


def show(thing: Group | Global, status: str) -> Callable[[], None]:
    """A step that makes a status visible."""
    def change() -> None:
        thing.status = status
    return change


def run(store: Store, group: Group, status: str, takes: float,
        end: Callable[[], None] = lambda: None) -> None:
    """A plain operation of a group: accepted now, visible later, over after that."""
    group.accepted = status
    visible = seconds("visible")

    def over() -> None:
        end()
        finish(group)

    store.plan(group, group.region, (visible, show(group, status)), (visible + takes, over))
