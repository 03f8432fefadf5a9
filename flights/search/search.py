"""Search of every column of every table: `GET /api/search?q=boston delta`.

Words are looked up among each version's distinct values, and rows found by those values. A row has
to hold every word, each in any column. A word that no table holds is taken for a typo.
"""

from collections.abc import Iterator
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
from flights.errors import BadQuery, NeverTransferred
from flights.mirror import MirroredTable, public
from flights.models import TableVersion
from flights.query import cost, params
from flights.tables import TABLES
from flights.web import caching
from flights.web.openapi import Texts
from flights.web.params import once, required
from flights.web.problems import first_errors, problems
from flights.web.renderers import JSON, Browsable

from . import dictionary, highlight
from .dictionary import Found, Value

LONGEST, WORDS = 100, 8  # characters and words of a query
ROWS = 10  # values and rows of each table in an answer, unless a limit is given
MOST = 100
PARAMETERS = {"q", "table", "limit", "offset", "format"}
VALUES = 1_000  # by which rows are found, of each word in each table

ABOUT_Q = f"Words with spaces between: at most {WORDS}, of {LONGEST} characters together."
ABOUT_LIMIT = f"Values and rows of each table: {ROWS} where it is not given, {MOST} at most."

type Model = type[MirroredTable]


class Fragment(serializers.Serializer[Any]):
    """A piece of a text."""

    text = serializers.CharField()
    found = serializers.BooleanField(help_text="Whether it is what was looked for.")


class FoundValue(serializers.Serializer[Any]):
    """A value of a column that holds a word."""

    column = serializers.CharField()
    value = serializers.CharField()
    fragments = Fragment(many=True)
    rows = serializers.IntegerField(help_text="How many rows have it.")
    alike = serializers.BooleanField(help_text="Whether it is only much like the word.")
    url = serializers.CharField(help_text="The rows that have it.")


class FoundTable(serializers.Serializer[Any]):
    """What one table holds of the words."""

    table = serializers.CharField()
    version = serializers.IntegerField()
    values_found = serializers.IntegerField(help_text="However many are listed.")
    values = FoundValue(many=True)
    columns = Texts()
    rows = serializers.ListField(
        child=serializers.ListField(child=serializers.JSONField()),
        help_text="The first that hold every word: their values in the order of `columns`.",
    )


class SearchAnswer(serializers.Serializer[Any]):
    query = serializers.CharField(help_text="The words as they are looked for.")
    limit = serializers.IntegerField()
    offset = serializers.IntegerField()
    tables = FoundTable(many=True)


@dataclass(frozen=True)
class Asked:
    models: list[Model]
    text: str
    limit: int
    offset: int


@dataclass(frozen=True)
class Hits:
    """What one version has of each word."""

    model: Model
    version: TableVersion
    words: dict[str, Found]

    def rows(self, limit: int, offset: int = 0) -> list[list[Any]]:
        """The rows that hold every word, in the table's order."""
        if not all(found.values for found in self.words.values()):
            return []
        named = [field.name for field in self.model.columns()]
        rows = versions.rows(self.model, self.version)
        held = rows.filter(reduce(and_, (_among(self.model, f) for f in self.words.values())))
        page = held.order_by(*(f.name for f in self.model.sequence())).values_list(*named)[
            offset : offset + limit
        ]
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
    """Values and rows that hold all words, the best first."""

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
            OpenApiParameter("table", enum=tables.NAMES, description="Only this one."),
            OpenApiParameter("limit", int, description=ABOUT_LIMIT),
            OpenApiParameter("offset", int, description="Without the first values and rows."),
        ],
        responses={200: SearchAnswer, **problems(400, 401, 403, 404, 406, 414, 429, 503)},
    )
    def get(self, request: Request) -> Response:
        given = once(request.query_params)
        if unknown := given.keys() - PARAMETERS:
            raise BadQuery(f"There is no parameter {min(unknown)[:80]!r}.", sorted(PARAMETERS))
        asked = read(given)

        def answer() -> Response:
            there = list(_published(asked.models))
            headers = caching.headers(request, [version for _, version in there])
            headers["X-AirSense-Limit"] = str(asked.limit)
            if len(there) < len(asked.models):
                headers["Cache-Control"] = "no-store"  # it changes when they are transferred
            if caching.unchanged(request, headers):
                return Response(status=304, headers=headers)
            return Response(found(asked, there), headers=headers)

        return versions.twice(answer)


