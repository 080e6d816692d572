"""The RDS model on a server, with two Regions and a clock, for the RDS tests."""

import pytest

from localaws import rds, rds_replication, rds_transitions, timings
from localaws.tests.served import Clock, serving

EAST, WEST = "us-east-1", "us-west-2"
TIMES = {"visible": 2, "rds.create": 100, "rds.promote": 100, "rds.delete": 50, "rds.snapshot": 60,
         "rds.modify": 30, "rds.reboot": 30, "replica_lag": 3,
         "rds.keeps_promoted_replica_listed": 10, "rds.replication_error": 10}


class RdsWorld:
    """What the RDS tests do all the time."""

    def __init__(self, world, clock):
        self.world, self.clock = world, clock
        self.east, self.west = world.client("rds", EAST), world.client("rds", WEST)

    def primary(self, name="main", **details):
        arguments = {"Engine": "postgres", "DBInstanceClass": "db.t4g.micro", "AllocatedStorage": 20,
                     "MasterUsername": "owner", "MasterUserPassword": "correct-horse"} | details
        made = self.east.create_db_instance(DBInstanceIdentifier=name, **arguments)
        self.clock.forward(101)
        return made["DBInstance"]["DBInstanceArn"]

    def replica(self, source, name="copy", region=None, **details):
        client = region or self.west
        made = client.create_db_instance_read_replica(
            DBInstanceIdentifier=name, SourceDBInstanceIdentifier=source, **details)
        self.clock.forward(101)
        return made["DBInstance"]["DBInstanceArn"]

    def show(self, client, name):
        return client.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]

    def status(self, client, name):
        return self.show(client, name)["DBInstanceStatus"]

    def words(self, client, name, total, step=1.0, what=lambda shown: shown["DBInstanceStatus"]):
        """The distinct states in their order, over `total` seconds."""
        seen = []
        for _ in range(int(total / step)):
            now = what(self.show(client, name))
            if not seen or seen[-1] != now:
                seen.append(now)
            self.clock.forward(step)
        return seen


@pytest.fixture(scope="module")
def server():
    rds.install()
    with serving() as world:
        yield world


@pytest.fixture
def aws(server, monkeypatch):
    """An empty account, and durations that would be minutes."""
    clock = Clock()
    monkeypatch.setattr(rds_transitions, "time", clock)
    server.reset()
    timings.set_many(TIMES)
    yield RdsWorld(server, clock)
    for region in (EAST, WEST):
        rds_replication.set_dark(region, False)
    timings.reset()
