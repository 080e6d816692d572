"""What moto's LambdaFunction forgets or accepts although Lambda keeps or refuses it."""

import re

from moto.awslambda.exceptions import InvalidParameterValueException
from moto.awslambda.models import LambdaBackend, LambdaFunction, Permission

RESERVED_VARIABLES = {
    "_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
    "AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR"}
VARIABLE = re.compile(r"[a-zA-Z]([a-zA-Z0-9_])+")
CANNOT = ("Lambda was unable to configure your environment variables because the environment "
          "variables you have provided ")
# What moto's AWS::Lambda::Function drops without a word, beside what it copies.
CLOUDFORMATION_PROPERTIES = (
    "Description", "MemorySize", "Timeout", "VpcConfig", "Environment", "Architectures",
    "ReservedConcurrentExecutions", "DeadLetterConfig", "EphemeralStorage", "TracingConfig",
    "LoggingConfig", "Layers", "PackageType", "KmsKeyArn")


def install() -> None:
    """Applies the repairs."""
    _repair_function()
    _repair_event_invoke_config()
    _repair_cloudformation()
    _repair_permission()


def check_variables(variables: dict[str, str]) -> None:
    """Refuses environment variables as CreateFunction and UpdateFunctionConfiguration do."""
    reserved = sorted(RESERVED_VARIABLES & set(variables))
    if reserved:
        raise InvalidParameterValueException(
            CANNOT + "contains reserved keys that are currently not supported for modification. "
            f"Reserved keys used in this request: {', '.join(reserved)}")
    for name in variables:
        if not VARIABLE.fullmatch(name):
            raise InvalidParameterValueException(f"Environment variable name {name!r} is invalid")
    if sum(len(f"{name}{value}".encode()) for name, value in variables.items()) > 4096:
        raise InvalidParameterValueException(CANNOT + "exceeded the 4KB limit.")


def check_limits(spec: dict) -> None:
    """The ranges of the numbers, which moto does not look at."""
    for name, low, high in (("Timeout", 1, 900), ("MemorySize", 128, 10240)):
        value = spec.get(name)
        if value is not None and not low <= int(value) <= high:
            raise InvalidParameterValueException(
                f"Value '{value}' at '{name}' failed to satisfy constraint: Member must have value "
                f"between {low} and {high}")
    if len(str(spec.get("FunctionName", "")).rsplit(":", 1)[-1]) > 64:
        raise InvalidParameterValueException("functionName must be at most 64 characters")


def _repair_function() -> None:
    original_init, original_update = LambdaFunction.__init__, LambdaFunction.update_configuration
    original_configuration = LambdaFunction.get_configuration

    def __init__(self, account_id, spec, region, version=1):
        check_variables((spec.get("Environment") or {}).get("Variables") or {})
        check_limits(spec)
        # moto 5.2.5 fails on CloudFormation's numbers written as strings, and on Tags as a list.
        spec = spec | {name: int(spec[name]) for name in ("Timeout", "MemorySize") if name in spec}
        original_init(self, account_id, spec, region, version)
        self.dead_letter_config = spec.get("DeadLetterConfig")
        self.logging_config = spec.get("LoggingConfig")

    def update_configuration(self, updates):
        check_variables((updates.get("Environment") or {}).get("Variables") or {})
        check_limits(updates)
        updates = dict(updates)
        # moto 5.2.5 fails on an Environment without Variables, which means: none.
        if "Environment" in updates:
            updates["Environment"] = {"Variables": (updates["Environment"] or {}).get("Variables", {})}
        for name in ("Timeout", "MemorySize"):
            if name in updates:
                updates[name] = int(updates[name])
        # moto 5.2.5 drops these.
        if "DeadLetterConfig" in updates:
            self.dead_letter_config = updates["DeadLetterConfig"]
        if "EphemeralStorage" in updates:
            self.ephemeral_storage = updates["EphemeralStorage"]["Size"]
        original_update(self, updates)
        return self.get_configuration()

    def get_configuration(self, on_create=False):
        configuration = original_configuration(self, on_create)
        if getattr(self, "dead_letter_config", None):
            configuration["DeadLetterConfig"] = self.dead_letter_config
        configuration["LoggingConfig"] = getattr(self, "logging_config", None) or {
            "LogFormat": "Text", "LogGroup": f"/aws/lambda/{self.function_name}"}
        return configuration

    LambdaFunction.__init__ = __init__
    LambdaFunction.update_configuration = update_configuration
    LambdaFunction.get_configuration = get_configuration


def _repair_event_invoke_config() -> None:
    original = LambdaBackend.put_function_event_invoke_config

    def put_function_event_invoke_config(self, function_name, config):
        # moto 5.2.5 appends, and then always answers the oldest.
        self.get_function(function_name).event_invoke_config.clear()
        return original(self, function_name, config)

    LambdaBackend.put_function_event_invoke_config = put_function_event_invoke_config


