"""OpenAPI operations of the tables' rows, generated from the models like the API itself."""

from collections.abc import Iterator
from typing import Any

from django.db import models
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, inline_serializer
from rest_framework import serializers

from flights.exports import FORMATS
from flights.mirror import Field, MirroredTable, column, public
from flights.query import operators
from flights.query.counting import WAYS
from flights.query.measures import NUMBERS
from flights.web.openapi import ApiSchema
from flights.web.problems import READING, problems

type Fields = dict[str, serializers.Field[Any, Any, Any, Any]]

# OpenAPI type and serializer field of each model field. The first match counts, so DateTimeField
# must come before its base class, DateField.
TYPES: list[tuple[type[Field], OpenApiTypes, type[serializers.Field[Any, Any, Any, Any]]]] = [
    (models.IntegerField, OpenApiTypes.INT64, serializers.IntegerField),
    (models.FloatField, OpenApiTypes.DOUBLE, serializers.FloatField),
    (models.BooleanField, OpenApiTypes.BOOL, serializers.BooleanField),
    (models.DateTimeField, OpenApiTypes.DATETIME, serializers.DateTimeField),
    (models.DateField, OpenApiTypes.DATE, serializers.DateField),
    (models.Field, OpenApiTypes.STR, serializers.CharField),
]
MEANINGS = {
    "columns": "Comma-separated columns to return.",
    "order_by": "Columns to sort by: `-Name` descends, `Name__nulls_first` puts nulls first.",
    "limit": "Maximum number of rows.",
    "offset": "Number of rows to skip.",
    "cursor": "Position of a page: empty for the first page, then the value in the link `next`.",
    "count": "How to count all rows of the query for the header X-AirSense-Count.",
    "facets": "The most frequent values of these columns, with their counts.",
    "group_by": "Columns to group by. `month:Column` and `year:Column` group dates.",
    "aggregate": (
        "Values to compute for each group: `count` or `function:column`. Functions: `count"
        " count_distinct min max sum avg median p1` to `p99`, `disc1` to `disc99` (not"
        " interpolated), `percent:A/B` (of sums), `share:Column__gte:30` (of rows)."
    ),
    "having": "Conditions on computed values; all must be true.",
    "or": "Conditions `column:value` or `column__operator:value`; at least one must be true.",
}
ABOUT_FORMAT = "`json` returns a page of rows; other formats return a file of all rows."
HEADERS = {
    "ETag": "Changes with the version and the query.",
    "X-AirSense-Version": "The version of the table that all rows are from.",
    "X-AirSense-Limit": "The limit used; `none` for a file of all rows.",
    "X-AirSense-More": "Whether more rows follow.",
    "X-AirSense-Count": "Number of all rows of the query, if `count` is set.",
}
INTEGERS = ("limit", "offset")


class FacetValue(serializers.Serializer[Any]):
    """A value of a column, and the number of rows of the query that have it."""

    value = serializers.JSONField()
    rows = serializers.IntegerField()


class TableSchema(ApiSchema):
    """Describe the operation that reads a table, with all filters, formats and errors."""

    view: Any

    def get_operation_id(self) -> str:
        return str(self.view.model._meta.db_table)

    def get_tags(self) -> list[str]:
        return ["Tables"]

    def get_summary(self) -> str:
        return str(self.view.model._meta.verbose_name).capitalize()

    def get_description(self) -> str:  # type: ignore[override]  # spectacular's
        text = ", ".join(f"`{name}`" for name in operators.OF_TEXTS)
        others = len(operators.OF_OTHERS)
        return (
            f"{self.view.model.__doc__}\n\nFilter by `Column=value` or `Column__operator=value`;"
            f" rows must match all filters. Operators of texts: {text}. Other types have the first"
            f" {others}. `not_` before an operator negates it, as in `Column__not_in=`;"
            " `Column__not=` negates equality. A negated filter also matches rows without a value."
        )

    def get_override_parameters(self) -> list[Any]:
        return [*_parameters(self.view.model), *_conditions(self.view.model)]

    def _is_list_view(self, serializer: Any = None) -> bool:
        return False  # the response is an object that contains the list

    def get_filter_backends(self) -> list[Any]:
        return []

    def get_response_serializers(self) -> Any:
        page = _page(self.view.model)
        return {(200, "application/json"): page, **files(200), **problems(*READING)}


