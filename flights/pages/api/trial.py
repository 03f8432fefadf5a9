"""The query that the form on `/api/` builds: its address and its first rows."""

from dataclasses import dataclass
from typing import Any

from django.http import QueryDict

from flights import tables
from flights.errors import BadQuery
from flights.mirror import Field, MirroredTable, public
from flights.pages import formatting, table_rows
from flights.query import operators
from flights.query.columns import Columns, of
from flights.query.operators import OPERATORS

LIMITS = ("3", "5", "10", "25")
LIMIT = "5"
# The values of the form before it is submitted.
FIRST = {
    "table": "busiest_airports_by_delays",
    "column": "Total_Arrivals",
    "operator": "gte",
    "value": "1000",
    "order_by": "-Avg_Arrival_Delay",
    "limit": "3",
}


@dataclass(frozen=True)
class Rows:
    heads: list[tuple[str, bool]]  # title, and whether the column has numbers
    cells: list[list[tuple[str | None, bool]]]
    version: str


@dataclass(frozen=True)
class Trial:
    """The state of the form."""

    model: type[MirroredTable]
    column: str  # of the filter; "" for none
    operator: str
    value: str
    order_by: str
    limit: str

    @property
    def table(self) -> str:
        return self.model._meta.db_table

    @property
    def columns(self) -> list[tuple[str, str]]:
        """Name and title of each column."""
        return [(public(field), formatting.title(field)) for field in self.model.columns()]

    @property
    def orders(self) -> list[tuple[str, str]]:
        """Each order with its label."""
        return [
            order
            for name, title in self.columns
            for order in ((name, f"{title}, ascending"), (f"-{name}", f"{title}, descending"))
        ]

    @property
    def params(self) -> dict[str, str]:
        """The parameters of the query."""
        name = self.column if self.operator == "exact" else f"{self.column}__{self.operator}"
        filters = {name: self.value} if self.column and self.value else {}
        order = {"order_by": self.order_by} if self.order_by else {}
        return {**filters, **order, "limit": self.limit}

    @property
    def link(self) -> str:
        return formatting.address(f"/api/{self.table}/", self.params)

    def rows(self) -> Rows:
        """The first rows. Raises the errors of `Query`."""
        table = table_rows.read(self.model, self.params)
        fields = self.model.columns()
        heads = [(formatting.title(field), _is_number(field)) for field in fields]
        cells = [list(map(_cell, fields, row.values())) for row in table.rows]
        return Rows(heads, cells, str(table.version))


def read(form: QueryDict) -> Trial:
    """The submitted form, or an example. Drops columns that the chosen table lacks.

    Raises UnknownTable.
    """
    values = {name: form.get(name, "").strip() for name in FIRST} if "table" in form else FIRST
    model = tables.by_name(values["table"])
    return Trial(
        model=model,
        column=_column(of(model), values["column"]),
        operator=values["operator"] if values["operator"] in choices() else "exact",
        value=values["value"],
        order_by=_column(of(model), values["order_by"]),
        limit=values["limit"] if values["limit"] in LIMITS else LIMIT,
    )


def choices() -> dict[str, str]:
    """Each operator with its label for people."""
    return {name: OPERATORS[name].label for name in operators.OF_TEXTS}


def _column(among: Columns, name: str) -> str:
    """The name of a column, with the `-` before it; "" if the table has no such column."""
    sign = "-" * name.startswith("-")
    try:
        return sign + public(among.find(name.removeprefix("-")))
    except BadQuery:
        return ""


def _cell(field: Field, value: Any) -> tuple[str | None, bool]:
    return (None if value is None else formatting.value(value)), _is_number(field)


def _is_number(field: Field) -> bool:
    return formatting.kind(field) == "number"
