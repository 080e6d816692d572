"""A resource type is complete: function, schema, phases, documentation, template, sample."""

import json
import re

import asl
import pytest
import yaml

CORE = {"manifest-loader", "yaml-to-json", "approval-request", "approval-callback", "approval-iam",
        "failure-recorder", "reporter"}
TYPES = sorted(asl.schemas())
FOLDERS = {path.parent.name for path in (asl.REPO / "functions").glob("*/Cargo.toml")}
ROOT_TEMPLATE = asl.REPO / "cloudformation" / "orchestrator.yaml"


def sample_resources() -> list[dict]:
    found = []
    for path in sorted((asl.REPO / "samples").glob("*/manifests/**/*")):
        if path.suffix in (".json", ".yaml", ".yml"):
            document = yaml.safe_load(path.read_text())
            layers = document if isinstance(document, list) else []
            found += [resource for layer in layers for resource in layer["resources"]]
    return found


def test_folders_are_the_core_functions_and_the_types():
    assert FOLDERS == CORE | {asl.kebab(kind) for kind in TYPES}


def test_schemas_are_named_after_their_type():
    files = {path.name for path in (asl.REPO / "samples" / "schema").glob("*.schema.json")}
    manifests = {"product-manifest.schema.json", "application-manifest.schema.json"}
    assert files == manifests | {f"{kind}.schema.json" for kind in TYPES}


@pytest.mark.parametrize("folder", sorted(FOLDERS))
def test_each_function_is_a_package_and_a_binary_of_its_folders_name(folder):
    text = (asl.REPO / "functions" / folder / "Cargo.toml").read_text()
    assert re.search(r'^name = "([^"]+)"', text, re.MULTILINE).group(1) == folder
    assert "[lints]\nworkspace = true" in text


def test_each_function_is_deployed():
    text = ROOT_TEMPLATE.read_text()
    loop = re.search(r"Fn::ForEach::AllFunctions:\n    - Name\n    - ((?:.*\n)(?:      - .*\n)*)", text).group(1)
    assert set(re.findall(r"- ([a-z0-9-]+)", loop)) == FOLDERS


@pytest.mark.parametrize("kind", TYPES)
class TestEachType:
    def test_it_is_documented(self, kind):
        modules = asl.REPO / "cloudformation" / "modules"
        texts = {path: path.read_text() for path in sorted(modules.glob("*.md"))}
        entries = [path for path, text in texts.items() if re.search(rf"^#+ .*\b{kind}\b", text, re.MULTILINE)]
        assert len(entries) == 1, f"a heading with {kind} in exactly one file of {modules.relative_to(asl.REPO)}"

    def test_its_parameters_are_documented(self, kind):
        text = "\n".join(p.read_text() for p in (asl.REPO / "cloudformation" / "modules").glob("*.md"))
        missing = [name for name in asl.schemas()[kind]["properties"] if f"`{name}`" not in text]
        assert missing == []

    def test_it_is_used_in_a_sample(self, kind):
        assert kind in {resource["resourceType"] for resource in sample_resources()}

    def test_its_schema_is_complete(self, kind):
        schema = asl.schemas()[kind]
        assert schema["additionalProperties"] is False
        assert {"x-dr-reads", "x-dr-writes", "x-dr-control-plane", "x-dr-timeout-minutes"} <= schema.keys()
        assert set(schema["x-dr-phases"]) <= set(asl.PHASES) and schema["x-dr-phases"]
        assert not set(schema["x-dr-reads"]) & set(schema["x-dr-writes"])
        assert all(part.get("description") for part in schema["properties"].values())


def test_samples_use_known_types_in_legal_phases():
    schemas = asl.schemas()
    for path in sorted((asl.REPO / "samples").glob("*/manifests/**/product-manifest-*.json")):
        product = json.loads(path.read_text())
        for key in asl.values(product, "service_order_files"):
            for name in key:
                file = next((asl.REPO / "samples").glob(f"*/manifests/**/{name.rsplit('/', 1)[1]}"))
                for layer in yaml.safe_load(file.read_text()):
                    for resource in layer["resources"]:
                        assert product["action"] in schemas[resource["resourceType"]]["x-dr-phases"], (name, resource)
