"""PutDashboard checks what it is given; moto 5.2.5 takes any JSON under any name."""

import json
import re
from collections.abc import Iterator
from typing import Any

from moto.cloudwatch.exceptions import DashboardInvalidInputError
from moto.cloudwatch.responses import CloudWatchResponse

MAX_BYTES, MAX_WIDGETS = 1024 * 1024, 500
REQUIRED = {"metric": ("region",), "text": ("markdown",), "log": ("region", "query"),
            "alarm": ("alarms",), "explorer": ("metrics",), "custom": ("endpoint",)}
RANGES = {"x": (0, 23), "y": (0, None), "width": (1, 24), "height": (1, 1000)}
TOP = ("widgets", "start", "end", "periodOverride", "variables")

_moto_put = CloudWatchResponse.put_dashboard


def problems(body: Any) -> Iterator[dict[str, str]]:
    """What is wrong with a dashboard body, as CloudWatch lists it."""
    for name in set(body) - set(TOP):
        yield _problem("", f"Should NOT have additional properties: '{name}'")
    widgets = body.get("widgets")
    if not isinstance(widgets, list):
        yield _problem("", "Should have required property 'widgets'")
        return
    if len(widgets) > MAX_WIDGETS:
        yield _problem("/widgets", f"Should NOT have more than {MAX_WIDGETS} items")
    for number, widget in enumerate(widgets):
        yield from widget_problems(f"/widgets/{number}", widget)


def widget_problems(path: str, widget: Any) -> Iterator[dict[str, str]]:
    """What is wrong with one widget."""
    if not isinstance(widget, dict) or widget.get("type") not in REQUIRED:
        yield _problem(f"{path}/type", f"Should be equal to one of {', '.join(REQUIRED)}")
        return
    properties = widget.get("properties")
    if not isinstance(properties, dict):
        yield _problem(path, "Should have required property 'properties'")
        return
    for name in REQUIRED[widget["type"]]:
        if name not in properties:
            yield _problem(f"{path}/properties", f"Should have required property '{name}'")
    if widget["type"] == "metric":
        yield from metric_problems(f"{path}/properties", properties)
    for name, (least, most) in RANGES.items():
        value = widget.get(name, least)
        if isinstance(value, bool) or not isinstance(value, int) or value < least \
                or (most is not None and value > most):
            yield _problem(f"{path}/{name}", f"Should be an integer from {least} to {most}")
    if ("x" in widget) != ("y" in widget):
        yield _problem(path, "Should have both or neither of 'x' and 'y'")


def metric_problems(path: str, properties: dict[str, Any]) -> Iterator[dict[str, str]]:
    """Metrics, or an alarm's annotation, in the array form."""
    metrics = properties.get("metrics")
    if metrics is None and "annotations" not in properties:
        yield _problem(path, "Should have required property 'metrics'")
    elif metrics is not None and not (isinstance(metrics, list)
                                      and all(isinstance(one, list) and one for one in metrics)):
        yield _problem(f"{path}/metrics", "Should be an array of arrays")


def _problem(path: str, message: str) -> dict[str, str]:
    return {"dataPath": path, "message": message}


def parsed(text: str) -> dict[str, Any]:
    """The body as an object, or the refusal."""
    if len(text.encode()) > MAX_BYTES:
        raise DashboardInvalidInputError("The field DashboardBody is too long.")
    try:
        body = json.loads(text)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise DashboardInvalidInputError("The field DashboardBody must be a valid JSON object")
    return body


def put_dashboard(self: CloudWatchResponse) -> Any:
    """PutDashboard."""
    name = self._get_param("DashboardName") or ""
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,255}", name):
        raise DashboardInvalidInputError(
            f"The value {name} for field DashboardName contains invalid characters. It can only "
            "contain alphanumerics, dash (-) and underscore (_).")
    found = list(problems(parsed(self._get_param("DashboardBody") or "")))
    if found:
        raise DashboardInvalidInputError(
            f"The dashboard body is invalid, there are {len(found)} validation errors: "
            f"{json.dumps(found)}")
    return _moto_put(self)


def install() -> None:
    """Puts this in the place of moto's."""
    CloudWatchResponse.put_dashboard = put_dashboard
