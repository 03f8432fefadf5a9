"""Admin page for warehouse jobs: ingest a file, build the final tables, publish months."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html, format_html_join
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import action, display
from unfold.widgets import (
    UnfoldAdminTextInputWidget,
)

from flights.admin.read_only import ReadOnly
from transfers import tasks
from transfers.download import months
from transfers.exceptions import BadMonths
from transfers.models import WarehouseJob

from . import uploads
from .confirmation import confirm


class MonthsForm(forms.Form):
    """The months to publish, as a command has them."""

    months = forms.CharField(
        required=False,
        help_text="2024-01, or 2024-01..2024-12, separated by spaces; empty for those of the last"
        " year that are new",
        widget=UnfoldAdminTextInputWidget,
    )

    def clean_months(self) -> list[str]:
        names = str(self.cleaned_data["months"]).split()
        try:
            months.parse(names)
        except BadMonths as error:
            raise forms.ValidationError(error.full_message) from None
        return names


@admin.register(WarehouseJob)
class WarehouseJobAdmin(ReadOnly):
    list_display = ["what", "state", "result", "asked_by", "asked_at", "finished_at"]
    list_filter = [("status", ChoicesDropdownFilter), ("kind", ChoicesDropdownFilter)]
    fields = [
        *("what", "status", "result", "advice", "progress", "attempt"),
        *("asked_by", "asked_at", "started_at", "finished_at"),
    ]
    readonly_fields = ["what", "result", "progress"]
    actions_list = ["ingest", "build", "publish"]

    class Media:
        js = ["admin-live.js"]

    def has_run_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("transfers.run_warehousejob")

    @action(description="Ingest a file", permissions=["run"], icon="upload")
    def ingest(self, request: HttpRequest) -> HttpResponse:
        return uploads.ingest(self, request)

    @action(description="Build the final tables", permissions=["run"], icon="build")
    def build(self, request: HttpRequest) -> HttpResponse:
        def act(_: dict[str, Any]) -> str:
            tasks.start_job(WarehouseJob.Kind.BUILD, request.user.get_username())
            return "The final tables will be built."

        text = "Clean the records and build the final tables in the warehouse."
        return confirm(self, request, "Build the final tables", act, text=text)

    @action(description="Download and publish months", permissions=["run"], icon="cloud_download")
    def publish(self, request: HttpRequest) -> HttpResponse:
        def act(options: dict[str, Any]) -> str:
            kind, user = WarehouseJob.Kind.PUBLISH, request.user.get_username()
            tasks.start_job(kind, user, arguments=options["months"])
            return "The months will be downloaded and published."

        text = (
            "Download monthly files of the DOT, put their records in the place of those of the same"
            " months, build the final tables, and transfer all tables."
        )
        title = "Download and publish months"
        return confirm(self, request, title, act, text=text, form=MonthsForm)

    @display(description="steps")
    def progress(self, job: WarehouseJob) -> str:
        """When each step began and ended."""
        rows = ((s["name"], s["started_at"], s.get("ended_at", "")) for s in job.steps)
        return format_html_join("", "<div>{}: {} {}</div>", rows) or "-"

    @display(description="result")
    def result(self, job: WarehouseJob) -> str:
        if not job.active:
            return job.outcome or job.error or "-"
        waits = "" if job.status == WarehouseJob.Status.RUNNING else "Waiting. "
        text = f"{waits}{job.error}" or f"Running, attempt {job.attempt}."
        return format_html("<div data-active>{}</div>", text)

    @display(description="what", ordering="kind")
    def what(self, job: WarehouseJob) -> str:
        return str(job)

    @display(
        description="status", label={"succeeded": "success", "failed": "danger", "running": "info"}
    )
    def state(self, job: WarehouseJob) -> str:
        return str(job.status)
