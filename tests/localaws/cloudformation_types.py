"""How resources of each type are made, changed and removed; all others go to moto's models."""

import random
import string
import time

from moto.core.exceptions import ServiceException

from localaws.cloudformation_clients import client

REGISTRY: dict[str, "Type"] = {}
# moto models these, but what it makes does not work, or nothing of ours would notice.
_MOTO_MISSING = {"AWS::CloudFormation::WaitCondition", "AWS::CloudFormation::WaitConditionHandle"}


class ResourceFailed(Exception):
    """A resource could not be made; the text is its status reason."""


class Resource:
    """One resource of a stack: as declared, and as it exists."""

    def __init__(self, stack, logical: str, kind: str):
        self.stack, self.logical, self.kind = stack, logical, kind
        self.physical_id: str | None = None
        self.properties: dict = {}
        self.attributes: dict = {}
        self.declared: dict = {}
        self.status = self.reason = self.changed_at = None
        self.deletion_policy = "Delete"
        self.extra = None

    def client(self, service: str, region: str | None = None):
        """A boto client in the stack's account and Region."""
        return client(service, region or self.stack.region, self.stack.account)

    def generated(self, limit: int = 64, lower: bool = False) -> str:
        """A name as CloudFormation makes them: stack, logical id and a random end."""
        end = "".join(random.choices(string.ascii_uppercase + string.digits, k=12))
        room = limit - len(end) - 1
        head = f"{self.stack.name}-{self.logical}"
        if len(head) > room:
            half = max((room - 1) // 2, 1)
            head = f"{self.stack.name[:half]}-{self.logical[:room - 1 - half]}"
        name = f"{head}-{end}"
        return name.lower() if lower else name


class Type:
    """What CloudFormation knows about one type of resource."""

    name = ""

    def create(self, r: Resource, p: dict) -> None:
        """Makes the resource; sets its physical id and attributes."""
        raise NotImplementedError

    def update(self, r: Resource, p: dict, old: dict) -> None:
        """Changes it in place; unless overridden it is made anew over the same name."""
        raise NotImplementedError

    def delete(self, r: Resource) -> None:
        """Removes it; one that is gone already is fine."""
        raise NotImplementedError

    def done(self, r: Resource) -> bool:
        """Whether the creation or update is over."""
        return True

    def gone(self, r: Resource) -> bool:
        """Whether the deletion is over."""
        return True

    def attribute(self, r: Resource, name: str):
        """The value of Fn::GetAtt."""
        if name in r.attributes:
            return r.attributes[name]
        raise ResourceFailed(f"Requested attribute {name} does not exist in schema for {self.name}")

    def ref(self, r: Resource) -> str:
        """The value of Ref."""
        return r.physical_id


def register(cls):
    """Class decorator: this type is ours."""
    REGISTRY[cls.name] = cls()
    return cls


class MotoType(Type):
    """A type that moto's own models make."""

    def __init__(self, name: str, model):
        self.name, self.model = name, model

    def _document(self, r: Resource, p: dict) -> dict:
        return {"Type": self.name, "Properties": p,
                "DeletionPolicy": r.declared.get("DeletionPolicy")}

    def create(self, r: Resource, p: dict) -> None:
        from moto.cloudformation.parsing import generate_resource_name

        name_property = self.model.cloudformation_name_type()
        name = p.get(name_property) if name_property else None
        name = name or generate_resource_name(self.name, r.stack.name, r.logical)
        r.extra = self.model.create_from_cloudformation_json(
            name, self._document(r, p), r.stack.account, r.stack.region,
            LogicalId=r.logical, StackId=r.stack.id, ResourceType=self.name)
        self._remember(r)

    def _remember(self, r: Resource) -> None:
        r.extra.logical_resource_id = r.logical
        r.extra.cf_resource_type = self.name
        # moto's DBSubnetGroup has no physical id of its own: its name is what Ref gives.
        r.physical_id = getattr(r.extra, "physical_resource_id", None) or r.extra.name

    def update(self, r: Resource, p: dict, old: dict) -> None:
        changed = self.model.update_from_cloudformation_json(
            original_resource=r.extra, new_resource_name=r.physical_id,
            cloudformation_json=self._document(r, p), account_id=r.stack.account,
            region_name=r.stack.region)
        if changed is None:
            raise NotImplementedError
        r.extra = changed
        self._remember(r)

    def delete(self, r: Resource) -> None:
        try:
            r.extra.delete(r.stack.account, r.stack.region)
        except (TypeError, AttributeError):
            try:
                self.model.delete_from_cloudformation_json(
                    r.physical_id, self._document(r, r.properties), r.stack.account, r.stack.region)
            except ServiceException as error:
                if "NotFound" not in str(error.code):
                    raise

    def done(self, r: Resource) -> bool:
        return bool(r.extra.is_created())

    def attribute(self, r: Resource, name: str):
        from moto.cloudformation.exceptions import UnformattedGetAttTemplateException

        try:
            return r.extra.get_cfn_attribute(name)
        except (UnformattedGetAttTemplateException, NotImplementedError):
            return super().attribute(r, name)


class RdsInstance(MotoType):
    """CloudFormation waits for a database instance to come and to go."""

    def done(self, r: Resource) -> bool:
        from localaws import rds_cloudformation

        state = rds_cloudformation.creation_state(r.extra)
        if state == "FAILED":
            raise ResourceFailed(f"DB instance {r.physical_id} is in state {r.extra.status}")
        return state == "COMPLETE"

    def gone(self, r: Resource) -> bool:
        from localaws import rds_cloudformation

        return rds_cloudformation.deletion_state(r.extra) == "COMPLETE"


def type_of(kind: str) -> Type:
    """The type's handler; a type that nobody implements is an error, never skipped."""
    if kind in REGISTRY:
        return REGISTRY[kind]
    from moto.cloudformation.parsing import get_model_map

    model = get_model_map().get(kind)
    if model is None or kind in _MOTO_MISSING:
        raise ResourceFailed(f"Resource type {kind} is not supported by the local AWS")
    special = {"AWS::RDS::DBInstance": RdsInstance}.get(kind, MotoType)
    REGISTRY[kind] = special(kind, model)
    return REGISTRY[kind]


def wait(check, resource: Resource, seconds: float = 3600.0) -> None:
    """Polls `check(resource)` until it says yes."""
    deadline = time.monotonic() + seconds
    while not check(resource):
        if time.monotonic() > deadline:
            raise ResourceFailed(f"{resource.logical} did not stabilize")
        time.sleep(0.1)
