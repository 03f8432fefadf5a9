"""The platform's server, answering constant bytes without Django: PORT and SIZE are arguments."""

import os
import sys
from collections.abc import Callable, Iterable
from typing import Any

from granian import Granian
from granian.constants import Interfaces

BODY = b"x" * int(sys.argv[2] if len(sys.argv) > 2 else os.environ.get("SIZE", "0"))
HEADERS = [("content-type", "application/json"), ("content-length", str(len(BODY)))]


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    start_response("200 OK", HEADERS)
    return [BODY]


if __name__ == "__main__":
    Granian(
        "benchmarks.constant:application",
        port=int(sys.argv[1]),
        interface=Interfaces.WSGI,
        workers=os.cpu_count() or 1,
        blocking_threads=12,
        backlog=8_192,
        backpressure=8_192,
    ).serve()
