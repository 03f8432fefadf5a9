"""Admin page for warehouse jobs: ingest a file, build the final tables, publish months."""

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html, format_html_join
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RangeDateFilter
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminTextInputWidget

from flights.admin import formats
from flights.admin.read_only import Live
from transfers import tasks
from transfers.download import months
from transfers.exceptions import BadMonths
from transfers.models import WarehouseJob
from transfers.warehouse_jobs import MODES, stored_files

from . import run_logs, time_left, uploads
from .confirmation import confirm

STEP_TIMES = ("started_at", "ended_at")


class MonthsForm(forms.Form):
    """The months to publish, in the syntax of `manage.py download`."""

    months = forms.CharField(
        required=False,
        help_text="2024-01, or 2024-01..2024-12, separated by spaces; empty: the new months of"
        " the last year",
        widget=UnfoldAdminTextInputWidget,
    )

    def clean_months(self) -> list[str]:
        names = str(self.cleaned_data["months"]).split()
        try:
            months.parse(names)
        except BadMonths as error:
            raise forms.ValidationError(error.full_message) from None
        return names


REQUESTED, STARTED, FINISHED = formats.columns(
    asked_at="requested", started_at="started", finished_at="ended"
)


@admin.register(WarehouseJob)
class WarehouseJobAdmin(Live):
    list_display = ["what", "state", "result", "requester", REQUESTED, "took"]
    list_filter = [
        ("status", ChoicesDropdownFilter),
        ("kind", ChoicesDropdownFilter),
        ("asked_at", RangeDateFilter),
    ]
    fieldsets = [
        (None, {"fields": ["what", "choices", "state", "result", "advice", "step_times"]}),
        ("Log", {"fields": ["lines"]}),
        ("Run", {"fields": ["requester", REQUESTED, STARTED, FINISHED, "took", "attempt"]}),
    ]
    readonly_fields = [
        *("what", "choices", "state", "result", "step_times", "lines", "requester", "took"),
        *(REQUESTED, STARTED, FINISHED),
    ]
    actions_list = ["ingest", "build", "publish"]

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
            "Download monthly files of the DOT, replace the records of these months, build the"
            " final tables, and transfer all tables."
        )
        title = "Download and publish months"
        return confirm(self, request, title, act, text=text, form=MonthsForm)

    @display(description="steps")
    def step_times(self, job: WarehouseJob) -> str:
        """When each step began, and how long it took."""
        return format_html_join("", "<div>{}: {}{}</div>", map(_step, job.steps)) or "-"

    @display(description="lines")
    def lines(self, job: WarehouseJob) -> str:
        return run_logs.show(job)

    @display(description="requested by", ordering="asked_by")
    def requester(self, job: WarehouseJob) -> str:
        return job.asked_by

    @display(description="took")
    def took(self, job: WarehouseJob) -> str:
        return formats.between(job.started_at, job.finished_at)

    @display(description="result")
    def result(self, job: WarehouseJob) -> str:
        news = f"job {job.pk}, {job}: {job.status}"
        if not job.active:
            result = job.outcome or job.error or "-"
            return format_html(
                '<div class="whitespace-pre-line" data-news="{}">{}</div>', news, result
            )
        waits = "" if job.status == WarehouseJob.Status.RUNNING else "Waiting. "
        step = f"{job.steps[-1]['name']}, " if job.steps else ""
        progress = f"{_amount(job)}{time_left.of_job(job)}"
        text = f"{waits}{job.error}" or f"Running, {step}attempt {job.attempt}{progress}."
        return format_html('<div data-active data-news="{}">{}</div>', news, text)

    @display(description="options")
    def choices(self, job: WarehouseJob) -> str:
        """What to do with repeated flights, and the lists of codes."""
        options = dict(job.options)
        if job.kind in MODES and job.arguments:
            options["repeated"] = stored_files.read(job.arguments).repeated
        return ", ".join(f"{name}: {value}" for name, value in options.items()) or "-"

    @display(description="what", ordering="kind")
    def what(self, job: WarehouseJob) -> str:
        """The kind of the job and its files; the kind says how they are ingested."""
        if job.kind not in MODES or not job.arguments:
            return str(job)
        return f"{job.get_kind_display()}: {', '.join(stored_files.read(job.arguments).names)}"

    @display(
        description="status", label={"succeeded": "success", "failed": "danger", "running": "info"}
    )
    def state(self, job: WarehouseJob) -> str:
        return str(job.status)


def _step(step: dict[str, Any]) -> tuple[str, str, str]:
    times = [datetime.fromisoformat(step[key]) for key in STEP_TIMES if key in step]
    took = f", {formats.between(*times)}" if len(times) == len(STEP_TIMES) else ""
    return step["name"], formats.moment(times[0]) if times else "-", took


def _amount(job: WarehouseJob) -> str:
    """How much of the running step is done: ", ingest 2024.zip: 1,000 of 4,000 rows"."""
    if not (progress := job.progress):
        return ""
    total = f" of {progress['total']:,.0f}" if progress["total"] else ""
    return f", {progress['name']}: {progress['done']:,.0f}{total} {progress['unit']}"
