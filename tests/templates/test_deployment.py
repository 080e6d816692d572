"""The deployment scripts against the local AWS: what a person sees, and what is there afterwards.

The zips hold a header of a Linux program only: nothing is invoked here.
"""

import json
import os
import re
import struct
import subprocess
import sys
import urllib.request
import zipfile
from pathlib import Path

import boto3
import cfn
import pytest

ACCOUNT, REGION, OTHER = "123456789012", "us-east-1", "us-west-2"
BUCKET, ELSEWHERE = f"dr-orchestrator-{ACCOUNT}-{REGION}", f"dr-orchestrator-{ACCOUNT}-{OTHER}"
KEYS = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}


class Local:
    """A running local AWS and the scripts pointed at it."""

    def __init__(self, endpoint: str, work: Path):
        self.endpoint, self.work = endpoint, work
        clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        command_line = str(Path(sys.executable).with_name("aws"))
        self.environment = clean | KEYS | {"AWS_ENDPOINT_URL": endpoint, "AWS_CLI": command_line}

    def client(self, service: str, region: str = REGION):
        return boto3.client(
            service,
            region_name=region,
            endpoint_url=self.endpoint,
            aws_access_key_id="local",
            aws_secret_access_key="local",
        )

    def run(self, script: str, *arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            ["bash", str(cfn.REPO / "scripts" / script), *arguments],
            cwd=self.work,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def deploy(self, *arguments: str, **changes: str) -> subprocess.CompletedProcess:
        options = [
            "--region",
            REGION,
            "--zips",
            str(self.work / "zips"),
            "--parameters",
            self.parameters(changes),
        ]
        return self.run("deploy-orchestrator.sh", *options, *arguments)

    def parameters(self, changes: dict[str, str]) -> str:
        given = json.loads(
            (cfn.REPO / "samples" / f"orchestrator-parameters-{REGION}.json").read_text()
        )
        values = {item["ParameterKey"]: item["ParameterValue"] for item in given} | changes
        (self.work / "parameters.json").write_text(json.dumps(values))
        return str(self.work / "parameters.json")

    def stack(self) -> dict:
        return self.client("cloudformation").describe_stacks(StackName="aws-dr-orchestrator")[
            "Stacks"
        ][0]

    def outputs(self) -> dict[str, str]:
        return {item["OutputKey"]: item["OutputValue"] for item in self.stack()["Outputs"]}


def make_zips(folder: Path) -> None:
    folder.mkdir()
    header = b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HH", 3, 62) + bytes(44)
    for name in cfn.loop()[1]:
        with zipfile.ZipFile(folder / f"{name}.zip", "w") as archive:
            archive.writestr("bootstrap", header)


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    """One local AWS with the bucket and a manifest; the tests below run on it in their order."""
    work = tmp_path_factory.mktemp("deployment")
    make_zips(work / "zips")
    (work / "manifests").mkdir()
    (work / "manifests" / "product.json").write_text("{}")
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    server = subprocess.Popen(
        [sys.executable, "-m", "localaws", "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
        env=clean | {"PYTHONPATH": str(cfn.REPO / "tests"), "PYTHONUNBUFFERED": "1"},
    )
    try:
        endpoint = next(
            word for word in server.stdout.readline().split() if word.startswith("http://")
        )
        yield Local(endpoint, work)
    finally:
        server.terminate()
        server.wait(timeout=30)


def test_a_missing_bucket_is_named_and_nothing_is_made(local):
    result = local.deploy()
    assert result.returncode == 1
    assert f"the bucket {BUCKET} does not exist" in result.stderr
    assert "scripts/create-template-store.sh" in result.stderr
    assert local.client("cloudformation").describe_stacks()["Stacks"] == []


def test_the_template_store_is_made_once(local):
    options = ["--region", REGION, "--parameters", local.parameters({}), "--noncurrent-days", "30"]
    first, second = (local.run("create-template-store.sh", *options) for _ in range(2))
    assert first.returncode == 0, first.stderr
    assert second.returncode == 0 and "no changes" in second.stderr
    s3 = local.client("s3")
    assert s3.get_bucket_versioning(Bucket=BUCKET)["Status"] == "Enabled"
    rules = s3.get_bucket_lifecycle_configuration(Bucket=BUCKET)["Rules"]
    assert [r["NoncurrentVersionExpiration"]["NoncurrentDays"] for r in rules
            if "NoncurrentVersionExpiration" in r] == [30]


def test_a_bucket_that_exists_is_left_alone(local):
    options = ["--region", REGION, "--parameters", local.parameters({})]
    result = local.run("create-template-store.sh", *options, "--stack-name", "another")
    assert result.returncode == 1 and "exists already" in result.stderr
    names = [s["StackName"] for s in local.client("cloudformation").describe_stacks()["Stacks"]]
    assert names == ["aws-dr-orchestrator-template-store"]


def test_nothing_is_said_of_a_bucket_from_the_template(local):
    result = local.deploy("--dry-run", "--manifests", "none")
    assert result.returncode == 0 and f"bucket {BUCKET}" not in result.stderr, result.stderr


def suggested(stderr: str) -> list[str]:
    return [line.strip() for line in stderr.splitlines() if line.startswith("  aws s3api ")]


def test_what_a_bucket_lacks_is_named_with_the_command_that_mends_it(local):
    local.client("s3").create_bucket(Bucket="bare")
    result = local.deploy("--dry-run", "--manifests", "none", TemplateStoreS3BucketName="bare")
    assert result.returncode == 0, result.stderr
    for lack in ("keeps no versions", "does not block public access", "has no default encryption",
                 "admits plain HTTP"):
        assert f"The bucket bare {lack}" in result.stderr
    commands = suggested(result.stderr)
    assert len(commands) == 4
    for command in commands:
        _, rest = command.split(" ", 1)
        program = f'"$AWS_CLI" --endpoint-url "$AWS_ENDPOINT_URL" {rest}'
        subprocess.run(["bash", "-c", program], env=local.environment, check=True, timeout=60)
    again = local.deploy("--dry-run", "--manifests", "none", TemplateStoreS3BucketName="bare")
    assert "The bucket bare" not in again.stderr, again.stderr


def test_a_policy_that_is_there_is_not_to_be_replaced(local):
    policy = {"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
        "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bare/*"}]}
    local.client("s3").put_bucket_policy(Bucket="bare", Policy=json.dumps(policy))
    result = local.deploy("--dry-run", "--manifests", "none", TemplateStoreS3BucketName="bare")
    assert "Add this statement to it" in result.stderr and suggested(result.stderr) == []


