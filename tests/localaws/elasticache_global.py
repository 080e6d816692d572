"""Global datastores: creation, description, deletion, and replication groups that join one."""

from typing import Any

from localaws import elasticache_documents as documents
from localaws import elasticache_engines as engines
from localaws import elasticache_groups as groups
from localaws import elasticache_network as network
from localaws import unknowns
from localaws.elasticache_clock import is_dark, seconds
from localaws.elasticache_model import (PRIMARY, SECONDARY, Global, Group, Member, Store, arn,
                                        conflicting, finish, invalid, refuse, require_available)

# The id's prefix belongs to the Region in which a global datastore is created.
PREFIXES = {
    "us-east-1": "ldgnf", "us-east-2": "fpkhr", "us-west-1": "virxk", "us-west-2": "sgaui",
    "ca-central-1": "bxodz", "ap-south-1": "erpgt", "ap-northeast-1": "quwsw",
    "ap-northeast-2": "lfqnh", "ap-northeast-3": "nlapn", "ap-southeast-1": "vlqxn",
    "ap-southeast-2": "vbgxd", "eu-central-1": "iudkw", "eu-west-1": "gxeiz",
    "eu-west-2": "okuqm", "eu-west-3": "fgjhi", "sa-east-1": "juxlw", "cn-north-1": "emvgo",
    "cn-northwest-1": "ckbem", "ap-east-1": "knjmp"}
MOST_MEMBERS = 3
# What a secondary takes from its primary and must not be given.
INHERITED = ("Engine", "EngineVersion", "CacheNodeType", "NumNodeGroups", "NodeGroupConfiguration",
             "CacheParameterGroupName", "CacheSecurityGroupNames", "TransitEncryptionEnabled",
             "AtRestEncryptionEnabled", "SnapshotArns", "SnapshotName", "PrimaryClusterId",
             "ClusterMode", "TransitEncryptionMode", "UserGroupIds")

# Whether a global datastore is shown in Regions where it has no member is not documented.
unknowns.define("elasticache.global_outside_members", "absent", ("absent", "shown"))
# Words of status while an operation on a global datastore is under way.
unknowns.define("elasticache.status_words", "silent", ("silent", "busy"))
# The status that the surviving Regions see while the primary's Region is lost.
unknowns.define("elasticache.primary_dark_status", "available",
                ("available", "primary-only", "modifying"))


def busy_words() -> bool:
    """Whether operations show `modifying`."""
    return unknowns.get("elasticache.status_words") == "busy"


def wrong_state(message: str) -> Exception:
    """InvalidGlobalReplicationGroupState."""
    return refuse("InvalidGlobalReplicationGroupState", message)


def seen_from(datastore: Global, region: str) -> bool:
    """Whether the Region answers for the global datastore."""
    if not datastore.shown:
        return False
    here = region in datastore.frozen or any(one.group.region == region and one.status != "hidden"
                                             for one in datastore.members)
    return here or unknowns.get("elasticache.global_outside_members") == "shown"


def find(store: Store, region: str, name: str) -> Global:
    """The global datastore as calls in the Region find it, or the refusal."""
    found = store.globals.get(name.lower())
    if found is None or not seen_from(found, region):
        raise refuse("GlobalReplicationGroupNotFoundFault",
                     f"Global Replication Group {name} not found.")
    return found


def require_idle(datastore: Global, *allowed: str) -> None:
    """Refuses while something else is under way, and in statuses other than the allowed ones."""
    if datastore.real_status not in allowed:
        raise wrong_state(f"Global Replication Group {datastore.id} is in the state "
                          f"{datastore.real_status}; allowed are: {', '.join(allowed)}.")


def rest(datastore: Global) -> None:
    """The end of an operation: the status between operations, and open for the next one."""
    if not datastore.forced:
        datastore.status = datastore.resting
    datastore.accepted, datastore.failover = None, None


def show(datastore: Global, status: str) -> None:
    """Makes a status visible, unless the control API holds another one."""
    if not datastore.forced:
        datastore.status = status


def create(store: Store, region: str, p: dict[str, Any]) -> Global:
    """CreateGlobalReplicationGroup, in the Region of its primary."""
    group = store.group(region, p["PrimaryReplicationGroupId"])
    suffix = engines.identifier(p["GlobalReplicationGroupIdSuffix"],
                                "GlobalReplicationGroupIdSuffix", 63)
    name = f"{PREFIXES.get(region, 'xxxxx')}-{suffix}"
    if name in store.globals:
        raise refuse("GlobalReplicationGroupAlreadyExistsFault",
                     f"Global Replication Group {name} already exists.")
    if group.global_id:
        raise invalid(f"Cluster [{group.id}] is part of a global cluster [{group.global_id}]. "
                      "Request rejected.")
    require_available(group)
    reason = engines.fits_global(group.engine, group.version, group.node_type)
    if reason:
        raise invalid(f"Replication group {group.id} cannot be the primary: {reason}.")
    made = Global(store.account, name, p.get("GlobalReplicationGroupDescription") or " ",
                  [Member(group, PRIMARY)])
    store.globals[name] = made
    network.tag(store, arn(store.account, region, "globalreplicationgroup", name), p.get("Tags"))
    begin_creation(store, made, group)
    return made


