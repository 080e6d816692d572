"""The AWS calls that the state machine interpreter makes: to our endpoint, as the machine's role.

moto 5.2.5 sends them to localhost:<moto port> with the keys "ak"/"sk", never translates parameter
names to those of the API, and gives some errors names that Step Functions does not use.
"""

import sys
from datetime import UTC, datetime
from functools import lru_cache

import botocore.config
import botocore.session
from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError

import localaws
from localaws import identity, state

_CONFIG = botocore.config.Config(
    parameter_validation=False, retries={"total_max_attempts": 1},
    connect_timeout=10, read_timeout=1000, s3={"addressing_style": "path"})
_session = None
_session_lock = state.lock()


def client(service: str, region: str, config=_CONFIG, **credentials):
    """A boto client of this server; creating one is not thread-safe in botocore."""
    with _session_lock:
        return _session_of_all().create_client(
            service, region_name=region, endpoint_url=localaws.endpoint(), config=config,
            **credentials)


def _session_of_all():
    """It keeps what it has read of the service models."""
    global _session
    _session = _session or botocore.session.get_session()
    return _session


def boto_client_for(region: str, service: str, state_credentials=None):
    """Replaces moto's function of this name: a client with session credentials of the role."""
    session_name = getattr(state_credentials, "session_name", None) or "stepfunctions"
    return _session_client(service, region, state_credentials.role_arn, session_name,
                           localaws.endpoint())


@lru_cache(maxsize=256)
def _session_client(service: str, region: str, role_arn: str, session_name: str, _endpoint: str):
    """One client per execution and service: an execution in a loop would make hundreds."""
    return client(service, region, **identity.role_credentials(role_arn, session_name, region))


@lru_cache(maxsize=None)
def operation_model(service: str, action: str):
    """The botocore model of an operation, by the snake-case name that moto uses."""
    with _session_lock:
        model = _session_of_all().get_service_model(service)
    for name in model.operation_names:
        if xform_name(name) == action:
            return model.operation_model(name)
    return None


def _normalise_parameters(self, parameters, boto_service_name=None, service_action_name=None):
    model = operation_model(self._get_boto_service_name(boto_service_name),
                            self._get_boto_service_action(service_action_name))
    if model is not None and model.input_shape is not None:
        self._to_boto_request(parameters, model.input_shape)


def _normalise_response(self, response, boto_service_name=None, service_action_name=None):
    model = operation_model(self._get_boto_service_name(boto_service_name),
                            self._get_boto_service_action(service_action_name))
    if model is not None and model.output_shape is not None:
        self._from_boto_response(response, model.output_shape)
    _dates(response, as_number=self.resource.service_name == "states")


def _dates(node, as_number: bool):
    """Dates in a task's result: milliseconds from startExecution, text from SDK integrations."""
    if isinstance(node, datetime):
        text = node.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return int(node.timestamp() * 1000) if as_number else text
    if isinstance(node, dict):
        for key, value in node.items():
            node[key] = _dates(value, as_number)
    elif isinstance(node, list):
        node[:] = [_dates(value, as_number) for value in node]
    return node


def _eval_state_credentials(self, env):
    from moto.stepfunctions.parser.asl.component.state.exec.state_task.credentials import (
        StateCredentials)

    if self.credentials:
        self.credentials.eval(env=env)
        credentials = env.stack.pop()
    else:
        credentials = StateCredentials(role_arn=env.aws_execution_details.role_arn)
    execution = env.states.context_object.context_object_data["Execution"]
    credentials.session_name = execution["Name"]
    return credentials


def error_name(prefix: str, base: str, error: Exception, modelled: bool = True) -> str:
    """How Step Functions (an AWS SDK for Java inside) names an error of an integrated service."""
    if not isinstance(error, ClientError):
        return f"{prefix}.SdkClientException"
    code = error.response["Error"]["Code"]
    if not modelled or code == "AccessDeniedException":
        return f"{prefix}.{base}"
    return f"{prefix}.{code}" if code.endswith("Exception") else f"{prefix}.{code}Exception"


