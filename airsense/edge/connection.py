"""Reset the connection of a client. Granian itself only closes connections in the normal way."""

import os
import socket
import struct
from contextlib import suppress

# SO_LINGER with 0 s: close() sends a TCP reset (socket(7)), which no client takes for a normal end.
RESET = struct.pack("ii", 1, 0)
OPEN_FILES = "/proc/self/fd" if os.path.isdir("/proc/self/fd") else "/dev/fd"

type Address = tuple[str, str]  # IP address and port


def reset(client: Address, server: Address) -> None:
    """Reset the open connection between two addresses, if it exists.

    Granian does not expose its sockets, so this searches the process's open files.
    """
    for name in os.listdir(OPEN_FILES):
        with suppress(OSError):
            _reset_if_between(os.dup(int(name)), client, server)


def _reset_if_between(descriptor: int, client: Address, server: Address) -> None:
    try:
        connection = socket.socket(fileno=descriptor)
    except OSError:  # not a socket
        os.close(descriptor)
        return
    with connection:
        ends = _address(connection.getpeername()), _address(connection.getsockname())
        if ends == (client, server):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            connection.shutdown(socket.SHUT_RD)  # Granian reads an end of stream and closes


def _address(name: object) -> Address | None:
    return (str(name[0]), str(name[1])) if isinstance(name, tuple) else None
