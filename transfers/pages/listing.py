"""The list of transfers that everybody may read: no users, errors, hosts or SQL."""

from dataclasses import dataclass
from datetime import datetime

from django.http import QueryDict

from flights import tables
from flights.query.params import whole_number
from transfers.models import Transfer

PAGE_SIZE = 25  # transfers on a page
LARGEST_ID = 2**63 - 1  # of PostgreSQL's bigint


@dataclass(frozen=True)
class Line:
    """What the page shows of a transfer."""

    number: int
    table: str
    status: str
    phase: str  # what a running transfer does now
    mode: str
    rows: int | None
    rows_per_second: int | None
    seconds: float | None
    at: datetime  # when it ended, or was queued
    active: bool
    percent: int | None  # of the rows, while it runs


@dataclass(frozen=True)
class Listing:
    lines: list[Line]
    older: int | None  # the next page begins before this transfer
    newest: bool  # whether this is the first page


def read(params: QueryDict) -> Listing:
    """A page of the transfers, newest first. Raises BadQuery and UnknownTable."""
    transfers = Transfer.objects.all()
    if table := params.get("table"):
        transfers = transfers.filter(table=tables.by_name(table)._meta.db_table)
    before = whole_number(params.dict(), "before", 0)  # type: ignore[arg-type]  # all are texts
    if before:
        transfers = transfers.filter(pk__lt=min(before, LARGEST_ID))
    page = list(transfers[: PAGE_SIZE + 1])
    older = page[PAGE_SIZE - 1].pk if len(page) > PAGE_SIZE else None
    return Listing(list(map(_line, page[:PAGE_SIZE])), older, not before)


def _line(transfer: Transfer) -> Line:
    reads = transfer.mode != Transfer.Mode.ROLLBACK and transfer.rows_done
    return Line(
        number=transfer.pk,
        table=transfer.table,
        status=transfer.status,
        phase=transfer.phase if transfer.status == Transfer.Status.RUNNING else "",
        mode=transfer.mode,
        rows=transfer.rows_done if reads else None,
        rows_per_second=transfer.rows_per_second,
        seconds=transfer.worked if transfer.started_at else None,
        at=transfer.finished_at or transfer.asked_at,
        active=transfer.active,
        percent=_percent(transfer),
    )


def _percent(transfer: Transfer) -> int | None:
    if not (transfer.active and transfer.rows_total):
        return None
    return min(100, 100 * transfer.rows_done // transfer.rows_total)
