"""The templates agree with the rest of the repository and with CloudFormation's rules."""

import re
import subprocess
import sys
from pathlib import Path

import cfn
import pytest

DOCUMENTED_PARAMETERS = {
    "ApproversEmail",
    "OrgId",
    "TargetAccountsAssumeRoleName",
    "TemplateStoreS3BucketName",
    "LambdaSubnet1",
    "LambdaSubnet2",
    "LambdaSGId",
    "OrchestratorVersion",
}
ENVIRONMENT = {
    "TEMPLATE_STORE_BUCKET",
    "APPROVAL_TOPIC_ARN",
    "TARGET_ACCOUNTS_ASSUME_ROLE_NAME",
    "DR_EXTERNAL_ID",
    "ORCHESTRATOR_ACCOUNT_ID",
    "DR_PARTITION",
    "ORCHESTRATOR_VERSION",
    "LOG_LEVEL",
}


def function_properties() -> dict:
    return cfn.loop()[2]["Function&{Name}"]["Properties"]


def nested_stacks() -> dict:
    return cfn.resources(
        cfn.REPO / "cloudformation" / "orchestrator.yaml", "AWS::CloudFormation::Stack"
    )


def test_cfn_lint_has_nothing_to_say():
    program = str(Path(sys.executable).with_name("cfn-lint"))
    command = [program, "--regions", "us-east-1", "us-west-2", "--", *map(str, cfn.TEMPLATES)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_loop_declares_every_function_and_no_other():
    folders = {path.parent.name for path in (cfn.REPO / "functions").glob("*/Cargo.toml")}
    names = cfn.loop()[1]
    assert set(names) == folders
    assert len(names) == len(set(names))


def test_function_names_fit_and_stay_apart():
    names = cfn.loop()[1]
    assert all(len(f"aws-dr-orchestrator-{name}") <= 64 for name in names)
    assert len({re.sub("[^A-Za-z0-9]", "", name) for name in names}) == len(names)


def test_exceptions_of_the_loop_name_its_functions():
    assert set(cfn.template("orchestrator")["Mappings"]["Functions"]) <= set(cfn.loop()[1])


def test_every_function_gets_the_environment_of_the_contract():
    assert set(function_properties()["Environment"]["Variables"]) == ENVIRONMENT


def test_failed_asynchronous_invocations_are_kept():
    assert function_properties()["DeadLetterConfig"]["TargetArn"]


def test_functions_log_into_a_group_with_retention():
    group = cfn.loop()[2]["LogGroup&{Name}"]["Properties"]
    assert cfn.text_of(group["LogGroupName"]) == "/aws/lambda/" + cfn.text_of(
        function_properties()["FunctionName"]
    )
    assert group["RetentionInDays"] == {"Ref": "LogRetentionDays"}


def test_the_documented_parameters_are_there():
    assert set(cfn.template("orchestrator")["Parameters"]) >= DOCUMENTED_PARAMETERS


def test_nested_stacks_use_the_templates_that_are_there():
    urls = [cfn.text_of(body["Properties"]["TemplateURL"]) for body in nested_stacks().values()]
    files = {path.name for path in (cfn.REPO / "cloudformation").glob("*.yaml")} - {
        "orchestrator.yaml"
    }
    assert {url.rsplit("/", 1)[1] for url in urls} == files
    assert all("/releases/${Folder}/templates/" in url for url in urls)


@pytest.mark.parametrize("name", sorted(nested_stacks()))
def test_a_nested_stack_gets_the_parameters_of_its_template(name):
    properties = nested_stacks()[name]["Properties"]
    nested = cfn.template(
        cfn.text_of(properties["TemplateURL"]).rsplit("/", 1)[1].removesuffix(".yaml")
    )
    assert set(properties.get("Parameters", {})) == set(nested.get("Parameters", {}))


@pytest.mark.parametrize("name", sorted(nested_stacks()))
def test_outputs_that_are_read_are_written(name):
    body = (cfn.REPO / "cloudformation" / "orchestrator.yaml").read_text()
    url = cfn.text_of(nested_stacks()[name]["Properties"]["TemplateURL"])
    nested = cfn.template(url.rsplit("/", 1)[1].removesuffix(".yaml"))
    assert set(re.findall(rf"{name}\.Outputs\.(\w+)", body)) <= set(nested.get("Outputs", {}))


def test_the_approval_page_has_both_statements_and_a_stack_of_its_own():
    permissions = cfn.resources(
        cfn.REPO / "cloudformation" / "approval-page.yaml", "AWS::Lambda::Permission"
    )
    assert {body["Properties"]["Action"] for body in permissions.values()} == {
        "lambda:InvokeFunctionUrl",
        "lambda:InvokeFunction",
    }
    assert nested_stacks()["ApprovalPage"]["Condition"] == "HasApprovalLinks"
    assert "approval-page" not in (cfn.REPO / "cloudformation" / "roles.yaml").read_text()


def test_no_template_owns_a_bucket():
    for path in cfn.TEMPLATES:
        assert not cfn.resources(path, "AWS::S3::Bucket"), path


def test_topic_and_queue_are_encrypted():
    path = cfn.REPO / "cloudformation" / "notifications.yaml"
    (topic,) = cfn.resources(path, "AWS::SNS::Topic").values()
    (queue,) = cfn.resources(path, "AWS::SQS::Queue").values()
    assert topic["Properties"]["KmsMasterKeyId"]
    assert queue["Properties"]["SqsManagedSseEnabled"] is True


def test_the_dashboard_shows_what_leads_to_a_failed_execution():
    (dashboard,) = cfn.resources(
        cfn.REPO / "cloudformation" / "troubleshooting.yaml", "AWS::CloudWatch::Dashboard"
    ).values()
    query = cfn.text_of(dashboard["Properties"]["DashboardBody"])
    for field in ("detail.stateMachineArn", "detail.name", "detail.status", "detail.cause"):
        assert field in query


def test_the_sample_parameter_files_fit_the_template():
    import parameters

    declared = parameters.declared_parameters(
        (cfn.REPO / "cloudformation" / "orchestrator.yaml").read_text()
    )
    assert set(declared) == set(cfn.template("orchestrator")["Parameters"])
    files = sorted((cfn.REPO / "samples").glob("orchestrator-parameters-*.json"))
    assert [path.stem.removeprefix("orchestrator-parameters-") for path in files] == [
        "us-east-1",
        "us-west-2",
    ]
    for path in files:
        given, problems = parameters.given_parameters(path)
        problems += parameters.unknown_names(given, declared) + parameters.missing_names(
            given, declared, []
        )
        assert problems + parameters.bad_values(given, declared) == []
        assert set(given) >= DOCUMENTED_PARAMETERS


def test_product_dashboards_query_log_groups_that_exist():
    sources = (cfn.REPO / "functions" / "manifest-loader" / "src").rglob("*.rs")
    text = "".join(path.read_text() for path in sources)
    asked = set(re.findall(r"['\"]((?:/aws/lambda|/dr-orchestrator)/[\w/-]+)['\"]", text))
    path = cfn.REPO / "cloudformation" / "troubleshooting.yaml"
    groups = cfn.resources(path, "AWS::Logs::LogGroup").values()
    made = {cfn.text_of(body["Properties"]["LogGroupName"]) for body in groups}
    made |= {f"/aws/lambda/aws-dr-orchestrator-{name}" for name in cfn.loop()[1]}
    assert asked and asked <= made
