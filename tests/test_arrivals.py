"""The benchmark's open loop shows a stall completely; a closed loop would send fewer requests."""

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from benchmarks import arrivals

REQUESTS = [b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"]
RATE, SECONDS = 100, 1.0


class Server(ThreadingHTTPServer):
    request_queue_size = 256
    daemon_threads = True
    open = threading.Event()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        Server.open.wait()
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.open.set()
        server.shutdown()
        thread.join()


def test_every_request_due_during_a_stall_waits_for_its_end(server: Server) -> None:
    server.open.clear()
    threading.Timer(0.5, server.open.set).start()
    took = sorted(arrivals.run(server.server_port, RATE, SECONDS, REQUESTS))
    assert len(took) == RATE * SECONDS
    # Due every 10 ms for half a second: half of all requests, evenly between 0 and 0.5 s.
    assert took[75] > 0.2
    assert 0.45 < took[-1] < 1.5


def test_a_request_without_a_response_has_no_latency(server: Server) -> None:
    server.open.clear()
    began = time.monotonic()
    took = arrivals.run(server.server_port, RATE, 0.1, REQUESTS)
    assert list(took) == [float("inf")] * 10
    assert time.monotonic() - began < 2 * arrivals.GRACE