def test_a_schedule_needs_the_orchestrator(local):
    result = local.run("deploy-schedule.sh", "--region", REGION, "--manifest", "x",
                       "--parameters", local.parameters({}))
    assert result.returncode == 1 and "The orchestrator is not deployed" in result.stderr


def test_all_problems_are_named_together(local):
    local.client("s3", OTHER).create_bucket(
        Bucket=ELSEWHERE, CreateBucketConfiguration={"LocationConstraint": OTHER}
    )
    result = local.deploy(
        TemplateStoreS3BucketName=ELSEWHERE,
        LambdaSubnet1="subnet-0123456789abcdef0",
        LambdaSubnet2="subnet-1",
        LambdaSGId="sg-1",
    )
    assert result.returncode == 1
    assert f"the bucket {ELSEWHERE} is in {OTHER}" in result.stderr
    for missing in (
        "LambdaSubnet1 subnet-0123456789abcdef0",
        "LambdaSubnet2 subnet-1",
        "LambdaSGId sg-1",
    ):
        assert f"{missing} does not exist" in result.stderr


def test_a_dry_run_changes_nothing(local):
    result = local.deploy("--dry-run", "--manifests", str(local.work / "manifests"))
    assert result.returncode == 0, result.stderr
    assert "Would deploy the stack" in result.stderr and "nothing was changed" in result.stderr
    assert local.client("s3").list_objects_v2(Bucket=BUCKET)["KeyCount"] == 0


