"""Amazon RDS for the local AWS: DB instances and snapshots that take their time.

`rds_transitions` is the clock; `rds_instances`, `rds_replicas`, `rds_modify`, `rds_delete` and
`rds_snapshots` are the operations; `rds_replication` ties replicas to sources; `rds_responses` is
the wire side, `rds_cloudformation` the side of templates. `rds_aurora` and the modules of that name
are Aurora's clusters and global clusters; they share the clock. Multi-AZ DB clusters are moto's.
"""

from moto.rds.models import DBInstance, RDSBackend, rds_backends

from localaws import (DEFAULT_ACCOUNT, rds_aurora, rds_aurora_cloudformation,
                      rds_aurora_global, rds_aurora_responses,
                      rds_cloudformation, rds_delete, rds_instances, rds_modify, rds_replicas,
                      rds_replication, rds_responses, rds_snapshots)
from localaws.rds_transitions import LOCK, MORE_THINGS, forget, settle

set_dark = rds_replication.set_dark

_installed = False


def instance_of(region: str, identifier: str, account: str = DEFAULT_ACCOUNT) -> DBInstance:
    """The model of an instance as it is now; KeyError when there is none."""
    return rds_backends[account][region].databases[identifier]


def force_status(region: str, identifier: str, status: str, account: str = DEFAULT_ACCOUNT) -> None:
    """Puts an instance into any status (`failed`, `storage-full`, ...), where it stays.

    What was to become of it is dropped, so that an operation in progress never ends; `available`
    brings it back.
    """
    with LOCK:
        instance = instance_of(region, identifier, account)
        forget(instance)
        instance.status, instance.accepted = status, None
        if status == "available" and instance.instance_create_time is None:
            instance.instance_create_time = instance.created
            rds_replication.start(instance)


def force_replication(region: str, identifier: str, status: str,
                      account: str = DEFAULT_ACCOUNT) -> None:
    """Puts a replica's replication into `replicating`, `error`, `stopped` or `terminated`."""
    with LOCK:
        instance_of(region, identifier, account).replication = status


def control(body: dict[str, str]) -> dict[str, str | None]:
    """POST /_localaws/rds {"region", "id", "status" and/or "replication", "account"}."""
    account = body.get("account", DEFAULT_ACCOUNT)
    if body.get("cluster"):
        return control_cluster(body, account)
    if body.get("next_snapshot"):
        instance_of(body["region"], body["id"], account).next_snapshot = body["next_snapshot"]
    if body.get("status"):
        force_status(body["region"], body["id"], body["status"], account)
    if body.get("replication"):
        force_replication(body["region"], body["id"], body["replication"], account)
    instance = instance_of(body["region"], body["id"], account)
    return {"id": instance.db_instance_identifier, "status": instance.status,
            "replication": rds_replication.replication_status(instance)
            if instance.source_db_instance_identifier else None}


def control_cluster(body: dict[str, str], account: str) -> dict[str, str | None]:
    """POST /_localaws/rds {"region", "cluster", "status" and/or "next_snapshot", "account"}."""
    with LOCK:
        key = (body["region"], body["cluster"].lower())
        cluster = rds_aurora.store(account).clusters[key]
        if body.get("next_snapshot"):
            cluster.next_snapshot = body["next_snapshot"]
        if body.get("status"):
            forget(cluster)
            cluster.status, cluster.accepted = body["status"], None
        return {"id": cluster.id, "status": cluster.status, "global": cluster.global_id}


def control_global(body: dict[str, str]) -> dict[str, object]:
    """POST /_localaws/rds/global: a failover that AWS cancels, or that somebody else starts."""
    with LOCK:
        account = body.get("account", DEFAULT_ACCOUNT)
        return rds_aurora_global.interfere(rds_aurora.store(account), body)


def _settled(name: str, kept: str) -> property:
    """A dictionary of moto's backend that is brought up to date whenever it is read."""
    def read(self: RDSBackend) -> object:
        settle(self.account_id)
        return self.__dict__[kept]

    def write(self: RDSBackend, value: object) -> None:
        self.__dict__[kept] = value

    return property(read, write, doc=f"{name}, after all steps that are due.")


def install() -> None:
    """Puts the model into moto's RDS."""
    global _installed
    if _installed:
        return
    _installed = True
    RDSBackend.databases = _settled("databases", "settled_databases")
    RDSBackend.database_snapshots = _settled("database_snapshots", "settled_snapshots")
    for module in (rds_instances, rds_replication, rds_snapshots, rds_replicas, rds_modify,
                   rds_delete, rds_responses, rds_cloudformation, rds_aurora_responses,
                   rds_aurora_cloudformation):
        module.install()
    MORE_THINGS.append(rds_aurora.things)
