"""The process that owns the embedded servers: `python -m airsense.embedded.supervisor LOCK`.

LOCK is the number of a file descriptor that holds `supervisor.lock`: airsense.embedded hands it on.
Its main thread, the only one, starts the servers, so they end with it however it ends.
"""

import logging
import os
import signal
import sys
import time
from contextlib import ExitStack, suppress
from typing import IO, NoReturn

from airsense.data_folder import StartError

from . import folders, locks, needed
from .folders import EmbeddedError
from .postgres import PostgreSQL
from .server import Server
from .valkey import Valkey

POLL_SECONDS = 0.2
# A server that ends more often than this within a minute would end again.
ENDS, WITHIN_SECONDS = 3, 60

logger = logging.getLogger(__name__)


def main() -> None:
    """Serve until nobody needs the servers. The locks go last: a new client starts all anew."""
    lock = int(sys.argv[1])
    if os.fork():
        os._exit(0)  # the client's call returns; nobody has to wait for this process
    os.set_inheritable(lock, False)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(process)d %(message)s")
    signal.signal(signal.SIGTERM, _exit)
    every: list[Server] = [PostgreSQL(), Valkey()]
    servers = [server for server in every if server.name in needed()]
    with ExitStack() as held:
        try:
            serve(servers, held)
        except (StartError, OSError) as error:
            _report(error)
        finally:
            for server in servers:
                server.stop()
            os.close(lock)


def serve(servers: list[Server], held: ExitStack) -> None:
    """Start the servers, keep them up until nobody needs them; `held` has the clients' lock then.

    Raises EmbeddedError when a server cannot start, or ends again and again.
    """
    for server in servers:
        server.start()
    clients = held.enter_context((folders.run() / "clients.lock").open("a"))
    ends: list[float] = []
    while _watch(servers, clients):
        for server in servers:
            _revive(server, ends)


def _watch(servers: list[Server], clients: IO[str]) -> bool:
    """Say that the servers answer, until one ends (True) or the last client has gone (False)."""
    ready = folders.run() / "ready.lock"
    names = " ".join(server.name for server in servers)
    if not ready.exists() or ready.read_text() != names:  # a full disk takes not even this
        ready.write_text(names)
    with locks.exclusive(ready):
        logger.info("ready: %s", ready.read_text())
        while all(server.runs() for server in servers):
            if locks.take(clients):
                logger.info("no client is left: stopping")
                return False
            time.sleep(POLL_SECONDS)
    return True


def _revive(server: Server, ends: list[float]) -> None:
    """Start a server again if it has ended, after a pause that doubles. `ends`: when any did."""
    while not server.runs():
        now = time.monotonic()
        ends[:] = [*(end for end in ends if now - end < WITHIN_SECONDS), now]
        logger.warning("%s ended (%d within a minute)", server.name, len(ends))
        if len(ends) > ENDS:
            raise EmbeddedError(
                f"{server.name} ended {len(ends)} times within a minute: see {server.log}"
                f"{folders.room()}"
            )
        time.sleep(0.05 * 2 ** len(ends))
        try:
            server.start()
        except EmbeddedError as error:
            logger.warning("%s", error)


def _report(error: Exception) -> None:
    """Tell the clients that wait, and the log, why there are no servers."""
    line = str(error) if isinstance(error, StartError) else f"no embedded servers: {error}"
    logger.error("%s", line)
    new = folders.failure().with_suffix(".new")
    with suppress(OSError):  # a full disk; then the clients see that themselves
        new.write_text(line)
        new.replace(folders.failure())


def _exit(number: int, frame: object) -> NoReturn:
    sys.exit(0)


if __name__ == "__main__":
    main()
