"""Least privilege: who may do what, and nobody more than the code declares."""

import json

import cfn
import pytest

ROLES = cfn.resources(cfn.REPO / "cloudformation" / "roles.yaml", "AWS::IAM::Role")
# Granted to the target role beside what the types' schemas declare, and why.
DEPENDENTS = {
    "cloudformation:ListExports": "!Import tokens in any parameter",
    "ssm:GetParameters": "resolve:ssm tokens, and stack parameters of SSM types",
    "kms:Decrypt": "SecureString parameters behind tokens",
}


def declared_actions() -> set[str]:
    actions: set[str] = set()
    for path in (cfn.REPO / "samples" / "schema").glob("*.schema.json"):
        schema = json.loads(path.read_text())
        actions |= set(schema.get("x-dr-reads", [])) | set(schema.get("x-dr-writes", []))
    return actions


def granted_actions() -> set[str]:
    return cfn.allowed(cfn.execution_role()["Resources"]["ExecutionRole"])


def policies() -> list:
    return [
        pytest.param(document, id=f"{path.stem}-{name}-{number}")
        for path in cfn.TEMPLATES
        for name, body in cfn.load(path)["Resources"].items()
        for number, document in enumerate(cfn.documents(body) if isinstance(body, dict) else [])
    ]


def test_the_target_role_grants_what_the_types_declare():
    assert declared_actions() - granted_actions() == set()


def test_the_target_role_grants_nothing_more():
    assert granted_actions() - declared_actions() - set(DEPENDENTS) == set()


def test_dependents_are_granted():
    assert set(DEPENDENTS) <= granted_actions()


@pytest.mark.parametrize("document", policies())
def test_no_action_is_a_bare_star(document):
    for statement in cfn.statements(document):
        if statement["Effect"] == "Allow":
            actions = cfn.listed(statement["Action"])
            assert all("*" not in action and ":" in action for action in actions), actions


@pytest.mark.parametrize("document", policies())
def test_every_statement_has_a_name_that_iam_takes(document):
    for statement in cfn.statements(document):
        assert statement["Sid"].isalnum()


@pytest.mark.parametrize("path", cfn.TEMPLATES, ids=lambda path: path.stem)
def test_roles_and_policies_carry_the_path(path):
    for kind in ("AWS::IAM::Role", "AWS::IAM::ManagedPolicy"):
        for name, body in cfn.resources(path, kind).items():
            assert body["Properties"]["Path"] == "/dr-orchestrator/", name


def test_orchestrator_roles_carry_the_region():
    names = {cfn.text_of(body["Properties"]["RoleName"]) for body in ROLES.values()}
    kinds = ("approval-iam", "callback", "core", "resource", "resource-in-vpc", "states")
    assert names == {f"aws-dr-orchestrator-{kind}-${{AWS::Region}}" for kind in kinds}


def test_the_loop_uses_roles_that_exist():
    mapping = cfn.template("orchestrator")["Mappings"]["Functions"]
    role, variables = cfn.loop()[2]["Function&{Name}"]["Properties"]["Role"]["Fn::Sub"]
    default = variables["Role"]["Fn::FindInMap"][3]["DefaultValue"]
    existing = {cfn.text_of(body["Properties"]["RoleName"]) for body in ROLES.values()}
    for kind in {default, *(entry["Role"] for entry in mapping.values())}:
        assert role.rsplit("/", 1)[1].replace("${Role}", kind) in existing


def test_the_callback_can_answer_approvals_and_nothing_else():
    actions = cfn.allowed(ROLES["CallbackRole"])
    assert actions - {"kms:Decrypt", "kms:GenerateDataKey"} == {
        "states:SendTaskSuccess",
        "states:SendTaskFailure",
        "s3:GetObject",
        "s3:PutObject",
        "sqs:SendMessage",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
    }
    (document,) = cfn.documents(ROLES["CallbackRole"])
    objects = next(s for s in cfn.statements(document) if "s3:GetObject" in s["Action"])
    assert cfn.text_of(objects["Resource"]).endswith("/dr-orchestration-artifacts/pending/*")


def objects(name: str, action: str) -> set[str]:
    """Where below dr-orchestration-artifacts/ a role of roles.yaml may do this."""
    template = cfn.load(cfn.REPO / "cloudformation" / "roles.yaml")["Resources"]
    found: set[str] = set()
    for document in cfn.documents(template[name]):
        for statement in cfn.statements(document):
            if action in cfn.listed(statement["Action"]):
                texts = map(cfn.text_of, cfn.listed(statement["Resource"]))
                found |= {t.split("${TemplateStoreS3BucketName}/")[1] for t in texts}
    return {key.removeprefix("dr-orchestration-artifacts/") for key in found}


