"""What OpenAPI says of the query API, derived from the tables as the API itself is."""

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
from flights.query.grouping import NUMBERS
from flights.web.openapi import ApiSchema
from flights.web.problems import READING, problems

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
    "or": "Conditions `column:value` or `column__operator:value`, of which one has to hold.",
    "group_by": "One row for each group of equal values of these columns.",
    "aggregate": (
        "What is computed of each group: `count`, or `function:column` with one of `count"
        " count_distinct min max sum avg median p1` to `p99`."
    ),
    "having": "Conditions on what is computed, all of which have to hold.",
    "count": "The header X-AirSense-Count: all rows of the query.",
    "facets": "The most frequent values of these columns.",
}
STATED = {
    "ETag": "Changes with the version and the query.",
    "X-AirSense-Version": "The version that every row is of.",
    "X-AirSense-Limit": "The limit that held; `none` for a whole file.",
    "X-AirSense-More": "Whether there are rows behind the last one.",
    "X-AirSense-Count": "How many rows the query has, where `count` asks.",
}
WHOLE = ("limit", "offset")


class FacetValue(serializers.Serializer[Any]):
    """A value of a column, and how many rows of the query have it."""

    value = serializers.JSONField()
    rows = serializers.IntegerField()


class TableSchema(ApiSchema):
    """Of a table's rows: every column with its operators, every format, every problem."""

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
            f"{self.view.model.__doc__}\n\nA condition is `Column=value` or"
            f" `Column__operator=value`, and all have to hold. Operators of texts are {text}, of"
            f" other types the first {others}. Each negates with `not_` before it, as in"
            " `Column__not_in=`; `Column__not=` negates equality. Rows without a value are among"
            " those of a negation."
        )

    def get_override_parameters(self) -> list[Any]:
        return [*_parameters(self.view.model), *_conditions(self.view.model)]

    def _is_list_view(self, serializer: Any = None) -> bool:
        return False  # an answer is an object with a list in it

    def get_filter_backends(self) -> list[Any]:
        return []

    def get_response_serializers(self) -> Any:
        page = _page(self.view.model)
        return {(200, "application/json"): page, **files(200), **problems(*READING)}


def files(*codes: int) -> dict[tuple[int, str], OpenApiTypes]:
    return {(code, f.media_type): OpenApiTypes.BINARY for code in codes for f in FORMATS.values()}


def examples(model: type[MirroredTable]) -> dict[str, str]:
    """A value of each parameter that is hard to guess."""
    first = public(model.columns()[0])
    number = next((public(f) for f in model.columns() if isinstance(f, NUMBERS)), first)
    facets = [column(model, name) for name in model.mirror.facets]
    return {
        "columns": f"{first},{number}",
        "order_by": f"-{number}__nulls_first,{first}",
        "or": f"{number}__gte:10,{first}__isnull:true",
        "group_by": first,
        "aggregate": f"count,max:{number},p90:{number}",
        "having": "count__gte:1",
        **({"facets": ",".join(facets)} if facets else {}),
    }


def _parameters(model: type[MirroredTable]) -> Iterator[OpenApiParameter]:
    such = examples(model)
    for name, meaning in MEANINGS.items():
        choices = {"count": WAYS}.get(name)
        kind = OpenApiTypes.INT64 if name in WHOLE else OpenApiTypes.STR
        # Not as examples of OpenAPI: Swagger would ask all of them at once.
        said = f"{meaning} For example `{such[name]}`." if name in such else meaning
        yield OpenApiParameter(name, kind, description=said, enum=choices, allow_blank=True)
    formats = ["json", *FORMATS]
    yield OpenApiParameter("format", enum=formats, description="A page of rows, or a file of all.")
    for name, said in STATED.items():
        yield OpenApiParameter(name, location="header", description=said, response=[200])


def _conditions(model: type[MirroredTable]) -> Iterator[OpenApiParameter]:
    for field in model.columns():
        for lookup in [*operators.names(field), "not"]:
            name = public(field) if lookup == "exact" else f"{public(field)}__{lookup}"
            kind = {"in": OpenApiTypes.STR, "isnull": OpenApiTypes.BOOL}.get(
                lookup, _kind(field)[0]
            )
            yield OpenApiParameter(name, kind, description=f"{field.help_text}: {lookup}")


def _page(model: type[MirroredTable]) -> Any:
    row = inline_serializer(
        model.__name__,
        {
            public(f): _kind(f)[1](allow_null=f.null, required=False, help_text=meaning(model, f))
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
        "facets": serializers.DictField(child=FacetValue(many=True), required=False),
    }
    return inline_serializer(f"{model.__name__}Page", fields)


def meaning(model: type[MirroredTable], field: Field) -> str:
    unit = model.mirror.units.get(field.name)
    return f"{field.help_text} ({unit})" if unit else str(field.help_text)


def _kind(field: Field) -> tuple[OpenApiTypes, type[serializers.Field[Any, Any, Any, Any]]]:
    return next((kind, shown) for of, kind, shown in KINDS if isinstance(field, of))
