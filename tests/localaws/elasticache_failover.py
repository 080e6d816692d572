"""Another primary for a global datastore, and secondaries that leave it."""

from typing import Any

from localaws import elasticache_global as datastores
from localaws import unknowns
from localaws.elasticache_clock import is_dark, seconds
from localaws.elasticache_global import busy_words, find, require_idle, wrong_state
from localaws.elasticache_model import (PRIMARY, SECONDARY, Failover, Global, Group, Member, Store,
                                        finish, invalid)

# Whether AWS accepts a failover while the primary's Region is lost is not documented.
unknowns.define("elasticache.failover_when_primary_dark", "refused", ("refused", "accepted"))


def fail_over(store: Store, region: str, p: dict[str, Any]) -> Global:
    """FailoverGlobalReplicationGroup: the primary that it is given is the new one."""
    datastore = find(store, region, p["GlobalReplicationGroupId"])
    target = datastore.member(p["PrimaryRegion"], p["PrimaryReplicationGroupId"].lower())
    if target is None:
        raise invalid(f"Replication group {p['PrimaryReplicationGroupId']} in {p['PrimaryRegion']} "
                      f"is not associated with Global Replication Group {datastore.id}.")
    if target.role == PRIMARY:
        raise invalid(f"Replication group {target.group.id} is the primary of Global Replication "
                      f"Group {datastore.id} already.")
    require_idle(datastore, "available")
    require_members(datastore, target)
    begin(store, datastore, target)
    return datastore


def require_members(datastore: Global, target: Member) -> None:
    """The old and the new primary must be fit for it."""
    first = datastore.primary.group
    lost = is_dark(first.region)
    if lost and unknowns.get("elasticache.failover_when_primary_dark") == "refused":
        raise wrong_state(f"The primary of Global Replication Group {datastore.id} cannot be "
                          "reached.")
    if target.status != "associated" or is_dark(target.group.region):
        raise wrong_state(f"Replication group {target.group.id} is not associated.")
    for group in (target.group,) if lost else (target.group, first):
        if group.real_status != "available":
            raise wrong_state(f"Replication group {group.id} is in the state {group.real_status}.")


def begin(store: Store, datastore: Global, target: Member) -> None:
    """The roles change late: in the target's time for all that can be seen from there; the old
    primary learns of it in its own Region's time."""
    old = datastore.primary
    datastore.accepted = "modifying"
    under_way = Failover(target, datastore.cancel_next)
    datastore.failover, datastore.cancel_next = under_way, False
    visible, takes = seconds("visible"), seconds("failover")

    def shown() -> None:
        if busy_words():
            datastores.show(datastore, "modifying")

    def swap() -> None:
        if under_way.cancelled:
            return
        under_way.swapped = True
        target.role, old.role, target.group.role = PRIMARY, SECONDARY, PRIMARY
        if not is_dark(old.group.region):
            old.group.role = SECONDARY

    for group in (target.group, old.group):
        begin_for(store, group, under_way, visible + takes)
    store.plan(datastore, target.group.region, (visible, shown), (visible + 0.8 * takes, swap),
               (visible + takes, lambda: datastores.rest(datastore)))


def begin_for(store: Store, group: Group, under_way: Failover, over_after: float) -> None:
    """One of the two groups during a failover."""
    group.accepted = "modifying"
    is_target = under_way.target.group is group

    def shown() -> None:
        if busy_words():
            group.status = "modifying"

    def over() -> None:
        if not is_target and under_way.swapped:
            group.role = SECONDARY
        finish(group)

    store.plan(group, group.region, (seconds("visible"), shown), (over_after, over))


def disassociate(store: Store, region: str, p: dict[str, Any]) -> Global:
    """DisassociateGlobalReplicationGroup: a secondary becomes a group of its own."""
    datastore = find(store, region, p["GlobalReplicationGroupId"])
    member = datastore.member(p["ReplicationGroupRegion"], p["ReplicationGroupId"].lower())
    if member is None or member.status == "hidden":
        raise invalid(f"Replication group {p['ReplicationGroupId']} in "
                      f"{p['ReplicationGroupRegion']} is not associated with Global Replication "
                      f"Group {datastore.id}.")
    if member.role == PRIMARY:
        raise invalid(f"Replication group {member.group.id} is the primary of Global Replication "
                      f"Group {datastore.id} and cannot be disassociated.")
    require_idle(datastore, "available", "primary-only")
    if member.group.real_status not in ("available", "create-failed") \
            or is_dark(member.group.region):
        raise wrong_state(f"Replication group {member.group.id} is in the state "
                          f"{member.group.real_status}.")
    begin_leaving(store, datastore, member)
    return datastore


def begin_leaving(store: Store, datastore: Global, member: Member) -> None:
    """The member goes late; the datastore may be `primary-only` then."""
    group = member.group
    failed = group.status == "create-failed"
    datastore.accepted = group.accepted = "modifying"
    visible = seconds("visible")

    def shown() -> None:
        if busy_words():
            datastores.show(datastore, "modifying")
            group.status, member.status = "modifying", "disassociating"

    def over() -> None:
        datastore.members.remove(member)
        group.global_id = group.role = None
        finish(group)
        if failed:
            group.status = "create-failed"
        datastores.rest(datastore)

    store.plan(datastore, group.region, (visible, shown), (visible + seconds("disassociate"), over))