def test_each_role_writes_only_what_its_functions_write():
    assert objects("CallbackRole", "s3:PutObject") == objects("ApprovalIamRole", "s3:PutObject") == {"pending/*"}
    assert objects("CoreRole", "s3:PutObject") == {"runs/*", "locks/*", "pending/*"}
    # Manifests, the joined plan and the report cannot be changed by the types that only read them.
    assert objects("ResourcePolicy", "s3:PutObject") == {"runs/*/plan/*", "runs/*/journal/*"}


def test_task_tokens_are_read_by_who_asks_and_who_answers_only():
    assert objects("CallbackRole", "s3:GetObject") == objects("ApprovalIamRole", "s3:GetObject") == {"pending/*"}
    assert objects("ResourcePolicy", "s3:GetObject") == {"runs/*", "locks/*"}


def test_no_role_deletes_objects():
    template = cfn.load(cfn.REPO / "cloudformation" / "roles.yaml")["Resources"]
    for name, body in template.items():
        assert not [action for action in cfn.allowed(body) if action.startswith("s3:Delete")], name


def test_who_publishes_may_use_the_topics_key():
    for name, body in ROLES.items():
        keys = [s for d in cfn.documents(body) for s in cfn.statements(d) if s["Sid"] == "ApprovalTopicKey"]
        assert bool(keys) == ("sns:Publish" in cfn.allowed(body)), name
        assert all(s["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"] for s in keys)


def test_answers_by_identity_are_read_and_never_written():
    actions = cfn.allowed(ROLES["ApprovalIamRole"])
    assert actions - {"kms:Decrypt", "kms:GenerateDataKey"} == {
        "ssm:GetParameterHistory",
        "states:SendTaskSuccess",
        "s3:GetObject",
        "s3:PutObject",
        "s3:ListBucket",
        "sqs:SendMessage",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
    }
    for name, role in ROLES.items():
        assert "ssm:PutParameter" not in cfn.allowed(role), name


def test_a_run_cannot_approve_a_run():
    role = cfn.execution_role()["Resources"]["ExecutionRole"]
    denials = [s for d in cfn.documents(role) for s in cfn.statements(d) if s["Effect"] == "Deny"]
    (denial,) = [s for s in denials if s.get("Action") == "ssm:PutParameter"]
    assert cfn.text_of(denial["Resource"]).endswith(":parameter/dr-orchestrator/*") and "Condition" not in denial


def test_no_role_of_a_resource_or_a_machine_answers_tasks():
    for name in ("ResourceRole", "ResourceInVpcRole", "StateMachineRole"):
        assert not any("SendTask" in action for action in cfn.allowed(ROLES[name])), name


def test_state_machine_permissions_are_inline():
    properties = ROLES["StateMachineRole"]["Properties"]
    assert "ManagedPolicyArns" not in properties
    assert {
        "lambda:InvokeFunction",
        "states:StartExecution",
        "states:DescribeExecution",
        "states:StopExecution",
        "events:PutRule",
        "events:PutTargets",
        "events:DescribeRule",
    } <= cfn.allowed(ROLES["StateMachineRole"])


def test_the_target_role_trusts_the_account_under_conditions():
    document = cfn.execution_role()["Resources"]["ExecutionRole"]["Properties"][
        "AssumeRolePolicyDocument"
    ]
    (statement,) = document["Statement"]
    assert cfn.text_of(statement["Principal"]["AWS"]).endswith(":${OrchestratorAccountId}:root")
    equals, like = statement["Condition"]["StringEquals"], statement["Condition"]["ArnLike"]
    assert cfn.text_of(equals["sts:ExternalId"]) == "dr-orchestrator-${OrchestratorAccountId}"
    trusted = cfn.text_of(like["aws:PrincipalArn"])
    assert trusted.endswith(":role/dr-orchestrator/aws-dr-orchestrator-resource-*")
    assert equals["aws:PrincipalOrgID"]["Fn::If"][0] == "HasOrg"


def test_passing_roles_is_limited_by_service():
    ((_, body),) = [
        item for item in cfn.execution_role()["Resources"].items() if item[0] == "ExecutionRole"
    ]
    passing = [
        s
        for d in cfn.documents(body)
        for s in cfn.statements(d)
        if "iam:PassRole" in cfn.listed(s.get("Action", []))
    ]
    assert passing and all("iam:PassedToService" in s["Condition"]["StringEquals"] for s in passing)
    to_cloudformation = [
        s
        for s in passing
        if s["Condition"]["StringEquals"]["iam:PassedToService"].startswith("cloudformation")
    ]
    assert all(
        cfn.text_of(s["Resource"]).endswith(":role/dr-orchestrator/*") for s in to_cloudformation
    )
