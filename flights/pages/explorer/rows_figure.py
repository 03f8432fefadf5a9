"""The rows of the page as a figure, so that a query without a chart can be cited, too."""

from typing import Any

from flights.pages import formatting, table_rows
from flights.pages.charts import Figure, Rows
from flights.pages.charts.chart import Cell

from .results import Result
from .state import State

NAME = "rows"


def figure(state: State, result: Result) -> Figure:
    heads = [formatting.title(field) for field in result.query.columns]
    rows = [list(map(_cell, row.values())) for row in result.page.rows]
    return Figure(
        NAME,
        state.title,
        "; ".join(state.sentences) or "Rows of the whole table",
        Rows(heads, rows),
        table_rows.source(result.version),
        None,
        state.api,
    )


def _cell(value: Any) -> Cell:
    """Numbers stay numbers; dates and truth values become texts."""
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        return value
    return str(value)
