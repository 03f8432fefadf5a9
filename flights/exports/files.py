"""A file: the rows of a query of one version, in a format."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from flights.models import TableVersion
from flights.query.query import Query

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
    encoding: str = ""  # the Content-Encoding; "" for none

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
        rows = max(0, matches - self.query.offset)
        return rows if self.limit is None else min(self.limit, rows)

    @cached_property
    def statement(self) -> tuple[str, Any]:
        """The SQL of the rows, and its values."""
        return self.query.sql(self.version, self.limit)

    def chunks(self, reader: CopyReader) -> Iterator[bytes]:
        sql, values = self.statement
        fields = list(self.query.columns)
        statement = self.format.statement(sql, fields, self.version.formula_free or ())
        copied = reader.rows(statement, values)
        return compression.compress(self.format.write(copied, fields), self.encoding)
