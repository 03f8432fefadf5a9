"""Admin page for versions of tables: which one is current, and rolling back to another."""

from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from unfold.contrib.filters.admin import AllValuesCheckboxFilter
from unfold.dataclasses import UnfoldAction
from unfold.decorators import action, display

from flights import tables
from flights.admin import formats, objects
from flights.admin.read_only import Live
from flights.models import PublishedTable, TableVersion
from transfers import services
from transfers.exceptions import NoSuchVersion
from transfers.warehouse_jobs import releases

from . import check_results
from .confirmation import confirm

PUBLISHED, LOADED, CONFIRMED = formats.columns(
    published_at="first published",
    loaded_at="loaded",
    confirmed_at="last equal to the warehouse",
)


@admin.register(TableVersion)
class VersionAdmin(Live):
    list_display = ["name", "current", "number_of_rows", PUBLISHED, "source_version"]
    list_filter = [("table", AllValuesCheckboxFilter)]
    fields = [
        *("table", "number", "current", "number_of_rows", "digest", "columns", "not_finite"),
        *("source_version", "transfer", LOADED, PUBLISHED, CONFIRMED),
        *("months", "results", "published_by"),
    ]
    readonly_fields = [
        *("current", "number_of_rows", "transfer", "months", "results", "published_by"),
        *(LOADED, PUBLISHED, CONFIRMED),
    ]
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
        is_current = objects.find(PublishedTable.objects.all(), current=object_id)
        return [] if is_current else super().get_actions_detail(request, object_id)

    def has_roll_back_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("transfers.roll_back")

    @action(
        description="Roll back to this version",
        permissions=["roll_back"],
        icon="history",
        url_path="roll-back",
    )
    def roll_back(self, request: HttpRequest, object_id: str) -> HttpResponse:
        version = objects.find_or_404(TableVersion.objects.all(), pk=object_id)

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

    @display(description="made by")
    def transfer(self, version: TableVersion) -> str:
        """A link to the transfer that made the version; an early release did not record it."""
        if version.made_by is None:
            return "-"
        page = reverse("admin:transfers_transfer_change", args=[version.made_by])
        return format_html('<a class="underline" href="{}">transfer {}</a>', page, version.made_by)

    @display(description="months that came with it")
    def months(self, version: TableVersion) -> str:
        """The releases of months and the files that this version has and older versions lack."""
        rows = ((line,) for line in [*releases.of(version), *releases.ingested(version)])
        return format_html_join("", "<div>{}</div>", rows) or "-"

    @display(description="current", label={"current": "success"})
    def current(self, version: Any) -> str:
        return "current" if version.is_current else "-"

    @display(description="checks")
    def results(self, version: TableVersion) -> str:
        return check_results.results(version)

    @display(description="despite failed checks by")
    def published_by(self, version: TableVersion) -> str:
        return check_results.override(version)

    @display(description="roll back")
    def change(self, version: Any) -> str:
        if version.is_current:
            return "-"
        url = reverse("admin:flights_tableversion_roll_back", args=[version.pk])
        link = '<a class="underline" href="{}">to this version<span class="sr-only">, {}</span></a>'
        return format_html(link, url, version)


def _facts(version: TableVersion) -> list[tuple[str, Any, Any]]:
    """Return the values that rolling back changes, as rows of name, present and new value."""
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
    return formats.minute(version.published_at) if version.published_at else "-"
