"""A file: the rows of a query of one version, in a format."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from flights.models import TableVersion
from flights.query.query import Query
from flights.versions import READER

from . import compression
from .copy_out import CopyReader
from .formats import Format

MOST = 2**62  # rows; with an offset it still is one of PostgreSQL's numbers


@dataclass(frozen=True)
class File:
    """The rows from the query's offset to the client's own limit, or to the end without one.

    Each reading writes the same bytes.
    """

    format: Format
    query: Query
    version: TableVersion
    packed: str = ""

    @property
    def name(self) -> str:
        return f"{self.version.relation}.{self.format.name}"

    @property
    def limit(self) -> int | None:
        """The client's own limit in rows; None: all rows."""
        limit = self.query.own_limit
        return None if limit is None else min(limit, MOST)

    def number(self, reader: CopyReader) -> int:
        """The number of rows in the file: the rows of a version never change."""
        if self.query.is_unfiltered:
            matches = self.version.rows
        else:
            matches = reader.count(self.query.matches(self.version).order_by())
        end = matches if self._end is None else min(self._end, matches)
        return max(0, end - self.query.offset)

    @cached_property
    def statement(self) -> tuple[str, Any]:
        """The SQL of the rows, and its values."""
        rows = self.query.select(self.version)[self.query.offset : self._end]
        # Without elide_empty=False Django would make no SQL for a limit of 0.
        sql, values = rows.query.get_compiler(READER, elide_empty=False).as_sql()
        return sql, values

    def chunks(self, reader: CopyReader) -> Iterator[bytes]:
        sql, values = self.statement
        fields = self.query.columns
        copied = reader.rows(self.format.statement(sql, fields), values)
        return compression.compress(self.format.write(copied, fields), self.packed)

    @property
    def _end(self) -> int | None:
        return None if self.limit is None else self.query.offset + self.limit
