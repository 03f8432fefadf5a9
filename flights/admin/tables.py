"""Read-only admin pages of the mirrored tables, generated from their fields."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from unfold.contrib.filters.admin import FieldTextFilter, RangeDateFilter, RangeNumericFilter
from unfold.paginator import InfinitePaginator

from flights.mirror import Field, Mirror, MirroredTable
from flights.tables import TABLES

from . import formats
from .read_only import ReadOnly

# Filter of each type of column.
FILTERS: dict[type["models.Field[Any, Any]"], type[admin.FieldListFilter]] = {
    models.TextField: FieldTextFilter,
    models.DateField: RangeDateFilter,
    models.IntegerField: RangeNumericFilter,
    models.FloatField: RangeNumericFilter,
    models.DecimalField: RangeNumericFilter,
    models.BooleanField: admin.BooleanFieldListFilter,
}


class MirrorAdmin(ReadOnly):
    """List the rows of the current version with all columns."""

    paginator = InfinitePaginator  # counting a large table takes longer than reading a page
    ordering = ["id"]

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return [_column(field, self.model.mirror) for field in self.model.columns()]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return self.get_list_display(request)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return self.get_list_display(request)

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        return [
            (field.name, filter_)
            for field in self.model.columns()
            for type_, filter_ in FILTERS.items()
            if isinstance(field, type_)
        ]

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        return [f.name for f in self.model.columns() if isinstance(f, models.TextField)]


def _column(field: Field, mirror: Mirror) -> Callable[[MirroredTable], str]:
    """Return a sortable column with its unit in the title."""
    unit = mirror.units.get(field.name, "")
    title = f"{field.verbose_name} ({unit})" if unit else str(field.verbose_name)

    def column(row: MirroredTable) -> str:
        return _text(getattr(row, field.name), unit)

    return formats.titled(column, title, field.name)


def _text(value: Any, unit: str) -> str:
    """Format a value; a number without a unit may be a year or a flight number."""
    if value is None:
        return formats.NONE
    if isinstance(value, datetime):  # a local time: it has no zone
        return f"{formats.day(value)}, {value:%H:%M}"
    if isinstance(value, date):
        return formats.day(value)
    is_amount = unit and isinstance(value, int | float) and not isinstance(value, bool)
    return f"{value:,}" if is_amount else str(value)


admin.site.register(TABLES, MirrorAdmin)
