"""Operations on stacks: what CloudFormation does to get from one template to the next, and back."""

import logging
import threading
import time

from botocore.exceptions import ClientError

from localaws import timings
from localaws.cloudformation_apply import Application, Journal, check_unused, reason_of
from localaws.cloudformation_stack import Stack, Template, now
from localaws.cloudformation_types import Resource, ResourceFailed, type_of, wait

LOG = logging.getLogger(__name__)
PATIENCE = 20.0


def remove(stack: Stack, resource: Resource) -> str | None:
    """Deletes one resource; answers what went wrong, or nothing."""
    if resource.deletion_policy in ("Retain", "RetainExceptOnCreate"):
        stack.mark(resource, "DELETE_SKIPPED")
        return None
    stack.mark(resource, "DELETE_IN_PROGRESS")
    try:
        if resource.physical_id is not None:
            handler = type_of(resource.kind)
            _delete_if_there(handler, resource)
            wait(handler.gone, resource)
    except Exception as error:
        reason = reason_of(error)
        stack.mark(resource, "DELETE_FAILED", reason)
        return reason
    stack.mark(resource, "DELETE_COMPLETE")
    return None


def _delete_if_there(handler, resource: Resource) -> None:
    try:
        handler.delete(resource)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if not any(word in code for word in ("NotFound", "NoSuch", "NonExistent", "NotExist")):
            raise


def create(stack: Stack, template: Template, on_failure: str = "ROLLBACK") -> bool:
    """Makes a new stack's resources; rolls back when one fails."""
    journal = Journal()
    stack.template = template
    try:
        Application(stack, template, journal).run()
    except Exception as error:
        _create_failed(stack, journal, error, on_failure)
        return False
    stack.set_status("CREATE_COMPLETE")
    return True


def _summary(journal: Journal, error: Exception, verb: str) -> str:
    if journal.failed:
        return f"The following resource(s) failed to {verb}: [{', '.join(journal.failed)}]. "
    return reason_of(error)


def _create_failed(stack: Stack, journal: Journal, error: Exception, on_failure: str) -> None:
    for resource in stack.resources.values():
        if resource.status == "CREATE_IN_PROGRESS":
            stack.mark(resource, "CREATE_FAILED", "Resource creation cancelled")
    reason = _summary(journal, error, "create")
    if on_failure == "DO_NOTHING":
        stack.set_status("CREATE_FAILED", reason)
        return
    if on_failure == "DELETE":
        stack.set_status("DELETE_IN_PROGRESS", reason + "Delete requested by user.")
        _delete_all(stack, [])
        return
    stack.set_status("ROLLBACK_IN_PROGRESS", reason + "Rollback requested by user.")
    problems_found = [remove(stack, one) for one in reversed(list(stack.resources.values()))]
    failed = any(problems_found)
    stack.outputs, stack.imports = [], set()
    stack.set_status("ROLLBACK_FAILED" if failed else "ROLLBACK_COMPLETE")


def update(stack: Stack, template: Template, keep_on_failure: bool = False) -> bool:
    """Brings a stack to another template; goes back to the old one when a resource fails."""
    journal, before, old = Journal(), dict(stack.resources), stack.template
    kept = (stack.outputs, stack.imports)
    stack.template = template
    try:
        Application(stack, template, journal).run()
    except Exception as error:
        reason = _summary(journal, error, "update")
        if keep_on_failure:
            stack.set_status("UPDATE_FAILED", reason)
            return False
        stack.set_status("UPDATE_ROLLBACK_IN_PROGRESS", reason)
        failed = _take_back(stack, journal)
        stack.resources, stack.template = before, old
        stack.outputs, stack.imports = kept
        if failed:
            stack.set_status("UPDATE_ROLLBACK_FAILED", "; ".join(failed))
            return False
        stack.set_status("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
        stack.set_status("UPDATE_ROLLBACK_COMPLETE")
        return False
    stack.set_status("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
    for resource in reversed(journal.obsolete):
        remove(stack, resource)
    stack.updated_at = now()
    stack.set_status("UPDATE_COMPLETE")
    return True


def _take_back(stack: Stack, journal: Journal) -> list[str]:
    failed = []
    for what, resource, *rest in reversed(journal.done):
        try:
            if what == "updated":
                _update_back(stack, resource, *rest[0])
            else:
                reason = remove(stack, resource)
                if reason:
                    failed.append(reason)
        except Exception as error:
            failed.append(reason_of(error))
            stack.mark(resource, "UPDATE_FAILED", reason_of(error))
    return failed


def _update_back(stack: Stack, resource: Resource, properties: dict, declared: dict,
                 attributes: dict) -> None:
    handler, tried = type_of(resource.kind), resource.properties
    stack.mark(resource, "UPDATE_IN_PROGRESS")
    resource.rolling_back = True
    try:
        handler.update(resource, properties, tried)
    finally:
        resource.rolling_back = False
    wait(handler.done, resource)
    resource.properties, resource.declared = properties, declared
    resource.attributes = attributes
    stack.mark(resource, "UPDATE_COMPLETE")


def delete(stack: Stack, retain: list[str]) -> bool:
    """Removes a stack and its resources."""
    for output in stack.outputs:
        if output.get("ExportName"):
            try:
                check_unused(stack, output["ExportName"], "deleted")
            except ResourceFailed as error:
                stack.set_status("DELETE_FAILED", str(error))
                return False
    return _delete_all(stack, retain)


def _delete_all(stack: Stack, retain: list[str]) -> bool:
    failed = []
    for resource in reversed(list(stack.resources.values())):
        if resource.status == "DELETE_COMPLETE":
            continue
        if resource.logical in retain:
            stack.mark(resource, "DELETE_SKIPPED")
        elif remove(stack, resource):
            failed.append(resource.logical)
    if failed:
        stack.set_status("DELETE_FAILED",
                         f"The following resource(s) failed to delete: [{', '.join(failed)}]. ")
        return False
    stack.outputs, stack.imports, stack.deleted_at = [], set(), now()
    stack.set_status("DELETE_COMPLETE")
    return True


def start(stack: Stack, operation) -> None:
    """Runs an operation in the background; the stack is already marked as busy.

    With the timing "cloudformation" at 0 the caller gets its answer when the operation is over (or
    after a while): the AWS CLI's waiters would otherwise sleep 30 seconds after their first look.
    """
    pause = timings.get("cloudformation")

    def run() -> None:
        time.sleep(pause)
        try:
            operation()
        except Exception as error:
            LOG.exception("an operation on %s crashed", stack.name)
            stack.set_status(stack.status.split("_IN_PROGRESS")[0] + "_FAILED", reason_of(error))

    in_background(run, f"cloudformation-{stack.name}", 0 if pause else PATIENCE)


def in_background(run, name: str, patience: float) -> None:
    """Starts a thread and gives it some time to end."""
    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    thread.join(patience)
