"""Record which version of the flights contains which release of a month."""

from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone

from flights.models import TableVersion
from transfers.models import DownloadedMonth, Transfer
from transfers.run.sources import FLIGHTS


def built(pks: Iterable[int]) -> None:
    """Record that the warehouse's tables contain the releases with these primary keys now."""
    DownloadedMonth.objects.filter(pk__in=pks, built_at=None).update(built_at=timezone.now())


def published() -> list[str]:
    """Record the current version in each release that was built since the last call.

    Adds a line about each to the notes of the version's transfer, and returns the lines. Call it
    after a transfer has confirmed that the current version equals the warehouse.
    """
    version = TableVersion.objects.get(published__table=FLIGHTS)
    new = DownloadedMonth.objects.filter(published_in="").exclude(built_at=None).order_by("month")
    with transaction.atomic():
        lines = [_line(release) for release in new.select_for_update()]
        new.update(published_in=str(version))
        for transfer in Transfer.objects.select_for_update().filter(pk=version.made_by or 0):
            transfer.notes += lines
            transfer.save(update_fields=["notes"])
    return lines


def of(version: TableVersion) -> list[str]:
    """The releases that came with a version, a line for each."""
    return [_line(r) for r in DownloadedMonth.objects.filter(published_in=str(version))]


def ingested(version: TableVersion) -> list[str]:
    """The files ingested by hand that came with a version, as its transfer noted them."""
    transfer = Transfer.objects.filter(pk=version.made_by or 0).first()
    notes = transfer.notes if transfer else []
    return [note for note in notes if ", release " in note]


def _line(release: DownloadedMonth) -> str:
    older = DownloadedMonth.objects.filter(month=release.month, pk__lt=release.pk)
    before = older.exclude(published_in="").first()
    replaced = f" in place of {before.digest[:12]}" if before else ""
    when = f"downloaded {release.downloaded_at:%Y-%m-%d %H:%M} UTC"
    return f"{release.month:%Y-%m}: release {release.digest[:12]}, {when}{replaced}"
