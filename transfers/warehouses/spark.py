"""A warehouse on Spark, over Spark Connect: tables of one schema, with versions in Parquet."""

import logging
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

from . import spark_files as files
from . import spark_sql as sql
from . import spark_tables as tables
from . import spark_versions as versions
from .spark_address import Address
from .spark_change import Change
from .spark_session import Session
from .spark_snapshot import Snapshot

log = logging.getLogger(__name__)


class Spark:
    """The tables of one schema. Implements `warehouses.Warehouse`."""

    def __init__(self, url: str, notify: Callable[[str], object] = log.info) -> None:
        self._address, self._checked = Address.of(url), False

    def tables(self) -> list[str]:
        with self._session() as session:
            return versions.tables(session)

    def version(self, table: str) -> str:
        with self._session() as session:
            return versions.current(session, table)

    @contextmanager
    def snapshot(
        self, table: str, json: Collection[str] = (), *, pinned: bool = True
    ) -> Iterator[Snapshot]:
        with self._session() as session:
            opened = _pinned if pinned else _copy
            with opened(session, table, json) as source:
                yield source

    @contextmanager
    def change(self) -> Iterator[Change]:
        with self._session() as session:
            versions.sweep(session)
            if folder := self._address.files:
                files.sweep(folder)
            change = Change(session)
            try:
                yield change
                change.flush()
            finally:
                change.discard()

    @contextmanager
    def _session(self) -> Iterator[Session]:
        with Session(self._address) as session:
            if not self._checked:
                session.check()
            self._checked = True
            yield session


@contextmanager
def _pinned(session: Session, table: str, json: Collection[str]) -> Iterator[Snapshot]:
    version = versions.current(session, table)
    with versions.removed(table):
        yield Snapshot(session, table, sql.name(version), version, json)


@contextmanager
def _copy(session: Session, table: str, json: Collection[str]) -> Iterator[Snapshot]:
    """Copy a table or view by one query, and open the copy; its version is its content."""
    copy = versions.new(sql.parts(table)[-1])
    versions.describe(session, table)
    try:
        tables.create(session, copy, "", sql.select("*", sql.table(table)))
        source = Snapshot(session, table, sql.name(copy), "", json)
        source.version = source.content()
        source.notes = [f"{table} was not read at a version: one query copied it in the warehouse"]
        yield source
    finally:
        session.execute(f"DROP TABLE IF EXISTS {sql.name(copy)}")
