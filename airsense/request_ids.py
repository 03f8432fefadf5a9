"""Give each request an id, which its response header and its log lines contain."""

import logging
import os
import re
from contextvars import ContextVar
from typing import Any

HEADER = "x-request-id"
VALID = re.compile(r"[\w.-]{1,64}", re.ASCII)  # other characters could forge log lines
current = ContextVar("request_id", default="-")


def name(environ: dict[str, Any]) -> str:
    """Return the valid id of the request's X-Request-ID header, or a new random one."""
    header = environ.get("HTTP_X_REQUEST_ID")
    return header if header and VALID.fullmatch(header) else os.urandom(8).hex()


class RequestIdFilter(logging.Filter):
    """Add `request_id` to log records, for the log format."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = current.get()
        return True
