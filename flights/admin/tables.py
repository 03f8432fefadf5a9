"""Read-only admin pages of the mirrored tables, generated from their fields."""

from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from unfold.contrib.filters.admin import FieldTextFilter, RangeDateFilter, RangeNumericFilter
from unfold.paginator import InfinitePaginator

from flights.tables import TABLES

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

    def get_list_display(self, request: HttpRequest) -> list[str]:
        return [field.name for field in self.model.columns()]

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        return [
            (field.name, filter_)
            for field in self.model.columns()
            for type_, filter_ in FILTERS.items()
            if isinstance(field, type_)
        ]

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        return [f.name for f in self.model.columns() if isinstance(f, models.TextField)]


admin.site.register(TABLES, MirrorAdmin)
