"""Resource types around functions: Lambda, Step Functions, EventBridge rules, log groups."""

import json
import re

from localaws.cloudformation_types import Resource, ResourceFailed, Type, register


def pick(p: dict, *names: str, **renamed: str) -> dict:
    """The given properties, as far as they are there."""
    found = {name: p[name] for name in names if name in p}
    return found | {target: p[name] for target, name in renamed.items() if name in p}


def tags_map(p: dict) -> dict:
    """A list of Key and Value as a map."""
    return {tag["Key"]: tag["Value"] for tag in p.get("Tags", [])}


@register
class Function(Type):
    """moto 5.2.5 ignores DeadLetterConfig, concurrency, architecture and the change of a key."""

    name = "AWS::Lambda::Function"
    SETTINGS = ("Role", "Handler", "Runtime", "Timeout", "MemorySize", "Environment", "Layers",
                "DeadLetterConfig", "VpcConfig", "Description", "TracingConfig", "KMSKeyArn",
                "FileSystemConfigs", "EphemeralStorage", "LoggingConfig")

    def _code(self, r: Resource, p: dict) -> dict:
        code = dict(p.get("Code", {}))
        if "S3Bucket" in code:
            _check_zip(r, code)
        if "ZipFile" in code:
            code["ZipFile"] = _inline_zip(code["ZipFile"])
        return code

    def create(self, r: Resource, p: dict) -> None:
        client = r.client("lambda")
        r.physical_id = p.get("FunctionName") or r.generated()
        settings = pick(p, *self.SETTINGS, "Architectures", "PackageType")
        made = client.create_function(
            FunctionName=r.physical_id, Code=self._code(r, p), Tags=tags_map(p), **settings)
        r.attributes = {"Arn": made["FunctionArn"]}
        self._concurrency(client, r, p)

    def _concurrency(self, client, r: Resource, p: dict) -> None:
        if "ReservedConcurrentExecutions" in p:
            client.put_function_concurrency(
                FunctionName=r.physical_id,
                ReservedConcurrentExecutions=p["ReservedConcurrentExecutions"])

    def update(self, r: Resource, p: dict, old: dict) -> None:
        client = r.client("lambda")
        if p.get("Code") != old.get("Code"):
            client.update_function_code(FunctionName=r.physical_id, **self._code(r, p))
        settings = pick(p, *self.SETTINGS)
        for name in ("Environment", "DeadLetterConfig", "VpcConfig"):
            if name in old and name not in p:
                settings[name] = {"Environment": {"Variables": {}}, "DeadLetterConfig": {
                    "TargetArn": ""}, "VpcConfig": {"SubnetIds": [], "SecurityGroupIds": []}}[name]
        client.update_function_configuration(FunctionName=r.physical_id, **settings)
        self._concurrency(client, r, p)
        if "ReservedConcurrentExecutions" in old and "ReservedConcurrentExecutions" not in p:
            client.delete_function_concurrency(FunctionName=r.physical_id)

    def delete(self, r: Resource) -> None:
        r.client("lambda").delete_function(FunctionName=r.physical_id)


def _check_zip(r: Resource, code: dict) -> None:
    """Lambda reads the zip when the function is made, in its own Region; moto looks at neither."""
    s3 = r.client("s3")
    try:
        place = s3.get_bucket_location(Bucket=code["S3Bucket"])["LocationConstraint"]
        if (place or "us-east-1") != r.stack.region:
            raise ResourceFailed("Error occurred while GetObject. S3 Error Code: PermanentRedirect."
                                 f" S3 Error Message: The bucket is in this region: {place}. "
                                 "Please use this region to retry the request")
        s3.head_object(Bucket=code["S3Bucket"], Key=code.get("S3Key", ""))
    except s3.exceptions.ClientError as error:
        named = error.response["Error"]["Code"] == "NoSuchBucket"
        kind = "NoSuchBucket" if named else "NoSuchKey"
        what = "bucket" if named else "key"
        raise ResourceFailed(f"Error occurred while GetObject. S3 Error Code: {kind}. S3 Error "
                             f"Message: The specified {what} does not exist.") from error


