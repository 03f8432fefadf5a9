"""A result for the template: a table, and the pages and counts around it."""

from dataclasses import dataclass, replace
from typing import Any

from flights import versions
from flights.mirror import Field, public
from flights.models import TableVersion
from flights.pages import formatting
from flights.pages.formatting import kind
from flights.query.counting import Facets
from flights.query.paging import Page, Row
from flights.query.query import Query

from . import counts, facets, removals
from .counts import Counted
from .state import State


@dataclass(frozen=True)
class Result:
    """What the explorer shows: a page of a query, the number of matches, and facets."""

    query: Query
    version: TableVersion
    page: Page
    matches: Counted  # rows or groups
    rows: Counted  # that meet the filters
    facets: Facets | None  # None if they are counted later
    removals: list[str]  # filters of an empty result without which rows match


@dataclass(frozen=True)
class Head:
    title: str
    meaning: str
    unit: str
    number: bool
    sorted: str  # ascending, descending, none
    link: str  # sorted by it, or the other way round


@dataclass(frozen=True)
class Cell:
    text: str | None  # None for the rows without a value
    number: bool
    link: str = ""  # of the rows of a group
    exact: str = ""  # the number with all digits, where the text has two decimals


def read(state: State) -> Result:
    """What the explorer shows. Raises the errors of `Query`."""
    query = state.query()
    return versions.read(state.model, lambda version: _read(state, query, version))


def _read(state: State, query: Query, version: TableVersion) -> Result:
    page = query.page(version)
    matches = counts.of(query, version, page, state.is_complete)
    empty = not (page.rows or query.offset) and bool(state.filters)
    return Result(
        query,
        version,
        page,
        matches,
        counts.rows(query, version, matches, state.is_complete),
        counts.facets(query, version, state.is_complete),
        removals.helpful(state, version) if empty else [],
    )


def context(state: State, result: Result) -> dict[str, Any]:
    """For the template."""
    around = {**_page(state, result), **facets.context(state, result.facets)}
    if state.view == "chart":
        return around
    heads = [_head(state, field) for field in result.query.columns]
    return {**around, "heads": heads, "rows": [_row(state, heads, row) for row in result.page.rows]}


def _row(state: State, heads: list[Head], row: Row) -> list[Cell]:
    cells = [_cell(head, value) for head, value in zip(heads, row.values(), strict=True)]
    if link := state.rows_of_group(row):
        cells[0] = replace(cells[0], link=link)
    return cells


def _cell(head: Head, value: Any) -> Cell:
    if value is None:
        return Cell(None, head.number)
    exact = formatting.value(value)
    if not head.number:
        return Cell(exact, head.number)
    text = formatting.figure(value)
    return Cell(text, head.number, exact="" if text == exact else exact)


def _page(state: State, result: Result) -> dict[str, Any]:
    limit, offset, count = result.query.limit, result.query.offset, len(result.page.rows)
    next_link = state.link({"offset": str(offset + limit)}) if result.page.next else None
    return {
        "count": count,
        "first": formatting.number(offset + 1),
        "last": formatting.number(offset + count),
        "total": result.matches.text,
        "words": counts.in_words(result.rows, result.version.rows, state.rows),
        "later": result.matches.later or result.rows.later or result.facets is None,
        "grouped": state.grouping is not None,
        "number": result.version.number,
        "version": result.version,
        "next": next_link,
        "previous": _previous(state, offset, limit),
        "removals": result.removals,
    }


def _previous(state: State, offset: int, limit: int) -> str | None:
    before = max(0, offset - limit)
    return state.link({"offset": str(before) if before else None}) if offset else None


def _head(state: State, field: Field) -> Head:
    name, number = public(field), kind(field) == "number"
    first = state.params.get("order_by", "").split(",")[0].strip()
    now = "none"
    if first.removeprefix("-").lower() == name.lower():
        now = "descending" if first.startswith("-") else "ascending"
    # The first click sorts numbers from the largest on, and names from A to Z.
    descends = now == "ascending" or (now == "none" and number)
    link = state.link({"order_by": f"-{name}" if descends else name, "offset": None})
    unit = state.units.unit(field)
    return Head(formatting.title(field), str(field.help_text), unit, number, now, link)
