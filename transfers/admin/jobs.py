"""Admin page for warehouse jobs: ingest a file, build the final tables."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminRadioSelectWidget

from flights.admin.read_only import ReadOnly
from transfers import tasks
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


@admin.register(WarehouseJob)
class WarehouseJobAdmin(ReadOnly):
    list_display = ["what", "state", "result", "asked_by", "asked_at", "finished_at"]
    list_filter = [("status", ChoicesDropdownFilter), ("kind", ChoicesDropdownFilter)]
    fields = [
        *("what", "status", "result", "advice", "attempt"),
        *("asked_by", "asked_at", "started_at", "finished_at"),
    ]
    readonly_fields = ["what", "result"]
    actions_list = ["ingest", "build"]

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
