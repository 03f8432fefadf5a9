"""Search every column of every table: `GET /api/search?q=boston delta`.

A text names things (airlines, airports, cities, flights, days; see `flights.entities`), and has
other words. Each is looked up in the search dictionary of each table's current version, and rows
are selected by the matching values. A row matches if it contains every term, each in any column. If
no table contains a word, values with similar words are used instead, because it may be a typing
error. A day matches only itself, and a code only the columns of its kind.
"""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from flights import entities, links, tables, versions
from flights.entities import Entity
from flights.errors import BadQuery, NeverTransferred
from flights.mirror import public
from flights.query.params import offset, whole_number
from flights.tables import TABLES

from . import dictionary, highlight, matching, terms
from .dictionary import Value
from .matching import CurrentVersions
from .table_matches import Model, Part, TableMatches
from .terms import WORDS, Term, Terms

LONGEST = 100  # characters of `q`
ROWS = 10  # default limit: values and rows of each table
MOST = 100  # largest limit

ABOUT_Q = (
    "Names, codes, flight numbers, dates and other words, separated by spaces: at most"
    f" {WORDS} of them and {LONGEST} characters."
)
ABOUT_LIMIT = f"Values and rows to return of each table: {ROWS} by default, at most {MOST}."


@dataclass(frozen=True)
class SearchQuery:
    """The validated parameters of a search."""

    models: list[Model]
    text: str
    limit: int
    offset: int


def read(params: dict[str, str]) -> SearchQuery:
    """Validate the parameters of a search; raises BadQuery (400) or UnknownTable (404)."""
    return SearchQuery(
        _models(params.get("table")),
        validated_text(params.get("q")),
        min(whole_number(params, "limit", ROWS), MOST),
        offset(params),
    )


def results(query: SearchQuery, current: CurrentVersions) -> dict[str, Any]:
    """Search some versions; returns the data of a `SearchAnswer`."""
    understood = terms.read(query.text)
    matches = matching.search(current, understood.terms)
    return {
        "query": " ".join(dict.fromkeys(dictionary.fold(query.text).split())),
        "understood": [_mention(understood, mention) for mention in understood.mentions],
        "routes": list(map(thing, understood.routes)),
        "close": list(map(thing, close(understood, matches))),
        "limit": query.limit,
        "offset": query.offset,
        "tables": [_table(match, query.limit, query.offset) for match in matches],
    }


def close(understood: Terms, matches: list[TableMatches]) -> list[Entity]:
    """What the text may mean instead; nothing if a row matches."""
    possible = any(match.is_possible for match in matches)
    return [] if possible else entities.close(understood.text, understood.mentions)


def first_rows(text: str) -> dict[str, dict[str, Any]]:
    """Return the first rows that contain the whole text, by table: names and row objects."""
    word = Term(dictionary.fold(text))
    tables = {}
    for model, version in current_versions(TABLES):
        parts = [Part(word, m) for m in matching.containing(model, version, word)]
        if rows := TableMatches(model, version, parts).rows(MOST):
            names = [public(field) for field in model.columns()]
            objects = [dict(zip(names, row, strict=True)) for row in rows]
            tables[version.table] = {"columns": names, "rows": objects}
    return tables


def validated_text(value: Any) -> str:
    """Return the text to search for, without surrounding spaces; raises BadQuery."""
    if not isinstance(value, str) or not 0 < len(value.strip()) <= LONGEST or "\0" in value:
        raise BadQuery(
            f'Send q=, or {{"query": "..."}}: a text of 1 to {LONGEST} characters without NUL.'
        )
    return value.strip()


def _models(name: str | None) -> list[Model]:
    return [tables.by_name(name)] if name else TABLES


def current_versions(models: list[Model]) -> CurrentVersions:
    """Return the tables that have a published version, with that version."""
    current = []
    for model in models:
        with suppress(NeverTransferred):
            current.append((model, versions.current_cached(model)))
    return current


def thing(entity: Entity) -> dict[str, Any]:
    """The data of a `Thing`."""
    return {
        "kind": entity.kind,
        "name": entity.label,
        "detail": entity.detail,
        "value": entity.value,
        "url": entity.url,
        "flights": entity.flights,
    }


def _mention(understood: Terms, mention: entities.Mention) -> dict[str, Any]:
    """The data of an `Understood`."""
    return {
        "text": understood.text[mention.start : mention.end],
        **thing(mention.entity),
        "exact": mention.exact,
        "others": list(map(thing, mention.others)),
    }


def _table(match: TableMatches, limit: int, offset: int) -> dict[str, Any]:
    """The data of a `FoundTable`."""
    table, params = match.version.table, match.params
    return {
        "table": table,
        "version": match.version.number,
        "values_found": sum(part.matches.total for part in match.parts),
        "values": [value(match, v) for v in match.ranked()[offset : offset + limit]],
        "columns": [public(field) for field in match.model.columns()],
        "rows": match.rows(limit, offset),
        "url": links.rows(table, params) if params else None,
        "explorer": links.explorer(table, params) if params else None,
    }


def value(match: TableMatches, value: Value) -> dict[str, Any]:
    """The data of a `FoundValue`."""
    name = public(match.model.columns()[value.field])
    return {
        "column": name,
        "value": value.text,
        "fragments": highlight.split(value.text, marked(match, value)),
        "rows": value.rows,
        "alike": value.score < 1,
        "url": links.rows(match.version.table, {name: value.text}),
    }


def marked(match: TableMatches, value: Value) -> list[str]:
    """What to mark in a value: the terms; all of it, if it equals one or is only similar."""
    whole = value.score == dictionary.SAME or value.score < 1
    return [*match.texts, *([highlight.fold(value.text)] if whole else [])]
