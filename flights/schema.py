"""What OpenAPI says of the query API, derived from the tables as the API itself is."""

from collections.abc import Iterator
from typing import Any

from django.db import models
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    inline_serializer,
)
from rest_framework import serializers

from .errors import PROBLEM
from .exports import FORMATS
from .filters import lookups
from .mirror import Field, MirroredTable, public

type Fields = dict[str, serializers.Field[Any, Any, Any, Any]]

# The exact class first: DateTimeField is a DateField, and BooleanField no number.
KINDS: list[tuple[type[Field], OpenApiTypes, type[serializers.Field[Any, Any, Any, Any]]]] = [
    (models.IntegerField, OpenApiTypes.INT64, serializers.IntegerField),
    (models.FloatField, OpenApiTypes.DOUBLE, serializers.FloatField),
    (models.BooleanField, OpenApiTypes.BOOL, serializers.BooleanField),
    (models.DateTimeField, OpenApiTypes.DATETIME, serializers.DateTimeField),
    (models.DateField, OpenApiTypes.DATE, serializers.DateField),
    (models.Field, OpenApiTypes.STR, serializers.CharField),
]
MEANINGS = {
    "columns": "Only these columns, with commas between.",
    "order_by": "Columns to sort by; `-` before a name descends, `__nulls_first` may follow it.",
    "limit": "At most so many rows.",
    "offset": "Without the first rows.",
    "cursor": "Pages by the last row's values: empty to begin, then as `next` says.",
    "or": "Conditions `column:value,column__lookup:value` of which one has to hold.",
    "group_by": "One row for each group of equal values of these columns.",
    "aggregate": "What is computed of each group: `count,avg:column,p90:column`.",
    "having": "Only groups for which this holds: `count__gte:100`.",
    "count": "The header X-AirSense-Count: all rows of the query.",
    "facets": "The most frequent values of these columns.",
}
WHOLE = ("limit", "offset")
PROBLEMS = {
    400: "Something unknown, or a value that does not fit its column.",
    404: "There is no such table.",
    410: "The cursor's version is not kept any more.",
    429: "Too many requests: see Retry-After.",
    503: "Not transferred yet, took too long, or too many exports: see Retry-After.",
}


class TableSchema(AutoSchema):
    """Of a table's rows: every column with its operators, every format, every problem."""

    view: Any

    def get_operation_id(self) -> str:
        return str(self.view.model._meta.db_table)

    def get_tags(self) -> list[str]:
        return ["Tables"]

    def get_summary(self) -> str:
        return str(self.view.model._meta.verbose_name).capitalize()

    def get_description(self) -> str:  # type: ignore[override]  # spectacular's
        return f"{self.view.model.__doc__}\n\nEach operator negates with `not_` before it."

    def get_override_parameters(self) -> list[Any]:
        return [*_parameters(self.view.model), *_conditions(self.view.model)]

    def _is_list_view(self, serializer: Any = None) -> bool:
        return False  # an answer is an object with a list in it

    def get_filter_backends(self) -> list[Any]:
        return []

    def get_response_serializers(self) -> Any:
        page = _page(self.view.model)
        files = {(200, f.media_type): OpenApiTypes.BINARY for f in FORMATS.values()}
        return {(200, "application/json"): page, **files, **problems()}


class Problem(serializers.Serializer[Any]):
    """RFC 9457."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    allowed = serializers.ListField(child=serializers.CharField(), required=False)


def problems(*codes: int) -> dict[tuple[int, str], OpenApiResponse]:
    told = {"type": "about:blank", "title": "Bad Request", "status": 400, "allowed": ["City"]}
    example = OpenApiExample(
        "An unknown column", {**told, "detail": "There is no column 'Town'."}, status_codes=["400"]
    )
    return {
        (code, PROBLEM): OpenApiResponse(Problem, PROBLEMS[code], [example] if code == 400 else [])
        for code in codes or PROBLEMS
    }


def _parameters(model: type[MirroredTable]) -> Iterator[OpenApiParameter]:
    first = public(model.columns()[0])
    for name, meaning in MEANINGS.items():
        choices = {"count": ["exact", "estimated"]}.get(name)
        kind = OpenApiTypes.INT64 if name in WHOLE else OpenApiTypes.STR
        example = [OpenApiExample(first, first)] if name in ("columns", "order_by") else []
        yield OpenApiParameter(
            name, kind, description=meaning, enum=choices, examples=example, allow_blank=True
        )
    formats = ["json", "api", *FORMATS]
    yield OpenApiParameter("format", enum=formats, description="The answer as a page, or a file.")


def _conditions(model: type[MirroredTable]) -> Iterator[OpenApiParameter]:
    for field in model.columns():
        for lookup in lookups(field):
            name = public(field) if lookup == "exact" else f"{public(field)}__{lookup}"
            kind = {"in": OpenApiTypes.STR, "isnull": OpenApiTypes.BOOL}.get(
                lookup, _kind(field)[0]
            )
            yield OpenApiParameter(name, kind, description=f"{field.help_text}: {lookup}")


def _page(model: type[MirroredTable]) -> Any:
    row = inline_serializer(
        model.__name__,
        {
            public(f): _kind(f)[1](allow_null=f.null, required=False, help_text=f.help_text)
            for f in model.columns()
        },
        many=True,
    )
    link: dict[str, Any] = {"allow_null": True, "help_text": "Relative to this address."}
    fields: Fields = {
        "table": serializers.CharField(),
        "version": serializers.IntegerField(),
        "limit": serializers.IntegerField(),
        "offset": serializers.IntegerField(required=False),
        "next": serializers.CharField(**link),
        "previous": serializers.CharField(**link),
        "results": row,
        "facets": serializers.DictField(child=serializers.JSONField(), required=False),
    }
    return inline_serializer(f"{model.__name__}Page", fields)


def _kind(field: Field) -> tuple[OpenApiTypes, type[serializers.Field[Any, Any, Any, Any]]]:
    return next((kind, shown) for of, kind, shown in KINDS if isinstance(field, of))