def test_a_deployment_is_complete(local):
    result = local.deploy("--manifests", str(local.work / "manifests"))
    assert result.returncode == 0, result.stderr
    assert "scripts/deploy-target-role.sh" in result.stderr
    outputs = local.outputs()
    assert outputs["ProductOrchestratorArn"] in result.stdout
    names = {
        f["FunctionName"] for f in local.client("lambda").list_functions(MaxItems=1000)["Functions"]
    }
    assert names == {f"aws-dr-orchestrator-{name}" for name in cfn.loop()[1]}
    machines = {
        m["name"] for m in local.client("stepfunctions").list_state_machines()["stateMachines"]
    }
    assert (
        len(machines) == 8 and "aws-dr-orchestrator-stepfunction-product-orchestrator" in machines
    )
    url = local.client("ssm").get_parameter(Name="/dr-orchestrator/approval-url")["Parameter"][
        "Value"
    ]
    assert url == outputs["ApprovalUrl"]
    local.client("s3").head_object(
        Bucket=BUCKET, Key="dr-orchestration-artifacts/manifest-files/product.json"
    )


def test_an_unconfirmed_subscription_is_told_last_with_the_next_step(local):
    sns, topic = local.client("sns"), local.outputs()["ApprovalTopicArn"]
    (address,) = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert address["SubscriptionArn"] == "PendingConfirmation"
    told = local.deploy("--manifests", "none").stderr
    warning = told[told.rindex("warning:"):]
    assert warning.startswith(f"warning: {address['Endpoint']} has not confirmed the subscription")
    assert "Subscription Confirmation" in warning and f"aws sns subscribe --region {REGION} --topic-arn {topic}" in warning
    assert 'the command in the input of its state "Request approval"' in warning
    with urllib.request.urlopen(f"{local.endpoint}/_localaws/mail", timeout=30) as answer:
        body = "".join(mail["body"] for mail in json.load(answer)["mails"])
    link = re.search(r"https?://\S*ConfirmSubscription\S*", body)[0]
    with urllib.request.urlopen(link, timeout=30):
        pass
    assert "subscription" not in local.deploy("--manifests", "none").stderr


def test_every_placeholder_of_the_machines_is_filled(local):
    client = local.client("stepfunctions")
    for machine in client.list_state_machines()["stateMachines"]:
        definition = client.describe_state_machine(stateMachineArn=machine["stateMachineArn"])[
            "definition"
        ]
        assert cfn.placeholders(definition) == set(), machine["name"]


def test_the_second_run_has_nothing_to_do(local):
    before = local.stack().get("LastUpdatedTime")
    result = local.deploy("--manifests", str(local.work / "manifests"))
    assert result.returncode == 0, result.stderr
    assert "No changes: nothing to do." in result.stderr
    assert local.stack().get("LastUpdatedTime") == before


def test_a_changed_manifest_is_uploaded_without_a_deployment(local):
    (local.work / "manifests" / "product.json").write_text('{"changed": true}')
    result = local.deploy("--manifests", str(local.work / "manifests"))
    assert "of which new or changed: 1" in result.stderr and "is up to date" in result.stderr
    key = "dr-orchestration-artifacts/manifest-files/product.json"
    assert b"changed" in local.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read()


def test_new_parameters_reach_what_they_concern(local):
    changes = {
        "OrchestratorVersion": "2",
        "CoreReservedConcurrency": "5",
        "ApprovalLinks": "DISABLED",
    }
    result = local.deploy("--manifests", "none", "--release", "fixed", **changes)
    assert result.returncode == 0, result.stderr
    client = local.client("lambda")
    for name in cfn.loop()[1]:
        function = client.get_function_configuration(FunctionName=f"aws-dr-orchestrator-{name}")
        assert function["Environment"]["Variables"]["ORCHESTRATOR_VERSION"] == "2"
    core = client.get_function_concurrency(FunctionName="aws-dr-orchestrator-reporter")
    assert core["ReservedConcurrentExecutions"] == 5
    resource = client.get_function_concurrency(FunctionName="aws-dr-orchestrator-module-test")
    assert "ReservedConcurrentExecutions" not in resource
    assert "none (ApprovalLinks DISABLED)" in result.stdout and "ApprovalUrl" not in local.outputs()
    with pytest.raises(local.client("ssm").exceptions.ParameterNotFound):
        local.client("ssm").get_parameter(Name="/dr-orchestrator/approval-url")


def test_a_release_name_is_never_reused_for_other_content(local):
    zip_file = local.work / "zips" / "reporter.zip"
    original = zip_file.read_bytes()
    with zipfile.ZipFile(zip_file, "a") as archive:
        archive.comment = b"other"
    result = local.deploy("--manifests", "none", "--release", "fixed", OrchestratorVersion="2")
    zip_file.write_bytes(original)
    assert result.returncode == 1 and "was uploaded with other content" in result.stderr


