"""What counts as a call that may change something, and in which mode a function made it."""

import pytest
import running

from localaws import mutations

READS = {
    "rds": ["DescribeDBInstances", "DescribeGlobalClusters", "ListTagsForResource"],
    "elasticache": ["DescribeReplicationGroups", "DescribeGlobalReplicationGroups"],
    "cloudformation": ["GetTemplate", "GetTemplateSummary", "DescribeStacks", "ListExports",
                       "ValidateTemplate", "EstimateTemplateCost"],
    "lambda": ["GetFunction", "ListFunctions"],
    "s3": ["GetObject", "HeadObject", "ListObjectsV2", "SelectObjectContent"],
    "ssm": ["GetParameter", "ValidateCloudConnector"],
    "dynamodb": ["Query", "BatchGetItem", "TransactGetItems"],
    "logs": ["FilterLogEvents"],
    "sts": ["GetCallerIdentity"],
}
CHANGES = {
    "rds": ["PromoteReadReplica", "ModifyDBInstance", "DeleteDBInstance", "AddTagsToResource",
            "FailoverGlobalCluster", "DownloadDBLogFilePortion"],
    "elasticache": ["TestFailover", "FailoverGlobalReplicationGroup"],
    "cloudformation": ["CreateChangeSet", "ExecuteChangeSet", "DetectStackDrift", "UpdateStack"],
    "lambda": ["Invoke", "UpdateFunctionCode"],
    "s3": ["PutObject", "DeleteObjects", "CopyObject", "CreateBucket"],
    "ssm": ["PutParameter", "StartAutomationExecution"],
    "dynamodb": ["BatchWriteItem", "TransactWriteItems"],
    "logs": ["PutLogEvents", "StartQuery"],
    "sts": ["AssumeRole", "GetAnythingThatNoModelKnows"],
    "stepfunctions": ["StartExecution", "SendTaskSuccess", "GetActivityTask"],
    "sqs": ["ReceiveMessage"],
    "no-such-service": ["DescribeThings"],
}


def cases(table):
    return [(service, action) for service, actions in table.items() for action in actions]


@pytest.mark.parametrize(("service", "action"), cases(READS))
def test_reads(service, action):
    assert not mutations.mutates(service, action)


@pytest.mark.parametrize(("service", "action"), cases(CHANGES))
def test_changes_and_what_nobody_knows(service, action):
    assert mutations.mutates(service, action)


def test_the_log_tells_the_mode_in_which_a_function_called(worker):
    """Also of a warm sandbox, and through a role that the function has assumed."""
    role = "arn:aws:iam::123456789012:role/dr-orchestrator/execution"
    worker.role("execution", {"AWS": running.ROLE})
    event = {"do": "call", "service": "rds", "action": "describe_db_instances"}
    for more in ({"mode": "PLAN"}, {"mode": "EXECUTE", "assume": role}, {}, {"mode": {"odd": 1}}):
        worker.invoke(event | more)
    calls = [call for call in worker.get("calls")["calls"] if call["function"] == "worker"]
    seen = [(call["action"], call["mode"]) for call in calls]
    look = "DescribeDBInstances"
    assert seen == [(look, "PLAN"), ("AssumeRole", "EXECUTE"), (look, "EXECUTE"), (look, None),
                    (look, None)]
