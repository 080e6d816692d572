"""Reads the state machines for the tests."""

import json
import re
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
FOLDER = REPO / "statemachines"
PHASES = ("INSTANTIATE", "ACTIVATE", "CLEANUP", "REPLICATE")
NAMES = ("product-orchestrator", *PHASES, "resource")


def text(name: str) -> str:
    """A state machine as written."""
    return (FOLDER / f"{name}.asl.json").read_text()


def machine(name: str) -> dict:
    """A state machine, parsed; the same key twice in an object is an error."""
    def unique(pairs: list) -> dict:
        keys = [key for key, _ in pairs]
        assert len(keys) == len(set(keys)), f"{name}: a key twice in {keys}"
        return dict(pairs)

    return json.loads(text(name), object_pairs_hook=unique)


def scopes(flow: dict):
    """The flow itself and the flows inside its Maps and Parallels: each has its own names."""
    yield flow
    for state in flow["States"].values():
        for inner in [state.get("ItemProcessor"), *state.get("Branches", [])]:
            if inner:
                yield from scopes(inner)


def states(name: str):
    """Every state of a machine with its name, at any depth."""
    for scope in scopes(machine(name)):
        yield from scope["States"].items()


def targets(state: dict) -> list[str]:
    """Where a state can go."""
    places = [state.get("Next"), state.get("Default")]
    places += [choice.get("Next") for choice in state.get("Choices", [])]
    places += [catch["Next"] for catch in state.get("Catch", [])]
    return [place for place in places if place]


def reachable(scope: dict) -> set[str]:
    """The states that can be entered from StartAt."""
    seen, todo = set(), [scope["StartAt"]]
    while todo:
        name = todo.pop()
        if name not in seen and name in scope["States"]:
            seen.add(name)
            todo += targets(scope["States"][name])
    return seen


def values(node, key: str):
    """Every value of a key, at any depth."""
    if isinstance(node, dict):
        for name, value in node.items():
            if name == key:
                yield value
            yield from values(value, key)
    elif isinstance(node, list):
        for value in node:
            yield from values(value, key)


def legal_types(name: str) -> set[str]:
    """The resource types that a phase lets through."""
    (choice,) = [state for state_name, state in states(name) if state_name == "ResourceType"]
    return set(values(choice, "StringEquals"))


def error_types() -> set[str]:
    """The closed set of errorType strings."""
    source = (REPO / "shared" / "src" / "error.rs").read_text()
    return set(re.findall(r'serde\(rename = "(Dr\.\w+)"\)', source))


def schemas() -> dict[str, dict]:
    """The registry: each resource type's schema."""
    documents = [json.loads(path.read_text()) for path in (REPO / "samples" / "schema").glob("*.schema.json")]
    return {one["x-dr-type"]: one for one in documents if "x-dr-type" in one}


def kebab(name: str) -> str:
    """PromoteRDSReadReplica -> promote-rds-read-replica, AuroraMySQL -> aurora-mysql."""
    for word in ("ElastiCache", "MySQL", "UnPlanned"):
        name = name.replace(word, word.capitalize())
    name = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1-\2", name)
    return re.sub(r"([a-z0-9])([A-Z])", r"\1-\2", name).lower()
