"""Breaks the connection of a client, which Granian itself only ever ends in good order."""

import os
import socket
import struct
from contextlib import suppress

RESET = struct.pack("ii", 1, 0)  # SO_LINGER: to close sends a reset, which nobody takes for an end
OPEN_FILES = "/proc/self/fd" if os.path.isdir("/proc/self/fd") else "/dev/fd"

type Address = tuple[str, str]


def break_off(client: Address, server: Address) -> None:
    """Reset the connection between two addresses, where it is still open.

    Granian keeps the socket to itself, so it is looked up among the open files of this process.
    """
    for name in os.listdir(OPEN_FILES):
        with suppress(OSError):
            _reset(os.dup(int(name)), client, server)


def _reset(descriptor: int, client: Address, server: Address) -> None:
    try:
        end = socket.socket(fileno=descriptor)
    except OSError:  # it is no socket
        os.close(descriptor)
        return
    with end:
        if _address(end.getpeername()) == client and _address(end.getsockname()) == server:
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            end.shutdown(socket.SHUT_RD)  # Granian takes it for the client's end, and closes


def _address(name: object) -> Address | None:
    return (str(name[0]), str(name[1])) if isinstance(name, tuple) else None
