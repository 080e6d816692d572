"""CloudFormation: an engine of our own behind moto's API parsing; moto's models where they do."""

_installed = False


def install() -> None:
    """Replaces moto's operations on stacks and change sets; a second call does nothing."""
    global _installed
    if _installed:
        return
    _installed = True
    from moto.cloudformation.responses import CloudFormationResponse

    from localaws import (
        cloudformation_api,
        cloudformation_changesets,
        cloudformation_describe,
        cloudformation_types_app,
        cloudformation_types_base,
        cloudformation_types_store,
    )

    # They register their types.
    assert cloudformation_types_app and cloudformation_types_base and cloudformation_types_store
    for module in (cloudformation_api, cloudformation_describe, cloudformation_changesets):
        for operation in module.OPERATIONS:
            setattr(CloudFormationResponse, operation.__name__, operation)
    # moto 5.2.5 turns its own objects into API shapes by these; ours are in shape already.
    keep = "DescribeStackSetOutput"
    CloudFormationResponse.RESPONSE_KEY_PATH_TO_TRANSFORMER = {
        path: transform for path, transform
        in CloudFormationResponse.RESPONSE_KEY_PATH_TO_TRANSFORMER.items()
        if path.startswith(keep)}
