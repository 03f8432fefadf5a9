"""Each request has an id, which its answer and the lines of the log about it name."""

import logging
import re
import secrets
from contextvars import ContextVar
from typing import Any

HEADER = "x-request-id"
GIVEN = re.compile(r"[\w.-]{1,64}", re.ASCII)  # anything else could forge lines of a log
_current = ContextVar("request_id", default="-")


def begin(environ: dict[str, Any]) -> str:
    """The id that a proxy or the client gave, or a new one."""
    given = environ.get("HTTP_X_REQUEST_ID", "")
    own = given if GIVEN.fullmatch(given) else secrets.token_hex(8)
    _current.set(own)
    return own


class Named(logging.Filter):
    """Lets a format say {request_id}."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = _current.get()
        return True
