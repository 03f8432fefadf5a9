"""Requests at a constant rate, whether or not the earlier ones are answered (an open loop).

Each time counts from when its request was due. So a server that stops for a second shows that
second in every request that was due in it; a closed loop would have asked less meanwhile.
"""

import selectors
import socket
import sys
import time
from array import array
from collections import deque
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

    def answered(self) -> bool:
        """Whether this read was the last; every answer says how long it is."""
        read = self.socket.recv(1 << 18)
        assert read, "the server hung up"
        self.got += read
        head = self.got.find(b"\r\n\r\n")
        if head < 0:
            return False
        assert self.got.startswith(b"HTTP/1.1 200"), self.got[:200]
        begin = self.got.lower().find(LENGTH, 0, head) + len(LENGTH)
        return len(self.got) >= head + 4 + int(self.got[begin : self.got.index(b"\r\n", begin)])


def run(port: int, rate: float, seconds: float, requests: list[bytes]) -> array[float]:
    """Seconds that each took; infinite where it was not answered."""
    idle = [Connection(port) for _ in range(CONNECTIONS)]
    selector = selectors.EpollSelector()
    for connection in idle:
        selector.register(connection.socket, selectors.EVENT_READ, connection)
    took, sent, total = array("d"), 0, int(rate * seconds)
    waiting: deque[float] = deque()
    began = time.perf_counter()
    while len(took) < total:
        now = time.perf_counter()
        if now > began + seconds + PATIENCE:
            break
        while sent + len(waiting) < min(total, (now - began) * rate):
            waiting.append(began + (sent + len(waiting)) / rate)
        while waiting and idle:
            idle.pop().ask(requests[sent % len(requests)], waiting.popleft())
            sent += 1
        due = began + (sent + len(waiting)) / rate - now
        for key, _ in selector.select(max(0.0, due)):
            if key.data.answered():
                took.append(time.perf_counter() - key.data.due)
                idle.append(key.data)
    took.extend([float("inf")] * (total - len(took)))
    return took


def main() -> None:
    """Port, rate, seconds and the file of request lines and headers; times go to stdout."""
    port, rate, seconds, file = sys.argv[1:]
    requests = [request + b"\r\n\r\n" for request in Path(file).read_bytes().split(b"\r\n\r\n")]
    sys.stdout.buffer.write(run(int(port), float(rate), float(seconds), requests).tobytes())


if __name__ == "__main__":
    main()
