"""Mirrored tables in the admin, to look at, never to change, and the exports of their rows."""

from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.html import format_html
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import (
    ChoicesDropdownFilter,
    FieldTextFilter,
    RangeDateFilter,
    RangeNumericFilter,
)
from unfold.decorators import display
from unfold.paginator import InfinitePaginator

from .exports import keeping, shown
from .models import Export
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


@admin.register(Export)
class ExportAdmin(ReadOnly):
    """How far each is and who asked; deleting one removes its file, and stops what makes it."""

    list_display = [
        *("version", "format", "state", "rows", "size", "asked_by", "asked_at", "expires_at"),
        *("file", "error"),
    ]
    list_filter = [("status", ChoicesDropdownFilter)]
    search_fields = ["table", "query", "asked_by"]
    exclude = ["claim", "due_at", "rows_done", "rows_total", "bytes"]
    readonly_fields = ["rows", "size", "file"]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(ModelAdmin.has_delete_permission(self, request, obj))

    def delete_model(self, request: HttpRequest, obj: Export) -> None:
        keeping.remove([obj])

    def delete_queryset(self, request: HttpRequest, queryset: "models.QuerySet[Export]") -> None:
        keeping.remove(queryset)

    @display(
        description="status",
        label={"done": "success", "failed": "danger", "running": "info", "expired": "warning"},
    )
    def state(self, export: Export) -> str:
        return shown.status(export, timezone.now())

    @display(description="rows")
    def rows(self, export: Export) -> str:
        running = export.status == Export.Status.RUNNING and export.rows_total
        return f"{export.rows_done:,}" + (f" of {export.rows_total:,}" if running else "")

    @display(description="size")
    def size(self, export: Export) -> str:
        return filesizeformat(export.bytes)

    @display(description="file")
    def file(self, export: Export) -> str:
        if shown.status(export, timezone.now()) != Export.Status.DONE:
            return "-"
        return format_html('<a href="{}" download>download</a>', shown.link(export))


admin.site.register(TABLES, MirrorAdmin)
