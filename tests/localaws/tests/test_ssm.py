"""Parameter Store: selectors, secure strings, batches."""

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
