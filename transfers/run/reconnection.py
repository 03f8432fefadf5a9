"""Notice lost connections between this process and PostgreSQL, on both sides."""

import time
from collections.abc import Callable

from django.db import InterfaceError, OperationalError, connection

from transfers.load.statements import execute

RECONNECT_WITHIN = 15.0  # seconds to wait for PostgreSQL before giving up on recording a result
# Without these settings PostgreSQL finishes the statement of a killed process before it releases
# its locks, and takes hours to notice that a machine is gone.
DISCONNECT_DETECTION = (
    "SET client_connection_check_interval = '1s'",
    "SET tcp_keepalives_idle = 15",
    "SET tcp_keepalives_interval = 5",
    "SET tcp_keepalives_count = 3",
)


def detect_disconnects() -> None:
    """Make PostgreSQL end this connection's statement soon after this process dies."""
    for statement in DISCONNECT_DETECTION:
        execute(statement)


def reconnecting(write: Callable[[], None]) -> None:
    """Call `write`; if PostgreSQL does not answer, reconnect and retry for RECONNECT_WITHIN."""
    deadline = time.monotonic() + RECONNECT_WITHIN
    while True:
        try:
            return write()
        except (OperationalError, InterfaceError):
            if time.monotonic() > deadline:
                raise
            connection.close()
            time.sleep(0.5)
