"""Step Functions: moto's interpreter, as strict as the real one in what this project uses."""

import logging

from moto.core.config import default_user_config

from localaws import (
    stepfunctions_children,
    stepfunctions_clients,
    stepfunctions_definition,
    stepfunctions_executions,
    stepfunctions_grammar,
    stepfunctions_limits,
    stepfunctions_paths,
    stepfunctions_roles,
    stepfunctions_tokens,
    stepfunctions_workers,
)

_installed = False


def install() -> None:
    """Switches the interpreter on and puts all repairs in; a second call does nothing."""
    global _installed
    if _installed:
        return
    _installed = True
    default_user_config.setdefault("stepfunctions", {})["execute_state_machine"] = True
    # The interpreter logs each evaluated field.
    logging.getLogger("moto.stepfunctions").setLevel(logging.CRITICAL)
    stepfunctions_clients.install()  # first: it imports the modules that the others repair
    for module in (stepfunctions_grammar, stepfunctions_limits, stepfunctions_paths,
                   stepfunctions_tokens, stepfunctions_children, stepfunctions_executions,
                   stepfunctions_workers, stepfunctions_definition, stepfunctions_roles):
        module.install()
