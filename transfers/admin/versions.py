"""Admin page for versions of tables: which one is current, and rolling back to another."""

from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from unfold.contrib.filters.admin import AllValuesCheckboxFilter
from unfold.dataclasses import UnfoldAction
from unfold.decorators import action, display

from flights import tables
from flights.admin.read_only import ReadOnly
from flights.models import PublishedTable, TableVersion
from transfers import services
from transfers.exceptions import NoSuchVersion
from transfers.warehouse_jobs import releases

from .confirmation import confirm


@admin.register(TableVersion)
class VersionAdmin(ReadOnly):
    list_display = ["name", "current", "number_of_rows", "published_at", "source_version"]
    list_filter = [("table", AllValuesCheckboxFilter)]
    readonly_fields = ["current", "months"]
    actions_detail = ["roll_back"]

    def get_queryset(self, request: HttpRequest) -> "QuerySet[TableVersion]":
        is_current = Exists(PublishedTable.objects.filter(current=OuterRef("pk")))
        versions: QuerySet[TableVersion] = super().get_queryset(request)
        return versions.filter(published_at__isnull=False).annotate(is_current=is_current)

    def get_list_display(self, request: HttpRequest) -> list[str]:
        columns = list(super().get_list_display(request))
        return [*columns, "change"] if self.has_roll_back_permission(request) else columns

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[UnfoldAction]:
        """Offer to roll back, except for the current version."""
        current = PublishedTable.objects.filter(current=object_id).exists()
        return [] if current else super().get_actions_detail(request, object_id)

    def has_roll_back_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("transfers.roll_back")

    @action(
        description="Roll back to this version",
        permissions=["roll_back"],
        icon="history",
        url_path="roll-back",
    )
    def roll_back(self, request: HttpRequest, object_id: str) -> HttpResponse:
        version = get_object_or_404(TableVersion, pk=object_id)

        def act(_: dict[str, Any]) -> str:
            if PublishedTable.objects.filter(current=version).exists():
                raise NoSuchVersion(f"{version} is already current.")
            model = tables.by_name(version.table)
            services.roll_back(model, version.number, by=request.user.get_username())
            return f"{version} is current again."

        text = "Readers see this version within a second. No rows are copied or deleted."
        facts = _facts(version)
        return confirm(self, request, f"Roll back to {version}", act, text=text, facts=facts)

    @display(description="version", ordering="table")
    def name(self, version: TableVersion) -> str:
        return str(version)

    @display(description="rows", ordering="rows")
    def number_of_rows(self, version: TableVersion) -> str:
        return f"{version.rows:,}"

    @display(description="months that came with it")
    def months(self, version: TableVersion) -> str:
        """The releases of the DOT's monthly files that this version has and older ones have not."""
        rows = ((line,) for line in releases.of(version))
        return format_html_join("", "<div>{}</div>", rows) or "-"

    @display(description="current", label={"current": "success"})
    def current(self, version: Any) -> str:
        return "current" if version.is_current else "-"

    @display(description="roll back")
    def change(self, version: Any) -> str:
        if version.is_current:
            return "-"
        url = reverse("admin:flights_tableversion_roll_back", args=[version.pk])
        return format_html('<a class="underline" href="{}">to this version</a>', url)


def _facts(version: TableVersion) -> list[tuple[str, Any, Any]]:
    """Return what rolling back changes: rows of a name, the present value and the new value."""
    current = TableVersion.objects.filter(published__table=version.table).first() or version
    more = version.rows - current.rows
    return [
        ("version", current, version),
        ("rows", f"{current.rows:,}", f"{version.rows:,} ({more:+,})"),
        ("first published", _minute(current), _minute(version)),
        ("source version", current.source_version, version.source_version),
        ("same content", "", "yes" if current.digest == version.digest else "no"),
    ]


def _minute(version: TableVersion) -> str:
    return f"{version.published_at:%Y-%m-%d %H:%M} UTC"
