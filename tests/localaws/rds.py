"""Amazon RDS for the local AWS: DB instances and snapshots that take their time.

`rds_transitions` is the clock; `rds_instances`, `rds_replicas`, `rds_modify`, `rds_delete` and
`rds_snapshots` are the operations; `rds_replication` ties replicas to sources; `rds_responses` is
the wire side, `rds_cloudformation` the side of templates. Clusters and global clusters are moto's;
a model of them goes beside these modules and shares the clock.
"""

from moto.rds.models import DBInstance, RDSBackend, rds_backends

from localaws import (DEFAULT_ACCOUNT, rds_cloudformation, rds_delete, rds_instances, rds_modify,
                      rds_replicas, rds_replication, rds_responses, rds_snapshots)
from localaws.rds_transitions import LOCK, forget, settle

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
    if body.get("status"):
        force_status(body["region"], body["id"], body["status"], account)
    if body.get("replication"):
        force_replication(body["region"], body["id"], body["replication"], account)
    instance = instance_of(body["region"], body["id"], account)
    return {"id": instance.db_instance_identifier, "status": instance.status,
            "replication": rds_replication.replication_status(instance)
            if instance.source_db_instance_identifier else None}


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
                   rds_delete, rds_responses, rds_cloudformation):
        module.install()
