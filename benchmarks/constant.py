"""The platform's server, answering constant bytes without Django: its port and their number."""

import sys
from collections.abc import Callable, Iterable
from typing import Any

from airsense.management.commands.serve import serve

BODY = b"x" * int(sys.argv[2])
HEADERS = [("content-type", "application/json"), ("content-length", str(len(BODY)))]


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    start_response("200 OK", HEADERS)
    return [BODY]


if __name__ == "__main__":
    serve("benchmarks.constant:application", int(sys.argv[1]))
