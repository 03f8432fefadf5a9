"""Show the status, progress and results of transfers."""

import struct
from typing import Any

from django.utils.html import format_html, format_html_join
from unfold.decorators import display

from flights.admin import formats
from flights.admin.read_only import Live
from transfers import services
from transfers.models import Transfer

from . import check_results, run_logs, time_left

ROLLED_BACK = "rolled back"
PHASES = [
    *("reading", "copying", "indexing", "making the dictionary", "verifying", "checking"),
    *(Transfer.WAITING, "publishing"),
]


class TransferDisplay(Live):
    """The computed columns and fields of transfers."""

    @display(
        description="status",
        label={
            Transfer.Status.SUCCEEDED: "success",
            ROLLED_BACK: "warning",
            Transfer.Status.FAILED: "danger",
            Transfer.Status.RUNNING: "info",
            Transfer.Status.CANCELLED: "warning",
        },
    )
    def state(self, transfer: Transfer) -> str:
        return state(transfer)

    @display(description="progress")
    def progress(self, transfer: Transfer) -> str:
        news = f"{transfer}: {state(transfer)}"
        if transfer.mode == Transfer.Mode.ROLLBACK:
            return f"{transfer.version or 'the version'} is current again"
        if not transfer.active:
            unchanged = transfer.status == Transfer.Status.UNCHANGED
            rows = "nothing new" if unchanged else f"{transfer.rows_done:,} rows"
            return format_html('<span data-news="{}">{}</span>', news, rows)
        done, total = transfer.rows_done, transfer.rows_total
        return format_html(
            '<div data-active data-news="{}"><progress aria-label="progress" max="1" value="{}">'
            "</progress> <span>{}{} rows, {}{}</span></div>",
            news,
            round(done / total, 4) if total else 0,
            f"{done:,}",
            f" of {total:,}" if total else "",
            _phase(transfer),
            time_left.of_transfer(transfer),
        )

    @display(description="requested by", ordering="asked_by")
    def requester(self, transfer: Transfer) -> str:
        return transfer.asked_by

    @display(description="rate")
    def rate(self, transfer: Transfer) -> str:
        return formats.rate(transfer.rows_per_second, transfer.bytes_per_second)

    @display(description="copied")
    def copied(self, transfer: Transfer) -> str:
        return f"{formats.size(transfer.bytes_done)} as CSV"

    @display(description="took")
    def took(self, transfer: Transfer) -> str:
        return formats.between(transfer.started_at, transfer.finished_at)

    @display(description="lines")
    def lines(self, transfer: Transfer) -> str:
        return run_logs.show(transfer)

    @display(description="phases")
    def phases(self, transfer: Transfer) -> str:
        took = sorted(transfer.seconds.items(), key=lambda item: PHASES.index(item[0]))
        return _table((name, f"{seconds:.2f} s") for name, seconds in took)

    @display(description="checks")
    def results(self, transfer: Transfer) -> str:
        return check_results.results(transfer)

    @display(description="despite failed checks by")
    def published_by(self, transfer: Transfer) -> str:
        return check_results.override(transfer)

    @display(description="source and copy agree on")
    def agreed(self, transfer: Transfer) -> str:
        return _table((name, _readable(value)) for name, value in sorted(transfer.figures.items()))


def state(transfer: Transfer) -> str:
    """The status; a roll-back, which only publishes an older version, is named as such."""
    if transfer.mode == Transfer.Mode.ROLLBACK and transfer.status == Transfer.Status.SUCCEEDED:
        return ROLLED_BACK
    return str(transfer.status)


def _phase(transfer: Transfer) -> str:
    ahead = services.behind([transfer]).first()
    return f"waits behind {ahead}" if ahead else transfer.phase or transfer.status


def _table(rows: Any) -> str:
    cells = format_html_join(
        "", '<tr><th scope="row" class="pr-4 font-normal">{}</th><td>{}</td></tr>', rows
    )
    return format_html('<table class="text-left">{}</table>', cells) if cells else "-"


def _readable(figure: str | None) -> str:
    """Format a figure for people. Floats, which are compared by their 64 bits, become decimal."""
    if figure and len(figure) == 64 and set(figure) <= {"0", "1"}:
        return str(struct.unpack(">d", int(figure, 2).to_bytes(8))[0])
    return figure or "none"