def _failure(self, env, name: str, cause: str):
    from moto.stepfunctions.parser.api import HistoryEventType, TaskFailedEventDetails
    from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import (
        CustomErrorName)
    from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent
    from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails

    return FailureEvent(
        env=env, error_name=CustomErrorName(name), event_type=HistoryEventType.TaskFailed,
        event_details=EventDetails(taskFailedEventDetails=TaskFailedEventDetails(
            error=name, cause=cause, resource=self._get_sfn_resource(),
            resourceType=self._get_sfn_resource_type())))


def _cause(service: str, error: Exception) -> str:
    if not isinstance(error, ClientError):
        return str(error)
    meta, body = error.response["ResponseMetadata"], error.response["Error"]
    return (f"{body.get('Message', '')} (Service: {service}; Status Code: "
            f"{meta.get('HTTPStatusCode')}; Error Code: {body['Code']}; Request ID: "
            f"{meta.get('RequestId')}; Proxy: null)")

# prefix of the error name, base exception of the Java SDK, service name in the cause
_NAMES = {"lambda": ("Lambda", "AWSLambdaException", "AWSLambda"),
          "states": ("StepFunctions", "AWSStepFunctionsException", "AWSStepFunctions"),
          "sns": ("SNS", "AmazonSNSException", "AmazonSNS"),
          "sqs": ("SQS", "AmazonSQSException", "AmazonSQS"),
          "events": ("EventBridge", "AmazonEventBridgeException", "AmazonEventBridge")}


def _from_error_of(original):
    def _from_error(self, env, ex):
        names = _NAMES.get(self.resource.service_name)
        if names is None or not isinstance(ex, (ClientError, BotoCoreError)):
            return original(self, env, ex)
        prefix, base, service = names
        return _failure(self, env, error_name(prefix, base, ex), _cause(service, ex))
    return _from_error


def _from_error_aws_sdk(original):
    def _from_error(self, env, ex):
        if not isinstance(ex, (ClientError, BotoCoreError)):
            return original(self, env, ex)
        service = self.resource.api_name
        prefix = {"dynamodb": "DynamoDb"}.get(service, service[:1].upper() + service[1:])
        name = error_name(prefix, f"{prefix}Exception", ex, _is_modelled(self, ex))
        return _failure(self, env, name, _cause(prefix, ex))
    return _from_error


def _is_modelled(self, error: Exception) -> bool:
    model = operation_model(self._get_boto_service_name(), self._get_boto_service_action())
    if model is None or not isinstance(error, ClientError):
        return False
    return error.response["Error"]["Code"] in {shape.name for shape in model.error_shapes}


def install() -> None:
    """Puts the repairs into moto's interpreter."""
    from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import (
        state_task_service, state_task_service_aws_sdk, state_task_service_factory,
        state_task_service_lambda, state_task_service_sfn, state_task_service_sns)
    from moto.stepfunctions.parser.asl.component.state.exec.state_task.state_task import StateTask

    assert state_task_service_factory  # imports every module that holds boto_client_for by name
    for name, module in list(sys.modules.items()):
        if name.startswith("moto.stepfunctions") and hasattr(module, "boto_client_for"):
            module.boto_client_for = boto_client_for
    # moto 5.2.5: both hooks are empty, so `StateMachineArn` reaches boto3 as it is.
    service = state_task_service.StateTaskService
    service._normalise_parameters = _normalise_parameters
    service._normalise_response = _normalise_response
    StateTask._eval_state_credentials = _eval_state_credentials
    # moto 5.2.5: errors that end in "Exception" get it twice, and errors of the network (a closed
    # connection) become the uncatchable States.Runtime.
    for cls in (state_task_service_lambda.StateTaskServiceLambda,
                state_task_service_sfn.StateTaskServiceSfn,
                state_task_service_sns.StateTaskServiceSns):
        cls._from_error = _from_error_of(cls._from_error)
    # moto 5.2.5: the class name of the Python error is used ("ClientError"), not the error code.
    aws_sdk = state_task_service_aws_sdk.StateTaskServiceAwsSdk
    aws_sdk._from_error = _from_error_aws_sdk(aws_sdk._from_error)
