"""The processes that fork the commands of tests: they have loaded the libraries already.

`python -m tests.fork_server FOLDER RUN` returns when two servers accept connections in FOLDER: one
that has loaded the libraries (tests.preloaded), and one that has loaded Django, too
(tests.loaded_django). A connection is for one command: the client sends a request, and gets the
number of the process and its exit code. The command ends when the client closes the connection, and
the servers when process RUN does.
"""

import gc
import importlib
import json
import os
import selectors
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from selectors import SelectorKey

from tests import forked, loaded_django

LARGEST = 1 << 20  # bytes of a request

type Request = tuple[list[str], dict[str, str], str, str]  # command, environment, output, errors


def main(folder: Path, run: int) -> None:
    importlib.import_module("tests.preloaded")
    _start(folder / f"libraries-{run}", run)
    loaded_django.load()
    _start(folder / f"django-{run}", run)


def _start(path: Path, run: int) -> None:
    gc.collect()
    gc.freeze()  # garbage collection would visit and copy all objects: 0.12 s of CPU
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(str(path))
        listener.listen(64)
        if not os.fork():
            os.setsid()
            Server(listener).serve_until_end_of(run)
            path.unlink(missing_ok=True)
            os._exit(0)


class Server:
    """Forks a process for each connection, and waits for requests and for ends of processes."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener, self._selector = listener, selectors.DefaultSelector()
        self._clients = dict[int, socket.socket]()  # by the process of their command

    def serve_until_end_of(self, run: int) -> None:
        self._watch(self._listener, self._accept)
        end = self._watch(os.pidfd_open(run), lambda: None)
        while end not in (ready := [key for key, _ in self._selector.select()]):
            for key in ready:
                if key in self._selector.get_map().values():  # no event before it has removed it
                    key.data()

    def _watch(self, file: socket.socket | int, react: Callable[[], None]) -> SelectorKey:
        return self._selector.register(file, selectors.EVENT_READ, react)

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        if not (message := client.recv(LARGEST)):  # it has left already
            return client.close()
        request: Request = json.loads(message)
        process = os.fork()
        if not process:
            self._close_in_fork(client)
            forked.run(*request)
        self._clients[process] = client
        self._send(client, process)
        end = os.pidfd_open(process)
        self._watch(end, partial(self._ended, process, end))
        self._watch(client, partial(self._left, process))

    def _close_in_fork(self, client: socket.socket) -> None:
        for key in self._selector.get_map().values():
            os.close(key.fd)
        self._selector.close()
        client.close()

    def _ended(self, process: int, end: int) -> None:
        self._selector.unregister(end)
        os.close(end)
        _, status = os.waitpid(process, 0)
        if process in self._clients:
            self._send(self._clients[process], os.waitstatus_to_exitcode(status))
            self._forget(process)

    def _left(self, process: int) -> None:
        """The client has closed its connection."""
        self._forget(process)
        os.kill(process, signal.SIGTERM)

    def _forget(self, process: int) -> None:
        client = self._clients.pop(process)
        self._selector.unregister(client)
        client.close()

    def _send(self, client: socket.socket, number: int) -> None:
        with suppress(BrokenPipeError):  # the client leaves at this moment
            client.send(str(number).encode())


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
