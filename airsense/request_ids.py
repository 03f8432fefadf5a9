"""Each request has an id, which its answer and the lines of the log about it name."""

import logging
import os
import re
from contextvars import ContextVar
from typing import Any

HEADER = "x-request-id"
GIVEN = re.compile(r"[\w.-]{1,64}", re.ASCII)  # anything else could forge lines of a log
current = ContextVar("request_id", default="-")


def name(environ: dict[str, Any]) -> str:
    """The id that a proxy or the client gave, or a new one."""
    given = environ.get("HTTP_X_REQUEST_ID")
    return given if given and GIVEN.fullmatch(given) else os.urandom(8).hex()


class Named(logging.Filter):
    """Lets a format say {request_id}."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = current.get()
        return True
