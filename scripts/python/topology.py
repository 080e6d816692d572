"""Where the sample product's database lives: read from the RDS API, in both Regions."""

import boto3
from botocore.config import Config
from botocore.exceptions import ConnectionClosedError, ConnectTimeoutError, EndpointConnectionError

EAST, WEST = "us-east-1", "us-west-2"
OLD, NEW = "orders-db", "orders-db-dr"
LOST = (ConnectionClosedError, ConnectTimeoutError, EndpointConnectionError)


def read() -> dict:
    """Instances and final snapshots of both Regions; null for a Region that does not answer."""
    return {region: _read(region) for region in (EAST, WEST)}


def _read(region: str) -> dict | None:
    quick = Config(connect_timeout=5, retries={"mode": "standard", "total_max_attempts": 2})
    rds = boto3.client("rds", region_name=region, config=quick)
    try:
        return {"instances": _instances(rds), "snapshots": _snapshots(rds)}
    except LOST:
        return None


def _instances(rds) -> dict:
    found = rds.describe_db_instances()["DBInstances"]
    return {one["DBInstanceIdentifier"]: {
        "id": one["DbiResourceId"], "arn": one["DBInstanceArn"], "status": one["DBInstanceStatus"],
        "source": one.get("ReadReplicaSourceDBInstanceIdentifier") or "",
        "replicas": one.get("ReadReplicaDBInstanceIdentifiers", []),
        "replication": next((info["Status"] for info in one.get("StatusInfos", [])
                             if info.get("StatusType") == "read replication"), ""),
    } for one in found if one["DBInstanceIdentifier"] in (OLD, NEW)}


def _snapshots(rds) -> dict:
    found = rds.describe_db_snapshots(SnapshotType="manual")
    return {one["DBSnapshotIdentifier"]: {"id": one.get("DbiResourceId", ""), "status": one["Status"]}
            for one in found["DBSnapshots"] if one["DBInstanceIdentifier"] in (OLD, NEW)}


def role(instance: dict | None) -> str:
    """An instance in a few words."""
    if instance is None:
        return "none"
    if instance["source"]:
        region = instance["source"].split(":")[3] if ":" in instance["source"] else "the same Region"
        return f"replica of {region} ({instance['status']})"
    return f"primary ({instance['status']})"


def place(world: dict, region: str, name: str) -> str:
    """The instance of a Region in a few words."""
    if world[region] is None:
        return "does not answer"
    return f"{name}: {role(world[region]['instances'].get(name))}"


def checks(before: dict, after: dict) -> list[tuple[bool, str]]:
    """What a full cycle must have done, each with whether it is so."""
    if None in after.values():
        return [(False, "both Regions answer")]
    first = before[EAST]["instances"][OLD]
    new = after[WEST]["instances"].get(NEW) or {}
    old = after[EAST]["instances"].get(OLD) or {}
    kept = [name for name, one in after[EAST]["snapshots"].items()
            if one["id"] == first["id"] and one["status"] == "available"]
    return [
        (new.get("status") == "available" and new.get("source") == "",
         f"{WEST}: {NEW} is available and follows nobody any more"),
        (bool(new) and new.get("id") == before[WEST]["instances"][NEW]["id"],
         f"{WEST}: it is the same database that was the standby ({new.get('id', 'none')})"),
        (old.get("id") != first["id"],
         f"{EAST}: the old primary ({first['id']}) is gone"),
        (bool(kept), f"{EAST}: its final snapshot is available ({', '.join(kept) or 'none'})"),
        (old.get("status") == "available" and bool(new) and old.get("source") == new.get("arn"),
         f"{EAST}: a new {OLD} ({old.get('id', 'none')}) is an available replica of {WEST}"),
        (bool(old) and old.get("arn") in new.get("replicas", []) and old.get("replication") == "replicating",
         f"{WEST}: {NEW} feeds it (replication: {old.get('replication') or 'none'})"),
    ]
