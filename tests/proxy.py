"""A TCP proxy between a platform and a server, whose connections tests cut."""

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close with a TCP reset


class Proxy:
    """Forwards connections to its port unless it is cut."""

    def __init__(self, connect: Callable[[], socket.socket]) -> None:
        self.connect = connect
        self.door = socket.create_server(("127.0.0.1", 0))
        self.port = int(self.door.getsockname()[1])
        self.ends: list[socket.socket] = []
        self.is_cut = False
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self, seconds: float) -> int:
        """Reset all connections, and new ones for `seconds`; return how many there were."""
        self.is_cut = True
        count = len(self.ends) // 2
        for end in self.ends:
            _break(end)
        self.ends.clear()
        time.sleep(seconds)
        self.is_cut = False
        return count

    def _accept(self) -> None:
        with suppress(OSError):  # the socket is closed at the end
            while True:
                client, _ = self.door.accept()
                if self.is_cut:
                    _break(client)
                    continue
                server = self.connect()
                self.ends += [client, server]
                for pair in ((client, server), (server, client)):
                    threading.Thread(target=_pump, args=pair, daemon=True).start()


@contextmanager
def proxy(connect: Callable[[], socket.socket]) -> Iterator[Proxy]:
    between = Proxy(connect)
    try:
        yield between
    finally:
        for end in (between.door, *between.ends):
            _break(end)


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):  # it was cut, or one end left
        while data := source.recv(1 << 16):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


def _break(end: socket.socket) -> None:
    with suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)  # wakes the thread that reads from it
    end.close()
