"""How far the server that answers public queries lags behind the primary."""

from typing import Any, NamedTuple

from django.db import DatabaseError, NotSupportedError, connections

# Database aliases with short timeouts. REPLICA is the first server of READER_URL, also while public
# queries go to the second.
PRIMARY, REPLICA = "status", "replica"
# Seconds since the primary committed the last transaction that the replica has replayed, or since
# the replica started. The schedule commits one every 10 seconds, so a replica that keeps up shows
# at most about 10.
AGE = """
    SELECT CASE WHEN pg_is_in_recovery() THEN extract(epoch FROM now()
    - coalesce(pg_last_xact_replay_timestamp(), pg_postmaster_start_time()))::float END
"""
BYTES = "SELECT pg_wal_lsn_diff(%s, pg_last_wal_replay_lsn())::bigint"


class Lag(NamedTuple):
    """The lag of a replica, as far as it is known."""

    is_replica: bool
    seconds: float | None = None  # None: unknown
    bytes: int | None = None  # None: unknown

    def __str__(self) -> str:
        if not self.is_replica:
            return "the primary"
        behind = "an unknown number of" if self.bytes is None else f"{self.bytes:,}"
        age = "" if self.seconds is None else f"; its last transaction is {self.seconds:.1f} s old"
        return f"a replica, {behind} bytes of WAL behind the primary{age}"


def lag() -> Lag:
    """Compare the server of public queries with the primary.

    Raises DatabaseError if the reader's server does not answer. The primary need not answer.
    """
    if not _value(REPLICA, "SELECT pg_is_in_recovery()"):
        return Lag(False)
    return Lag(True, seconds(REPLICA), _bytes())


def seconds(alias: str) -> float | None:
    """The age in seconds of a replica's last transaction; None on a primary, or if unknown."""
    try:
        age: float | None = _value(alias, AGE)
    except NotSupportedError:  # some providers replicate in another way
        return None
    return age


def _bytes() -> int | None:
    try:
        behind: int = _value(REPLICA, BYTES, _value(PRIMARY, "SELECT pg_current_wal_lsn()::text"))
    except DatabaseError:  # the primary does not answer, or the provider replicates otherwise
        return None
    return behind


def _value(alias: str, sql: str, *params: str) -> Any:
    with connections[alias].cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchone()[0]
