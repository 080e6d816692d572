"""What functions print: to CloudWatch Logs, and to one file per function for people."""

import time
import uuid

from moto.logs.models import logs_backends

from localaws import state

_lock = state.lock()


class LogStream:
    """The log stream of one sandbox."""

    def __init__(self, function: str, version: str, region: str, account: str):
        self.function, self.region, self.account = function, region, account
        self.group = f"/aws/lambda/{function}"
        day = time.strftime("%Y/%m/%d", time.gmtime())
        self.name = f"{day}/[{version}]{uuid.uuid4().hex}"
        self._created = False

    def write(self, lines: list[str]) -> None:
        """Appends one batch of lines."""
        if not lines:
            return
        with _lock:
            self._to_cloudwatch(lines)
            self._to_file(lines)

    def _to_cloudwatch(self, lines: list[str]) -> None:
        backend = logs_backends[self.account][self.region]
        backend.ensure_log_group(self.group)
        if not self._created or self.name not in backend.groups[self.group].streams:
            backend.create_log_stream(self.group, self.name)
            self._created = True
        now = int(time.time() * 1000)
        events = [{"timestamp": now, "message": line} for line in lines]
        backend.put_log_events(self.group, self.name, events)

    def _to_file(self, lines: list[str]) -> None:
        stamp = time.strftime("%H:%M:%S")
        with open(state.log_dir() / f"{self.function}.log", "a", encoding="utf-8") as out:
            out.writelines(f"{stamp} {self.region} {line}\n" for line in lines)