def _inline_zip(text: str) -> bytes:
    import io
    import zipfile

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo("index.py"), text)
    return buffer.getvalue()


@register
class Permission(Type):
    """A statement of a function's resource policy."""

    name = "AWS::Lambda::Permission"

    def create(self, r: Resource, p: dict) -> None:
        r.physical_id = r.generated(100)
        names = ("Action", "Principal", "SourceArn", "SourceAccount", "EventSourceToken",
                 "PrincipalOrgID", "FunctionUrlAuthType", "InvokedViaFunctionUrl")
        r.client("lambda").add_permission(FunctionName=p["FunctionName"], StatementId=r.physical_id,
                                          **pick(p, *names))
        r.attributes = {"Id": r.physical_id}

    def delete(self, r: Resource) -> None:
        r.client("lambda").remove_permission(FunctionName=r.properties["FunctionName"],
                                             StatementId=r.physical_id)


@register
class Url(Type):
    """moto 5.2.5 skips function URLs in silence."""

    name = "AWS::Lambda::Url"

    def create(self, r: Resource, p: dict) -> None:
        made = r.client("lambda").create_function_url_config(
            FunctionName=p["TargetFunctionArn"], **pick(p, "AuthType", "Cors", "InvokeMode"))
        r.physical_id = made["FunctionArn"]
        r.attributes = {"FunctionArn": made["FunctionArn"], "FunctionUrl": made["FunctionUrl"]}

    def update(self, r: Resource, p: dict, old: dict) -> None:
        r.client("lambda").update_function_url_config(
            FunctionName=p["TargetFunctionArn"], **pick(p, "AuthType", "Cors", "InvokeMode"))

    def delete(self, r: Resource) -> None:
        name = r.properties["TargetFunctionArn"]
        r.client("lambda").delete_function_url_config(FunctionName=name)


@register
class EventInvokeConfig(Type):
    """How asynchronous invocations are retried."""

    name = "AWS::Lambda::EventInvokeConfig"

    def create(self, r: Resource, p: dict) -> None:
        r.physical_id = f"{p['FunctionName']}:{p.get('Qualifier', '$LATEST')}"
        self.update(r, p, {})

    def update(self, r: Resource, p: dict, old: dict) -> None:
        r.client("lambda").put_function_event_invoke_config(
            FunctionName=p["FunctionName"], **pick(p, "MaximumRetryAttempts", "DestinationConfig",
                                                   "MaximumEventAgeInSeconds"))

    def delete(self, r: Resource) -> None:
        r.client("lambda").delete_function_event_invoke_config(
            FunctionName=r.properties["FunctionName"])


@register
class StateMachine(Type):
    """moto 5.2.5 makes machines that never execute, from DefinitionString alone."""

    name = "AWS::StepFunctions::StateMachine"

    def _definition(self, r: Resource, p: dict) -> str:
        if "DefinitionS3Location" in p:
            place = p["DefinitionS3Location"]
            names = pick(place, "Bucket", "Key", VersionId="Version")
            text = r.client("s3").get_object(**names)["Body"].read().decode()
        elif "Definition" in p:
            text = json.dumps(p["Definition"])
        else:
            text = p.get("DefinitionString", "")
        values = p.get("DefinitionSubstitutions", {})
        for name in re.findall(r"\$\{(\w+)\}", text):
            if name not in values and values:
                raise ResourceFailed("Invalid State Machine Definition: no substitution for "
                                     f"{name}")
        for name, value in values.items():
            text = text.replace(f"${{{name}}}", str(value))
        return text

    def create(self, r: Resource, p: dict) -> None:
        name = p.get("StateMachineName") or r.generated(80)
        made = r.client("stepfunctions").create_state_machine(
            name=name, definition=self._definition(r, p), **self._settings(p),
            type=p.get("StateMachineType", "STANDARD"),
            tags=[{"key": tag["Key"], "value": tag["Value"]} for tag in p.get("Tags", [])])
        r.physical_id = made["stateMachineArn"]
        r.attributes = {"Arn": r.physical_id, "Name": name}

    def _settings(self, p: dict) -> dict:
        logging = p.get("LoggingConfiguration")
        settings = {"roleArn": p["RoleArn"]}
        if logging:
            settings["loggingConfiguration"] = {
                "level": logging.get("Level", "OFF"),
                "includeExecutionData": logging.get("IncludeExecutionData", False),
                "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": one[
                    "CloudWatchLogsLogGroup"]["LogGroupArn"]}}
                    for one in logging.get("Destinations", [])]}
        if "TracingConfiguration" in p:
            settings["tracingConfiguration"] = {"enabled": p["TracingConfiguration"]["Enabled"]}
        return settings

    def update(self, r: Resource, p: dict, old: dict) -> None:
        r.client("stepfunctions").update_state_machine(
            stateMachineArn=r.physical_id, definition=self._definition(r, p), **self._settings(p))

    def delete(self, r: Resource) -> None:
        r.client("stepfunctions").delete_state_machine(stateMachineArn=r.physical_id)


