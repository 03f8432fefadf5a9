"""What a query asks of a table, read from its parameters and checked against its columns.

`columns=City,Total_Arrivals` `order_by=-Total_Arrivals,City` `limit=10` `offset=20`; every other
parameter is a filter, which `flights.filters` reads.
"""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F
from django.db.models.expressions import OrderBy

from .errors import BadQuery
from .mirror import RESERVED, MirroredTable, named, public

type Field = models.Field[Any, Any]
type Rows = list[dict[str, Any]]  # keyed by public names
MAX_OFFSET = 2**63 - 1  # PostgreSQL's


@dataclass(frozen=True)
class Query:
    """Columns, order and page of a query; its filters are applied before."""

    columns: list[Field]
    order: list[OrderBy]
    limit: int
    offset: int

    def page(self, rows: "models.QuerySet[Any]") -> tuple[Rows, bool]:
        """The asked rows, and whether there are more."""
        found = list(self.select(rows)[self.offset : self.offset + self.limit + 1])
        names = [public(field) for field in self.columns]
        return [dict(zip(names, row, strict=True)) for row in found[: self.limit]], (
            len(found) > self.limit
        )

    def select(self, rows: "models.QuerySet[Any]") -> "models.QuerySet[Any]":
        """All rows in the asked order, as tuples of the asked columns."""
        return rows.order_by(*self.order, "id").values_list(*(f.name for f in self.columns))


def read(model: type[MirroredTable], parameters: dict[str, str]) -> Query:
    limit = _whole("limit", parameters.get("limit"), settings.DEFAULT_LIMIT)
    return Query(
        columns=_columns(model, parameters.get("columns", "")),
        order=_order(model, parameters.get("order_by", "")),
        limit=min(limit, settings.MAX_LIMIT),
        offset=_whole("offset", parameters.get("offset"), 0),
    )


def filters(parameters: dict[str, str]) -> dict[str, str]:
    """The parameters that are filters: all that mean nothing else."""
    return {name: value for name, value in parameters.items() if name not in RESERVED}


def column(model: type[MirroredTable], name: str) -> Field:
    """The column of a public name, whatever its case; BadQuery names those there are."""
    fields = named(model)
    try:
        return fields[name.strip().lower()]
    except KeyError:
        table = model._meta.db_table
        raise BadQuery(
            f"{table} has no column {name.strip()!r}.", [public(field) for field in fields.values()]
        ) from None


def _columns(model: type[MirroredTable], names: str) -> list[Field]:
    if names.strip() in ("", "*"):
        return model.columns()
    asked = [column(model, name) for name in names.split(",")]
    return list(dict.fromkeys(asked))


def _order(model: type[MirroredTable], names: str) -> list[OrderBy]:
    return [_direction(model, name.strip()) for name in names.split(",") if name.strip()]


def _direction(model: type[MirroredTable], name: str) -> OrderBy:
    field = F(column(model, name.removeprefix("-")).name)
    # Empty values come last both ways: people who sort want to see values.
    return field.desc(nulls_last=True) if name.startswith("-") else field.asc(nulls_last=True)


def _whole(name: str, value: str | None, default: int) -> int:
    if not value:
        return default
    if not (value.isascii() and value.isdigit() and len(value) < 20 and int(value) <= MAX_OFFSET):
        raise BadQuery(f"{name}: {value[:40]!r} is not a whole number of 0 or more.")
    return int(value)
