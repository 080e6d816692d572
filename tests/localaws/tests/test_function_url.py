"""Function URLs: permissions, events of payload format 2.0, and answers."""

import base64
import json

import pytest
import requests
from botocore.exceptions import ClientError
from running import BOOTSTRAP, zipped

# Answers with the event's own "respond" (from a JSON body), else with the event itself.
ECHO = BOOTSTRAP.replace("def work(event, context):\n", """def work(event, context):
    if event.get("version") == "2.0":
        try:
            return json.loads(event["body"])["respond"]
        except (KeyError, ValueError):
            return event
""", 1)


@pytest.fixture
def url(local):
    local.function("page", code=zipped(ECHO))
    client = local.client("lambda")
    made = client.create_function_url_config(FunctionName="page", AuthType="NONE")
    for action, more in (("lambda:InvokeFunctionUrl", {"FunctionUrlAuthType": "NONE"}),
                         ("lambda:InvokeFunction", {"InvokedViaFunctionUrl": True})):
        client.add_permission(FunctionName="page", StatementId=action.split(":")[1],
                              Action=action, Principal="*", **more)
    return made["FunctionUrl"]


def test_both_permissions_are_needed(local, url):
    assert url.startswith(f"{local.url}/_lambda-url/")
    assert requests.get(url).status_code == 200
    client = local.client("lambda")
    for name in ("InvokeFunction", "InvokeFunctionUrl"):
        policy = json.loads(client.get_policy(FunctionName="page")["Policy"])
        removed = next(one for one in policy["Statement"] if one["Sid"] == name)
        client.remove_permission(FunctionName="page", StatementId=name)
        answer = requests.get(url)
        assert answer.status_code == 403 and answer.json()["Message"].startswith("Forbidden")
        more = ({"FunctionUrlAuthType": "NONE"} if name.endswith("Url")
                else {"InvokedViaFunctionUrl": True})
        client.add_permission(FunctionName="page", StatementId=name, Principal="*",
                              Action=removed["Action"], **more)
    assert requests.get(url).status_code == 200


def test_the_event(url):
    event = requests.get(url + "a%20b/c?x=1&x=2&y=", headers={"X-Own": "Yes"},
                         cookies={"k": "v"}).json()
    assert event["version"] == "2.0" and event["rawPath"] == "/a%20b/c"
    assert event["rawQueryString"] == "x=1&x=2&y="
    assert event["queryStringParameters"] == {"x": "1,2", "y": ""}
    assert event["headers"]["x-own"] == "Yes" and "cookie" not in event["headers"]
    assert event["cookies"] == ["k=v"]
    assert "body" not in event and event["isBase64Encoded"] is False
    context = event["requestContext"]
    assert context["accountId"] == "anonymous" and context["http"]["method"] == "GET"
    assert context["http"]["path"] == "/a%20b/c" and context["routeKey"] == "$default"


def test_forms_arrive_in_base64_and_json_does_not(url):
    form = requests.post(url, data={"decision": "approve"}).json()
    assert form["isBase64Encoded"] is True
    assert base64.b64decode(form["body"]) == b"decision=approve"
    text = requests.post(url, json={"a": 1}).json()
    assert text["isBase64Encoded"] is False and json.loads(text["body"]) == {"a": 1}


def respond(url, document):
    return requests.post(url, json={"respond": document}, allow_redirects=False)


def test_answers(url):
    page = respond(url, {"statusCode": 201, "headers": {"Content-Type": "text/html"},
                         "cookies": ["a=1"], "body": "<p>yes</p>"})
    assert page.status_code == 201 and page.text == "<p>yes</p>"
    assert page.headers["content-type"] == "text/html" and page.cookies["a"] == "1"
    binary = base64.b64encode(b"\x00\xff").decode()
    assert respond(url, {"statusCode": 200, "isBase64Encoded": True,
                         "body": binary}).content == b"\x00\xff"
    plain = respond(url, {"answer": 42})
    assert plain.status_code == 200 and plain.json() == {"answer": 42}
    assert plain.headers["content-type"] == "application/json"
    assert respond(url, {"statusCode": 200, "body": {"no": "text"}}).status_code == 502
    assert respond(url, {"statusCode": "x"}).status_code == 502


def test_configuration(local, url):
    client = local.client("lambda")
    with pytest.raises(ClientError, match="ResourceConflictException"):
        client.create_function_url_config(FunctionName="page", AuthType="NONE")
    seen = client.get_function_url_config(FunctionName="page")
    assert seen["FunctionUrl"] == url and seen["InvokeMode"] == "BUFFERED"
    copy = local.copy()
    assert copy.client("lambda").get_function_url_config(
        FunctionName="page")["FunctionUrl"] == url.replace(local.url, copy.url)
    assert requests.get(url.replace(local.url, copy.url)).status_code == 200
    client.delete_function_url_config(FunctionName="page")
    assert requests.get(url).status_code == 404


def test_dark_region_has_no_urls(local, url):
    local.post("dark", region="us-east-1", dark=True)
    with pytest.raises(requests.ConnectionError):
        requests.get(url)
