"""STS: who may assume which role."""

import json

import pytest

from localaws import sts
from localaws.tests.served import refusal, serving

HOME, TARGET = "123456789012", "210987654321"


@pytest.fixture(scope="module")
def world():
    sts.install()
    with serving() as running:
        yield running


class Accounts:
    """The orchestrator's account with a function's role, and a target account with its role."""

    def __init__(self, world):
        self.world, self.sts = world, world.client("sts")
        self.iam = world.client("iam")
        self.target = f"arn:aws:iam::{TARGET}:role/dr-orchestrator/execution"
        self.caller = self.role(self.iam, "function", {
            "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{HOME}:root"},
            "Action": "sts:AssumeRole"})
        there = self.keys(self.sts, f"arn:aws:iam::{TARGET}:role/OrganizationAccountAccessRole")
        self.target_iam = world.client("iam", **there)

    def role(self, iam, name, statement, path="/"):
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        return iam.create_role(RoleName=name, Path=path,
                               AssumeRolePolicyDocument=document)["Role"]["Arn"]

    def allow(self, resource):
        document = {"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": resource}]}
        self.iam.put_role_policy(RoleName="function", PolicyName="p",
                                 PolicyDocument=json.dumps(document))

    def trust(self, **condition):
        self.role(self.target_iam, "execution", {
            "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{HOME}:root"},
            "Action": "sts:AssumeRole", "Condition": condition}, "/dr-orchestrator/")

    @staticmethod
    def keys(client, arn, **more):
        given = client.assume_role(RoleArn=arn, RoleSessionName="test", **more)["Credentials"]
        return {"aws_access_key_id": given["AccessKeyId"],
                "aws_secret_access_key": given["SecretAccessKey"],
                "aws_session_token": given["SessionToken"]}

    def function(self, **more):
        return self.world.client("sts", **self.keys(self.sts, self.caller, **more))


@pytest.fixture
def accounts(world):
    world.reset()
    return Accounts(world)


def assume(client, arn, **more):
    return refusal(client.assume_role, **({"RoleArn": arn, "RoleSessionName": "dr-1"} | more))


def test_unknown_role(accounts):
    code, status, message = assume(accounts.sts, f"arn:aws:iam::{HOME}:role/nobody")
    assert (code, status) == ("AccessDenied", 403)
    assert message.endswith(f"is not authorized to perform: sts:AssumeRole on resource: "
                            f"arn:aws:iam::{HOME}:role/nobody")


def test_external_id(accounts):
    accounts.trust(StringEquals={"sts:ExternalId": "dr-orchestrator-1"})
    accounts.allow(accounts.target)
    function = accounts.function()
    assert assume(function, accounts.target)[0] == "AccessDenied"
    assert assume(function, accounts.target, ExternalId="dr-orchestrator-2")[0] == "AccessDenied"
    keys = accounts.keys(function, accounts.target, ExternalId="dr-orchestrator-1")
    identity = accounts.world.client("sts", **keys).get_caller_identity()
    assert identity["Arn"] == f"arn:aws:sts::{TARGET}:assumed-role/execution/test"
    assert identity["Account"] == TARGET


def test_the_callers_own_policies_must_allow(accounts):
    accounts.trust()
    function = accounts.function()
    assert assume(function, accounts.target)[0] == "AccessDenied"
    accounts.allow("arn:aws:iam::*:role/dr-orchestrator/*")
    accounts.keys(function, accounts.target)


def test_the_callers_session_policy_narrows(accounts):
    accounts.trust()
    accounts.allow("*")
    narrow = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
    function = accounts.function(Policy=json.dumps(narrow))
    assert assume(function, accounts.target)[0] == "AccessDenied"


def test_principal_arn(accounts):
    accounts.trust(ArnLike={"aws:PrincipalArn": f"arn:aws:iam::{HOME}:role/orchestrator-*"})
    accounts.allow("*")
    assert assume(accounts.function(), accounts.target)[0] == "AccessDenied"


def test_matching_principal_arn(accounts):
    accounts.trust(ArnLike={"aws:PrincipalArn": f"arn:aws:iam::{HOME}:role/func*"})
    accounts.allow("*")
    accounts.keys(accounts.function(), accounts.target)


def test_organization(accounts):
    organization = accounts.world.client("organizations").create_organization(FeatureSet="ALL")
    accounts.trust(StringEquals={"aws:PrincipalOrgID": organization["Organization"]["Id"]})
    accounts.allow("*")
    accounts.keys(accounts.function(), accounts.target)


def test_another_organization(accounts):
    accounts.trust(StringEquals={"aws:PrincipalOrgID": "o-0000000000"})
    accounts.allow("*")
    assert assume(accounts.function(), accounts.target)[0] == "AccessDenied"


def test_a_service_role_is_not_for_callers(accounts):
    arn = accounts.role(accounts.iam, "lambda", {
        "Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": "sts:AssumeRole"})
    assert assume(accounts.sts, arn)[0] == "AccessDenied"


@pytest.mark.parametrize("change, code", [
    ({"RoleSessionName": "with space"}, "ValidationError"),
    ({"RoleSessionName": "x" * 65}, "ValidationError"),
    ({"DurationSeconds": 899}, "ValidationError"),
    ({"DurationSeconds": 43201}, "ValidationError"),
    ({"DurationSeconds": 3601}, "ValidationError"),  # more than the role's own maximum
    ({"Policy": " " * 2049}, "ValidationError"),
    ({"Policy": "{"}, "MalformedPolicyDocument"),
    ({"RoleArn": "arn:aws:iam::1:role/short-account"}, "ValidationError"),
])
def test_parameters(accounts, monkeypatch, change, code):
    # botocore itself checks some lengths: what other SDKs send must be refused here.
    monkeypatch.setattr("botocore.validate.ParamValidator.validate", lambda *_: _Valid())
    assert assume(accounts.sts, accounts.caller, **change)[:2] == (code, 400)


class _Valid:
    def has_errors(self):
        return False
