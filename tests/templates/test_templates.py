"""The templates agree with the rest of the repository and with CloudFormation's rules."""

import json
import re
import subprocess
import sys
from pathlib import Path

import cfn
import pytest
from localaws import policies

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


# Stacks of their own, beside the orchestrator's.
OF_THEIR_OWN = {"orchestrator.yaml", "template-store.yaml", "schedule.yaml"}


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
    files = {path.name for path in (cfn.REPO / "cloudformation").glob("*.yaml")} - OF_THEIR_OWN
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


def test_only_the_template_store_owns_a_bucket_and_keeps_it():
    for path in cfn.TEMPLATES:
        buckets = cfn.resources(path, "AWS::S3::Bucket") | cfn.resources(path, "AWS::S3::BucketPolicy")
        assert not buckets or path.stem == "template-store"
        for body in buckets.values():
            assert body["DeletionPolicy"] == body["UpdateReplacePolicy"] == "Retain"


def store(kind: str) -> dict:
    (body,) = cfn.resources(cfn.REPO / "cloudformation" / "template-store.yaml", kind).values()
    return body["Properties"]


def test_the_template_store_is_protected():
    bucket = store("AWS::S3::Bucket")
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    lifecycle = {rule["Id"]: rule for rule in bucket["LifecycleConfiguration"]["Rules"]}
    # No rule may end a current object: manifests, releases and journals have no age.
    assert all("ExpirationInDays" not in rule for rule in lifecycle.values())
    assert lifecycle["unfinished-uploads"]["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"] == 7
    assert lifecycle["old-versions"]["NoncurrentVersionExpiration"]["NoncurrentDays"] == {
        "Ref": "NoncurrentVersionDays"}


def test_the_template_stores_policy_only_denies():
    statements = {s["Sid"]: s for s in store("AWS::S3::BucketPolicy")["PolicyDocument"]["Statement"]}
    assert {s["Effect"] for s in statements.values()} == {"Deny"}
    tls = statements.pop("TlsOnly")
    assert tls["Action"] == "s3:*" and tls["Principal"] == "*"
    assert tls["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    # People and pipelines are not meant: each of the others speaks of the orchestrator's roles alone.
    for sid, statement in statements.items():
        like = statement["Condition"].get("ArnLike") or statement["Condition"]["ArnEquals"]
        for arn in cfn.listed(like["aws:PrincipalArn"]):
            assert "role/dr-orchestrator/" in cfn.text_of(arn), sid


def denied(role: str, action: str, key: str) -> bool:
    """Whether the bucket's policy denies this to a role of the orchestrator, as the local AWS's IAM reads it."""
    values = {"AWS::Partition": "aws", "AWS::AccountId": "123456789012", "AWS::Region": "us-east-1",
              "TemplateStore.Arn": "arn:aws:s3:::store", "TemplateStore": "store"}

    def filled(node):
        if isinstance(node, list):
            return [filled(one) for one in node]
        if not isinstance(node, dict):
            return node
        if set(node) == {"Fn::Sub"}:
            return re.sub(r"\$\{([^}]+)\}", lambda found: values[found[1]], node["Fn::Sub"])
        if set(node) == {"Fn::GetAtt"}:
            return values[node["Fn::GetAtt"]]
        return {name: filled(value) for name, value in node.items()}

    principal = f"arn:aws:iam::123456789012:role/{role}"
    request = policies.Request(action, f"arn:aws:s3:::store/{key}", principal, "123456789012", context={
        "aws:PrincipalArn": principal, "aws:SecureTransport": "true"})
    return policies.evaluate([filled(store("AWS::S3::BucketPolicy")["PolicyDocument"])], request) == policies.DENY


ROLES = tuple(f"dr-orchestrator/aws-dr-orchestrator-{name}" for name in (
    "core-us-east-1", "callback-us-east-1", "approval-iam-us-east-1", "resource-us-east-1", "execution-role"))
CORE, CALLBACK, IDENTITY, RESOURCE, TARGET = ROLES


@pytest.mark.parametrize("key, writers", [
    ("runs/shop/r/manifests/app.json", {CORE}),
    ("runs/shop/r/report.json", {CORE}),
    ("runs/shop/r/plan/app-0-0.json", {CORE, RESOURCE, TARGET}),
    ("runs/shop/r/journal/app-0-0.json", {CORE, RESOURCE, TARGET}),
    ("locks/shop.json", {CORE}),
    ("pending/0.json", {CORE, CALLBACK, IDENTITY}),
    ("releases/1/release.json", set()),
    ("manifest-files/a.json", set()),
])
def test_the_template_stores_policy_keeps_the_record(key, writers):
    key = f"dr-orchestration-artifacts/{key}"
    for role in ROLES:
        assert denied(role, "s3:PutObject", key) == (role not in writers), role
        assert denied(role, "s3:DeleteObject", key) and denied(role, "s3:DeleteObjectVersion", key)
        if "pending" not in key:
            assert not denied(role, "s3:GetObject", key)
    for action in ("s3:PutObject", "s3:DeleteObject", "s3:GetObject"):
        assert not denied("pipeline", action, key)


def test_task_tokens_are_kept_from_the_resource_types():
    readers = {role for role in ROLES if not denied(role, "s3:GetObject", "dr-orchestration-artifacts/pending/0.json")}
    assert readers == {CORE, CALLBACK, IDENTITY}


def topic_and_key() -> tuple[dict, dict, dict]:
    path = cfn.REPO / "cloudformation" / "notifications.yaml"
    kinds = ("AWS::SNS::Topic", "AWS::SNS::TopicPolicy", "AWS::KMS::Key")
    return tuple(next(iter(cfn.resources(path, kind).values()))["Properties"] for kind in kinds)


def test_topic_and_queue_are_encrypted():
    topic, _, key = topic_and_key()
    path = cfn.REPO / "cloudformation" / "notifications.yaml"
    (queue,) = cfn.resources(path, "AWS::SQS::Queue").values()
    assert topic["KmsMasterKeyId"] == {"Fn::GetAtt": "ApprovalTopicKey.Arn"}
    assert key["EnableKeyRotation"] is True
    assert queue["Properties"]["SqsManagedSseEnabled"] is True


def test_alarms_may_use_the_topic_and_its_key():
    """CloudWatch needs both, and only for this account."""
    _, policy, key = topic_and_key()
    for document, actions in ((policy["PolicyDocument"], {"sns:Publish"}),
                              (key["KeyPolicy"], {"kms:Decrypt", "kms:GenerateDataKey"})):
        (statement,) = [s for s in document["Statement"]
                        if s["Principal"] == {"Service": "cloudwatch.amazonaws.com"}]
        assert set(cfn.listed(statement["Action"])) == actions
        assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}


