"""The role of a state machine, as CreateStateMachine and UpdateStateMachine check it.

moto 5.2.5 looks at no role. AWS refuses one that Step Functions may not assume, and, for a machine
with `.sync` tasks, one that may not make the rule by which the ends of children are noticed.
"""

from moto.iam.models import iam_backends
from moto.utilities.utils import get_partition

from localaws import sts
from localaws.api_error import ApiError
from localaws.policies import ALLOW, Request, evaluate

_RULE = "StepFunctionsGetEventsForStepFunctionsExecutionRule"
_RULE_ACTIONS = ("events:PutTargets", "events:PutRule", "events:DescribeRule")


def check(account: str, region: str, role_arn: str, definition: str) -> None:
    """Refuses a role that would not do."""
    role = _find(account, region, role_arn)
    trusted = role is not None and evaluate(
        [role.assume_role_policy_document],
        Request("sts:AssumeRole", service="states.amazonaws.com", account=account,
                context={"aws:SourceAccount": account})) == ALLOW
    if not trusted:
        raise ApiError("AccessDeniedException",
                       "Neither the global service principal states.amazonaws.com, nor the regional"
                       " one is authorized to assume the provided role.")
    if "startExecution.sync" in definition and not _may_make_rule(account, region, role):
        raise ApiError("AccessDeniedException",
                       f"'{role_arn}' is not authorized to create managed-rule.")


def _find(account: str, region: str, role_arn: str):
    if role_arn.split(":")[4] != account:
        return None
    roles = iam_backends[account][get_partition(region)].roles.values()
    return next((role for role in roles if role.arn == role_arn), None)


def _may_make_rule(account: str, region: str, role) -> bool:
    documents = list(role.policies.values())
    documents += [sts.default_document(policy) for policy in role.managed_policies.values()]
    arn = f"arn:{get_partition(region)}:events:{region}:{account}:rule/{_RULE}"
    return all(evaluate(documents, Request(action, arn, role.arn, account)) == ALLOW
               for action in _RULE_ACTIONS)


def _create(original):
    def create_state_machine(self, name, definition, roleArn, *args, **kwargs):  # noqa: N803
        self._validate_definition(definition=definition)
        self._validate_role_arn(roleArn)
        check(self.account_id, self.region_name, roleArn, definition)
        return original(self, name, definition, roleArn, *args, **kwargs)
    return create_state_machine


def _update(original):
    def update_state_machine(self, arn, definition=None, role_arn=None, *args, **kwargs):
        machine = self.describe_state_machine(arn)
        if definition is not None:
            self._validate_definition(definition=definition)
        check(self.account_id, self.region_name, role_arn or machine.roleArn,
              definition or machine.definition)
        return original(self, arn, definition, role_arn, *args, **kwargs)
    return update_state_machine


def install() -> None:
    """Puts the checks into moto's backend."""
    from moto.stepfunctions.parser.models import StepFunctionsParserBackend as Backend

    Backend.create_state_machine = _create(Backend.create_state_machine)
    Backend.update_state_machine = _update(Backend.update_state_machine)
