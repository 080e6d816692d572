"""How CloudFormation calls the other services: in this process, past the front door.

Its calls are neither logged nor disturbed by faults: what a stack does is not under test.
"""

from functools import lru_cache

import botocore.config
import botocore.session
from botocore.awsrequest import AWSResponse
from moto.core.botocore_stubber import BotocoreStubber, MockRawResponse

from localaws import state

_session = None
_lock = state.lock()
_stubber = BotocoreStubber()
_CONFIG = botocore.config.Config(retries={"total_max_attempts": 1},
                                 s3={"addressing_style": "path"})


@lru_cache(maxsize=512)
def client(service: str, region: str, account: str):
    """A boto client whose requests moto answers without HTTP."""
    global _session
    with _lock:
        _session = _session or botocore.session.get_session()
        made = _session.create_client(
            service, region_name=region, config=_CONFIG, aws_access_key_id="CLOUDFORMATION",
            aws_secret_access_key="local")

    def answer(request, **_):
        request.headers["x-moto-account-id"] = account
        status, headers, body = _stubber.process_request(request)
        return AWSResponse(request.url, status, headers, MockRawResponse(body))

    made.meta.events.register("before-send", answer)
    return made
