"""The wire side of RDS: paging, tags, and parameters that moto 5.2.5 drops or does not check."""

from typing import Any

from moto.core.responses import ActionResult, PaginatedResult
from moto.core.utils import get_pagination_model
from moto.rds.exceptions import DBInstanceNotFoundError, InvalidParameterValue, RDSClientError
from moto.rds.models import RDSBackend
from moto.rds.responses import RDSResponse
from moto.rds.utils import split_arn

from localaws.rds_transitions import LOCK

_moto = {name: getattr(RDSResponse, name) for name in
         ("describe_db_instances", "describe_db_snapshots", "create_db_instance", "call_action")}
_moto_resource = RDSBackend._get_resource_for_tagging


def check_page_size(params: Any) -> None:
    """MaxRecords is 20 to 100; moto 5.2.5 takes any number."""
    size = params.get("MaxRecords")
    if size is not None and not 20 <= int(size) <= 100:
        raise InvalidParameterValue(
            f"Invalid value {size} for MaxRecords. Must be between 20 and 100")


def describe_db_instances(self: RDSResponse) -> ActionResult:
    """DescribeDBInstances: an ARN must be one of this Region."""
    check_page_size(self.params)
    named = self.params.get("DBInstanceIdentifier") or ""
    if named.startswith("arn:") and named.count(":") < 6:
        raise InvalidParameterValue(f"Invalid resource name: {named}")
    if named.startswith("arn:") and split_arn(named)[0] != self.region:
        raise DBInstanceNotFoundError(named)
    return _moto["describe_db_instances"](self)


def describe_db_snapshots(self: RDSResponse) -> ActionResult:
    """DescribeDBSnapshots: in pages; moto 5.2.5 answers everything at once."""
    check_page_size(self.params)
    return PaginatedResult(_moto["describe_db_snapshots"](self).result)


def create_db_instance(self: RDSResponse) -> ActionResult:
    """CreateDBInstance: what AWS requires of an instance outside clusters."""
    params = self.params
    if not params.get("DBClusterIdentifier"):
        if not params.get("MasterUsername"):
            raise InvalidParameterValue("The parameter MasterUsername must be provided and must "
                                        "not be blank.")
        if not params.get("MasterUserPassword") and not params.get("ManageMasterUserPassword"):
            raise InvalidParameterValue("The parameter MasterUserPassword must be provided and "
                                        "must not be blank.")
    return _moto["create_db_instance"](self)


def reboot_db_instance(self: RDSResponse) -> ActionResult:
    """RebootDBInstance: moto 5.2.5 drops ForceFailover."""
    instance = self.backend.reboot_db_instance(self.params.get("DBInstanceIdentifier"),
                                               bool(self.params.get("ForceFailover")))
    return ActionResult({"DBInstance": instance})


def resource_for_tagging(self: RDSBackend, arn: str) -> Any:
    """moto 5.2.5 ignores the ARN's Region, and lists no tags of what does not exist."""
    if not self.arn_regex.match(arn or "") or arn.split(":")[3] != self.region_name:
        raise InvalidParameterValue(
            "The specified resource name does not match an RDS resource in this region.")
    resource = _moto_resource(self, arn)
    if resource is None and arn.split(":")[5] == "db":
        raise DBInstanceNotFoundError(split_arn(arn)[3])
    if resource is None and arn.split(":")[5] == "snapshot":
        raise RDSClientError("DBSnapshotNotFound", f"DBSnapshot {split_arn(arn)[3]} not found.")
    return resource


def call_action(self: RDSResponse) -> Any:
    """One RDS call at a time, and an answer that is serialized before the next step is taken."""
    with LOCK:
        return _moto["call_action"](self)


def install() -> None:
    """Puts these in the place of moto's."""
    get_pagination_model("rds")["DescribeDBSnapshots"]["unique_attribute"] = \
        "db_snapshot_identifier"
    RDSResponse.describe_db_instances = describe_db_instances
    RDSResponse.describe_db_snapshots = describe_db_snapshots
    RDSResponse.create_db_instance = create_db_instance
    RDSResponse.reboot_db_instance = reboot_db_instance
    RDSResponse.call_action = call_action
    RDSBackend._get_resource_for_tagging = resource_for_tagging
