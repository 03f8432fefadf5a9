"""Admin pages of exports."""

from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.html import format_html
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from flights.exports import presentation, retention
from flights.models import Export

from .read_only import ReadOnly


@admin.register(Export)
class ExportAdmin(ReadOnly):
    """Show the progress and users of exports. Deleting one stops it and removes its file."""

    list_display = [
        *("version", "format", "state", "rows", "size", "asked_by", "asked_at", "expires_at"),
        *("file", "error"),
    ]
    list_filter = [("status", ChoicesDropdownFilter)]
    search_fields = ["table", "query", "askers__user", "askers__key__name"]
    exclude = ["claim", "due_at", "rows_done", "rows_total", "bytes"]
    readonly_fields = ["asked_by", "rows", "size", "file"]

    class Media:
        js = ["admin-live.js"]

    def get_queryset(self, request: HttpRequest) -> "models.QuerySet[Export]":
        exports: models.QuerySet[Export] = super().get_queryset(request)
        return exports.prefetch_related("askers__key")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(ModelAdmin.has_delete_permission(self, request, obj))

    def delete_model(self, request: HttpRequest, obj: Export) -> None:
        retention.remove([obj])

    def delete_queryset(self, request: HttpRequest, queryset: "models.QuerySet[Export]") -> None:
        retention.remove(queryset)

    @display(
        description="status",
        label={"done": "success", "failed": "danger", "running": "info", "expired": "warning"},
    )
    def state(self, export: Export) -> str:
        return presentation.status(export, timezone.now())

    @display(description="rows")
    def rows(self, export: Export) -> str:
        running = export.status == Export.Status.RUNNING and export.rows_total
        rows = f"{export.rows_done:,}" + (f" of {export.rows_total:,}" if running else "")
        return format_html("<div data-active>{}</div>", rows) if export.active else rows

    @display(description="size")
    def size(self, export: Export) -> str:
        return filesizeformat(export.bytes)

    @display(description="file")
    def file(self, export: Export) -> str:
        if presentation.status(export, timezone.now()) != Export.Status.DONE:
            return "-"
        return format_html('<a href="{}" download>download</a>', presentation.link(export))
