"""Search every column of every table: `GET /api/search?q=boston delta`.

Each word is looked up in the search dictionary of each table's current version, and rows are
selected by the matching values. A row matches if it contains every word, each in any column. If no
table contains a word, values with similar words are used instead, because it may be a typing error.
"""

from contextlib import suppress
from dataclasses import dataclass
from functools import reduce
from operator import and_, or_
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q

from flights import tables, versions
from flights.errors import BadQuery, NeverTransferred
from flights.mirror import MirroredTable, public
from flights.models import TableVersion
from flights.query import cost
from flights.query.params import offset, whole_number
from flights.tables import TABLES

from . import dictionary, highlight
from .dictionary import Matches, Value

LONGEST = 100  # characters of `q`
WORDS = 8  # most words of `q`
ROWS = 10  # default limit: values and rows of each table
MOST = 100  # largest limit
VALUES = 1_000  # most values of each word and table that rows are selected by

ABOUT_Q = f"Words separated by spaces: at most {WORDS} words and {LONGEST} characters."
ABOUT_LIMIT = f"Values and rows to return of each table: {ROWS} by default, at most {MOST}."

type Model = type[MirroredTable]
type CurrentVersions = list[tuple[Model, TableVersion]]


@dataclass(frozen=True)
class SearchQuery:
    """The validated parameters of a search."""

    models: list[Model]
    text: str
    limit: int
    offset: int


@dataclass(frozen=True)
class TableMatches:
    """The matching values of one version, by word."""

    model: Model
    version: TableVersion
    words: dict[str, Matches]

    def rows(self, limit: int, offset: int = 0) -> list[list[Any]]:
        """Return the rows that contain every word, in the order of the table."""
        if not all(matches.values for matches in self.words.values()):
            return []
        conditions = (_condition(self.model, matches) for matches in self.words.values())
        matching = versions.rows(self.model, self.version).filter(reduce(and_, conditions))
        names = [field.name for field in self.model.columns()]
        ordered = matching.order_by(*(f.name for f in self.model.sequence())).values_list(*names)
        page = ordered[offset : offset + limit]
        return [list(row) for row in cost.fetch(page, self.version)]


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
    words = _words(query.text)
    matches = _search(current, words)
    return {
        "query": " ".join(words),
        "limit": query.limit,
        "offset": query.offset,
        "tables": [_table(match, query.limit, query.offset) for match in matches],
    }


def first_rows(text: str) -> dict[str, dict[str, Any]]:
    """Return the first rows that contain the whole text, by table: names and row objects."""
    word = dictionary.fold(text)
    tables = {}
    for model, version in current_versions(TABLES):
        if rows := _match(model, version, [word]).rows(MOST):
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


def _words(text: str) -> list[str]:
    words = list(dict.fromkeys(dictionary.fold(text).split()))
    if not 0 < len(words) <= WORDS:
        raise BadQuery(f"q has {len(words)} words. Use 1 to {WORDS}.")
    return words


def _models(name: str | None) -> list[Model]:
    return [tables.by_name(name)] if name else TABLES


def current_versions(models: list[Model]) -> CurrentVersions:
    """Return the tables that have a published version, with that version."""
    current = []
    for model in models:
        with suppress(NeverTransferred):
            current.append((model, versions.current_cached(model)))
    return current


def _search(current: CurrentVersions, words: list[str]) -> list[TableMatches]:
    """Match the words; a word that no table contains is replaced by similar words."""
    matches = [_match(model, version, words) for model, version in current]
    for word in words:
        if not any(match.words[word].values for match in matches):
            for match in matches:
                match.words[word] = dictionary.similar(match.version, word, VALUES)
    return matches


def _match(model: Model, version: TableVersion, words: list[str]) -> TableMatches:
    values = {word: dictionary.containing(version, word, VALUES) for word in words}
    return TableMatches(model, version, values)


def _condition(model: Model, matches: Matches) -> Q:
    """Select the rows with one of the values in its column."""
    fields = model.columns()
    by_field: dict[int, list[Any]] = {}
    for value in matches.values:
        by_field.setdefault(value.field, []).append(fields[value.field].to_python(value.text))
    any_value = reduce(or_, (Q(**{f"{fields[i].name}__in": v}) for i, v in by_field.items()))
    # Bound the ids, so that PostgreSQL does not scan the table from its first row.
    first, last = min(v.first for v in matches.values), max(v.last for v in matches.values)
    return Q(id__gte=first, id__lte=last) & any_value


def _table(match: TableMatches, limit: int, offset: int) -> dict[str, Any]:
    """The data of a `FoundTable`."""
    return {
        "table": match.version.table,
        "version": match.version.number,
        "values_found": sum(matches.total for matches in match.words.values()),
        "values": [_value(match, value) for value in _ranked(match)[offset : offset + limit]],
        "columns": [public(field) for field in match.model.columns()],
        "rows": match.rows(limit, offset),
    }


def _ranked(match: TableMatches) -> list[Value]:
    """The matching values of all words, the best first, each once."""
    best: dict[tuple[int, str], Value] = {}
    for value in sorted(
        (value for matches in match.words.values() for value in matches.values),
        key=lambda value: (-value.score, -value.rows, value.field, value.text),
    ):
        best.setdefault((value.field, value.text), value)
    return list(best.values())


def _value(match: TableMatches, value: Value) -> dict[str, Any]:
    """The data of a `FoundValue`."""
    name = public(match.model.columns()[value.field])
    return {
        "column": name,
        "value": value.text,
        "fragments": highlight.split(value.text, match.words),
        "rows": value.rows,
        "alike": value.score < 1,
        "url": f"/api/{match.version.table}/?{urlencode({name: value.text})}",
    }
