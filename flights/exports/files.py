"""What is in a file: the rows of a query of one version, in a format."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db import models

from flights.models import TableVersion
from flights.query.query import Query, whole_number
from flights.versions import READER

from . import compression
from .copy_out import Copying
from .formats import Format

MOST = 2**62  # rows; with an offset it is still a number of PostgreSQL's


@dataclass(frozen=True)
class File:
    """A query's rows from its offset to its own limit, or to the end where it has none.

    Each reading writes the same bytes.
    """

    format: Format
    asked: Query
    rows: "models.QuerySet[Any]"  # filtered
    version: TableVersion
    limit: int | None
    packed: str = ""

    @property
    def name(self) -> str:
        return f"{self.version.relation}.{self.format.name}"

    def number(self, copying: Copying) -> int:
        """How many rows it will have: a version does not change while it is counted."""
        if self.asked.takes_all(self.rows):
            there = self.version.rows
        else:
            there = copying.count(self.asked.matching(self.rows).order_by())
        end = there if self._end is None else min(self._end, there)
        return max(0, end - self.asked.offset)

    @cached_property
    def query(self) -> tuple[str, Any]:
        """Its SQL and values."""
        chosen = self.asked.select(self.rows)[self.asked.offset : self._end]
        # Also of a limit of 0, of which Django would make none.
        sql, values = chosen.query.get_compiler(READER, elide_empty=False).as_sql()
        return sql, values

    def chunks(self, copying: Copying) -> Iterator[bytes]:
        sql, values = self.query
        fields = self.asked.columns
        copied = copying.rows(self.format.statement(sql, fields), values)
        return compression.pack(self.format.write(copied, fields), self.packed)

    @property
    def _end(self) -> int | None:
        return None if self.limit is None else self.asked.offset + self.limit


def limit(parameters: dict[str, str]) -> int | None:
    """A query's own limit; None where it has none."""
    return min(whole_number(parameters, "limit", 0), MOST) if parameters.get("limit") else None