def _specification(name: str, properties: dict) -> dict:
    spec = {"Code": dict(properties["Code"]), "FunctionName": name,
            "Handler": properties.get("Handler"), "Role": properties["Role"],
            "Runtime": properties.get("Runtime")}
    spec |= {key: properties[key] for key in CLOUDFORMATION_PROPERTIES if key in properties}
    if "ReservedConcurrentExecutions" in spec:
        spec["ReservedConcurrentExecutions"] = int(spec["ReservedConcurrentExecutions"])
    spec["Tags"] = {tag["Key"]: tag["Value"] for tag in properties.get("Tags") or []}
    return spec


def _repair_cloudformation() -> None:
    original_create = LambdaFunction.create_from_cloudformation_json.__func__

    def create(cls, resource_name, cloudformation_json, account_id, region_name, **kwargs):
        properties = cloudformation_json["Properties"]
        if "ZipFile" in properties["Code"]:
            return original_create(cls, resource_name, cloudformation_json, account_id,
                                   region_name, **kwargs)
        # moto 5.2.5 drops half of the properties (see CLOUDFORMATION_PROPERTIES).
        backend = backend_of(account_id, region_name)
        return backend.create_function(_specification(resource_name, properties))

    def update(cls, original_resource, new_resource_name, cloudformation_json, account_id,
               region_name):
        properties = cloudformation_json["Properties"]
        spec = _specification(new_resource_name, properties)
        # moto 5.2.5 keeps what the new template leaves out, and never changes the concurrency.
        defaults = {"Description": "", "MemorySize": 128, "Timeout": 3,
                    "Environment": {"Variables": {}}, "DeadLetterConfig": None}
        original_resource.update_configuration(defaults | spec)
        original_resource.reserved_concurrency = spec.get("ReservedConcurrentExecutions")
        original_resource.tags = spec["Tags"]
        original_resource.update_function_code(properties["Code"])
        return original_resource

    LambdaFunction.create_from_cloudformation_json = classmethod(create)
    LambdaFunction.update_from_cloudformation_json = classmethod(update)


def backend_of(account: str, region: str) -> LambdaBackend:
    """The backend of one account and Region."""
    from moto.awslambda.models import lambda_backends

    return lambda_backends[account][region]


def statement_condition(statement: dict) -> dict:
    """The condition that AddPermission makes of FunctionUrlAuthType and InvokedViaFunctionUrl."""
    condition = statement.pop("Condition", {})
    auth_type = statement.pop("FunctionUrlAuthType", None)
    via_url = statement.pop("InvokedViaFunctionUrl", None)
    if auth_type:
        condition.setdefault("StringEquals", {})["lambda:FunctionUrlAuthType"] = auth_type
    if via_url is not None:
        text = str(via_url).lower()
        condition.setdefault("Bool", {})["lambda:InvokedViaFunctionUrl"] = text
    return condition


def _repair_permission() -> None:
    from moto.awslambda.policy import Policy

    original = Policy.decode_policy

    def decode_policy(self, obj):
        if "Action" not in obj:
            return original(self, obj)
        # moto 5.2.5 leaves FunctionUrlAuthType and CloudFormation's FunctionName in the statement,
        # and adds a made-up resource for $LATEST.
        obj.pop("FunctionName", None)
        policy = original(self, obj)
        statement = policy.statements[0]
        condition = statement_condition(statement)
        if condition:
            statement["Condition"] = condition
        return policy

    Policy.decode_policy = decode_policy
    _repair_permission_resource()


def _repair_permission_resource() -> None:
    def create(cls, resource_name, cloudformation_json, account_id, region_name, **kwargs):
        import json

        properties = dict(cloudformation_json["Properties"])
        backend = backend_of(account_id, region_name)
        fn = backend.get_function(properties["FunctionName"])
        properties["StatementId"] = f"{resource_name}-{len(fn.policy.statements) + 1}"
        fn.policy.add_statement(raw=json.dumps(properties))
        permission = cls(region=region_name)
        permission.function, permission.sid = fn, properties["StatementId"]
        return permission

    def update(cls, original_resource, new_resource_name, cloudformation_json, account_id,
               region_name):
        original_resource.delete(account_id, region_name)
        return create(cls, new_resource_name, cloudformation_json, account_id, region_name)

    def delete(self, account_id, region_name):
        statements = self.function.policy.statements
        statements[:] = [one for one in statements if one.get("Sid") != self.sid]

    # moto 5.2.5 has neither an id nor a deletion for AWS::Lambda::Permission: stacks with one
    # cannot be deleted, and after an update the old permission stays.
    Permission.create_from_cloudformation_json = classmethod(create)
    Permission.update_from_cloudformation_json = classmethod(update)
    Permission.delete = delete
    Permission.physical_resource_id = property(lambda self: self.sid)
