"""Mirrored tables in the admin: to look at, never to change. All follows from the declaration."""

from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import FieldTextFilter, RangeDateFilter, RangeNumericFilter
from unfold.paginator import InfinitePaginator

from .tables import TABLES

# How a column of each type is filtered.
FILTERS: dict[type["models.Field[Any, Any]"], type[admin.FieldListFilter]] = {
    models.TextField: FieldTextFilter,
    models.DateField: RangeDateFilter,
    models.IntegerField: RangeNumericFilter,
    models.FloatField: RangeNumericFilter,
    models.DecimalField: RangeNumericFilter,
    models.BooleanField: admin.BooleanFieldListFilter,
}


class ReadOnly(ModelAdmin):
    """A list and a page of each row, without anything to change."""

    list_filter_submit = True
    list_fullwidth = True
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class MirrorAdmin(ReadOnly):
    """Rows of the current version, with every column of the table."""

    paginator = InfinitePaginator  # COUNT(*) of a big table costs more than its page
    ordering = ["id"]

    def get_list_display(self, request: HttpRequest) -> list[str]:
        return [field.name for field in self.model.columns()]

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        return [
            (field.name, kind)
            for field in self.model.columns()
            for type_, kind in FILTERS.items()
            if isinstance(field, type_)
        ]

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        return [f.name for f in self.model.columns() if isinstance(f, models.TextField)]


admin.site.register(TABLES, MirrorAdmin)
