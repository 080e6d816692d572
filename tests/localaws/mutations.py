"""Which operations may change something, told by what botocore's service models say of them.

An operation counts as a read only if one of these holds; everything else, and every operation that
no model knows, counts as mutating:

1. the model marks it with the Smithy trait `readonly`. Most models do not carry it yet;
2. it is sent with GET or HEAD, by which HTTP promises to change nothing. The protocols json, query
   and ec2 send every operation with POST, so for them it says nothing;
3. the first word of its name is one that AWS uses for reads alone.

A test (tests/templates/test_mutations.py) holds the outcome against the access levels of AWS's
service authorization reference; CHANGES is what it found. Where the two still differ, an operation
is mutating here that the reference calls a read.
"""

import functools
import gzip
import json
import re
from pathlib import Path

import botocore

WORDS = {"Describe", "Get", "List", "Head", "Lookup", "Query", "Scan", "Search", "Select", "Filter",
         "Estimate", "Validate", "Simulate", "Preview"}
# Many at once: the second word decides.
MANY = {"Batch", "Transact"}
WORD = re.compile(r"[A-Z][a-z]+")

# Named like reads, and yet they take a task away or need the right to write.
CHANGES = {("stepfunctions", "GetActivityTask"), ("secretsmanager", "ValidateResourcePolicy")}


def mutates(service: str, action: str) -> bool:
    """Whether an operation may change something. `service` is botocore's name."""
    return not reads(service, action)


@functools.cache
def reads(service: str, action: str) -> bool:
    """Whether the model offers the operation as a read."""
    if (service, action) in CHANGES:
        return False
    model = operations(service).get(action)
    if model is None:
        return False
    return bool(model.get("readonly")) or _is_safe(model) or _is_named_so(action)


@functools.cache
def operations(service: str) -> dict[str, dict]:
    """The operations of a service as its model lists them; empty for a service without one."""
    folders = sorted((Path(botocore.__file__).parent / "data" / service).glob("*/service-2.json*"))
    if not folders:
        return {}
    newest = folders[-1]
    text = gzip.open(newest).read() if newest.suffix == ".gz" else newest.read_bytes()
    return json.loads(text)["operations"]


def _is_safe(model: dict) -> bool:
    return model["http"]["method"] in ("GET", "HEAD")


def _is_named_so(action: str) -> bool:
    words = WORD.findall(action)
    if words and words[0] in MANY:
        words = words[1:]
    return bool(words) and words[0] in WORDS
