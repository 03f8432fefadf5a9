"""Give each request an id, which its response header and its log lines contain."""

import os
import re
from typing import Any

HEADER = "x-request-id"
VALID = re.compile(r"[\w.-]{1,64}", re.ASCII)  # other characters could forge log lines


def name(environ: dict[str, Any]) -> str:
    """Return the valid id of the request's X-Request-ID header, or a new random one."""
    header = environ.get("HTTP_X_REQUEST_ID")
    return header if header and VALID.fullmatch(header) else os.urandom(8).hex()