class AdvancedSearch(APIView):
    """POST {"query": "chicago"}: the first rows of each table that hold it in any column.

    The form of the first AirSense: each row is an object, and tables without such a row are left
    out. Whatever the case, and numbers as they are written: "10" finds 10.35.
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
        tables = versions.twice(lambda: _first_rows(text))
        if not tables:
            raise NotFound("No matching records found.")
        return Response(tables, headers={"X-AirSense-Limit": str(MOST)})


def read(given: dict[str, str]) -> Asked:
    return Asked(
        _wanted(given.get("table")),
        _text(given.get("q")),
        min(params.whole_number(given, "limit", ROWS), MOST),
        params.offset(given),
    )


def found(asked: Asked, there: list[tuple[Model, TableVersion]]) -> dict[str, Any]:
    """What some versions hold of the words."""
    words = _words(asked.text)
    told = [_told(hits, asked.limit, asked.offset) for hits in _search(there, words)]
    query = " ".join(words)
    return {"query": query, "limit": asked.limit, "offset": asked.offset, "tables": told}


def _first_rows(text: str) -> dict[str, dict[str, Any]]:
    """Of each table that has some, the first rows that hold the whole text."""
    word = dictionary.folded(text)
    tables = {}
    for model, version in _published(TABLES):
        if rows := _held(model, version, [word]).rows(MOST):
            names = [public(field) for field in model.columns()]
            objects = [dict(zip(names, row, strict=True)) for row in rows]
            tables[version.table] = {"columns": names, "rows": objects}
    return tables


def _text(given: Any) -> str:
    if not isinstance(given, str) or not 0 < len(given.strip()) <= LONGEST or "\0" in given:
        raise BadQuery(f'Give q=, or {{"query": "..."}}: a text of 1 to {LONGEST} characters.')
    return given.strip()


def _words(given: Any) -> list[str]:
    words = list(dict.fromkeys(dictionary.folded(_text(given)).split()))
    if not 0 < len(words) <= WORDS:
        raise BadQuery(f"q has {len(words)} words. Give 1 to {WORDS}.")
    return words


def _wanted(name: str | None) -> list[Model]:
    return [tables.by_name(name)] if name else TABLES


def _published(models: list[Model]) -> Iterator[tuple[Model, TableVersion]]:
    """The tables that have a version, and which."""
    for model in models:
        with suppress(NeverTransferred):
            yield model, versions.seen(model)


def _search(there: list[tuple[Model, TableVersion]], words: list[str]) -> list[Hits]:
    """Words that nowhere are held are typos: then values with words much like them are found."""
    found = [_held(model, version, words) for model, version in there]
    for word in words:
        if not any(hits.words[word].values for hits in found):
            for hits in found:
                hits.words[word] = dictionary.alike(hits.version, word, VALUES)
    return found


def _held(model: Model, version: TableVersion, words: list[str]) -> Hits:
    return Hits(model, version, {w: dictionary.holding(version, w, VALUES) for w in words})


def _among(model: Model, found: Found) -> Q:
    """Rows with one of the values."""
    fields = model.columns()
    by_field: dict[int, list[Any]] = {}
    for value in found.values:
        by_field.setdefault(value.field, []).append(fields[value.field].to_python(value.text))
    # PostgreSQL does not know where in the table the values are, and would read it from its begin.
    first, last = min(v.first for v in found.values), max(v.last for v in found.values)
    holding = reduce(or_, (Q(**{f"{fields[i].name}__in": v}) for i, v in by_field.items()))
    return Q(id__gte=first, id__lte=last) & holding


def _told(hits: Hits, limit: int, offset: int) -> dict[str, Any]:
    values = _ranked(hits)
    return {
        "table": hits.version.table,
        "version": hits.version.number,
        "values_found": sum(found.total for found in hits.words.values()),
        "values": [_value(hits, value) for value in values[offset : offset + limit]],
        "columns": [public(field) for field in hits.model.columns()],
        "rows": hits.rows(limit, offset),
    }


def _ranked(hits: Hits) -> list[Value]:
    """The best values of any word, each once."""
    best: dict[tuple[int, str], Value] = {}
    for value in sorted(
        (v for found in hits.words.values() for v in found.values),
        key=lambda v: (-v.score, -v.rows, v.field, v.text),
    ):
        best.setdefault((value.field, value.text), value)
    return list(best.values())


def _value(hits: Hits, value: Value) -> dict[str, Any]:
    name = public(hits.model.columns()[value.field])
    return {
        "column": name,
        "value": value.text,
        "fragments": highlight.split(value.text, hits.words),
        "rows": value.rows,
        "alike": value.score < 1,
        "url": f"/api/{hits.version.table}/?{urlencode({name: value.text})}",
    }
