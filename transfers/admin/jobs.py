"""Admin page for warehouse jobs: ingest a file, build the final tables, publish months."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html, format_html_join
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import action, display
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminTextInputWidget,
)

from flights.admin.read_only import ReadOnly
from transfers import tasks
from transfers.download import months
from transfers.exceptions import BadMonths
from transfers.models import WarehouseJob

from .confirmation import confirm

SUFFIXES = (".csv", ".csv.gz", ".csv.zip", ".gz", ".zip", ".parquet")


class IngestForm(forms.Form):
    """A file of raw flight records, and whether to keep the existing records."""

    file = forms.FileField(
        help_text=f"CSV (.csv, .gz, .zip) or Parquet, up to {settings.UPLOAD_LIMIT >> 20:,} MiB",
        widget=UnfoldAdminFileFieldWidget,
    )
    kind = forms.ChoiceField(
        label="Existing records",
        choices=[("append", "keep"), ("replace", "delete")],
        initial="append",
        widget=UnfoldAdminRadioSelectWidget,
    )

    def clean_file(self) -> "UploadedFile[bytes]":
        file: UploadedFile[bytes] = self.cleaned_data["file"]
        if not (file.name or "").lower().endswith(SUFFIXES):
            raise forms.ValidationError(f"{file.name} has no suffix of a CSV or Parquet file.")
        if (file.size or 0) > settings.UPLOAD_LIMIT:
            raise forms.ValidationError("The file is too large to upload. Use manage.py ingest.")
        return file


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
        def act(options: dict[str, Any]) -> str:
            tasks.start_job(options["kind"], request.user.get_username(), options["file"])
            return f"{options['file'].name} will be ingested."

        text = (
            "Add the records of a file to the warehouse. If any record is invalid, none is added."
        )
        return confirm(self, request, "Ingest a file", act, text=text, form=IngestForm)

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
