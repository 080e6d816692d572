"""The control API under /_localaws/: what happened, what shall go wrong, how long things take."""

import json
from urllib.parse import parse_qs

from localaws import (calls, elasticache, events, faults, fork, mail, permissions, rds, state,
                      timings, unknowns)


def answer(environ: dict, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
    """Answers one request of the control API."""
    method = environ["REQUEST_METHOD"]
    name = environ["PATH_INFO"].removeprefix("/_localaws/").strip("/")
    query = {key: values[-1] for key, values in parse_qs(environ.get("QUERY_STRING", "")).items()}
    handler = ROUTES.get((method, name))
    if handler is None:
        return _json(404, {"error": f"no {method} /_localaws/{name}"})
    try:
        document = json.loads(body) if body else {}
        if not isinstance(document, dict):
            raise ValueError("the body must be a JSON object")
        return _json(200, handler(query, document))
    except (ValueError, TypeError, KeyError) as error:
        return _json(400, {"error": str(error)})
    except fork.NotQuiescent as error:
        return _json(409, {"error": str(error)})


def after(environ: dict) -> list:
    """What to do once the answer is sent."""
    ends = (environ["REQUEST_METHOD"], environ["PATH_INFO"]) == ("POST", "/_localaws/shutdown")
    return [fork.request_shutdown] if ends else []


def _json(status: int, document: dict) -> tuple[int, list[tuple[str, str]], bytes]:
    body = json.dumps(document, default=str).encode()
    return status, [("Content-Type", "application/json"), ("Content-Length", str(len(body)))], body


def _health(query, document) -> dict:
    return {"status": "ok"}


def _calls(query, document) -> dict:
    return {"calls": calls.since(int(query.get("since", 0)))}


def _clear_calls(query, document) -> dict:
    calls.clear()
    return {"calls": []}


def _faults(query, document) -> dict:
    return {"faults": faults.listing(), "dark": faults.dark_regions()}


def _add_fault(query, document) -> dict:
    return faults.add(document)


def _clear_faults(query, document) -> dict:
    faults.clear()
    return {"faults": []}


def _dark(query, document) -> dict:
    region, dark = str(document["region"]), bool(document.get("dark", True))
    rds.set_dark(region, dark)
    elasticache.set_dark(region, dark)
    return {"dark": faults.set_dark(region, dark)}


def _rds(query, document) -> dict:
    return rds.control(document)


def _elasticache(query, document) -> dict:
    return elasticache.control(document)


def _rds_global(query, document) -> dict:
    return rds.control_global(document)


def _fire(query, document) -> dict:
    return events.fire(str(document["region"]), str(document["rule"]))


def _mail(query, document) -> dict:
    return {"mails": mail.listing(query.get("topic"))}


def _timings(query, document) -> dict:
    return timings.all_values()


def _set_timings(query, document) -> dict:
    return timings.set_many(document)


def _unknowns(query, document) -> dict:
    return unknowns.all_values()


def _set_unknowns(query, document) -> dict:
    return unknowns.set_many(document)


def _iam(query, document) -> dict:
    return {"mode": permissions.mode()}


def _set_iam(query, document) -> dict:
    return {"mode": permissions.set_mode(str(document["mode"]))}


def _logs(query, document) -> dict:
    """What a function printed since this server (or this copy) started."""
    path = state.log_dir() / f"{query['function'].replace('/', '')}.log"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return {"lines": lines}


def _fork(query, document) -> dict:
    return fork.request_copy()


def _shutdown(query, document) -> dict:
    return {"status": "stopping"}


ROUTES = {
    ("GET", "health"): _health,
    ("GET", "calls"): _calls,
    ("DELETE", "calls"): _clear_calls,
    ("GET", "faults"): _faults,
    ("POST", "faults"): _add_fault,
    ("DELETE", "faults"): _clear_faults,
    ("POST", "dark"): _dark,
    ("POST", "rds"): _rds,
    ("POST", "rds/global"): _rds_global,
    ("POST", "elasticache"): _elasticache,
    ("POST", "schedule"): _fire,
    ("GET", "mail"): _mail,
    ("GET", "timings"): _timings,
    ("POST", "timings"): _set_timings,
    ("GET", "unknowns"): _unknowns,
    ("POST", "unknowns"): _set_unknowns,
    ("GET", "iam"): _iam,
    ("POST", "iam"): _set_iam,
    ("GET", "logs"): _logs,
    ("POST", "fork"): _fork,
    ("POST", "shutdown"): _shutdown,
}
