"""How wide a statement may be: resources, accounts, and the limits of IAM."""

import json
import re

import cfn
import pytest

# Actions that may stand beside Resource "*", and why AWS lets nobody narrow them.
EVERYWHERE = {
    "states:SendTaskSuccess": "knows no resources, the task token is the scope",
    "states:SendTaskFailure": "knows no resources, the task token is the scope",
    "ec2:CreateNetworkInterface": "Lambda checks its role without naming an interface",
    "ec2:DescribeNetworkInterfaces": "knows no resources",
    "ec2:DescribeSubnets": "knows no resources",
    "ec2:DeleteNetworkInterface": "Lambda checks its role without naming an interface",
    "ec2:AssignPrivateIpAddresses": "Lambda checks its role without naming an interface",
    "ec2:UnassignPrivateIpAddresses": "Lambda checks its role without naming an interface",
    "logs:CreateLogDelivery": "knows no resources",
    "logs:GetLogDelivery": "knows no resources",
    "logs:UpdateLogDelivery": "knows no resources",
    "logs:DeleteLogDelivery": "knows no resources",
    "logs:ListLogDeliveries": "knows no resources",
    "logs:PutResourcePolicy": "knows no resources",
    "logs:DescribeResourcePolicies": "knows no resources",
    "logs:DescribeLogGroups": "Step Functions asks for all groups when a machine is created",
    "sts:GetCallerIdentity": "knows no resources, and nobody can be kept from it",
    "cloudformation:ListExports": "knows no resources",
    "cloudwatch:GetMetricData": "knows no resources",
}
# Actions on resources of any account, and what narrows them instead.
ANY_ACCOUNT = {
    "sts:AssumeRole": "the application accounts are not known; path and name are",
    "kms:DescribeKey": "keys may be shared by another account; kms:ViaService narrows",
    "kms:CreateGrant": "keys may be shared by another account; kms:ViaService narrows",
    "cloudformation:CreateChangeSet": "transforms belong to AWS",
}
NAMES = {"AWS::Partition": "aws", "AWS::AccountId": "1" * 12, "AWS::Region": "ap-southeast-2",
         "AWS::URLSuffix": "amazonaws.com", "TemplateStoreS3BucketName": "b" * 63,
         "TargetAccountsAssumeRoleName": "r" * 64, "OrchestratorAccountId": "2" * 12}  # fmt: skip


def allowing() -> list:
    return [
        pytest.param(statement, id=f"{path.stem}-{name}-{statement['Sid']}")
        for path in cfn.TEMPLATES
        for name, body in cfn.load(path)["Resources"].items()
        for document in (cfn.documents(body) if isinstance(body, dict) else [])
        for statement in cfn.statements(document)
        if statement["Effect"] == "Allow"
    ]


def rendered(node):
    """A template's value as IAM gets it: the longest names, both sides of a condition."""
    if isinstance(node, list):
        return [rendered(one) for one in node]
    if not isinstance(node, dict):
        return node
    if "Fn::Sub" in node:
        return re.sub(r"\$\{([\w:]+)\}", lambda m: NAMES[m[1]], cfn.text_of(node))
    if "Fn::If" in node:
        return rendered(node["Fn::If"][1])
    if "Ref" in node or "Fn::GetAtt" in node or "Fn::ImportValue" in node:
        return NAMES.get(node.get("Ref"), "arn:" + "x" * 80)
    return {key: rendered(value) for key, value in node.items()}


def size(document) -> int:
    return len(json.dumps(rendered(document), separators=(",", ":")))


@pytest.mark.parametrize("statement", allowing())
def test_a_bare_resource_has_a_reason(statement):
    if "*" in cfn.listed(statement["Resource"]):
        assert set(cfn.listed(statement["Action"])) <= set(EVERYWHERE)


def test_the_reasons_are_needed():
    bare = [s.values[0] for s in allowing() if "*" in cfn.listed(s.values[0]["Resource"])]
    assert {a for s in bare for a in cfn.listed(s["Action"])} == set(EVERYWHERE)


@pytest.mark.parametrize("statement", allowing())
def test_resources_are_named_by_partition_service_and_account(statement):
    for arn in cfn.listed(rendered(statement["Resource"])):
        if arn == "*" or "x" * 80 in arn:
            continue
        head, partition, service, _, account, rest = arn.split(":", 5)
        assert (head, partition) == ("arn", "aws") and service.isalnum() and rest != "*", arn
        if service == "s3":
            assert not arn.startswith("arn:aws:s3:::*") or "s3:ResourceAccount" in str(statement)
        elif not account.isdigit():
            assert set(cfn.listed(statement["Action"])) <= set(ANY_ACCOUNT), arn


@pytest.mark.parametrize("statement", allowing())
def test_actions_belong_to_the_services_of_their_resources(statement):
    """A statement's actions that none of its resources fits allow nothing at all."""
    arns = cfn.listed(rendered(statement["Resource"]))
    services = {arn.split(":")[2] for arn in arns if arn != "*" and "x" * 80 not in arn}
    for action in cfn.listed(statement["Action"]) if services else []:
        service = {"sts": "iam"}.get(action.split(":")[0], action.split(":")[0])
        assert service in services, action


def test_roles_and_policies_are_within_the_limits_of_iam():
    for path in cfn.TEMPLATES:
        for name, body in cfn.resources(path, "AWS::IAM::ManagedPolicy").items():
            assert size(body["Properties"]["PolicyDocument"]) <= 6144, name
        for name, body in cfn.resources(path, "AWS::IAM::Role").items():
            properties = body["Properties"]
            assert size(properties["AssumeRolePolicyDocument"]) <= 2048, name
            assert sum(size(document) for document in cfn.documents(body)) <= 10240, name
            attached = properties.get("ManagedPolicyArns", [])
            assert isinstance(attached, dict) or len(attached) <= 10, name


def test_the_trust_names_no_role_of_the_orchestrator():
    """IAM keeps the unique id of a trusted role: deleted and made again, it would be a stranger."""
    role = cfn.execution_role()["Resources"]["ExecutionRole"]["Properties"]
    (statement,) = rendered(role["AssumeRolePolicyDocument"])["Statement"]
    assert statement["Principal"] == {"AWS": f"arn:aws:iam::{'2' * 12}:root"}
    like = statement["Condition"]["ArnLike"]["aws:PrincipalArn"]
    roles = cfn.resources(cfn.REPO / "cloudformation" / "roles.yaml", "AWS::IAM::Role")
    names = [rendered(body["Properties"]["RoleName"]) for body in roles.values()]
    trusted = [n for n in names if re.fullmatch(like.split("/")[-1].replace("*", ".*"), n)]
    assert sorted(trusted) == [
        "aws-dr-orchestrator-resource-ap-southeast-2",
        "aws-dr-orchestrator-resource-in-vpc-ap-southeast-2",
    ]
