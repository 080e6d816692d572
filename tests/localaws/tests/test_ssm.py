"""Parameter Store: selectors, secure strings, batches."""

import json

import pytest

from localaws import ssm
from localaws.tests.served import refusal, serving


@pytest.fixture(scope="module")
def world():
    ssm.install()
    with serving() as running:
        yield running


@pytest.fixture
def store(world):
    world.reset()
    client = world.client("ssm")
    client.put_parameter(Name="/dr/a", Value="1", Type="String")
    client.put_parameter(Name="/dr/a", Value="2", Type="String", Overwrite=True)
    client.label_parameter_version(Name="/dr/a", ParameterVersion=1, Labels=["old"])
    client.put_parameter(Name="/dr/secret", Value="geheim", Type="SecureString")
    return client


def test_selectors(store):
    names = ["/dr/a", "/dr/a:1", "/dr/a:old", "/dr/none", "/dr/a:7", "/dr/a:nolabel"]
    answer = store.get_parameters(Names=names)
    found = {(one["Name"], one.get("Selector")): one["Value"] for one in answer["Parameters"]}
    assert found == {("/dr/a", None): "2", ("/dr/a", ":1"): "1", ("/dr/a", ":old"): "1"}
    assert answer["InvalidParameters"] == names[3:]
    assert store.get_parameter(Name="/dr/a:1")["Parameter"]["Selector"] == ":1"


def test_missing(store):
    assert refusal(store.get_parameter, Name="/dr/none") == ("ParameterNotFound", 400, "")
    for name in ("/dr/a:7", "/dr/a:nolabel"):
        assert refusal(store.get_parameter, Name=name)[0] == "ParameterVersionNotFound"


def test_secure_string(store):
    sealed = store.get_parameter(Name="/dr/secret")["Parameter"]["Value"]
    assert "geheim" not in sealed
    opened = store.get_parameters(Names=["/dr/secret"], WithDecryption=True)["Parameters"][0]
    assert opened["Value"] == "geheim" and opened["Type"] == "SecureString"


def test_batches(store):
    assert refusal(store.get_parameters, Names=[f"/x{n}" for n in range(11)])[0] == \
        "ValidationException"
    assert refusal(store.get_parameters, Names=["/dr/a", "/dr/a"])[0] == "ValidationException"


def test_sizes(store):
    assert refusal(store.put_parameter, Name="/dr/b", Value="x" * 4097, Type="String")[0] == \
        "ValidationException"
    store.put_parameter(Name="/dr/b", Value="x" * 4097, Type="String", Tier="Advanced")
    assert refusal(store.put_parameter, Name="/dr/c", Value="x" * 8193, Type="String",
                   Tier="Advanced")[0] == "ValidationException"


def test_the_history_tells_who_wrote_each_version(world, store):
    iam, sts = world.client("iam"), world.client("sts")
    iam.create_user(UserName="ann")
    key = iam.create_access_key(UserName="ann")["AccessKey"]
    iam.create_role(RoleName="Lead", AssumeRolePolicyDocument=json.dumps({
        "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
                                                "Principal": {"AWS": "*"}}]}))
    session = sts.assume_role(RoleArn="arn:aws:iam::123456789012:role/Lead",
                              RoleSessionName="bob")["Credentials"]
    for access, secret, token in [
            (key["AccessKeyId"], key["SecretAccessKey"], None),
            (session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"])]:
        client = world.client("ssm", aws_access_key_id=access, aws_secret_access_key=secret,
                              aws_session_token=token)
        client.put_parameter(Name="/dr/who", Value="x", Type="String", Overwrite=True)
    history = store.get_parameter_history(Name="/dr/who")["Parameters"]
    assert [one["LastModifiedUser"] for one in history] == [
        "arn:aws:iam::123456789012:user/ann",
        "arn:aws:sts::123456789012:assumed-role/Lead/bob"]
    about = store.describe_parameters(ParameterFilters=[{"Key": "Name", "Values": ["/dr/who"]}])
    assert about["Parameters"][0]["LastModifiedUser"].endswith("assumed-role/Lead/bob")
