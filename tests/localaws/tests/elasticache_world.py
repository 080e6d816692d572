"""A copy of the server with ElastiCache in two Regions, for the ElastiCache tests."""

import pytest

from running import eventually
from served import refusal

EAST, WEST = "us-east-1", "us-west-2"
TIMES = {"visible": 0.3, "elasticache.create": 0.5, "elasticache.delete": 0.3,
         "elasticache.failover": 0.5, "elasticache.disassociate": 0.3,
         "elasticache.global.create": 0.3, "elasticache.snapshot": 0.5, "elasticache.modify": 0.3}
ID = "ldgnf-cache"
NODE = "cache.r6g.large"


class World:
    """What the ElastiCache tests do all the time."""

    def __init__(self, local):
        self.local = local
        self.east, self.west = local.client("elasticache", EAST), local.client("elasticache", WEST)

    def group(self, client=None, name="cache", **details):
        """A replication group that is available."""
        client = client or self.east
        arguments = {"CacheNodeType": NODE, "NumCacheClusters": 2, "Engine": "redis",
                     "AutomaticFailoverEnabled": True} | details
        made = client.create_replication_group(
            ReplicationGroupId=name, ReplicationGroupDescription="d", **arguments)
        self.until(client, name)
        return made["ReplicationGroup"]

    def datastore(self, **details):
        """A global datastore of a primary alone."""
        self.group(**details)
        self.east.create_global_replication_group(GlobalReplicationGroupIdSuffix="cache",
                                                  PrimaryReplicationGroupId="cache")
        eventually(lambda: self.status() == "primary-only")

    def pair(self, **details):
        """A global datastore with a secondary in the west."""
        self.datastore(**details)
        self.join()
        eventually(lambda: self.status() == "available"
                   and self.show(self.west)["Status"] == "available")

    def join(self, name="cache", **details):
        return self.west.create_replication_group(
            ReplicationGroupId=name, ReplicationGroupDescription="d",
            GlobalReplicationGroupId=ID, **details)["ReplicationGroup"]

    def until(self, client, name="cache", status="available"):
        return eventually(lambda: (shown := self.show(client, name))["Status"] == status and shown)

    def show(self, client, name="cache"):
        return client.describe_replication_groups(ReplicationGroupId=name)["ReplicationGroups"][0]

    def show_global(self, client=None, name=ID):
        return (client or self.east).describe_global_replication_groups(
            GlobalReplicationGroupId=name, ShowMemberInfo=True)["GlobalReplicationGroups"][0]

    def status(self, client=None):
        """The global datastore's status, or None."""
        found = (client or self.east).describe_global_replication_groups()
        return next((one["Status"] for one in found["GlobalReplicationGroups"]
                     if one["GlobalReplicationGroupId"] == ID), None)

    def roles(self, client=None):
        """Region -> role, as the global datastore lists its members."""
        return {one["ReplicationGroupRegion"]: one["Role"]
                for one in self.show_global(client)["Members"]}

    def fail_over(self, client=None, region=WEST, name="cache"):
        return (client or self.west).failover_global_replication_group(
            GlobalReplicationGroupId=ID, PrimaryRegion=region, PrimaryReplicationGroupId=name)

    def leave(self, client=None, region=WEST, name="cache"):
        return (client or self.west).disassociate_global_replication_group(
            GlobalReplicationGroupId=ID, ReplicationGroupId=name, ReplicationGroupRegion=region)

    def refused(self, client, operation, **arguments):
        """The code with which a call is refused."""
        return refusal(getattr(client, operation), **arguments)[0]


@pytest.fixture
def world(local):
    """An empty account with short times."""
    assert local.post("timings", **TIMES).status_code == 200
    return World(local)
