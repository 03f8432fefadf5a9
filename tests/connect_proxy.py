"""An HTTP proxy that tunnels connections (CONNECT), as companies have; it records their targets."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def connect_proxy() -> Iterator[tuple[str, list[str]]]:
    """Run a proxy during the block; yields its URL, and the targets of its tunnels so far."""
    targets: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as door:
        threading.Thread(target=_accept, args=(door, targets), daemon=True).start()
        yield f"http://127.0.0.1:{door.getsockname()[1]}", targets
        door.shutdown(socket.SHUT_RDWR)  # ends `accept`


def _accept(door: socket.socket, targets: list[str]) -> None:
    with suppress(OSError):  # the socket is closed at the end
        while True:
            client, _ = door.accept()
            threading.Thread(target=_tunnel, args=(client, targets), daemon=True).start()


def _tunnel(client: socket.socket, targets: list[str]) -> None:
    head = b""
    while b"\r\n\r\n" not in head:
        head += client.recv(1 << 16)
    target = head.split()[1].decode()
    targets.append(target)
    host, _, port = target.partition(":")
    with client, socket.create_connection((host, int(port))) as server:
        client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        back = threading.Thread(target=_pump, args=(server, client), daemon=True)
        back.start()
        _pump(client, server)
        back.join()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):  # one end left
        while data := source.recv(1 << 16):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
