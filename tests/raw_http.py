"""HTTP requests as raw bytes, as hostile clients send them."""

import socket
from contextlib import closing
from urllib.parse import urlsplit

from tests.platform import Site


def connect(site: Site) -> socket.socket:
    address = urlsplit(site.url)
    return socket.create_connection((address.hostname or "", address.port or 0), timeout=30)


def head(method: str, path: str, *headers: str) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", *headers, "", ""]
    return "\r\n".join(lines).encode("latin-1")


def send(site: Site, data: bytes) -> bytes:
    """Send bytes and return everything until the server closes the connection."""
    with closing(connect(site)) as client:
        client.sendall(data)
        return rest(client)


def rest(client: socket.socket) -> bytes:
    """Return everything until the server closes; TimeoutError says what came until then."""
    read = bytearray()
    try:
        while chunk := client.recv(1 << 16):
            read += chunk
    except TimeoutError:
        raise TimeoutError(f"still open after {bytes(read[:500])!r}") from None
    return bytes(read)


def status(response: bytes) -> int:
    return int(response.split(b" ", 2)[1])
