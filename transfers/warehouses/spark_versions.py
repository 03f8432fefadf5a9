"""The versions of a table that Spark keeps in Parquet, without Delta.

A table NAME is a view: SELECT * FROM airsense_v_TIME_ID_NAME. Each change writes another table (a
version) and then makes it current by ALTER VIEW, which is one update of the catalogue. So a reader
sees the old or the new version, and one that has begun continues with its own.

A change drops the versions that have not been current for a day, and those that a killed change
left a day ago: until then a reader may have them. If two changes change the same table at once, the
one that finishes later fails as busy (`switch`).
"""

import re
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from transfers.exceptions import SourceMissing, VersionRemoved, WarehouseBusy, WarehouseError

from . import missing
from . import spark_sql as sql
from .spark_failures import MISSING
from .spark_session import Session

VERSION, LOCK = "airsense_v_", "airsense_lock_"
NAME = re.compile(VERSION + r"(\d{20})_[0-9a-f]{32}_(.+)")
TEXT = re.compile(r"SELECT \* FROM `(" + NAME.pattern + ")`")  # noqa: S608  # a pattern
TIME = "%Y%m%d%H%M%S%f"
RETENTION = timedelta(days=1)  # of superseded versions; longer than any transfer takes
LOCKED = timedelta(minutes=5)  # longer than two statements of the catalogue take
WAIT = 1.0  # seconds before a change tries again to get a lock


def new(table: str) -> str:
    """Return a name for a version of a table."""
    return f"{VERSION}{datetime.now(UTC):{TIME}}_{uuid.uuid4().hex}_{table.lower()}"


def tables(session: Session) -> list[str]:
    """Return the names of the tables of the schema, sorted, without versions and locks."""
    return _tables_among(_names(session))


def current(session: Session, table: str) -> str:
    """Return the current version of a table; SourceMissing if there is no such table."""
    try:
        described = describe(session, table)
    except SourceMissing:
        raise missing(table, tables(session)) from None
    match = TEXT.fullmatch(described.get("View Text", ""))
    if not match:
        raise WarehouseError(
            f"{table} has no versions, because AirSense did not make it.",
            advice="Declare pinned=False in the model's Mirror (and inspect it with"
            " `inspectwarehouse --unpinned`). Then a transfer reads it once, into a table of its"
            " own.",
        )
    return match[1]


def current_or_none(session: Session, table: str) -> str | None:
    """Return the current version of a table; None if there is no such table."""
    try:
        return current(session, table)
    except SourceMissing:
        return None


def describe(session: Session, table: str) -> dict[str, str]:
    """Return the catalogue's details of a table; SourceMissing if there is no such table."""
    try:
        rows = session.run(f"DESCRIBE TABLE EXTENDED {sql.table(table)}").to_pylist()
    except WarehouseError as error:
        if MISSING in str(error):
            raise SourceMissing(str(error)) from None
        raise
    names = [row["col_name"] for row in rows]
    details = rows[names.index("# Detailed Table Information") :]
    return {row["col_name"]: row["data_type"] for row in details}


def switch(session: Session, table: str, old: str | None, version: str) -> None:
    """Make a version the current one instead of `old`; WarehouseBusy if `old` is not current."""
    query = sql.select("*", sql.name(version))
    with locked(session, table):
        if current_or_none(session, table) != old:
            raise WarehouseBusy(
                f"{table} was changed by another process meanwhile.", advice="Try again."
            )
        verb = "ALTER" if old else "CREATE"
        session.execute(f"{verb} VIEW {sql.name(table)} AS {query}")


def sweep(session: Session) -> None:
    """Drop versions that nobody can be reading."""
    names, limit = _names(session), datetime.now(UTC) - RETENTION
    old = [name for name, last in _superseded(names) if last < limit]
    if not old:
        return
    used = {current_or_none(session, name) for name in _tables_among(names)}
    for name in old:
        if name not in used:
            session.execute(f"DROP TABLE IF EXISTS {sql.name(name)}")


@contextmanager
def removed(table: str) -> Iterator[None]:
    """Raise VersionRemoved for a statement that does not find the version that it reads."""
    try:
        yield
    except WarehouseError as error:
        if VERSION in str(error) and MISSING in str(error):
            raise VersionRemoved(
                f"the version of {table} that is read was dropped.", advice="Transfer it again."
            ) from None
        raise


@contextmanager
def locked(session: Session, table: str) -> Iterator[None]:
    """Hold the lock of a table. It is a view, because the catalogue allows only one of each name.

    Waits while another change holds the lock, and drops the lock of a killed process.
    """
    lock = f"{LOCK}{table.lower()}"
    while not _create(session, lock):
        began = _began(session, lock)
        if began and datetime.now(UTC) - began > LOCKED:
            session.execute(f"DROP VIEW IF EXISTS {sql.name(lock)}")
        elif began:
            time.sleep(WAIT)
    try:
        yield
    finally:
        session.execute(f"DROP VIEW IF EXISTS {sql.name(lock)}")


def _superseded(names: list[str]) -> Iterator[tuple[str, datetime]]:
    """Yield each version, and when its table's next one began; for the newest, its own begin."""
    following: dict[str, datetime] = {}
    matches = [match for name in sorted(names, reverse=True) if (match := NAME.fullmatch(name))]
    for match in matches:
        began = datetime.strptime(match[1], TIME).replace(tzinfo=UTC)
        yield match[0], following.get(match[2], began)
        following[match[2]] = began


def _names(session: Session) -> list[str]:
    rows = session.run(f"SHOW TABLES IN {session.address.namespace}").to_pylist()
    return sorted(row["tableName"] for row in rows if not row["isTemporary"])


def _tables_among(names: list[str]) -> list[str]:
    return [name for name in names if not name.startswith((VERSION, LOCK))]


def _create(session: Session, lock: str) -> bool:
    """Create a lock; False if it exists."""
    began = f"{datetime.now(UTC):{TIME}}"
    try:
        session.execute(f"CREATE VIEW {sql.name(lock)} COMMENT '{began}' AS SELECT 1 AS n")
    except WarehouseBusy:
        return False
    return True


def _began(session: Session, lock: str) -> datetime | None:
    """Return when a lock was created; None if it no longer exists."""
    try:
        comment = describe(session, lock)["Comment"]
    except SourceMissing:
        return None
    return datetime.strptime(comment, TIME).replace(tzinfo=UTC)
