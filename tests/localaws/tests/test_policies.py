"""The evaluation of IAM policy documents."""

import pytest

from localaws.policies import ALLOW, DENY, Request, evaluate

ROLE = "arn:aws:iam::123456789012:role/team/worker"


def allow(**more):
    return {"Statement": {"Effect": "Allow", "Action": "rds:*", "Resource": "*"} | more}


def deny(**more):
    return allow(Effect="Deny", **more)


def asks(action="rds:DeleteDBInstance", resource="arn:aws:rds:us-east-1:123456789012:db:main",
         **context):
    return Request(action, resource, ROLE, "123456789012", context=context)


@pytest.mark.parametrize("documents, expected", [
    ([], None),
    ([allow()], ALLOW),
    ([allow(), deny()], DENY),
    ([allow(Action="RDS:delete*")], ALLOW),
    ([allow(Action=["s3:*", "rds:Describe*"])], None),
    ([{"Statement": [{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}]}], ALLOW),
    ([allow(Resource="arn:aws:rds:*:123456789012:db:ma?n")], ALLOW),
    ([allow(Resource="arn:aws:rds:*:123456789012:db:other")], None),
    ([allow(Principal={"AWS": "arn:aws:iam::123456789012:root"})], ALLOW),
    ([allow(Principal={"AWS": ROLE})], ALLOW),
    ([allow(Principal={"AWS": "arn:aws:iam::123456789012:role/team/*"})], None),
    ([allow(Principal={"Service": "lambda.amazonaws.com"})], None),
    (['{"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'], ALLOW),
])
def test_statements(documents, expected):
    assert evaluate(documents, asks()) == expected


@pytest.mark.parametrize("condition, expected", [
    ({"StringEquals": {"k": "v"}}, ALLOW),
    ({"StringEquals": {"K": ["x", "v"]}}, ALLOW),
    ({"StringEquals": {"k": "V"}}, None),
    ({"StringNotEquals": {"k": "v"}}, None),
    ({"StringNotEquals": {"absent": "v"}}, ALLOW),
    ({"StringEquals": {"absent": "v"}}, None),
    ({"StringEqualsIfExists": {"absent": "v"}}, ALLOW),
    ({"StringLike": {"k": "*"}}, ALLOW),
    ({"ArnLike": {"arn": "arn:aws:iam::*:role/team/*"}}, ALLOW),
    ({"ArnLike": {"arn": "arn:aws:*worker"}}, None),
    ({"Bool": {"secure": True}}, ALLOW),
    ({"Null": {"absent": "true"}}, ALLOW),
    ({"Null": {"k": "true"}}, None),
    ({"NumericLessThan": {"n": "10"}}, ALLOW),
    ({"ForAnyValue:StringEquals": {"many": ["b"]}}, ALLOW),
    ({"ForAllValues:StringEquals": {"many": ["b"]}}, None),
    ({"IpAddress": {"k": "v"}}, None),
])
def test_conditions(condition, expected):
    request = asks(k="v", arn=ROLE, secure="true", n=9, many=["a", "b"])
    assert evaluate([allow(Condition=condition)], request) == expected


def test_an_unknown_operator_denies():
    assert evaluate([allow(), deny(Condition={"IpAddress": {"k": "v"}})], asks(k="v")) == DENY
