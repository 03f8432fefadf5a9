"""Send log lines directly to a group of CloudWatch Logs, where nothing collects stdout."""

import os
import platform
import sys
from functools import lru_cache
from typing import Any

import boto3
from botocore.config import Config
from watchtower import CloudWatchLogHandler

INTERVAL = 5  # seconds for which lines are collected before they are sent
# A CloudWatch that does not answer must not let lines pile up in memory for long.
LIMITS = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 2})


class Handler(CloudWatchLogHandler):
    """Sends lines in a thread; each process has a stream of its own. The group must exist.

    boto3 reads credentials, region and endpoint from its usual places.
    """

    def __init__(self, group: str) -> None:
        command = "".join(c for c in "".join(sys.argv[1:2]) if c.isalnum()) or "python"
        super().__init__(
            log_group_name=group,
            log_stream_name=f"{platform.node()}/{command}/{{process_id}}",
            send_interval=INTERVAL,
            boto3_client=_client(os.getpid()),
            create_log_group=False,  # no request at start, and no right to create groups
        )

    @property
    def cwl_client(self) -> Any:
        """The client of this process: a fork must not share its parent's connections."""
        return _client(os.getpid())

    @cwl_client.setter
    def cwl_client(self, client: Any) -> None:
        pass


@lru_cache(maxsize=1)
def _client(process: int) -> Any:
    return boto3.client("logs", config=LIMITS)
