"""Admin page for transfers: their progress and results; start, retry and cancel them."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from unfold.contrib.filters.admin import (
    AllValuesCheckboxFilter,
    ChoicesDropdownFilter,
    RangeDateFilter,
)
from unfold.dataclasses import UnfoldAction
from unfold.decorators import action

from flights import tables
from flights.admin import formats, objects
from transfers import services, tasks
from transfers.exceptions import NothingToDo
from transfers.models import Transfer, WarehouseJob

from . import check_results
from .confirmation import confirm
from .transfer_display import TransferDisplay
from .transfer_forms import OverrideForm, PreviewForm, StartForm

REQUESTED, STARTED, FINISHED = formats.columns(
    asked_at="requested", started_at="started", finished_at="ended"
)


@admin.register(Transfer)
class TransferAdmin(TransferDisplay):
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
        """Offer only the actions that are possible for the transfer's status."""
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
            return f"A transfer of {transfer.table} is queued. It publishes even if checks fail."

        text = (
            f"Transfer {transfer.table} again and publish it despite failed checks."
            f" {check_results.failures(transfer)}"
        )
        return confirm(self, request, "Publish anyway", act, text=text, form=OverrideForm)


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
