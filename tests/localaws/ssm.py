"""Repairs of moto's Parameter Store: selectors, labels, cipher texts, size limits, who wrote a version,
and the events of changes."""

import base64
from typing import Any

from moto.core.responses import ActionResult
from moto.ssm.exceptions import ParameterNotFound, ParameterVersionNotFound, ValidationException
from moto.ssm.models import Parameter, SimpleSystemManagerBackend
from moto.ssm.responses import SimpleSystemManagerResponse

from localaws import events, identity, permissions

STANDARD, ADVANCED = 4096, 8192

_moto_object = Parameter.response_object
_moto_get = SimpleSystemManagerBackend.get_parameter
_moto_put = SimpleSystemManagerBackend.put_parameter
_moto_describe = Parameter.describe_response_object
_moto_put_call = SimpleSystemManagerResponse.put_parameter
_moto_delete_call = SimpleSystemManagerResponse.delete_parameter
_moto_get_many = SimpleSystemManagerBackend.get_parameters


def selector_of(name: str) -> str | None:
    """`:3` of `/name:3`; ARNs hold colons of their own."""
    tail = name.split(":parameter", 1)[-1] if name.startswith("arn:") else name
    _, colon, version = tail.partition(":")
    return colon + version if colon else None


def shown(parameter: Parameter, name: str, decrypt: bool, region: str) -> dict[str, Any]:
    """The parameter as asked for by this name; moto 5.2.5 leaves Selector out, so that a caller
    cannot tell apart two versions of one parameter in one batch."""
    found = parameter.response_object(decrypt, region)
    found.pop("Tier", None)
    selector = selector_of(name)
    return found | ({"Selector": selector} if selector else {})


def get_parameter_of(self: SimpleSystemManagerBackend, name: str) -> Parameter | None:
    """moto 5.2.5 says ParameterNotFound for a label that the parameter does not have."""
    found = _moto_get(self, name)
    selector = selector_of(name)
    plain = self._strip_parameter_arn(name).split(":")[0]
    if found is None and selector and plain in self._parameters and self._parameters[plain]:
        raise ParameterVersionNotFound(
            f"Systems Manager could not find the label {selector[1:]} for parameter {plain}. "
            "Verify the version or label and try again.")
    return found


def get_parameter(self: SimpleSystemManagerResponse) -> ActionResult:
    """GetParameter; the message of AWS's ParameterNotFound is empty."""
    name = self._get_param("Name")
    found = self.ssm_backend.get_parameter(name)
    if found is None:
        raise ParameterNotFound("")
    return ActionResult({"Parameter": shown(found, name, bool(self._get_param("WithDecryption")),
                                            self.region)})


def get_parameters(self: SimpleSystemManagerResponse) -> ActionResult:
    """GetParameters: in the order of the parameters' names, what is not found apart.

    The order of AWS's answer is not documented, only that it need not be the request's. Two equal
    names are taken for a mistake [the hard reading]; moto 5.2.5 answers them once.
    """
    names = self._get_param("Names")
    if len(set(names)) < len(names):
        raise ValidationException("Duplicate parameters found in the request.")
    found = _moto_get_many(self.ssm_backend, names)
    decrypt = bool(self._get_param("WithDecryption"))
    return ActionResult({
        "Parameters": [shown(found[name], name, decrypt, self.region) for name in sorted(found)],
        "InvalidParameters": [name for name in names if name not in found]})


def response_object(self: Parameter, decrypt: bool = False, region: str | None = None
                    ) -> dict[str, Any]:
    """Without decryption a SecureString is a cipher text; moto 5.2.5 shows the plain one in it."""
    found = _moto_object(self, decrypt, region)
    if self.parameter_type == "SecureString" and not decrypt:
        sealed = bytes(byte ^ 0xA5 for byte in self.value.encode())
        found["Value"] = "AQICAH" + base64.b64encode(sealed).decode()
    return found


def put_parameter(self: SimpleSystemManagerBackend, *args: Any, **kwargs: Any) -> Parameter:
    """PutParameter; moto 5.2.5 has no limits of length."""
    value = kwargs["value"] if "value" in kwargs else args[2]
    tier = kwargs["tier"] if "tier" in kwargs else args[9]
    size = len((value or "").encode())
    if size > STANDARD and tier in (None, "Standard"):
        raise ValidationException(
            "Standard tier parameters support a maximum parameter value of 4096 characters. To "
            "create a larger parameter value, upgrade the parameter to use the advanced-parameter "
            "tier. For more information, see https://docs.aws.amazon.com/systems-manager/latest/"
            "userguide/parameter-store-advanced-parameters.html")
    if size > ADVANCED:
        raise ValidationException("Advanced tier parameters support a maximum parameter value of "
                                  "8192 characters.")
    return _moto_put(self, *args, **kwargs)


def describe_response_object(self: Parameter, *args: Any, **kwargs: Any) -> dict[str, Any]:
    """For DescribeParameters and GetParameterHistory; moto 5.2.5 knows nobody who wrote a version."""
    found = _moto_describe(self, *args, **kwargs)
    writer = getattr(self, "last_modified_user", None)
    return found | ({"LastModifiedUser": writer} if writer else {})


def put_parameter_call(self: SimpleSystemManagerResponse) -> ActionResult:
    """PutParameter: remembers the caller's ARN, then there is an event, as of AWS."""
    answer = _moto_put_call(self)
    name, version = self._get_param("Name"), answer.result["Version"]
    written = next(p for p in self.ssm_backend._parameters[name] if p.version == version)
    scope = identity.credential_scope(self.headers.get("Authorization", ""))
    key = scope[0] if scope else None
    written.last_modified_user = permissions.caller_arn(identity.caller_of(key), key)
    _tell(self, "Create" if version == 1 else "Update", written)
    return answer


def delete_parameter_call(self: SimpleSystemManagerResponse) -> ActionResult:
    """DeleteParameter, with its event."""
    versions = self.ssm_backend._parameters[self._get_param("Name")]
    last = versions[-1] if versions else None
    answer = _moto_delete_call(self)
    if last is not None:
        _tell(self, "Delete", last)
    return answer


def _tell(call: SimpleSystemManagerResponse, operation: str, parameter: Parameter) -> None:
    """The event "Parameter Store Change": never the value, never who did it."""
    detail = {"operation": operation, "name": parameter.name, "type": parameter.parameter_type}
    if parameter.description:
        detail["description"] = parameter.description
    arn = (f"arn:aws:ssm:{call.region}:{call.current_account}:parameter/"
           + parameter.name.lstrip("/"))
    events.put(call.current_account, call.region, "aws.ssm", "Parameter Store Change", detail, [arn])


def install() -> None:
    """Puts these in the place of moto's."""
    Parameter.response_object = response_object
    Parameter.describe_response_object = describe_response_object
    SimpleSystemManagerBackend.get_parameter = get_parameter_of
    SimpleSystemManagerBackend.put_parameter = put_parameter
    SimpleSystemManagerResponse.get_parameter = get_parameter
    SimpleSystemManagerResponse.get_parameters = get_parameters
    SimpleSystemManagerResponse.put_parameter = put_parameter_call
    SimpleSystemManagerResponse.delete_parameter = delete_parameter_call
