"""The load: `python -m benchmarks.hosts.client URL RATE FILE`, until it is stopped.

Sends requests at a constant rate, cached and uncached ones in turn, and appends a line to FILE for
each response: [time, seconds, kind, version, SHA-256 of the body]. The kind is the status or the
name of an error.
"""

import hashlib
import http.client
import itertools
import json
import sys
import threading
import time
from typing import TextIO
from urllib.parse import urlsplit

THREADS = 24  # requests that may wait at the same time
TIMEOUT = 20.0  # seconds; a load balancer waits no longer
DAYS = "/api/dynamic_query?table_name=delays_by_day"


def main(url: str, rate: float, file: TextIO) -> None:
    host, numbers = urlsplit(url).netloc, itertools.count()
    started_at = time.time()

    def work() -> None:
        for number in numbers:
            time.sleep(max(0.0, started_at + number / rate - time.time()))
            file.write(json.dumps(request(host, number)) + "\n")
            file.flush()

    for _ in range(THREADS):
        threading.Thread(target=work).start()


def request(host: str, number: int) -> list[object]:
    """Send a request; every second one has its own `limit`, so no cache has the response."""
    path = f"{DAYS}&limit={10 + number // 2 % 9_990}&offset=0" if number % 2 else DAYS
    began, kind, version, digest = time.time(), "", "", ""
    client = http.client.HTTPConnection(host, timeout=TIMEOUT)
    try:
        client.request("GET", path)
        response = client.getresponse()
        body, kind = response.read(), str(response.status)
        if response.status == 200:
            version = response.headers["X-AirSense-Version"]
            digest = hashlib.sha256(body).hexdigest()
    except (OSError, http.client.HTTPException) as error:
        kind = type(error).__name__
    finally:
        client.close()
    return [began, time.time() - began, kind, version, digest]


if __name__ == "__main__":
    with open(sys.argv[3], "a") as lines:
        main(sys.argv[1], float(sys.argv[2]), lines)
        threading.Event().wait()
