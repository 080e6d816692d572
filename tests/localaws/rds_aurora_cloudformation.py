"""Aurora's resource types in templates: clusters, their parameter groups, global clusters.

moto 5.2.5 makes clusters at once, without their global cluster, and knows no global clusters.
"""

from typing import Any

from localaws.cloudformation_types import Resource, ResourceFailed, Type, register
from localaws.cloudformation_types_app import pick

NUMBERS = ("Port", "BackupRetentionPeriod")
FLAGS = ("StorageEncrypted", "CopyTagsToSnapshot", "DeletionProtection",
         "EnableIAMDatabaseAuthentication", "EnableGlobalWriteForwarding")
SETTINGS = (
    "Engine", "EngineVersion", "GlobalClusterIdentifier", "MasterUsername", "MasterUserPassword",
    "DatabaseName", "Port", "DBSubnetGroupName", "VpcSecurityGroupIds", "StorageEncrypted",
    "KmsKeyId", "BackupRetentionPeriod", "CopyTagsToSnapshot", "DeletionProtection",
    "EnableIAMDatabaseAuthentication", "DBClusterParameterGroupName", "StorageType",
    "EnableCloudwatchLogsExports", "EnableGlobalWriteForwarding", "Tags",
    "ServerlessV2ScalingConfiguration")
CHANGEABLE = ("BackupRetentionPeriod", "DeletionProtection", "ServerlessV2ScalingConfiguration")


def converted(name: str, value: Any) -> Any:
    """A template's value as the API has it: numbers and booleans may be strings there."""
    if name in NUMBERS:
        return int(value)
    if name in FLAGS and isinstance(value, str):
        return value.lower() == "true"
    return getattr(value, "name", value) if name == "DBSubnetGroupName" else value


def settings(p: dict, names: tuple[str, ...]) -> dict:
    """The API's parameters for a template's properties."""
    return {name: converted(name, value) for name, value in pick(p, *names).items()}


@register
class Cluster(Type):
    """CloudFormation waits for it to be available, and to be gone."""

    name = "AWS::RDS::DBCluster"

    def create(self, r: Resource, p: dict) -> None:
        made = r.client("rds").create_db_cluster(
            DBClusterIdentifier=p.get("DBClusterIdentifier") or r.generated(63, lower=True),
            **settings(p, SETTINGS))
        r.physical_id = made["DBCluster"]["DBClusterIdentifier"]

    def update(self, r: Resource, p: dict, old: dict) -> None:
        changed = {name: value for name, value in settings(p, CHANGEABLE).items()
                   if settings(old, CHANGEABLE).get(name) != value}
        if changed:
            r.client("rds").modify_db_cluster(DBClusterIdentifier=r.physical_id,
                                              ApplyImmediately=True, **changed)

    def delete(self, r: Resource) -> None:
        # The default of CloudFormation for clusters is a final snapshot.
        final = r.declared.get("DeletionPolicy") != "Delete"
        last = {"FinalDBSnapshotIdentifier": f"{r.physical_id}-{r.generated()[-12:].lower()}"} \
            if final else {"SkipFinalSnapshot": True}
        r.client("rds").delete_db_cluster(DBClusterIdentifier=r.physical_id, **last)

    def _shown(self, r: Resource) -> dict | None:
        client = r.client("rds")
        try:
            found = client.describe_db_clusters(DBClusterIdentifier=r.physical_id)
        except client.exceptions.DBClusterNotFoundFault:
            return None
        return found["DBClusters"][0]

    def done(self, r: Resource) -> bool:
        shown = self._shown(r)
        if shown is None or shown["Status"] == "failed":
            raise ResourceFailed(f"DB cluster {r.physical_id} could not be created")
        if shown["Status"] == "available":
            r.attributes = attributes(shown)
        return shown["Status"] == "available"

    def gone(self, r: Resource) -> bool:
        return self._shown(r) is None


def attributes(shown: dict) -> dict[str, str]:
    """For GetAtt; a secondary has no endpoint that writes."""
    return {"DBClusterArn": shown["DBClusterArn"],
            "DBClusterResourceId": shown["DbClusterResourceId"],
            "Endpoint.Address": shown.get("Endpoint", ""), "Endpoint.Port": str(shown["Port"]),
            "ReadEndpoint.Address": shown["ReaderEndpoint"]}


@register
class ClusterParameterGroup(Type):
    """Ref is the name."""

    name = "AWS::RDS::DBClusterParameterGroup"

    def create(self, r: Resource, p: dict) -> None:
        made = r.client("rds").create_db_cluster_parameter_group(
            DBClusterParameterGroupName=p.get("DBClusterParameterGroupName")
            or r.generated(255, lower=True),
            DBParameterGroupFamily=p["Family"], Description=p["Description"], **pick(p, "Tags"))
        r.physical_id = made["DBClusterParameterGroup"]["DBClusterParameterGroupName"]
        self._set(r, p)

    def update(self, r: Resource, p: dict, old: dict) -> None:
        if {**p, "Parameters": None} != {**old, "Parameters": None}:
            raise ResourceFailed(f"updates of {self.name} are not supported by the local AWS")
        self._set(r, p)

    def _set(self, r: Resource, p: dict) -> None:
        wanted = [{"ParameterName": name, "ParameterValue": str(value),
                   "ApplyMethod": "pending-reboot"}
                  for name, value in (p.get("Parameters") or {}).items()]
        if wanted:
            r.client("rds").modify_db_cluster_parameter_group(
                DBClusterParameterGroupName=r.physical_id, Parameters=wanted)

    def delete(self, r: Resource) -> None:
        client = r.client("rds")
        try:
            client.delete_db_cluster_parameter_group(DBClusterParameterGroupName=r.physical_id)
        except client.exceptions.DBParameterGroupNotFoundFault:
            pass  # it is gone already


@register
class GlobalCluster(Type):
    """Ref is the identifier. Its members are not deleted with it."""

    name = "AWS::RDS::GlobalCluster"

    def create(self, r: Resource, p: dict) -> None:
        wanted = pick(p, "SourceDBClusterIdentifier", "Engine", "EngineVersion", "DatabaseName")
        flags = {name: str(p[name]).lower() == "true"
                 for name in ("StorageEncrypted", "DeletionProtection") if name in p}
        made = r.client("rds").create_global_cluster(
            GlobalClusterIdentifier=p.get("GlobalClusterIdentifier") or r.generated(60, lower=True),
            **wanted, **flags)
        r.physical_id = made["GlobalCluster"]["GlobalClusterIdentifier"]

    def update(self, r: Resource, p: dict, old: dict) -> None:
        if p != old:
            raise ResourceFailed(f"updates of {self.name} are not supported by the local AWS")

    def delete(self, r: Resource) -> None:
        r.client("rds").delete_global_cluster(GlobalClusterIdentifier=r.physical_id)

    def _status(self, r: Resource) -> str | None:
        client = r.client("rds")
        try:
            found = client.describe_global_clusters(GlobalClusterIdentifier=r.physical_id)
        except client.exceptions.GlobalClusterNotFoundFault:
            return None
        return found["GlobalClusters"][0]["Status"]

    def done(self, r: Resource) -> bool:
        # It may not be shown yet.
        return self._status(r) == "available"

    def gone(self, r: Resource) -> bool:
        return self._status(r) is None


def install() -> None:
    """The types are found by being registered."""
