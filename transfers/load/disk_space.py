"""Whether PostgreSQL's disk has room for another version, where that can be known.

PostgreSQL does not say how much of its disk is free. Where it is reached through a socket of this
machine its folders are here to look at; elsewhere a full disk shows when it is.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self

from django.conf import settings
from django.db import OperationalError, connection
from psycopg import sql
from psycopg.errors import DiskFull

from flights.models import TableVersion
from transfers.exceptions import NoRoom

from .statements import fetch

CURE = (
    "Nothing was published. Make room on its disk, keep fewer versions (VERSIONS_KEPT), or let"
    " PostgreSQL place new ones on another disk (ALTER DATABASE ... SET default_tablespace); then"
    " start it again."
)
# Bytes of indexes and of PostgreSQL's log for a byte of rows as CSV: 1.7 for flight_delay_data.
LATER = 2
# Where new relations are put. Its own folder PostgreSQL shows to some roles only.
FOLDER = """
SELECT coalesce(nullif(pg_tablespace_location(place.oid), ''), folder.setting), folder.setting
FROM pg_database
JOIN pg_tablespace place ON CASE current_setting('default_tablespace')
    WHEN '' THEN place.oid = dattablespace ELSE spcname = current_setting('default_tablespace') END
LEFT JOIN pg_settings folder ON folder.name = 'data_directory'
WHERE datname = current_database()"""
SIZE = """
SELECT coalesce(sum(pg_total_relation_size(to_regclass(quote_ident(name)))), 0)::bigint
FROM unnest({names}::text[]) AS name"""


@dataclass(frozen=True)
class Disk:
    """The one that new relations are put on, and that of PostgreSQL's log.

    None as a folder where it cannot be seen.
    """

    folder: str | None
    log: str | None

    @classmethod
    def of_new_relations(cls) -> Self:
        found = fetch(FOLDER)  # nothing where default_tablespace names none
        if not found or not connection.connection.info.host.startswith("/"):
            return cls(None, None)
        folder, data = found[0]
        return cls(folder, data and f"{data}/pg_wal")

    def check(self, table: str, rows: int) -> None:
        """NoRoom where another version of so many rows is known not to fit."""
        _require(self.folder, _size(table, rows), f"{table}: another version needs")
        self.check_log()

    def check_while_copying(self, table: str, copied: int) -> None:
        """NoRoom where indexes would not fit after so many bytes of rows.

        PostgreSQL must not come to the end of a disk that has its log, too: it stops then, and
        cannot start again.
        """
        _require(self.folder, LATER * copied, f"{table}: its indexes, and PostgreSQL's log, need")

    def check_log(self) -> None:
        """NoRoom where PostgreSQL's log has less than what is kept free for it.

        It is asked all the time while a version is made, as others fill disks too.
        """
        _require(self.log, settings.DISK_RESERVE, "PostgreSQL's log needs (DISK_RESERVE_MIB)")


def _require(folder: str | None, needed: int, what: str) -> None:
    free = _free(folder)
    if free is not None and free < needed:
        there = f"PostgreSQL's disk has {free:,} bytes free"
        raise NoRoom(f"{what} {needed:,} bytes, and {there}.", advice=CURE)


def _free(folder: str | None) -> int | None:
    """Bytes that PostgreSQL can still write; None where that is not known."""
    if folder is None:
        return None
    try:
        disk = os.statvfs(folder)
    except OSError:  # a socket that leads out of a container, or a folder in a closed one
        return None
    return disk.f_bavail * disk.f_frsize


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


def _size(table: str, rows: int) -> int:
    """The bytes of the last version, or of as many of its rows: a larger one needs more."""
    last = TableVersion.objects.filter(table=table, published_at__isnull=False).first()
    if last is None or not last.rows:
        return 0
    ((size,),) = fetch(SIZE, names=sql.Literal([last.relation, last.long_rows, last.dictionary]))
    return int(size) * min(rows, last.rows) // last.rows
