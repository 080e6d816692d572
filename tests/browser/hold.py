"""Runs in which a resource has failed, so that somebody is asked what becomes of it."""

import json
from urllib.parse import unquote

from world import FOLDER, SAMPLE, Run, World, eventually

ROLE, POLICY = "aws-dr-orchestrator-execution-role", "RdsInstances"
NAMED = {"approver": "Ada Approver", "reason": "the network is back"}
BUTTONS = ["Retry", "Skip", "Abort this", "Abort the run"]


class Hold(Run):
    """The first of two layers fails. `link` is that of the newest question."""

    resource = "ModuleTest Warm caches"

    def __init__(self, world: World, product: str = "held-shop", **approval):
        super().__init__(world, product, **approval)
        self.asked = 0
        approve = NAMED | {"confirmation": self.typed, "decision": "APPROVED"}
        assert world.request(self.link, "POST", approve) == 200
        self.again()

    def again(self) -> str:
        """Waits for one more question."""
        self.asked += 1
        self.link = eventually(lambda: self.links("HELD")[self.asked - 1:], 90)[0]
        return self.link

    def _files(self) -> list[str]:
        layers = [_test("Warm caches", Outcome="FAIL"), _test("Shift traffic")]
        manifest = [{"layer": n, "resources": [one]} for n, one in enumerate(layers, 1)]
        return [self.put(f"manifest-files/{self.product}-app1.json", manifest)]


class RiskyHold(Hold):
    """A promotion lacks a permission. Its retry is asked anew, since the manifest changes: data may be lost."""

    resource = "PromoteRDSReadReplica Orders database"

    def _files(self) -> list[str]:
        without(self.world, "rds:PromoteReadReplica")
        return Run._files(self)

    def change(self) -> None:
        """Somebody uploads another manifest, which nobody has approved."""
        manifest = self.get(f"{FOLDER}/{SAMPLE}")
        manifest[0]["resources"][0]["parameters"]["BackupRetentionPeriod"] = 3
        self.put(SAMPLE, manifest)


def _test(name: str, **parameters) -> dict:
    return {"resourceType": "ModuleTest", "resourceName": name, "parameters": parameters}


def without(world: World, action: str) -> None:
    """Takes an action from the role of the functions."""
    iam = world.client("iam")
    policy = iam.get_role_policy(RoleName=ROLE, PolicyName=POLICY)["PolicyDocument"]
    text = unquote(policy) if isinstance(policy, str) else json.dumps(policy)
    assert text.count(f'"{action}"') == 1, text
    text = text.replace(f'"{action}"', '"rds:DescribeDBInstances"')
    iam.put_role_policy(RoleName=ROLE, PolicyName=POLICY, PolicyDocument=text)
