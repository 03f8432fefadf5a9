"""The matching rows of a table for the search page, with the matching parts marked."""

from dataclasses import dataclass
from typing import Any

from flights import links
from flights.mirror import Field, public
from flights.search import highlight, search
from flights.search.dictionary import Value
from flights.search.table_matches import TableMatches

from . import formatting

ROWS, VALUES = 5, 5  # of each table
COLUMNS = 7  # of each table, besides those that match

type Matching = dict[str, dict[str, Value]]  # by column and text


@dataclass(frozen=True)
class Hit:
    """A matching value, and the explorer with its rows."""

    title: str
    fragments: list[dict[str, Any]]  # of `highlight.split`
    rows: str
    link: str


@dataclass(frozen=True)
class Cell:
    fragments: list[dict[str, Any]]  # empty: there is no value
    number: bool


@dataclass(frozen=True)
class Table:
    name: str
    title: str
    count: str  # "852 rows"
    api: str | None
    explorer: str | None
    values: list[Hit]
    more_values: int
    heads: list[tuple[str, bool]]  # titles, and whether the column has numbers
    rows: list[list[Cell]]


def table(match: TableMatches) -> Table | None:
    """The hits of a table; None if no row matches."""
    if not (rows := match.rows(ROWS)):
        return None
    name, params, ranked = match.version.table, match.params, match.ranked()
    fields = match.model.columns()
    shown = _shown(match, fields, rows, ranked)
    matching = _matching(fields, ranked)
    return Table(
        name=name,
        title=str(match.model._meta.verbose_name).capitalize(),
        count=_count(match),
        api=links.rows(name, params) if params else None,
        explorer=links.explorer(name, params) if params else None,
        values=[_hit(match, fields[value.field], value) for value in ranked[:VALUES]],
        more_values=len(ranked) - len(ranked[:VALUES]),
        heads=[
            (formatting.title(fields[n]), formatting.kind(fields[n]) == "number") for n in shown
        ],
        rows=[[_cell(match, fields[n], row[n], matching) for n in shown] for row in rows],
    )


def _count(match: TableMatches) -> str:
    number, is_estimate = match.count()
    if is_estimate:
        return f"about {float(f'{number:.2g}'):,.0f} rows"
    return formatting.count(number, "row")


def _shown(
    match: TableMatches, fields: list[Field], rows: list[list[Any]], ranked: list[Value]
) -> list[int]:
    """The positions of the first columns, and of those that match."""
    matching = {value.field for value in ranked}
    empty = {n for n in range(len(fields)) if all(row[n] is None for row in rows)}
    first = [n for n in range(len(fields)) if n not in empty][:COLUMNS]
    return sorted({*first, *(matching - empty)})


def _matching(fields: list[Field], ranked: list[Value]) -> Matching:
    matching: Matching = {}
    for value in ranked:
        matching.setdefault(public(fields[value.field]), {})[value.text] = value
    return matching


def _hit(match: TableMatches, field: Field, value: Value) -> Hit:
    return Hit(
        formatting.title(field),
        highlight.split(value.text, search.marked(match, value)),
        formatting.count(value.rows, "row"),
        links.explorer(match.version.table, {public(field): value.text}),
    )


def _cell(match: TableMatches, field: Field, value: Any, matching: Matching) -> Cell:
    number = formatting.kind(field) == "number"
    if value is None:
        return Cell([], number)
    hit = matching.get(public(field), {}).get(str(value))
    if hit is None:
        return Cell([{"text": formatting.value(value), "found": False}], number)
    return Cell(highlight.split(str(value), search.marked(match, hit)), number)
