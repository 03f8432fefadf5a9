"""The parent process of the embedded servers: `python -m airsense.embedded.supervisor LOCK`.

LOCK is the number of an inherited file descriptor that holds `supervisor.lock`. The main thread
starts the servers, so the kernel ends them when this process ends (airsense.parent_death).
"""

import logging.config
import os
import signal
import sys
import time
from contextlib import ExitStack, suppress
from typing import IO, NoReturn

from airsense import log_config
from airsense.data_folder import StartError

from . import folders, locks, needed
from .folders import EmbeddedError
from .postgres import PostgreSQL
from .server import Server
from .valkey import Valkey

POLL_SECONDS = 0.2
# Give up on a server that ends more often than this within a minute.
MOST_ENDS, WITHIN_SECONDS = 3, 60
REPEATS_PER_MINUTE = 20  # the default of LOG_REPEATS_PER_MINUTE

logger = logging.getLogger(__name__)


def main() -> None:
    """Run the servers while clients need them; then release the locks for a new supervisor."""
    lock = int(sys.argv[1])
    if os.fork():
        os._exit(0)  # the client continues; it does not wait for this process
    os.set_inheritable(lock, False)
    form = os.environ.get("LOG_FORMAT")  # the settings report a wrong one
    form = form if form in log_config.FORMATS else log_config.FORMATS[0]
    logging.config.dictConfig(log_config.config(form, REPEATS_PER_MINUTE))
    signal.signal(signal.SIGTERM, _exit)
    embedded: list[Server] = [PostgreSQL(), Valkey()]
    servers = [server for server in embedded if server.name in needed()]
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
    """Start the servers and restart them until no client is left.

    At the return, `held` contains the exclusive lock of `clients.lock`. Raises EmbeddedError if a
    server cannot start, or ends more than MOST_ENDS times within a minute.
    """
    for server in servers:
        server.start()
    clients = held.enter_context((folders.run() / "clients.lock").open("a"))
    ends: list[float] = []
    while _watch(servers, clients):
        for server in servers:
            _restart_if_ended(server, ends)


def _watch(servers: list[Server], clients: IO[str]) -> bool:
    """Hold `ready.lock` until a server ends (returns True) or no client is left (False)."""
    ready = folders.run() / "ready.lock"
    names = " ".join(server.name for server in servers)
    if not ready.exists() or ready.read_text() != names:  # do not write on a full disk
        ready.write_text(names)
    with locks.exclusive(ready):
        logger.info("ready: %s", ready.read_text())
        while all(server.runs() for server in servers):
            if locks.take(clients):
                logger.info("no client is left: stopping")
                return False
            time.sleep(POLL_SECONDS)
    return True


def _restart_if_ended(server: Server, ends: list[float]) -> None:
    """Restart a server that has ended, after a pause that doubles.

    `ends`: times at which any server ended within the last minute; updated here.
    """
    while not server.runs():
        now = time.monotonic()
        ends[:] = [*(end for end in ends if now - end < WITHIN_SECONDS), now]
        logger.warning("%s ended (%d within a minute)", server.name, len(ends))
        if len(ends) > MOST_ENDS:
            raise EmbeddedError(
                f"{server.name} ended {len(ends)} times within a minute: see {server.log}"
                f"{folders.disk_warning()}"
            )
        time.sleep(0.05 * 2 ** len(ends))
        try:
            server.start()
        except EmbeddedError as error:
            logger.warning("%s", error)


def _report(error: Exception) -> None:
    """Write the error to the log, and to the file that waiting clients read."""
    line = str(error) if isinstance(error, StartError) else f"no embedded servers: {error}"
    logger.error("%s", line)
    new = folders.failure().with_suffix(".new")
    with suppress(OSError):  # a full disk; the clients then report it
        new.write_text(line)
        new.replace(folders.failure())


def _exit(number: int, frame: object) -> NoReturn:
    sys.exit(0)


if __name__ == "__main__":
    main()
