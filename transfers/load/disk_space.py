"""Check whether PostgreSQL's disk has room for another version.

PostgreSQL does not report free disk space. If it runs on this machine (reached through a Unix
socket), this module reads the free space of its folders. Otherwise nothing is checked in advance,
and PostgreSQL reports the full disk.
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

ADVICE = (
    "Nothing was published. Free space on its disk, keep fewer versions (VERSIONS_KEPT), or let"
    " PostgreSQL place new ones on another disk (ALTER DATABASE ... SET default_tablespace); then"
    " start it again."
)
# Bytes of indexes and of PostgreSQL's log (WAL) for each byte of CSV. Measured: 1.7 for
# flight_delay_data.
INDEX_RATIO = 2
# The folder of new relations, and PostgreSQL's data folder, which only roles that may read all
# settings see.
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
    """The folders of new relations and of PostgreSQL's log (WAL); None if they are not known."""

    folder: str | None
    log: str | None

    @classmethod
    def of_new_relations(cls) -> Self:
        """Return the disk of the tablespace in which PostgreSQL creates relations now."""
        rows = fetch(FOLDER)  # empty if default_tablespace does not exist
        if not rows or not connection.connection.info.host.startswith("/"):
            return cls(None, None)
        folder, data = rows[0]
        return cls(folder, data and f"{data}/pg_wal")

    def check(self, table: str, rows: int) -> None:
        """NoRoom if another version with this many rows does not fit."""
        _require(self.folder, _size(table, rows), f"{table}: another version needs")
        self.check_log()

    def check_while_copying(self, table: str, copied: int) -> None:
        """NoRoom if the indexes for the `copied` bytes of CSV would not fit.

        If the disk of its log becomes full, PostgreSQL stops and cannot start again:
        https://www.postgresql.org/docs/current/disk-full.html
        """
        _require(
            self.folder, INDEX_RATIO * copied, f"{table}: its indexes, and PostgreSQL's log, need"
        )

    def check_log(self) -> None:
        """NoRoom if PostgreSQL's log has less free space than DISK_RESERVE_MIB.

        Call this repeatedly during a load, because other programs fill the disk, too.
        """
        _require(self.log, settings.DISK_RESERVE, "PostgreSQL's log needs (DISK_RESERVE_MIB)")


def _require(folder: str | None, needed: int, what: str) -> None:
    free = _free(folder)
    if free is not None and free < needed:
        problem = f"{what} {needed:,} bytes, but PostgreSQL's disk has {free:,} bytes free."
        raise NoRoom(problem, advice=ADVICE)


def _free(folder: str | None) -> int | None:
    """Return the free bytes on the disk of a folder; None if they are not known."""
    if folder is None:
        return None
    try:
        disk = os.statvfs(folder)
    except OSError:  # PostgreSQL runs in another container, or the folder is not readable
        return None
    return disk.f_bavail * disk.f_frsize


@contextmanager
def reported() -> Iterator[None]:
    """Report PostgreSQL's error about a full disk as NoRoom."""
    try:
        yield
    except OperationalError as error:
        if not isinstance(error.__cause__, DiskFull):
            raise
        why = error.__cause__.diag.message_primary
        raise NoRoom(f"PostgreSQL's disk is full: {why}.", advice=ADVICE) from error


def _size(table: str, rows: int) -> int:
    """Estimate a version's bytes from the last one, but never above it; 0 without a last one."""
    last = TableVersion.objects.filter(table=table, published_at__isnull=False).first()
    if last is None or not last.rows:
        return 0
    ((size,),) = fetch(SIZE, names=sql.Literal([last.relation, last.long_rows, last.dictionary]))
    return int(size) * min(rows, last.rows) // last.rows
