"""The server: installs all modules, wraps moto, and serves it on one port."""

import atexit
import importlib
import os
import signal
import socket
import sys
import threading

from moto import backends
from moto.core.config import default_user_config
from moto.moto_server.werkzeug_app import (DomainDispatcherApplication, MotoRequestHandler,
                                           create_backend_app)
from werkzeug.serving import make_server

import localaws
from localaws import fork, state
from localaws.middleware import Middleware

MODULES = ("lambda_runtime", "function_url", "mail", "identity", "sts", "ssm", "s3", "rds",
           "elasticache", "cloudwatch", "cloudformation", "stepfunctions", "events")


class Handler(MotoRequestHandler):
    """Answers at once, and keeps quiet about each request: the call log says more."""

    disable_nagle_algorithm = True

    def log_request(self, *args) -> None:
        """No access log."""


class Server:
    """One serving process; a forked copy goes on with the same object and a new port."""

    def __init__(self, host: str, port: int):
        self.host = host
        self.application = Middleware(DomainDispatcherApplication(create_backend_app))
        self._listen(port)

    @property
    def gate(self):
        """Through which all requests pass."""
        return self.application.gate

    def _listen(self, port: int) -> None:
        self._http = make_server(self.host, port, self.application, threaded=True,
                                 request_handler=Handler)
        self.port = self._http.server_port
        localaws.set_endpoint(self.host, self.port)

    def start(self) -> None:
        """Serves in the background."""
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.1},
                         daemon=True).start()

    def restart_in_copy(self) -> None:
        """In a forked copy: the inherited socket is the parent's, listen on a free port."""
        inherited: socket.socket = self._http.socket
        inherited.close()
        self._listen(0)
        self.gate.open()
        self.start()


def install_modules() -> None:
    """Installs every repair and addition to moto."""
    # Without it moto's state machines never leave RUNNING.
    default_user_config["stepfunctions"] = {"execute_state_machine": True}
    # Without this moto knows none of AWS's own policies, and roles that attach one fail.
    default_user_config["iam"] = {"load_aws_managed_policies": True}
    # moto looks through its own folders for every request.
    services = tuple(backends.list_of_moto_modules())
    backends.list_of_moto_modules = lambda: services
    for name in MODULES:
        importlib.import_module(f"localaws.{name}").install()


def leave(*_) -> None:
    """Ends the server; further signals do not interrupt the end."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    sys.exit(0)


def run(host: str, port: int, directory: str | None, started) -> None:
    """Serves until SIGTERM, SIGINT or /_localaws/shutdown; `started(endpoint)` is called once."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, leave)
    state.start(directory)
    install_modules()
    server = Server(host, port)
    server.start()
    started(localaws.endpoint())
    try:
        fork.main_loop(server)
    except SystemExit:
        pass  # told so by a signal
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    end()


def end() -> None:
    """Ends this process as it is. Python would first take apart the whole world of objects, which
    costs each copy more processor time than its work.
    """
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
