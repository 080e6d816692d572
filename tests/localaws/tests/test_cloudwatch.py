"""CloudWatch: the lag of RDS replicas, and dashboards."""

import json
from datetime import datetime, timedelta, timezone

import pytest

from localaws import cloudwatch, rds_replication, timings
from localaws.tests.rds_world import EAST, WEST, aws, server  # noqa: F401 (fixtures)
from localaws.tests.served import refusal

GOOD = {"type": "metric", "x": 0, "y": 0, "width": 12, "height": 6, "properties": {
    "region": "us-east-1", "metrics": [["AWS/RDS", "ReplicaLag"]]}}


@pytest.fixture
def metrics(aws):  # noqa: F811
    cloudwatch.install()
    return aws.world.client("cloudwatch", WEST)


def values(aws, metrics, name="copy", minutes=5):  # noqa: F811
    now = datetime.fromtimestamp(aws.clock.time(), timezone.utc)
    dimensions = [{"Name": "DBInstanceIdentifier", "Value": name}]
    query = {"Id": "lag", "MetricStat": {
        "Metric": {"Namespace": "AWS/RDS", "MetricName": "ReplicaLag", "Dimensions": dimensions},
        "Period": 60, "Stat": "Average"}}
    found = metrics.get_metric_data(MetricDataQueries=[query], EndTime=now,
                                    StartTime=now - timedelta(minutes=minutes))
    return found["MetricDataResults"][0]["Values"]


def test_lag_of_a_replica(aws, metrics):  # noqa: F811
    aws.replica(aws.primary())
    aws.clock.forward(300)
    found = values(aws, metrics)
    assert len(found) in (4, 5) and set(found) == {3.0}
    timings.set_many({"replica_lag": 42})
    assert set(values(aws, metrics)) == {42.0}
    now = datetime.fromtimestamp(aws.clock.time(), timezone.utc)
    statistics = metrics.get_metric_statistics(
        Namespace="AWS/RDS", MetricName="ReplicaLag", Period=60, Statistics=["Average"],
        Dimensions=[{"Name": "DBInstanceIdentifier", "Value": "copy"}],
        StartTime=now - timedelta(minutes=3), EndTime=now)
    assert statistics["Datapoints"][0]["Average"] == 42.0
    assert statistics["Datapoints"][0]["Unit"] == "Seconds"


def test_no_lag_without_replication(aws, metrics):  # noqa: F811
    aws.primary()
    assert values(aws, metrics, "main") == []
    aws.replica(aws.show(aws.east, "main")["DBInstanceArn"])
    aws.west.promote_read_replica(DBInstanceIdentifier="copy")
    aws.clock.forward(110)
    assert values(aws, metrics) == []


def test_lag_grows_in_the_dark(aws, metrics):  # noqa: F811
    aws.replica(aws.primary())
    aws.clock.forward(120)
    rds_replication.set_dark(EAST, True)
    aws.clock.forward(300)
    found = values(aws, metrics)
    assert max(found) > 200 and len(set(found)) > 2


def test_mysql_says_minus_one_when_replication_is_broken(aws, metrics):  # noqa: F811
    aws.replica(aws.primary(Engine="mysql"))
    rds_replication.set_dark(EAST, True)
    aws.clock.forward(300)
    assert -1.0 in values(aws, metrics)


def test_a_sound_dashboard(metrics):
    body = json.dumps({"widgets": [GOOD]})
    answer = metrics.put_dashboard(DashboardName="DR_board-1", DashboardBody=body)
    assert answer["DashboardValidationMessages"] == []
    assert metrics.get_dashboard(DashboardName="DR_board-1")["DashboardBody"] == body
    listed = metrics.list_dashboards(DashboardNamePrefix="DR_")["DashboardEntries"]
    assert [entry["DashboardName"] for entry in listed] == ["DR_board-1"]
    assert refusal(metrics.get_dashboard, DashboardName="other")[:2] == ("ResourceNotFound", 404)


@pytest.mark.parametrize("body", [
    "no json", "[]", "{}", '{"widgets": {}}', '{"widgets": [], "title": "x"}',
    json.dumps({"widgets": [GOOD | {"type": "graph"}]}),
    json.dumps({"widgets": [GOOD | {"x": 24}]}),
    json.dumps({"widgets": [GOOD | {"width": 25}]}),
    json.dumps({"widgets": [{"type": "text", "properties": {}}]}),
    json.dumps({"widgets": [{"type": "log", "properties": {"query": "x"}}]}),
    json.dumps({"widgets": [GOOD | {"properties": {"region": "us-east-1"}}]}),
    json.dumps({"widgets": [GOOD | {"properties": {"metrics": [["a", "b"]]}}]}),
])
def test_unsound_dashboards(metrics, body):
    assert refusal(metrics.put_dashboard, DashboardName="board", DashboardBody=body)[:2] == \
        ("InvalidParameterInput", 400)


def test_dashboard_names(metrics):
    assert refusal(metrics.put_dashboard, DashboardName="two words",
                   DashboardBody='{"widgets": []}')[0] == "InvalidParameterInput"
