"""What AWS refuses of new Aurora clusters and of their instances, before anything is made."""

import re
from typing import Any

from moto.rds.exceptions import (DBParameterGroupNotFoundError, InvalidParameterCombination,
                                 InvalidParameterValue)
from moto.rds.models import RDSBackend

from localaws import rds_aurora as aurora
from localaws.rds_aurora import Cluster, Global

NEWEST = {"aurora-mysql": "8.0.mysql_aurora.3.08.2", "aurora-postgresql": "16.8"}
VERSIONS = {"aurora-mysql": re.compile(r"8\.0\.mysql_aurora\.3\.\d{2}\.\d+"),
            "aurora-postgresql": re.compile(r"1[1-7]\.\d{1,2}")}
# What an instance has from its cluster; AWS answers "Set <this> for the DB Cluster".
OF_THE_CLUSTER = {"master_username": "master user name",
                  "master_user_password": "master user password",
                  "db_name": "database name", "backup_retention_period": "backup retention period",
                  "preferred_backup_window": "backup window",
                  "vpc_security_group_ids": "vpc security group"}


def full_version(engine: str, wanted: Any) -> str:
    """The version that a cluster gets; a major version means the newest one of it."""
    text = str(wanted or NEWEST[engine])
    if NEWEST[engine].startswith(text + "."):
        return NEWEST[engine]
    if not VERSIONS[engine].fullmatch(text):
        raise InvalidParameterCombination(f"Cannot find version {text} for {engine}")
    return text


def retention(days: Any) -> int:
    """1 to 35 days: backups of a cluster cannot be turned off."""
    wanted = 1 if days is None else int(days)
    if not 1 <= wanted <= 35:
        raise InvalidParameterValue(
            f"Invalid backup retention period: {wanted}. Must be between 1 and 35.")
    return wanted


def check_owner(p: Any, group: Global | None) -> None:
    """A primary needs a user and a password; a secondary has its primary's."""
    if group is not None and group.writer:
        return
    if not p.get("MasterUsername"):
        raise InvalidParameterValue("The parameter MasterUsername must be provided and must not "
                                    "be blank.")
    if not p.get("MasterUserPassword") and not p.get("ManageMasterUserPassword"):
        raise InvalidParameterValue("The parameter MasterUserPassword must be provided and must "
                                    "not be blank.")


def cluster_group(backend: RDSBackend, name: Any) -> None:
    """A cluster's parameter group must be in its Region; those of AWS always are."""
    text = str(name or "default").lower()
    if not text.startswith("default") and text not in backend.db_cluster_parameter_groups:
        raise aurora.refuse("DBClusterParameterGroupNotFound",
                            f"DBClusterParameterGroup not found: {name}")


def check_member(backend: RDSBackend, cluster: Cluster, p: dict[str, Any]) -> None:
    """What belongs to the cluster is not given to its instances."""
    if p.get("engine") != cluster.engine:
        raise InvalidParameterCombination(
            "The engine name for the DB instance must be that of its cluster: "
            f"{cluster.engine}.")
    if p.get("engine_version") and full_version(cluster.engine, p["engine_version"]) \
            != cluster.version:
        raise InvalidParameterCombination(
            "The engine version for the DB instance must be that of its cluster: "
            f"{cluster.version}.")
    for name, words in OF_THE_CLUSTER.items():
        if p.get(name):
            raise InvalidParameterCombination(
                "The requested DB Instance will be a member of a DB Cluster. "
                f"Set {words} for the DB Cluster.")
    if p.get("deletion_protection"):
        raise InvalidParameterCombination("Deletion Protection can only be applied on the Cluster "
                                          "level, not for individual instances")
    if not 0 <= tier(p) <= 15:
        raise InvalidParameterValue(
            f"Invalid promotion tier: {tier(p)}. Must be between 0 and 15.")
    check_class(backend, cluster, p)


def check_class(backend: RDSBackend, cluster: Cluster, p: dict[str, Any]) -> None:
    """Serverless needs the cluster's capacity range, and a parameter group must be here."""
    if p.get("db_instance_class") == "db.serverless" and not cluster.scaling:
        raise InvalidParameterCombination(
            "Set the Serverless v2 scaling configuration on the parent DB cluster before creating "
            "a Serverless v2 DB instance.")
    group = p.get("db_parameter_group_name")
    if group and not str(group).startswith("default") \
            and str(group).lower() not in backend.db_parameter_groups:
        raise DBParameterGroupNotFoundError(str(group))


def tier(p: dict[str, Any]) -> int:
    """PromotionTier, which is 1 unless it is given."""
    given = p.get("promotion_tier")
    return 1 if given is None else int(given)
