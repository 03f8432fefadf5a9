"""Send requests at a constant rate, whether or not earlier ones are answered (an open loop).

Each response time counts from the moment when its request was due. So a pause of the server shows
up in every request that was due during it; a closed loop would just send fewer requests.
"""

import itertools
import selectors
import socket
import sys
import time
from array import array
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

CONNECTIONS = 64
GRACE = 2.0  # seconds after the last request was due; requests unanswered by then have failed
LENGTH = b"content-length: "


class Connection:
    """A keep-alive connection with at most one request at a time; `due` is its planned time."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.due = 0.0
        self.response = b""

    def send(self, request: bytes, due: float) -> None:
        self.due, self.response = due, b""
        self.socket.sendall(request)

    def close(self) -> None:
        self.socket.close()

    def receive(self) -> bool:
        """Read once; return whether the response is complete, by its Content-Length."""
        data = self.socket.recv(1 << 18)
        assert data, "the server closed the connection"
        self.response += data
        head = self.response.find(b"\r\n\r\n")
        if head < 0:
            return False
        begin = self.response.lower().find(LENGTH, 0, head) + len(LENGTH)
        length = int(self.response[begin : self.response.index(b"\r\n", begin)])
        return len(self.response) >= head + 4 + length

    def seconds(self) -> float:
        """Seconds since the request was due; infinite if the response is not a 200."""
        ok = self.response.startswith(b"HTTP/1.1 200")
        return time.perf_counter() - self.due if ok else float("inf")


def run(port: int, rate: float, seconds: float, requests: list[bytes]) -> array[float]:
    """Send `rate` requests per second; return the seconds of each, infinite if it failed."""
    total = int(rate * seconds)
    with ExitStack() as stack, selectors.EpollSelector() as selector:
        idle = [stack.enter_context(closing(Connection(port))) for _ in range(CONNECTIONS)]
        for connection in idle:
            selector.register(connection.socket, selectors.EVENT_READ, connection)
        all_requests = list(itertools.islice(itertools.cycle(requests), total))
        times = array("d", _times(idle, selector, rate, seconds + GRACE, all_requests))
    times.extend([float("inf")] * (total - len(times)))
    return times


def _times(
    idle: list[Connection],
    selector: selectors.EpollSelector,
    rate: float,
    timeout: float,
    requests: list[bytes],
) -> Iterator[float]:
    """Yield the seconds of each response. If no connection is idle, due requests wait for one."""
    sent = answered = 0
    started_at = time.perf_counter()
    while answered < len(requests) and (now := time.perf_counter()) < started_at + timeout:
        due = min(len(requests), int((now - started_at) * rate) + 1)
        while sent < due and idle:
            idle.pop().send(requests[sent], started_at + sent / rate)
            sent += 1
        until = due / rate if due < len(requests) else timeout
        for key, _ in selector.select(max(0.0, started_at + until - now)):
            if key.data.receive():
                idle.append(key.data)
                answered += 1
                yield key.data.seconds()


def main() -> None:
    """`python -m benchmarks.arrivals PORT RATE SECONDS FILE`; writes the times to stdout.

    FILE contains requests, separated by empty lines. The times are doubles, in seconds.
    """
    port, rate, seconds, file = sys.argv[1:]
    requests = [request + b"\r\n\r\n" for request in Path(file).read_bytes().split(b"\r\n\r\n")]
    sys.stdout.buffer.write(run(int(port), float(rate), float(seconds), requests).tobytes())


if __name__ == "__main__":
    main()
