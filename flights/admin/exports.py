"""Admin pages of exports."""

from typing import Any

from django.contrib import admin
from django.db import models
from django.db.models.functions import Now
from django.http import HttpRequest
from django.utils.html import format_html
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from flights import claims
from flights.exports import presentation, retention
from flights.models import Export

from . import formats
from .read_only import Live

REQUESTED, STARTED, FINISHED, EXPIRES = formats.columns(
    asked_at="requested",
    started_at="started",
    finished_at="ended",
    expires_at="file is deleted",
)


@admin.register(Export)
class ExportAdmin(Live):
    """Show the progress and users of exports. Deleting one stops it and removes its file."""

    list_display = [
        *("version", "format", "state", "rows", "size", "requester", REQUESTED, EXPIRES),
        *("file", "error"),
    ]
    list_filter = [("status", ChoicesDropdownFilter)]
    search_fields = ["table", "query", "requesters__user", "requesters__key__name"]
    fields = [
        *("version", "format", "query", "state", "rows", "size", "requester", REQUESTED, STARTED),
        *(FINISHED, EXPIRES, "attempts", "digest", "file", "error"),
    ]
    readonly_fields = [
        *("version", "state", "rows", "size", "requester", "file"),
        *(REQUESTED, STARTED, FINISHED, EXPIRES),
    ]

    def get_queryset(self, request: HttpRequest) -> "models.QuerySet[Export]":
        exports: models.QuerySet[Export] = super().get_queryset(request)
        return exports.annotate(now=Now()).prefetch_related("requesters__key")

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
        return _status(export)

    @display(description="requested by")
    def requester(self, export: Export) -> str:
        return export.asked_by

    @display(description="rows")
    def rows(self, export: Export) -> str:
        news = f"{export}: {_status(export)}"
        if not export.active:
            return format_html('<span data-news="{}">{}</span>', news, f"{export.rows_done:,}")
        elapsed = claims.worked(export)
        total = f" of {export.rows_total:,}" if export.rows_total else ""
        left = formats.time_left(export.rows_done, export.rows_total, elapsed)
        text = f"{export.rows_done:,}{total}{left}"
        return format_html('<div data-active data-news="{}">{}</div>', news, text)

    @display(description="size")
    def size(self, export: Export) -> str:
        return formats.size(export.bytes)

    @display(description="file")
    def file(self, export: Export) -> str:
        if _status(export) != Export.Status.DONE:
            return "-"
        return format_html('<a href="{}" download>download</a>', presentation.link(export))


def _status(export: Any) -> str:
    """The status of an export of the admin's queryset, which adds `now`."""
    return presentation.status(export, export.now)
