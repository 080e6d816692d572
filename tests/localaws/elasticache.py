"""Amazon ElastiCache for the local AWS: replication groups and global datastores of their own time.

`elasticache_clock` is the clock, `elasticache_model` what is kept; `elasticache_groups`,
`elasticache_snapshots`, `elasticache_global` and `elasticache_failover` are the operations;
`elasticache_network` and `elasticache_engines` check what they are given. `elasticache_documents`
and `elasticache_responses` are the wire side, `elasticache_cloudformation` the side of templates,
`elasticache_metrics` that of CloudWatch.
"""

from typing import Any

from localaws import (DEFAULT_ACCOUNT, elasticache_cloudformation, elasticache_documents,
                      elasticache_failover, elasticache_global, elasticache_metrics,
                      elasticache_responses)
from localaws.elasticache_clock import (LOCK, begin_dark, end_dark, plan, seconds, settle)
from localaws.elasticache_model import Global, Store, store_of, stores

_installed = False


def set_dark(region: str, dark: bool) -> None:
    """Told by the control API. Time stands still in a dark Region; when it is back, it shows its
    global datastores as they were before for a while."""
    with LOCK:
        for store in stores.values():
            settle(store.steps)
        if dark and begin_dark(region):
            for store in stores.values():
                freeze(store, region)
        elif not dark and end_dark(region, [store.steps for store in stores.values()]):
            for store in stores.values():
                thaw(store, region)


def freeze(store: Store, region: str) -> None:
    """Keeps what the Region shows of the global datastores."""
    for datastore in store.globals.values():
        if elasticache_global.seen_from(datastore, region):
            datastore.frozen[region] = elasticache_documents.global_group(datastore, region)


def thaw(store: Store, region: str) -> None:
    """The Region learns of what happened meanwhile."""
    for datastore in store.globals.values():
        def forget(known: Global = datastore) -> None:
            known.frozen.pop(region, None)

        plan(store.steps, datastore, region, (seconds("visible"), forget))


def control(body: dict[str, Any]) -> dict[str, Any]:
    """POST /_localaws/elasticache: a replication group, or with "global" a global datastore."""
    with LOCK:
        store = store_of(str(body.get("account", DEFAULT_ACCOUNT)))
        settle(store.steps)
        return control_global(store, body) if body.get("global") else control_group(store, body)


def control_group(store: Store, body: dict[str, Any]) -> dict[str, Any]:
    """{"region", "id", "status": any word where it stays, "next_snapshot": "failed"}"""
    group = store.groups[(str(body["region"]), str(body["id"]).lower())]
    if body.get("next_snapshot"):
        if body["next_snapshot"] not in ("failed", "available"):
            raise ValueError('next_snapshot must be "failed" or "available"')
        group.next_snapshot = body["next_snapshot"]
    if body.get("status"):
        store.forget(group)
        group.status, group.accepted = str(body["status"]), None
        if group.status == "available":
            elasticache_failover.finish(group)
        release(store, group)
    return {"id": group.id, "status": group.status, "role": group.role, "global": group.global_id}


def release(store: Store, group: Any) -> None:
    """A group whose future was dropped holds its global datastore no longer."""
    datastore = store.globals.get(group.global_id or "")
    member = datastore and datastore.member(group.region, group.id)
    if datastore and member and member.status != "associated":
        member.status = "associated" if group.status == "available" else "associating"
        elasticache_global.rest(datastore)


def control_global(store: Store, body: dict[str, Any]) -> dict[str, Any]:
    """{"global": id, "status": any word, "cancel": true or "foreign_region": a Region}"""
    datastore = store.globals[str(body["global"]).lower()]
    if body.get("status"):
        word = str(body["status"])
        store.forget(datastore)
        datastore.forced = word != datastore.resting
        datastore.status, datastore.accepted = word, None
    if body.get("cancel"):
        if datastore.failover:
            datastore.failover.cancelled = True
        else:
            datastore.cancel_next = True
    if body.get("foreign_region"):
        foreign(store, datastore, str(body["foreign_region"]))
    return {"id": datastore.id, "status": datastore.status,
            "primary": datastore.primary.group.region,
            "failover": datastore.failover.target.group.region if datastore.failover else None}


def foreign(store: Store, datastore: Global, region: str) -> None:
    """Somebody else fails over to that Region now."""
    target = next((one for one in datastore.members if one.group.region == region), None)
    if target is None or target is datastore.primary:
        raise ValueError(f"{datastore.id} has no secondary in {region}")
    elasticache_failover.begin(store, datastore, target)


def install() -> None:
    """Puts the model into moto's ElastiCache."""
    global _installed
    if _installed:
        return
    _installed = True
    for module in (elasticache_responses, elasticache_cloudformation, elasticache_metrics):
        module.install()
