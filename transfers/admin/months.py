"""Admin page of the downloaded months."""

from django.contrib import admin
from django.template.defaultfilters import filesizeformat
from unfold.decorators import display

from flights.admin.read_only import ReadOnly
from transfers.models import DownloadedMonth


@admin.register(DownloadedMonth)
class DownloadedMonthAdmin(ReadOnly):
    list_display = ["name", "number_of_rows", "size", "downloaded_at", "checked_at", "published_in"]
    fields = ["name", "number_of_rows", "size", "downloaded_at", "checked_at"]
    fields += ["built_at", "published_in", "digest", "url", "validator"]
    readonly_fields = ["name", "number_of_rows", "size"]
    date_hierarchy = "month"

    @display(description="month", ordering="month")
    def name(self, release: DownloadedMonth) -> str:
        return f"{release.month:%Y-%m}"

    @display(description="rows", ordering="rows")
    def number_of_rows(self, release: DownloadedMonth) -> str:
        return f"{release.rows:,}"

    @display(description="size", ordering="bytes")
    def size(self, release: DownloadedMonth) -> str:
        return filesizeformat(release.bytes)
