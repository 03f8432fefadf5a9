"""A client in a separate process: sends requests until it is stopped, then prints the responses.

`python -m tests.reader query|export URL STOP`: STOP is a file that stops it; the last request
begins when the file exists. Prints a JSON list of [stated version, SHA-256 of the body, seconds,
status].
"""

import hashlib
import http.client
import json
import socket
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

EXPORT_SECONDS = 3.0


def main(kind: str, url: str, stop: str) -> None:
    parts = urlsplit(url)
    path = f"{parts.path}?{parts.query}"
    responses, stopped = list[object](), False
    while not stopped:
        stopped = Path(stop).exists()
        assert parts.hostname
        responses.append((query if kind == "query" else export)(parts.hostname, parts.port, path))
        time.sleep(0.02)
    sys.stdout.write(json.dumps(responses))


def query(host: str, port: int | None, path: str) -> list[object]:
    connection = http.client.HTTPConnection(host, port, timeout=30)
    began = time.monotonic()
    connection.request("GET", path)
    response = connection.getresponse()
    body = response.read()
    seconds = time.monotonic() - began
    connection.close()
    return _response(response, hashlib.sha256(body), seconds)


def export(host: str, port: int | None, path: str) -> list[object]:
    """Read slowly through a small buffer, so that the server keeps the query open."""
    with socket.socket() as slow:
        slow.settimeout(30)
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
        # A loopback segment is larger than this window, and each would wait for a persist timer.
        slow.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 1_460)
        slow.connect((host, port))
        connection = http.client.HTTPConnection(host, port, timeout=60)
        connection.sock = slow
        began = time.monotonic()
        connection.request("GET", path)
        response = connection.getresponse()
        digest = hashlib.sha256()
        while chunk := response.read(65_536):
            digest.update(chunk)
            if time.monotonic() - began < EXPORT_SECONDS:
                time.sleep(0.1)
        return _response(response, digest, time.monotonic() - began)


def _response(
    response: http.client.HTTPResponse, digest: "hashlib._Hash", seconds: float
) -> list[object]:
    version = response.headers.get("X-AirSense-Version")
    return [version, digest.hexdigest(), seconds, response.status]


if __name__ == "__main__":
    main(*sys.argv[1:])
