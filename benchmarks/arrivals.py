"""Requests at a constant rate, whether or not the earlier ones are answered (an open loop).

Each time counts from when its request was due. So a server that stops for a second shows that
second in every request that was due in it; a closed loop would have asked less meanwhile.
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
PATIENCE = 2.0  # seconds after the last one was due; what is unanswered then has failed
LENGTH = b"content-length: "


class Connection:
    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.due = 0.0
        self.got = b""

    def ask(self, request: bytes, due: float) -> None:
        self.due, self.got = due, b""
        self.socket.sendall(request)

    def close(self) -> None:
        self.socket.close()

    def answered(self) -> bool:
        """Whether this read was the last; every answer says how long it is."""
        read = self.socket.recv(1 << 18)
        assert read, "the server hung up"
        self.got += read
        head = self.got.find(b"\r\n\r\n")
        if head < 0:
            return False
        begin = self.got.lower().find(LENGTH, 0, head) + len(LENGTH)
        return len(self.got) >= head + 4 + int(self.got[begin : self.got.index(b"\r\n", begin)])

    def took(self) -> float:
        """Seconds since it was due; an error is no answer."""
        right = self.got.startswith(b"HTTP/1.1 200")
        return time.perf_counter() - self.due if right else float("inf")


def run(port: int, rate: float, seconds: float, requests: list[bytes]) -> array[float]:
    """Seconds that each took; infinite where it failed."""
    total = int(rate * seconds)
    with ExitStack() as opened, selectors.EpollSelector() as selector:
        idle = [opened.enter_context(closing(Connection(port))) for _ in range(CONNECTIONS)]
        for connection in idle:
            selector.register(connection.socket, selectors.EVENT_READ, connection)
        asked = itertools.islice(itertools.cycle(requests), total)
        took = array("d", _answers(idle, selector, rate, seconds + PATIENCE, list(asked)))
    took.extend([float("inf")] * (total - len(took)))
    return took


def _answers(
    idle: list[Connection],
    selector: selectors.EpollSelector,
    rate: float,
    patience: float,
    asked: list[bytes],
) -> Iterator[float]:
    """Where no connection is idle a request waits for one, and its time goes on."""
    sent = answered = 0
    began = time.perf_counter()
    while answered < len(asked) and (now := time.perf_counter()) < began + patience:
        due = min(len(asked), int((now - began) * rate) + 1)
        while sent < due and idle:
            idle.pop().ask(asked[sent], began + sent / rate)
            sent += 1
        until = due / rate if due < len(asked) else patience
        for key, _ in selector.select(max(0.0, began + until - now)):
            if key.data.answered():
                idle.append(key.data)
                answered += 1
                yield key.data.took()


def main() -> None:
    """Port, rate, seconds and the file of request lines and headers; times go to stdout."""
    port, rate, seconds, file = sys.argv[1:]
    requests = [request + b"\r\n\r\n" for request in Path(file).read_bytes().split(b"\r\n\r\n")]
    sys.stdout.buffer.write(run(int(port), float(rate), float(seconds), requests).tobytes())


if __name__ == "__main__":
    main()
