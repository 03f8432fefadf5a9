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
from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from flights import tables, versions
from flights.access.throttles import Throttle
from flights.errors import BadQuery, NeverTransferred, UnknownTable
from flights.mirror import MirroredTable, public
from flights.models import TableVersion
from flights.query import cost
from flights.query.query import once, required, skipped, whole_number
from flights.tables import TABLES
from flights.web import caching
from flights.web.openapi import Texts
from flights.web.problems import first_errors, problems
from flights.web.renderers import JSON, Browsable

from . import dictionary, highlight
from .dictionary import Matches, Value

LONGEST = 100  # characters of `q`
WORDS = 8  # most words of `q`
ROWS = 10  # default limit: values and rows of each table
MOST = 100  # largest limit
PARAMETERS = {"q", "table", "limit", "offset", "format"}
VALUES = 1_000  # most values of each word and table that rows are selected by

ABOUT_Q = f"Words separated by spaces: at most {WORDS} words and {LONGEST} characters."
ABOUT_LIMIT = f"Values and rows to return of each table: {ROWS} by default, at most {MOST}."

type Model = type[MirroredTable]
type Published = list[tuple[Model, TableVersion]]


class Fragment(serializers.Serializer[Any]):
    """A piece of a value's text."""

    text = serializers.CharField()
    found = serializers.BooleanField(help_text="Whether this piece matches a word.")


class FoundValue(serializers.Serializer[Any]):
    """A value of a column that matches a word."""

    column = serializers.CharField()
    value = serializers.CharField()
    fragments = Fragment(many=True)
    rows = serializers.IntegerField(help_text="Number of rows with this value.")
    alike = serializers.BooleanField(
        help_text="Whether the value contains a similar word instead of the word itself."
    )
    url = serializers.CharField(help_text="Query that returns the rows with this value.")


class FoundTable(serializers.Serializer[Any]):
    """The matching values and rows of one table."""

    table = serializers.CharField()
    version = serializers.IntegerField()
    values_found = serializers.IntegerField(
        help_text="Number of matching values, including those that are not listed."
    )
    values = FoundValue(many=True)
    columns = Texts()
    rows = serializers.ListField(
        child=serializers.ListField(child=serializers.JSONField()),
        help_text="The first rows that contain every word; values in the order of `columns`.",
    )


class SearchAnswer(serializers.Serializer[Any]):
    query = serializers.CharField(help_text="The words in lower case and without accents.")
    limit = serializers.IntegerField()
    offset = serializers.IntegerField()
    tables = FoundTable(many=True)


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


FIRST_ROWS = {
    "type": "object",
    "properties": {
        "columns": {"type": "array", "items": {"type": "string"}},
        "rows": {"type": "array", "items": {"type": "object", "additionalProperties": {}}},
    },
    "required": ["columns", "rows"],
}


class Search(APIView):
    """Values and rows that contain the words, the best matches first."""

    authentication_classes = []
    permission_classes = [AllowAny]
    throttle_classes = [Throttle]
    throttle_scope = "search"
    renderer_classes = [JSON, Browsable]

    @extend_schema(
        operation_id="search",
        tags=["Search"],
        parameters=[
            OpenApiParameter("q", required=True, description=ABOUT_Q),
            OpenApiParameter("table", enum=tables.NAMES, description="Search only this table."),
            OpenApiParameter("limit", int, description=ABOUT_LIMIT),
            OpenApiParameter("offset", int, description="Skip the first values and rows."),
        ],
        responses={200: SearchAnswer, **problems(400, 401, 403, 404, 406, 414, 429, 503)},
    )
    def get(self, request: Request) -> Response:
        params = once(request.query_params)
        if unknown := params.keys() - PARAMETERS:
            raise BadQuery(f"There is no parameter {min(unknown)[:80]!r}.", sorted(PARAMETERS))
        query = read(params)
        return versions.with_retry(lambda: self.respond(query))

    def respond(self, query: SearchQuery) -> Response:
        published = _published(query.models)
        headers = caching.headers(self.request, [version for _, version in published])
        headers["X-AirSense-Limit"] = str(query.limit)
        if len(published) < len(query.models):
            # A first transfer would change the response, but not the versions in its ETag.
            headers["Cache-Control"] = "no-store"
        if caching.unchanged(self.request, headers):
            return Response(status=304, headers=headers)
        return Response(results(query, published), headers=headers)