@register
class Rule(Type):
    """An EventBridge rule and its targets."""

    name = "AWS::Events::Rule"

    def create(self, r: Resource, p: dict) -> None:
        r.physical_id = p.get("Name") or r.generated()
        self.update(r, p, {})

    def update(self, r: Resource, p: dict, old: dict) -> None:
        client = r.client("events")
        settings = pick(p, "ScheduleExpression", "State", "Description", "RoleArn", "EventBusName")
        if "EventPattern" in p:
            settings["EventPattern"] = json.dumps(p["EventPattern"])
        made = client.put_rule(Name=r.physical_id, **settings)
        r.attributes = {"Arn": made["RuleArn"]}
        bus = pick(p, "EventBusName")
        gone = {one["Id"] for one in old.get("Targets", [])} - {
            one["Id"] for one in p.get("Targets", [])}
        if gone:
            client.remove_targets(Rule=r.physical_id, Ids=sorted(gone), **bus)
        if p.get("Targets"):
            client.put_targets(Rule=r.physical_id, Targets=p["Targets"], **bus)

    def delete(self, r: Resource) -> None:
        client, bus = r.client("events"), pick(r.properties, "EventBusName")
        targets = [one["Id"] for one in r.properties.get("Targets", [])]
        if targets:
            client.remove_targets(Rule=r.physical_id, Ids=targets, **bus)
        client.delete_rule(Name=r.physical_id, **bus)


@register
class LogGroup(Type):
    """moto 5.2.5 ignores RetentionInDays here."""

    name = "AWS::Logs::LogGroup"

    def create(self, r: Resource, p: dict) -> None:
        client = r.client("logs")
        r.physical_id = p.get("LogGroupName") or r.generated(512)
        client.create_log_group(logGroupName=r.physical_id, tags=tags_map(p),
                                **pick(p, kmsKeyId="KmsKeyId"))
        r.attributes = {"Arn": f"arn:{r.stack.partition}:logs:{r.stack.region}:{r.stack.account}:"
                               f"log-group:{r.physical_id}:*"}
        self.update(r, p, {})

    def update(self, r: Resource, p: dict, old: dict) -> None:
        if "RetentionInDays" in p:
            r.client("logs").put_retention_policy(logGroupName=r.physical_id,
                                                  retentionInDays=p["RetentionInDays"])
        elif "RetentionInDays" in old:
            r.client("logs").delete_retention_policy(logGroupName=r.physical_id)

    def delete(self, r: Resource) -> None:
        r.client("logs").delete_log_group(logGroupName=r.physical_id)


@register
class LogsResourcePolicy(Type):
    """Lets a service write into log groups."""

    name = "AWS::Logs::ResourcePolicy"

    def create(self, r: Resource, p: dict) -> None:
        r.physical_id = p["PolicyName"]
        self.update(r, p, {})

    def update(self, r: Resource, p: dict, old: dict) -> None:
        document = p["PolicyDocument"]
        r.client("logs").put_resource_policy(
            policyName=r.physical_id,
            policyDocument=document if isinstance(document, str) else json.dumps(document))

    def delete(self, r: Resource) -> None:
        r.client("logs").delete_resource_policy(policyName=r.physical_id)