def begin_creation(store: Store, made: Global, group: Group) -> None:
    """Not there, creating, primary-only; the primary is `modifying` meanwhile, if it says so."""
    group.accepted = "modifying"
    visible = seconds("visible")

    def shown() -> None:
        made.shown = True
        if busy_words():
            group.status = "modifying"

    def over() -> None:
        made.members[0].status = "associated"
        group.global_id, group.role = made.id, PRIMARY
        finish(group)
        rest(made)

    store.plan(made, group.region, (visible, shown), (visible + seconds("global.create"), over))


def join(store: Store, region: str, p: dict[str, Any]) -> Group:
    """CreateReplicationGroup with GlobalReplicationGroupId: a secondary in another Region."""
    datastore = store.globals.get(p["GlobalReplicationGroupId"].lower())
    if datastore is None or not datastore.shown:
        raise refuse("GlobalReplicationGroupNotFoundFault", "Global Replication Group "
                     f"{p['GlobalReplicationGroupId']} not found.")
    name = groups.free_name(store, region, p)
    given = [one for one in INHERITED if p.get(one) is not None]
    if given:
        raise conflicting("Cannot use the given parameters when creating new replication group in "
                          f"an existing global replication group: {', '.join(given)}.")
    require_idle(datastore, "available", "primary-only")
    check_room(datastore, region)
    group = secondary(store, region, name, datastore, p)
    groups.add(store, group, p)
    store.forget(group)
    begin_joining(store, datastore, group)
    return group


def check_room(datastore: Global, region: str) -> None:
    """One member a Region, three at most, and a primary to copy from."""
    if any(one.group.region == region for one in datastore.members):
        raise invalid(f"Global Replication Group {datastore.id} has a member in {region} already.")
    if len(datastore.members) >= MOST_MEMBERS:
        raise invalid(f"Global Replication Group {datastore.id} has the most members it can have.")
    first = datastore.primary.group
    if is_dark(first.region) or first.real_status != "available":
        raise wrong_state(f"The primary of Global Replication Group {datastore.id} is not "
                          "available.")


def secondary(store: Store, region: str, name: str, datastore: Global, p: dict[str, Any]) -> Group:
    """The new group, with what it takes from the primary."""
    first = datastore.primary.group
    if p.get("AuthToken") and not first.auth:
        raise conflicting("AuthToken cannot be given: the global datastore has none.")
    network.token(p.get("AuthToken"))
    if p.get("KmsKeyId") and not first.at_rest:
        raise conflicting("KmsKeyId cannot be given: the global datastore is not encrypted.")
    key = network.kms_key(store.account, region, p["KmsKeyId"]) if p.get("KmsKeyId") else None
    sized = groups.size(p, first.clustered) | {"shards": first.shards}
    own = {"port": first.port} | groups.settings(p)
    group = Group(
        store.account, region, name, p["ReplicationGroupDescription"], first.engine, first.version,
        first.node_type, first.clustered, **sized, tls=first.tls, at_rest=first.at_rest,
        auth=first.auth, kms_key=key, parameter_group=first.parameter_group,
        global_id=datastore.id, role=SECONDARY,
        **network.place(store.account, region, p), **own)
    groups.check_failover(group, p)
    return group


def begin_joining(store: Store, datastore: Global, group: Group) -> None:
    """The group is `creating` until it is available and associated."""
    datastore.accepted = "modifying"
    member = Member(group, SECONDARY, "hidden")
    datastore.members.append(member)
    visible, takes = seconds("visible"), seconds("create")

    def shown() -> None:
        member.status = "associating"
        if busy_words():
            show(datastore, "modifying")

    def over() -> None:
        member.status = "associated"
        finish(group)
        rest(datastore)

    store.plan(group, group.region, (visible, shown), (max(visible, takes), over))


def listed(store: Store, region: str, p: dict[str, Any]) -> list[dict[str, Any]]:
    """DescribeGlobalReplicationGroups; members only when asked for."""
    name = p.get("GlobalReplicationGroupId")
    found = [find(store, region, name)] if name else \
        [one for one in store.globals.values() if seen_from(one, region)]
    return [document(one, region, bool(p.get("ShowMemberInfo"))) for one in found]


def document(datastore: Global, region: str, with_members: bool = True) -> dict[str, Any]:
    """A global datastore as the Region shows it."""
    shown = dict(datastore.frozen.get(region) or documents.global_group(datastore, region))
    shown["Members"] = [one for one in shown["Members"] if one["Status"] != "hidden"]
    if not with_members:
        for name in ("Members", "GlobalNodeGroups"):
            shown.pop(name, None)
    return shown


def delete(store: Store, region: str, p: dict[str, Any]) -> Global:
    """DeleteGlobalReplicationGroup: only of a primary alone, which stays as a group of its own."""
    datastore = find(store, region, p["GlobalReplicationGroupId"])
    if not p["RetainPrimaryReplicationGroup"]:
        raise invalid("The primary replication group is never deleted with its Global Replication "
                      "Group: RetainPrimaryReplicationGroup must be true.")
    if datastore.real_status != "primary-only":
        raise wrong_state("Cannot delete a global replication group in "
                          f"{datastore.real_status} state")
    datastore.accepted = "deleting"
    group = datastore.primary.group
    group.accepted = "modifying"
    visible = seconds("visible")

    def shown() -> None:
        datastore.status = "deleting"
        if busy_words():
            group.status = "modifying"

    def over() -> None:
        store.forget(datastore)
        del store.globals[datastore.id]
        store.tags.pop(arn(store.account, region, "globalreplicationgroup", datastore.id), None)
        group.global_id = group.role = None
        finish(group)

    store.plan(datastore, group.region, (visible, shown), (visible + seconds("delete"), over))
    return datastore
