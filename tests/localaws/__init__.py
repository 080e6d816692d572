"""AWS on the local machine: moto behind one HTTP endpoint, with the parts that moto lacks.

Run it with `python -m localaws`. Everything that is installed here repairs or completes moto; the
templates, functions and state machines that run on it are the ones that go to AWS.
"""

HOST = "127.0.0.1"
DEFAULT_ACCOUNT = "123456789012"

_serving = {"host": HOST, "port": 5000}


def endpoint() -> str:
    """The base URL that serves now: in a forked copy this is the copy's own port."""
    return f"http://{_serving['host']}:{_serving['port']}"


def set_endpoint(host: str, port: int) -> None:
    """Called by the server as soon as it knows its port."""
    _serving.update(host=host, port=port)
