"""Copies of a world: they start alike, live apart, and end with their parent."""

import json
import os
import time

import pytest
import requests
from running import Local, eventually


def test_copies_live_apart(worker):
    sns = worker.client("sns")
    sns.create_topic(Name="before")
    copy = worker.copy()
    assert copy.port != worker.port
    sns.create_topic(Name="ours")
    copy.client("sns").create_topic(Name="theirs")

    def names(local):
        return sorted(one["TopicArn"].rsplit(":", 1)[1]
                      for one in local.client("sns").list_topics()["Topics"])

    assert names(worker) == ["before", "ours"]
    assert names(copy) == ["before", "theirs"]


def test_functions_of_a_copy_have_their_own_sandboxes_and_endpoint(worker):
    first = worker.invoke({})[1]["pid"]
    copy = worker.copy()
    _, seen = copy.invoke({"do": "environment"})
    assert seen["AWS_ENDPOINT_URL"] == copy.url
    assert copy.invoke({})[1]["pid"] != first
    assert worker.invoke({})[1]["pid"] == first
    copy.post("shutdown")
    assert worker.invoke({})[1]["pid"] == first
    call = {"do": "call", "service": "sns", "action": "list_topics"}
    assert worker.invoke(call) == (None, {"error": None})


def test_copies_of_copies_end_with_their_parent(original):
    child = original.copy()
    answer = child.post("fork").json()
    grandchild = Local(answer["port"])
    assert grandchild.get("health") == {"status": "ok"}
    child.post("shutdown")
    eventually(lambda: _is_gone(answer["pid"]), seconds=40)
    with pytest.raises(requests.ConnectionError):
        grandchild.get("health")
    assert original.get("health") == {"status": "ok"}


def _is_gone(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        return stat.read().rsplit(")", 1)[1].split()[0] == "Z"


def test_a_copy_waits_for_running_functions(worker):
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(worker.invoke, {"do": "sleep", "seconds": 1})
        time.sleep(0.3)
        copy = worker.copy()
        assert running.result(timeout=5)[0] is None
    assert copy.invoke({})[0] is None


def test_many_copies_at_once(worker):
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(4) as pool:
        copies = list(pool.map(lambda _: worker.copy(), range(4)))
    assert len({copy.port for copy in copies}) == 4
    for copy in copies:
        assert copy.invoke({"a": 1})[1]["event"] == {"a": 1}


def test_the_log_of_a_copy_goes_on_from_its_parents(worker):
    worker.client("sts").get_caller_identity()
    copy = worker.copy()
    last = copy.get("calls")["calls"][-1]
    assert last["action"] == "GetCallerIdentity"
    copy.client("sts").get_caller_identity()
    assert copy.get("calls", since=last["n"])["calls"][0]["n"] == last["n"] + 1
    assert worker.get("calls", since=last["n"])["calls"] == []


def test_timings(local):
    changed = local.post("timings", **{"rds.promote": 7}).json()
    assert changed["rds.promote"] == 7 and local.get("timings") == changed
    assert json.dumps(changed) and changed["visible"] == 2