class AdvancedSearch(APIView):
    """POST {"query": "chicago"}: the first rows of each table that contain the text in any column.

    Each row is an object; tables without a matching row are left out. Case is ignored, and numbers
    are compared as text: "10" matches 10.35.
    """

    first_shape = True
    authentication_classes = []
    permission_classes = [AllowAny]
    throttle_classes = [Throttle]
    throttle_scope = "search"

    @extend_schema(
        operation_id="advanced_search",
        tags=["First AirSense"],
        request=inline_serializer("AdvancedSearch", {"query": serializers.CharField()}),
        responses={
            200: {"type": "object", "additionalProperties": FIRST_ROWS},
            **first_errors(400, 401, 403, 404, 406, 415, 429, 503),
            **problems(413, 414),
        },
    )
    def post(self, request: Request) -> Response:
        text = _text(required(request, "query"))
        tables = versions.with_retry(lambda: _first_rows(text))
        if not tables:
            raise NotFound("No matching records found.")
        return Response(tables, headers={"X-AirSense-Limit": str(MOST)})


def read(params: dict[str, str]) -> SearchQuery:
    """Validate the parameters of a search; raises BadQuery (400) or UnknownTable (404)."""
    return SearchQuery(
        _models(params.get("table")),
        _text(params.get("q")),
        min(whole_number(params, "limit", ROWS), MOST),
        skipped(params),
    )


def results(query: SearchQuery, published: Published) -> dict[str, Any]:
    """Search some versions; returns the data of a `SearchAnswer`."""
    words = _words(query.text)
    matches = _search(published, words)
    return {
        "query": " ".join(words),
        "limit": query.limit,
        "offset": query.offset,
        "tables": [_table(match, query.limit, query.offset) for match in matches],
    }


def _first_rows(text: str) -> dict[str, dict[str, Any]]:
    """The first rows that contain the whole text, by table."""
    word = dictionary.fold(text)
    tables = {}
    for model, version in _published(TABLES):
        if rows := _match(model, version, [word]).rows(MOST):
            names = [public(field) for field in model.columns()]
            objects = [dict(zip(names, row, strict=True)) for row in rows]
            tables[version.table] = {"columns": names, "rows": objects}
    return tables


def _text(value: Any) -> str:
    if not isinstance(value, str) or not 0 < len(value.strip()) <= LONGEST or "\0" in value:
        raise BadQuery(
            f'Send q=, or {{"query": "..."}}: a text of 1 to {LONGEST} characters without NUL.'
        )
    return value.strip()


def _words(text: str) -> list[str]:
    words = list(dict.fromkeys(dictionary.fold(_text(text)).split()))
    if not 0 < len(words) <= WORDS:
        raise BadQuery(f"q has {len(words)} words. Use 1 to {WORDS}.")
    return words


def _models(name: str | None) -> list[Model]:
    try:
        return [tables.by_name(name)] if name else TABLES
    except tables.UnknownName as error:
        raise UnknownTable(str(error), tables.NAMES) from None


def _published(models: list[Model]) -> Published:
    """The tables that have a published version, with that version."""
    published = []
    for model in models:
        with suppress(NeverTransferred):
            published.append((model, versions.current_cached(model)))
    return published


def _search(published: Published, words: list[str]) -> list[TableMatches]:
    """Match the words; a word that no table contains is replaced by similar words."""
    matches = [_match(model, version, words) for model, version in published]
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
