"""checkov finds nothing, in the templates and in what their loops become.

A finding that is no defect is skipped in the template itself, at its resource, with the reason. checkov lives in an
environment of its own (requirements.txt here), which the scripts make.
"""

import json
import os
import subprocess
from pathlib import Path

import cfn
import pytest

LOOP = "Fn::ForEach::"
# What a loop gets that runs over a parameter.
SAMPLE = "sample"


def replaced(node, name: str, item: str):
    """The body of a loop for one item of its collection."""
    if isinstance(node, dict):
        if node == {"Ref": name}:
            return item
        return {replaced(key, name, item): replaced(value, name, item) for key, value in node.items()}
    if isinstance(node, list):
        return [replaced(one, name, item) for one in node]
    if isinstance(node, str):
        plain = "".join(filter(str.isalnum, item))
        return node.replace(f"&{{{name}}}", plain).replace(f"${{{name}}}", item)
    return node


def without_loops(template: dict) -> dict:
    """checkov cannot read loops: the first item of each stands for all, since all have one body."""
    resources = {}
    for key, body in template["Resources"].items():
        if key.startswith(LOOP):
            name, collection, body = body
            item = collection[0] if isinstance(collection, list) else SAMPLE
            resources |= replaced(body, name, item)
        else:
            resources[key] = body
    return {key: value for key, value in template.items() if key != "Transform"} | {
        "Resources": resources}


@pytest.fixture(scope="module")
def program() -> str:
    if os.environ.get("CHECKOV"):
        return os.environ["CHECKOV"]
    script = f'source "{cfn.REPO}/scripts/lib.sh"; ensure_checkov; printf %s "$CHECKOV"'
    made = subprocess.run(["bash", "-euo", "pipefail", "-c", script], capture_output=True, text=True,
                          timeout=600, check=True)
    return made.stdout


@pytest.fixture(scope="module")
def results(program, tmp_path_factory) -> dict:
    folder = tmp_path_factory.mktemp("templates")
    for path in cfn.TEMPLATES:
        (folder / f"{path.stem}.json").write_text(json.dumps(without_loops(cfn.load(path)), default=str))
    command = [program, "--framework", "cloudformation", "--skip-download", "--output", "json",
               "--directory", str(folder)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False,
                         env={**os.environ, "LOG_LEVEL": "ERROR"})
    assert ran.returncode in (0, 1), ran.stderr
    found = json.loads(ran.stdout)
    return found if isinstance(found, dict) else found[0]


def test_it_has_read_every_template(results):
    assert results["summary"]["parsing_errors"] == 0
    assert results["summary"]["resource_count"] >= 40
    assert results["summary"]["passed"] >= 70


def test_it_finds_nothing(results):
    found = [f"{Path(one['file_path']).stem}: {one['resource']}: {one['check_id']} {one['check_name']}"
             for one in results["results"]["failed_checks"]]
    assert found == []


def test_every_exception_has_a_reason_and_is_needed(results):
    """A skip that no longer skips anything, or says nothing, must go."""
    needed = {(Path(one["file_path"]).stem, one["check_id"]) for one in results["results"].get("skipped_checks", [])}
    written = set()
    for path in cfn.TEMPLATES:
        for name, body in without_loops(cfn.load(path))["Resources"].items():
            for skip in body.get("Metadata", {}).get("checkov", {}).get("skip", []):
                assert len(skip["comment"].split()) > 5, (path.stem, name, skip["id"])
                written.add((path.stem, skip["id"]))
    assert written == needed
