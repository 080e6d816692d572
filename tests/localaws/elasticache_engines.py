"""Engines, versions, node types and names that ElastiCache knows."""

import re

from localaws.elasticache_model import invalid

VERSIONS = {"redis": ("4.0.10", "5.0.6", "6.0.5", "6.2.6", "7.0.7", "7.1.0"),
            "valkey": ("7.2.6", "8.0.1", "8.1.0")}
FAMILIES = {"redis": {"4": "redis4.0", "5": "redis5.0", "6": "redis6.x", "7": "redis7"},
            "valkey": {"7": "valkey7", "8": "valkey8"}}
NODE_TYPE = re.compile(r"cache\.([a-z]\w*)\.(micro|small|medium|large|\d*xlarge)")
# Node families of global datastores, in the size large and above.
GLOBAL_NODES = ("m5", "m6g", "m7g", "r5", "r6g", "r6gd", "r7g", "c7gn")
IDENTIFIER = re.compile(r"[a-z](-?[a-z0-9])*")


def identifier(name: str, what: str, most: int) -> str:
    """A checked name, in lower case as ElastiCache keeps it."""
    name = str(name).lower()
    if not IDENTIFIER.fullmatch(name) or len(name) > most:
        raise invalid(f"The parameter {what} is not a valid identifier. Identifiers must begin "
                      "with a letter; must contain only ASCII letters, digits, and hyphens; and "
                      "must not end with a hyphen, contain two consecutive hyphens or be longer "
                      f"than {most}.")
    return name


def engine_version(engine: str, wanted: str | None) -> str:
    """The full version for `7.1`, `6.x` or nothing."""
    known = VERSIONS.get(engine)
    if known is None:
        raise invalid(f"Invalid Engine: {engine}. Valid values are: redis, valkey.")
    if wanted is None:
        return known[-1]
    head = str(wanted).removesuffix("x").rstrip(".")
    found = [one for one in known if one == head or one.startswith(head + ".")]
    if not found:
        raise invalid(f"Invalid engine version: {wanted}. Valid versions of {engine} are: "
                      f"{', '.join(known)}.")
    return found[-1]


def family(engine: str, version: str) -> str:
    """The family of parameter groups of a version."""
    return FAMILIES[engine][version.split(".")[0]]


def node_type(name: str | None) -> str:
    """A checked CacheNodeType."""
    if not name or not NODE_TYPE.fullmatch(name):
        raise invalid(f"Invalid Cache Node Type: {name}.")
    return name


def fits_global(engine: str, version: str, node: str) -> str | None:
    """Why a replication group can be no part of a global datastore; None when it can."""
    found = NODE_TYPE.fullmatch(node)
    if found is None or found[1] not in GLOBAL_NODES or found[2] in ("micro", "small", "medium"):
        return f"the node type {node} is not supported for global datastores"
    parts = tuple(int(part) for part in version.split("."))
    if engine == "redis" and parts < (5, 0, 6):
        return f"global datastores need Redis 5.0.6 or later, not {version}"
    return None
