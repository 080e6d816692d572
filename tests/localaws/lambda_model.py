"""What moto's LambdaFunction forgets or accepts although Lambda keeps or refuses it."""

import json
import re

from moto.awslambda.exceptions import InvalidParameterValueException
from moto.awslambda.models import LambdaBackend, LambdaFunction
from moto.awslambda.policy import Policy
from moto.core.exceptions import JsonRESTError

RESERVED_VARIABLES = {
    "_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
    "AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR"}
VARIABLE = re.compile(r"[a-zA-Z]([a-zA-Z0-9_])+")
CANNOT = ("Lambda was unable to configure your environment variables because the environment "
          "variables you have provided ")


def install() -> None:
    """Applies the repairs."""
    _repair_function()
    _repair_event_invoke_config()
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
        original_init(self, account_id, spec, region, version)
        # moto 5.2.5 drops these.
        self.dead_letter_config = spec.get("DeadLetterConfig")
        self.logging_config = spec.get("LoggingConfig")

    def update_configuration(self, updates):
        check_variables((updates.get("Environment") or {}).get("Variables") or {})
        check_limits(updates)
        # moto 5.2.5 fails on an Environment without Variables, which means: none.
        if "Environment" in updates:
            variables = (updates["Environment"] or {}).get("Variables") or {}
            updates = updates | {"Environment": {"Variables": variables}}
        # moto 5.2.5 drops these.
        if "DeadLetterConfig" in updates:
            self.dead_letter_config = updates["DeadLetterConfig"]
        if "EphemeralStorage" in updates:
            self.ephemeral_storage = updates["EphemeralStorage"]["Size"]
        original_update(self, updates)
        return self.get_configuration()

    def get_configuration(self, on_create=False):
        configuration = original_configuration(self, on_create)
        if (getattr(self, "dead_letter_config", None) or {}).get("TargetArn"):
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
    original = Policy.decode_policy

    def decode_policy(self, obj):
        if "Action" not in obj:
            return original(self, obj)
        # moto 5.2.5 writes FunctionUrlAuthType into the statement instead of a condition.
        policy = original(self, obj)
        statement = policy.statements[0]
        condition = statement_condition(statement)
        if condition:
            statement["Condition"] = condition
        return policy

    def add_statement(self, raw, qualifier=None):
        # moto 5.2.5 takes the same id twice.
        sid = json.loads(raw).get("StatementId")
        if sid and any(one.get("Sid") == sid for one in self.statements):
            raise StatementExists(sid)
        return original_add(self, raw, qualifier)

    original_add = Policy.add_statement
    Policy.add_statement = add_statement
    Policy.decode_policy = decode_policy


class StatementExists(JsonRESTError):
    """The resource policy has a statement of this id."""

    code = 409

    def __init__(self, sid: str):
        super().__init__("ResourceConflictException",
                         f"The statement id ({sid}) provided already exists. Please provide a new "
                         "statement id, or remove the existing statement.")

