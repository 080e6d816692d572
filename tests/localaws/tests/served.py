"""A moto server inside the test process, with one module's repairs, and a clock that can jump."""

import logging
import time
from contextlib import contextmanager

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from moto.server import ThreadedMotoServer

KEYS = {"aws_access_key_id": "AKIALOCALTESTS000000", "aws_secret_access_key": "secret"}


class Clock:
    """Stands in for the module `time`: the real time plus what `forward` was told."""

    def __init__(self):
        self.ahead = 0.0

    def time(self):
        return time.time() + self.ahead

    def forward(self, seconds):
        self.ahead += seconds


class World:
    """Clients of one running server."""

    def __init__(self, url):
        self.url = url

    def client(self, service, region="us-east-1", **keys):
        return boto3.client(service, region_name=region, endpoint_url=self.url,
                            config=Config(retries={"total_max_attempts": 1}), **(keys or KEYS))

    def reset(self):
        import requests

        requests.post(f"{self.url}/moto-api/reset", timeout=10)


@contextmanager
def serving():
    """The server, for as long as a test module runs."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield World(f"http://{host}:{port}")
    finally:
        server.stop()


def refusal(call, **arguments):
    """(code, HTTP status, message) of a call that must be refused."""
    try:
        call(**arguments)
    except ClientError as error:
        found = error.response
        return (found["Error"]["Code"], found["ResponseMetadata"]["HTTPStatusCode"],
                found["Error"].get("Message", ""))
    raise AssertionError(f"accepted: {arguments}")
