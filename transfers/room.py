"""Whether PostgreSQL's disk has room for another version, where that can be known.

PostgreSQL does not say how much of its disk is free. Where it is reached through a socket of this
machine its folders are here to look at; elsewhere a full disk shows when it is.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection
from psycopg import sql
from psycopg.errors import DiskFull

from flights.models import TableVersion

from .exceptions import NoRoom
from .statements import fetch

CURE = (
    "Nothing was published. Make room on its disk, keep fewer versions (VERSIONS_KEPT), or let"
    " PostgreSQL place new ones on another disk (ALTER DATABASE ... SET default_tablespace); then"
    " start it again."
)
# Where new relations are put. Its own folder PostgreSQL shows to some roles only.
FOLDER = """
SELECT coalesce(nullif(pg_tablespace_location(place.oid), ''), folder.setting)
FROM pg_database
JOIN pg_tablespace place ON CASE current_setting('default_tablespace')
    WHEN '' THEN place.oid = dattablespace ELSE spcname = current_setting('default_tablespace') END
LEFT JOIN pg_settings folder ON folder.name = 'data_directory'
WHERE datname = current_database()"""
SIZE = """
SELECT coalesce(sum(pg_total_relation_size(to_regclass(quote_ident(name)))), 0)::bigint
FROM unnest({names}::text[]) AS name"""


def check(table: str, rows: int) -> None:
    """NoRoom where another version of so many rows is known not to fit."""
    needed, free = _needed(table, rows), _free()
    if free is not None and free < needed:
        raise NoRoom(
            f"{table}: another version needs {needed:,} bytes, and PostgreSQL's disk has {free:,}"
            " bytes free.",
            advice=CURE,
        )


@contextmanager
def reported() -> Iterator[None]:
    """Tell of a disk that became full in our terms."""
    try:
        yield
    except OperationalError as error:
        if not isinstance(error.__cause__, DiskFull):
            raise
        why = error.__cause__.diag.message_primary
        raise NoRoom(f"PostgreSQL's disk is full: {why}.", advice=CURE) from error


def _needed(table: str, rows: int) -> int:
    """The bytes of the last version, or of as many of its rows: a larger one needs more."""
    last = TableVersion.objects.filter(table=table, published_at__isnull=False).first()
    if last is None or not last.rows:
        return 0
    ((size,),) = fetch(SIZE, names=sql.Literal([last.relation, last.dictionary]))
    return int(size) * min(rows, last.rows) // last.rows


def _free() -> int | None:
    """Bytes that PostgreSQL can still write; None where that is not known."""
    ((folder,),) = fetch(FOLDER)
    if folder is None or not connection.connection.info.host.startswith("/"):
        return None
    try:
        disk = os.statvfs(folder)
    except OSError:  # a socket that leads out of a container, or a folder in a closed one
        return None
    return disk.f_bavail * disk.f_frsize