MANIFEST = "dr-orchestration-artifacts/manifest-files/product-manifest-shop.json"


def schedule(local, *arguments: str) -> subprocess.CompletedProcess:
    return local.run("deploy-schedule.sh", "--region", REGION, "--parameters", local.parameters({}),
                     "--manifest", MANIFEST, *arguments)


def put_manifest(local, **document: str) -> None:
    local.client("s3").put_object(Bucket=BUCKET, Key=MANIFEST, Body=json.dumps(document))


def test_a_schedule_of_what_is_no_product_manifest_is_refused(local):
    assert "cannot be read" in schedule(local).stderr
    put_manifest(local, layer="1")
    assert "no product manifest" in schedule(local).stderr
    put_manifest(local, product_name="shop", region=OTHER)
    assert f"may be started in {OTHER} only" in schedule(local).stderr
    put_manifest(local, product_name="shop", region=REGION)
    assert "Minutes must be one of" in schedule(local, "--every", "7").stderr


def test_a_schedule_starts_dry_runs_and_has_an_alarm(local):
    first, second = schedule(local, "--every", "60"), schedule(local, "--every", "60")
    assert first.returncode == 0, first.stderr
    assert second.returncode == 0 and "no changes" in second.stderr
    events = local.client("events")
    (rule,) = [r for r in events.list_rules()["Rules"] if "ScheduleExpression" in r]
    # The dead-letter queue takes events of rules with this beginning only.
    assert rule["Name"].startswith("aws-dr-orchestrator-")
    assert rule["ScheduleExpression"] == "rate(60 minutes)"
    (target,) = events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
    assert target["Arn"] == local.outputs()["ProductOrchestratorArn"]
    assert json.loads(target["Input"]) == {"productmanifestpath": MANIFEST, "planOnly": True}
    (alarm,) = local.client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert alarm["AlarmName"] == "aws-dr-orchestrator-plan-blocked-shop" and alarm["Period"] == 3600
    assert alarm["AlarmActions"] == alarm["OKActions"] == [local.outputs()["ApprovalTopicArn"]]
    request = urllib.request.Request(f"{local.endpoint}/_localaws/schedule", method="POST", data=json.dumps(
        {"region": REGION, "rule": rule["Name"]}).encode())
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert json.load(answer)["fired"][0]["target"] == target["Arn"]
    # The stack must go before the orchestrator's, whose exports it reads.
    client = local.client("cloudformation")
    client.delete_stack(StackName="aws-dr-orchestrator-schedule")
    client.get_waiter("stack_delete_complete").wait(
        StackName="aws-dr-orchestrator-schedule", WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    assert local.client("cloudwatch").describe_alarms()["MetricAlarms"] == []


def test_the_target_role_is_deployed_once(local):
    options = [
        "--region",
        REGION,
        "--regions",
        f"{REGION},{OTHER}",
        "--parameters",
        local.parameters({}),
    ]
    first, second = (
        local.run("deploy-target-role.sh", *options),
        local.run("deploy-target-role.sh", *options),
    )
    assert first.returncode == 0, first.stderr
    assert second.returncode == 0 and "no changes" in second.stderr
    role = local.client("iam").get_role(RoleName="aws-dr-orchestrator-execution-role")["Role"]
    assert role["Path"] == "/dr-orchestrator/"
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Condition"]["StringEquals"] == {
        "sts:ExternalId": f"dr-orchestrator-{ACCOUNT}"
    }


def test_a_failure_inside_a_nested_stack_is_named(local):
    local.client("sqs", OTHER).create_queue(QueueName="aws-dr-orchestrator-dead-letters")
    result = local.deploy(
        "--region", OTHER, "--manifests", "none", TemplateStoreS3BucketName=ELSEWHERE
    )
    assert result.returncode == 1
    assert "DeadLetterQueue (AWS::SQS::Queue)" in result.stderr and "next:" in result.stderr


def test_deleting_the_stack_keeps_releases_and_manifests(local):
    local.client("cloudformation").delete_stack(StackName="aws-dr-orchestrator")
    local.client("cloudformation").get_waiter("stack_delete_complete").wait(
        StackName="aws-dr-orchestrator", WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    assert local.client("s3").list_objects_v2(Bucket=BUCKET)["KeyCount"] > 20
