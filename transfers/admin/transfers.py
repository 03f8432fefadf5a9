"""Admin page for transfers: their progress and results; start, retry and cancel them."""

import struct
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.html import format_html, format_html_join
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.dataclasses import UnfoldAction
from unfold.decorators import action, display
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminTextareaWidget,
    UnfoldBooleanSwitchWidget,
)

from flights import tables
from flights.admin.read_only import ReadOnly
from transfers import services, tasks
from transfers.exceptions import NothingToDo
from transfers.models import Transfer
from transfers.terminal import rates

from . import check_results
from .confirmation import confirm

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


class OverrideForm(forms.Form):
    """Why the rows are published although checks failed."""

    reason = forms.CharField(
        max_length=LONGEST_REASON,
        help_text="stored with the version, and shown to the users of the admin",
        widget=UnfoldAdminTextareaWidget,
    )


@admin.register(Transfer)
class TransferAdmin(ReadOnly):
    list_display = ["table", "state", "progress", "rate", "asked_by", "asked_at", "took", "error"]
    list_filter = [("status", ChoicesDropdownFilter), ("mode", ChoicesDropdownFilter)]
    search_fields = ["table", "asked_by", "error"]
    readonly_fields = ["progress", "rate", "took", "phases", "agreed", "results", "published_by"]
    fieldsets = [
        (None, {"fields": ["table", "status", "progress", "error", "advice"]}),
        ("Run", {"fields": ["mode", "asked_by", "asked_at", "started_at", "finished_at"]}),
        ("Speed", {"fields": ["attempt", "took", "bytes_done", "rate", "phases"]}),
        ("Quality", {"fields": ["results", "published_by"]}),
        ("Result", {"fields": ["version", "source_version", "notes", "agreed"]}),
    ]
    actions_list = ["start"]
    actions_detail = ["retry", "cancel", "publish_anyway"]

    class Media:
        js = ["admin-live.js"]

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[UnfoldAction]:
        """Offer to cancel an active transfer, to retry a finished one, to override its checks."""
        transfer = Transfer.objects.filter(pk=object_id).first()
        impossible = {"retry" if transfer and transfer.active else "cancel"}
        if not (transfer and _is_blocked(transfer)):
            impossible.add("publish-anyway")
        actions = super().get_actions_detail(request, object_id)
        return [action for action in actions if action.path not in impossible]

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

    @action(description="Retry", permissions=["start"], icon="replay", url_path="retry")
    def retry(self, request: HttpRequest, object_id: str) -> HttpResponse:
        transfer = get_object_or_404(Transfer, pk=object_id)

        def act(_: dict[str, Any]) -> str:
            tasks.start([tables.by_name(transfer.table)], request.user.get_username(), forced=True)
            return f"A transfer of {transfer.table} is queued."

        text = f"Transfer {transfer.table} again, even if nothing has changed."
        return confirm(self, request, "Retry", act, text=text)

    @action(description="Cancel", permissions=["start"], icon="cancel", url_path="cancel")
    def cancel(self, request: HttpRequest, object_id: str) -> HttpResponse:
        transfer = get_object_or_404(Transfer, pk=object_id)

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
        transfer = get_object_or_404(Transfer, pk=object_id)

        def act(options: dict[str, Any]) -> str:
            if not _is_blocked(transfer):
                raise NothingToDo("No check has stopped this transfer.")
            user = request.user.get_username()
            override = services.override(user, options["reason"])
            tasks.start([tables.by_name(transfer.table)], user, forced=True, override=override)
            return f"A transfer of {transfer.table} is queued, which publishes it in any case."

        text = (
            f"Transfer {transfer.table} again and publish it in spite of failed checks."
            f" {check_results.failures(transfer)}"
        )
        return confirm(self, request, "Publish anyway", act, text=text, form=OverrideForm)

    @display(
        description="status",
        label={
            Transfer.Status.SUCCEEDED: "success",
            Transfer.Status.FAILED: "danger",
            Transfer.Status.RUNNING: "info",
            Transfer.Status.CANCELLED: "warning",
        },
    )
    def state(self, transfer: Transfer) -> str:
        return str(transfer.status)

    @display(description="progress")
    def progress(self, transfer: Transfer) -> str:
        done, total = transfer.rows_done, transfer.rows_total
        if not transfer.active:
            return f"{done:,} rows"
        ahead = services.behind([transfer]).first()
        state = f"waits behind {ahead}" if ahead else transfer.phase or transfer.status
        return format_html(
            '<div data-active><progress aria-label="progress" max="1" value="{}"></progress>'
            " <span>{}{} rows, {}</span></div>",
            round(done / total, 4) if total else 0,
            f"{done:,}",
            f" of {total:,}" if total else "",
            state,
        )

    @display(description="rate")
    def rate(self, transfer: Transfer) -> str:
        return rates(transfer).removeprefix(", ") or "-"

    @display(description="took")
    def took(self, transfer: Transfer) -> str:
        if not (transfer.started_at and transfer.finished_at):
            return "-"
        return f"{(transfer.finished_at - transfer.started_at).total_seconds():.1f} s"

    @display(description="seconds of each phase")
    def phases(self, transfer: Transfer) -> str:
        took = sorted(transfer.seconds.items(), key=lambda item: PHASES.index(item[0]))
        return _table((name, f"{seconds:.2f}") for name, seconds in took)

    @display(description="checks")
    def results(self, transfer: Transfer) -> str:
        return check_results.results(transfer)

    @display(description="in spite of failed checks by")
    def published_by(self, transfer: Transfer) -> str:
        return check_results.override(transfer)

    @display(description="source and copy agree on")
    def agreed(self, transfer: Transfer) -> str:
        return _table((name, _readable(value)) for name, value in sorted(transfer.figures.items()))


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
