"""The README says of names, options, keys and types what the code says."""

import json
import re
import subprocess
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
README = (REPO / "README.md").read_text()
PROSE = re.sub(r"```.*?```", "", README, flags=re.DOTALL)
SCHEMAS = REPO / "samples" / "schema"
TYPES = {
    path.name.removesuffix(".schema.json"): json.loads(path.read_text())
    for path in sorted(SCHEMAS.glob("*.schema.json"))
    if not path.name.endswith("-manifest.schema.json")
}
PHASES = ["INSTANTIATE", "ACTIVATE", "CLEANUP", "REPLICATE"]


def section(title: str) -> str:
    """The text below a heading, up to the next one of its level or above."""
    level, _, _ = title.partition(" ")
    found = re.search(rf"^{re.escape(title)}\n(.*?)(?=^#{{2,{len(level)}}} |\Z)", README, re.DOTALL | re.MULTILINE)
    assert found, f"the README has no heading {title}"
    return found.group(1)


def rows(text: str) -> list[list[str]]:
    """The cells of all table rows."""
    lines = [line for line in text.splitlines() if line.startswith("|") and not re.match(r"\|[\s:|-]+\|$", line)]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def names_in_first_column(text: str) -> set[str]:
    return {name for row in rows(text) for name in re.findall(r"`([\w.-]+)`", row[0])}


def anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def properties(node: object) -> set[str]:
    """Every property name that a schema declares, at any depth."""
    if isinstance(node, list):
        return set().union(*map(properties, node)) if node else set()
    if not isinstance(node, dict):
        return set()
    own = node.get("properties")
    return (set(own) if isinstance(own, dict) else set()).union(*map(properties, node.values()), set())


@pytest.mark.parametrize("document", [REPO / "README.md", *sorted((REPO / "cloudformation").glob("**/*.md"))],
                         ids=lambda path: str(path.relative_to(REPO)))
def test_anchors_lead_to_headings(document):
    for target, fragment in re.findall(r"\]\((?!https?:)([^)#\s]*)#([^)\s]+)\)", document.read_text()):
        text = ((document.parent / target) if target else document).read_text()
        headings = re.findall(r"^#+ (.+)$", re.sub(r"```.*?```", "", text, flags=re.DOTALL), re.MULTILINE)
        assert fragment in map(anchor, headings), f"{target}#{fragment}"


def test_every_type_is_in_the_table_and_no_other():
    described = {name for row in rows(section("## Resource types")) for name in re.findall(r"\[`(\w+)`\]", row[0])}
    assert described == set(TYPES)


@pytest.mark.parametrize("kind", TYPES)
def test_the_table_has_the_types_phases_class_and_page(kind):
    row = next(row for row in rows(section("## Resource types")) if f"`{kind}`" in row[0])
    legal = [phase for phase, cell in zip(PHASES, row[1:5], strict=True) if cell == "x"]
    assert sorted(legal) == sorted(TYPES[kind]["x-dr-phases"])
    # A type that writes nothing has no class of change.
    assert row[5] == (TYPES[kind]["x-dr-class"] if TYPES[kind]["x-dr-writes"] else "none")
    page = REPO / re.search(r"\]\(([^)]+)\)", row[0]).group(1)
    assert re.search(rf"^#+ .*\b{kind}\b", page.read_text(), re.MULTILINE)


@pytest.mark.parametrize(("title", "file"), [
    ("### Product manifest", "product-manifest.schema.json"),
    ("### Application manifest", "application-manifest.schema.json"),
])
def test_manifest_keys_are_those_of_the_schema(title, file):
    documented = names_in_first_column(section(title))
    declared = properties(json.loads((SCHEMAS / file).read_text()))
    assert documented and documented <= declared


def test_every_key_of_a_product_manifest_is_documented():
    schema = json.loads((SCHEMAS / "product-manifest.schema.json").read_text())
    keys = names_in_first_column(section("### Product manifest"))
    assert {key for key in schema["properties"] if not key.startswith("$")} <= keys


def test_every_error_type_is_in_the_troubleshooting_table():
    known = set(re.findall(r'rename = "(Dr\.\w+)"', (REPO / "shared" / "src" / "error.rs").read_text()))
    assert known <= names_in_first_column(section("## Troubleshooting"))
    assert set(re.findall(r"Dr\.\w+", README)) <= known


def test_the_parameters_are_those_of_the_template():
    template = (REPO / "cloudformation" / "orchestrator.yaml").read_text()
    block = template.split("\nParameters:\n")[1].split("\nMappings:")[0]
    declared = set(re.findall(r"^  (\w+):$", block, re.MULTILINE))
    assert names_in_first_column(section("### 3. Parameter files")) == declared


def test_every_template_is_in_the_list():
    text = (REPO / "cloudformation" / "README.md").read_text()
    missing = [path.name for path in (REPO / "cloudformation").glob("*.yaml") if f"({path.name})" not in text]
    assert missing == []


def test_state_machines_exist():
    template = (REPO / "cloudformation" / "state-machines.yaml").read_text()
    machines = set(re.findall(r"StateMachineName: (\S+)", template))
    named = set(re.findall(r"(?:aws-)?dr-orchestrator-stepfunction-[\w-]+", README))
    assert named <= machines


@pytest.mark.parametrize("script", sorted({*re.findall(r"bash (scripts/[\w-]+\.sh)", README)}))
def test_options_exist(script):
    commands = re.findall(rf"bash {re.escape(script)}((?:[^\n`#]|\\\n)*)", README)
    named = {option for text in commands for option in re.findall(r"(?<!\S)--[a-z-]+", text)}
    told = subprocess.run(["bash", REPO / script, "--help"], capture_output=True, text=True, timeout=60, check=True).stdout
    assert sorted(option for option in named - {"--help"} if option not in told) == []


@pytest.mark.parametrize("text", re.findall(r"```json\n(.*?)```", re.sub(r"^  ", "", README, flags=re.MULTILINE), re.DOTALL))
def test_json_examples_are_json(text):
    json.loads(text)


def test_application_examples_name_real_types_and_parameters():
    for kind, body in re.findall(r"resourceType: (\w+)\n(.*?)```", README, re.DOTALL):
        named = set(re.findall(r"^        (\w+):", body, re.MULTILINE))
        assert named and named <= set(TYPES[kind]["properties"])
