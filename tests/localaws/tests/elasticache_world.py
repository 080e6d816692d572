"""The ElastiCache model on a server, with two Regions and a clock, for the ElastiCache tests."""

import pytest

from localaws import elasticache, elasticache_clock, elasticache_model, timings, unknowns
from localaws.tests.served import Clock, refusal, serving

EAST, WEST = "us-east-1", "us-west-2"
TIMES = {"visible": 20, "elasticache.create": 60, "elasticache.delete": 30,
         "elasticache.failover": 50, "elasticache.disassociate": 30,
         "elasticache.global.create": 30, "elasticache.snapshot": 50, "elasticache.modify": 30,
         "elasticache_lag": 3, "elasticache.metric_delay": 0}
ID = "ldgnf-cache"
NODE = "cache.r6g.large"

_clock = [Clock()]


def eventually(check, seconds=1000):
    """The first true answer of `check`, while time goes by in steps of two seconds."""
    for _ in range(seconds // 2):
        answer = check()
        if answer:
            return answer
        _clock[0].forward(2)
    raise AssertionError("it did not happen in time")


class World:
    """What the ElastiCache tests do all the time."""

    def __init__(self, local, clock):
        self.local, self.clock = local, clock
        self.east, self.west = local.client("elasticache", EAST), local.client("elasticache", WEST)

    def control(self, **body):
        """POST /_localaws/elasticache"""
        return elasticache.control(body)

    def group(self, client=None, name="cache", **details):
        """A replication group that is available."""
        client = client or self.east
        arguments = {"CacheNodeType": NODE, "NumCacheClusters": 2, "Engine": "redis",
                     "AutomaticFailoverEnabled": True} | details
        made = client.create_replication_group(
            ReplicationGroupId=name, ReplicationGroupDescription="d",
            **{key: value for key, value in arguments.items() if value is not None})
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


@pytest.fixture(scope="module")
def server():
    elasticache.install()
    with serving() as running:
        yield running


@pytest.fixture
def world(server, monkeypatch):
    """An empty account, and durations that would be minutes."""
    clock = _clock[0] = Clock()
    monkeypatch.setattr(elasticache_clock, "time", clock)
    server.reset()
    elasticache_model.stores.clear()
    timings.set_many(TIMES)
    before = {name: one["value"] for name, one in unknowns.all_values().items()}
    yield World(server, clock)
    for region in (EAST, WEST):
        elasticache.set_dark(region, False)
    timings.reset()
    unknowns.set_many(before)
