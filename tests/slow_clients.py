"""Many clients that send the beginning of a request and then keep the server waiting."""

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress

from tests import raw_http
from tests.platform import Site

BODY = raw_http.head(
    "POST", "/api/graphql", "Content-Type: application/json", "Content-Length: 50000"
)
HEADERS = b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
NOTHING = b""
KINDS = (BODY, HEADERS, NOTHING)
EVERY = 0.5  # seconds between two checks for closed connections


@contextmanager
def waiting(site: Site, count: int, begin: bytes) -> Iterator[list[socket.socket]]:
    with ExitStack() as held:
        clients = [held.enter_context(closing(raw_http.connect(site))) for _ in range(count)]
        for client in clients:
            client.sendall(begin)
        yield clients


@contextmanager
def renewed(site: Site, count: int, begin: bytes) -> Iterator[None]:
    """Keep `count` slow clients connected; replace those that the server closes."""
    stop = threading.Event()

    def attack() -> None:
        clients: list[socket.socket] = []
        while not stop.wait(EVERY):
            clients = [client for client in clients if not _has_ended(client)]
            for _ in range(count - len(clients)):
                clients.append(raw_http.connect(site))
                clients[-1].sendall(begin)
        for client in clients:
            client.close()

    thread = threading.Thread(target=attack)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def ended(client: socket.socket, seconds: float = 15) -> bool:
    """Return whether the server closes the connection in time."""
    client.settimeout(seconds)
    try:
        raw_http.rest(client)
    except OSError as error:
        return not isinstance(error, TimeoutError)
    return True


def drip(client: socket.socket) -> None:
    """Send a byte every 0.2 s until the server closes the connection."""
    pause = threading.Event()
    with suppress(OSError):
        while not pause.wait(0.2):
            client.sendall(b" ")


def _has_ended(client: socket.socket) -> bool:
    client.setblocking(False)
    try:
        raw_http.rest(client)
    except BlockingIOError:
        return False
    except OSError:
        pass
    client.close()
    return True
