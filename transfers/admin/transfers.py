"""Admin page for transfers: their progress and results; start, retry and cancel them."""

import struct
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from unfold.contrib.filters.admin import (
    AllValuesCheckboxFilter,
    ChoicesDropdownFilter,
    RangeDateFilter,
)
from unfold.dataclasses import UnfoldAction
from unfold.decorators import action, display
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminTextareaWidget,
    UnfoldBooleanSwitchWidget,
)

from flights import tables
from flights.admin import formats, objects
from flights.admin.read_only import Live
from transfers import services, tasks
from transfers.exceptions import NothingToDo
from transfers.models import Transfer, WarehouseJob

from . import check_results, run_logs, time_left
from .confirmation import confirm

ROLLED_BACK = "rolled back"
LONGEST_REASON = 1000  # characters
PHASES = [
    *("reading", "copying", "indexing", "making the dictionary", "verifying", "checking"),
    *(Transfer.WAITING, "publishing"),
]


class StartForm(forms.Form):
    """Which tables to transfer, and whether to include unchanged ones."""

    tables = forms.MultipleChoiceField(
        choices=[(name, name) for name in tables.NAMES],
        initial=tables.NAMES,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )
    forced = forms.BooleanField(
        label="Run even if nothing has changed",
        required=False,
        widget=UnfoldBooleanSwitchWidget,
    )


class PreviewForm(forms.Form):
    """Which tables to preview."""

    tables = StartForm.base_fields["tables"]


class OverrideForm(forms.Form):
    """Why the rows are published although checks failed."""

    reason = forms.CharField(
        max_length=LONGEST_REASON,
        help_text="stored with the version, and shown to the users of the admin",
        widget=UnfoldAdminTextareaWidget,
    )


REQUESTED, STARTED, FINISHED = formats.columns(
    asked_at="requested", started_at="started", finished_at="ended"
)


@admin.register(Transfer)
class TransferAdmin(Live):
    list_display = ["table", "state", "progress", "rate", "requester", REQUESTED, "took", "error"]
    list_filter = [
        ("table", AllValuesCheckboxFilter),
        ("status", ChoicesDropdownFilter),
        ("mode", ChoicesDropdownFilter),
        ("asked_at", RangeDateFilter),
    ]
    search_fields = ["table", "asked_by", "error"]
    readonly_fields = [
        *("state", "progress", "requester", "rate", "took", "copied", "phases", "agreed"),
        *("results", "published_by", "lines", REQUESTED, STARTED, FINISHED),
    ]
    fieldsets = [
        (None, {"fields": ["table", "state", "progress", "error", "advice"]}),
        ("Log", {"fields": ["lines"]}),
        ("Run", {"fields": ["mode", "requester", REQUESTED, STARTED, FINISHED, "attempt"]}),
        ("Speed", {"fields": ["took", "copied", "rate", "phases"]}),
        ("Quality", {"fields": ["results", "published_by"]}),
        ("Result", {"fields": ["version", "source_version", "notes", "agreed"]}),
    ]
    actions_list = ["start", "preview"]
    actions_detail = ["retry", "cancel", "publish_anyway"]

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[UnfoldAction]:
        """Offer only what is possible: `_possible` names the paths."""
        transfer = objects.find(Transfer.objects.all(), pk=object_id)
        possible = _possible(transfer) if transfer else set()
        actions = super().get_actions_detail(request, object_id)
        return [action for action in actions if action.path in possible]

    def has_start_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("transfers.start_transfer")

    def has_override_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("transfers.override_checks")

    @action(description="Start transfers", permissions=["start"], icon="play_arrow")
    def start(self, request: HttpRequest) -> HttpResponse:
        def act(options: dict[str, Any]) -> str:
            models = tables.by_names(options["tables"])
            pks = tasks.start(models, request.user.get_username(), forced=options["forced"])
            return f"{len(pks)} transfers are queued."

        text = "Copy tables from the warehouse, verify the copies, and publish them together."
        return confirm(self, request, "Start transfers", act, text=text, form=StartForm)

    @action(description="Preview transfers", permissions=["start"], icon="preview")
    def preview(self, request: HttpRequest) -> HttpResponse:
        def act(options: dict[str, Any]) -> str:
            kind, user = WarehouseJob.Kind.PREVIEW, request.user.get_username()
            job = tasks.start_job(kind, user, arguments=options["tables"])
            page = reverse("admin:transfers_warehousejob_change", args=[job.pk])
            link = '<a class="underline" href="{}">The preview</a> is queued.'
            return format_html(link, page)

        text = (
            "See how columns and rows differ from what is published, and what the quality checks"
            " find. Nothing is published."
        )
        return confirm(self, request, "Preview transfers", act, text=text, form=PreviewForm)

    @action(description="Retry", permissions=["start"], icon="replay", url_path="retry")
    def retry(self, request: HttpRequest, object_id: str) -> HttpResponse:
        transfer = objects.find_or_404(Transfer.objects.all(), pk=object_id)

        def act(_: dict[str, Any]) -> str:
            if "retry" not in _possible(transfer):
                raise NothingToDo("The transfer still runs, or was a roll-back.")
            tasks.start([tables.by_name(transfer.table)], request.user.get_username(), forced=True)
            return f"A transfer of {transfer.table} is queued."

        text = f"Transfer {transfer.table} again, even if nothing has changed."
        return confirm(self, request, "Retry", act, text=text)

    @action(description="Cancel", permissions=["start"], icon="cancel", url_path="cancel")
    def cancel(self, request: HttpRequest, object_id: str) -> HttpResponse:
        transfer = objects.find_or_404(Transfer.objects.all(), pk=object_id)

        def act(_: dict[str, Any]) -> str:
            if not services.cancel(transfer, by=request.user.get_username()):
                raise NothingToDo("The transfer has already ended.")
            return f"Cancelled {transfer}."

        text = f"Stop {transfer}. The published version does not change."
        return confirm(self, request, "Cancel", act, text=text)

    @action(
        description="Publish anyway",
        permissions=["override"],
        icon="gavel",
        url_path="publish-anyway",
    )
    def publish_anyway(self, request: HttpRequest, object_id: str) -> HttpResponse:
        transfer = objects.find_or_404(Transfer.objects.all(), pk=object_id)

        def act(options: dict[str, Any]) -> str:
            if not _is_blocked(transfer):
                raise NothingToDo("No check has stopped this transfer.")
            user = request.user.get_username()
            override = services.override(user, options["reason"])
            tasks.start([tables.by_name(transfer.table)], user, forced=True, override=override)
            return f"A transfer of {transfer.table} is queued, which publishes it in any case."

        text = (
            f"Transfer {transfer.table} again and publish it despite failed checks."
            f" {check_results.failures(transfer)}"
        )
        return confirm(self, request, "Publish anyway", act, text=text, form=OverrideForm)

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


def _possible(transfer: Transfer) -> set[str]:
    """The paths of the actions that are possible."""
    transfer.refresh_from_db(fields=["status", "checks"])
    if transfer.active:
        return {"cancel"}
    if transfer.mode == Transfer.Mode.ROLLBACK:
        return set()
    return {"retry", "publish-anyway"} if _is_blocked(transfer) else {"retry"}


def _is_blocked(transfer: Transfer) -> bool:
    """Whether a failed check is why the transfer failed."""
    return transfer.status == Transfer.Status.FAILED and transfer.blocked


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
