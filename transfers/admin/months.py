"""Admin page of the downloaded months."""

from django.contrib import admin
from unfold.decorators import display

from flights.admin import formats
from flights.admin.read_only import Live
from transfers.models import DownloadedMonth

DOWNLOADED = formats.moments("downloaded_at", "downloaded")
CHECKED = formats.moments("checked_at", "last compared with the server")
BUILT = formats.moments("built_at", "built")


@admin.register(DownloadedMonth)
class DownloadedMonthAdmin(Live):
    list_display = ["name", "number_of_rows", "size", DOWNLOADED, CHECKED, "published_in"]
    fields = ["name", "number_of_rows", "size", DOWNLOADED, CHECKED]
    fields += [BUILT, "published_in", "digest", "url", "validator"]
    readonly_fields = ["name", "number_of_rows", "size", DOWNLOADED, CHECKED, BUILT]
    date_hierarchy = "month"

    @display(description="month", ordering="month")
    def name(self, release: DownloadedMonth) -> str:
        return f"{release.month:%Y-%m}"

    @display(description="rows", ordering="rows")
    def number_of_rows(self, release: DownloadedMonth) -> str:
        return f"{release.rows:,}"

    @display(description="size", ordering="bytes")
    def size(self, release: DownloadedMonth) -> str:
        return formats.size(release.bytes)