def files(*codes: int) -> dict[tuple[int, str], OpenApiTypes]:
    """OpenAPI responses with a file in each format, for each status code."""
    return {(code, f.media_type): OpenApiTypes.BINARY for code in codes for f in FORMATS.values()}


def examples(model: type[MirroredTable]) -> dict[str, str]:
    """A valid example value of each parameter whose syntax is hard to guess, by parameter name."""
    first = public(model.columns()[0])
    numbers = [public(f) for f in model.columns() if isinstance(f, NUMBERS)]
    number = (numbers or [first])[0]
    facets = [column(model, name) for name in model.mirror.facets]
    return {
        "columns": f"{first},{number}",
        "order_by": f"-{number}__nulls_first,{first}",
        "or": f"{number}__gte:10,{first}__isnull:true",
        "group_by": first,
        "aggregate": f"count,max:{number}" + (f",p90:{number}" if numbers else ""),
        "having": "count__gte:1",
        **({"facets": ",".join(facets)} if facets else {}),
    }


def _parameters(model: type[MirroredTable]) -> Iterator[OpenApiParameter]:
    values = examples(model)
    for name, text in MEANINGS.items():
        choices = {"count": WAYS}.get(name)
        type_ = OpenApiTypes.INT64 if name in INTEGERS else OpenApiTypes.STR
        # Not as `example`: Swagger UI would send all examples at once.
        example = f" For example `{values[name]}`." if name in values else ""
        yield OpenApiParameter(
            name, type_, description=text + example, enum=choices, allow_blank=True
        )
    yield OpenApiParameter("format", enum=["json", *FORMATS], description=ABOUT_FORMAT)
    for name, text in HEADERS.items():
        yield OpenApiParameter(name, location="header", description=text, response=[200])


def _conditions(model: type[MirroredTable]) -> Iterator[OpenApiParameter]:
    for field in model.columns():
        for lookup in [*operators.names(field), "not"]:
            name = public(field) if lookup == "exact" else f"{public(field)}__{lookup}"
            type_ = {"in": OpenApiTypes.STR, "isnull": OpenApiTypes.BOOL}.get(
                lookup, _types(field)[0]
            )
            yield OpenApiParameter(name, type_, description=f"{field.help_text}: {lookup}")


def _page(model: type[MirroredTable]) -> Any:
    row = inline_serializer(
        model.__name__,
        {
            public(f): _types(f)[1](allow_null=f.null, required=False, help_text=meaning(model, f))
            for f in model.columns()
        },
        many=True,
    )
    link: dict[str, Any] = {"allow_null": True, "help_text": "Relative to this URL."}
    fields: Fields = {
        "table": serializers.CharField(),
        "version": serializers.IntegerField(),
        "limit": serializers.IntegerField(),
        "offset": serializers.IntegerField(required=False),
        "next": serializers.CharField(**link),
        "previous": serializers.CharField(**link),
        "results": row,
        "facets": serializers.DictField(child=FacetValue(many=True), required=False),
    }
    return inline_serializer(f"{model.__name__}Page", fields)


def meaning(model: type[MirroredTable], field: Field) -> str:
    """The meaning of a column with its unit, such as "Average delay (minutes)"."""
    unit = model.mirror.units.get(field.name)
    return f"{field.help_text} ({unit})" if unit else str(field.help_text)


def _types(field: Field) -> tuple[OpenApiTypes, type[serializers.Field[Any, Any, Any, Any]]]:
    """The OpenAPI type of a column, and the class of its serializer field."""
    return next((type_, serializer) for of, type_, serializer in TYPES if isinstance(field, of))