def test_the_topic_takes_messages_of_this_account_over_tls():
    _, policy, _ = topic_and_key()
    for statement in policy["PolicyDocument"]["Statement"]:
        if statement["Effect"] == "Deny":
            assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        elif "AWS" in statement["Principal"]:
            assert cfn.text_of(statement["Principal"]["AWS"]).endswith("::${AWS::AccountId}:root")
    assert [s["Sid"] for s in policy["PolicyDocument"]["Statement"] if s["Effect"] == "Deny"] == ["TlsOnly"]


def schedule_loop(name: str) -> dict:
    (body,) = cfn.template("schedule")["Resources"][f"Fn::ForEach::{name}"][2].values()
    return body["Properties"]


def test_a_schedule_starts_dry_runs_of_the_product_machine_only():
    (target,) = schedule_loop("Plans")["Targets"]
    assert json.loads(cfn.text_of(target["Input"])) == {"productmanifestpath": "${Key}", "planOnly": True}
    (role,) = cfn.resources(cfn.REPO / "cloudformation" / "schedule.yaml", "AWS::IAM::Role").values()
    (document,) = cfn.documents(role)
    (statement,) = document["Statement"]
    assert statement["Action"] == "states:StartExecution" and statement["Resource"] == target["Arn"]


def test_a_schedule_reads_exports_that_the_orchestrator_writes():
    text = (cfn.REPO / "cloudformation" / "schedule.yaml").read_text()
    written = {output["Export"]["Name"] for output in cfn.template("orchestrator")["Outputs"].values()
               if "Export" in output}
    read = set(re.findall(r"!ImportValue ([\w-]+)", text))
    assert read and read <= written


def test_alarms_of_plans_see_what_the_filters_count():
    filters = cfn.resources(cfn.REPO / "cloudformation" / "schedule.yaml", "AWS::Logs::MetricFilter")
    alarm = schedule_loop("Alarms")
    (dimension,) = alarm["Dimensions"]
    values = set()
    for body in filters.values():
        properties = body["Properties"]
        assert properties["LogGroupName"] == "/aws/lambda/aws-dr-orchestrator-reporter"
        assert '$.event = "report" && $.planOnly IS TRUE' in properties["FilterPattern"]
        (metric,) = properties["MetricTransformations"]
        assert (metric["MetricNamespace"], metric["MetricName"]) == (alarm["Namespace"], alarm["MetricName"])
        assert [one["Key"] for one in metric["Dimensions"]] == [dimension["Name"]]
        values.add(metric["MetricValue"])
    assert values == {"0", "1"} and alarm["Threshold"] == 1
    assert alarm["TreatMissingData"] == "ignore" and alarm["AlarmActions"] == alarm["OKActions"]


def test_the_period_of_the_alarm_is_the_interval():
    template = cfn.template("schedule")
    every = template["Mappings"]["Every"]
    assert set(every) == set(template["Parameters"]["Minutes"]["AllowedValues"])
    assert all(entry["Seconds"] == int(minutes) * 60 for minutes, entry in every.items())


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
    asked.discard("/dr-orchestrator/template-store")  # a parameter, no log group
    assert asked and asked <= made
