"""Admin pages of schedules: those of administrators can be edited, housekeeping is read-only."""

from typing import Any

from django.apps import apps
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)
from kombu.exceptions import OperationalError
from unfold.admin import ModelAdmin
from unfold.dataclasses import UnfoldAction
from unfold.decorators import action, display

from airsense import schedule_times, schedule_work, schedules
from airsense.schedules import HOUSEKEEPING
from flights.admin import formats, objects
from transfers.admin.confirmation import confirm
from transfers.exceptions import NothingToDo, QueueDown

from . import schedule_fields
from .schedule_form import ScheduleForm

# The form of a schedule creates the rows with its times, so these rows need no pages.
for model in (PeriodicTask, CrontabSchedule, IntervalSchedule, ClockedSchedule, SolarSchedule):
    admin.site.unregister(model)

# The package's pages in our words.
PeriodicTask._meta.verbose_name, PeriodicTask._meta.verbose_name_plural = "schedule", "schedules"
PeriodicTask.__str__ = lambda row: str(row.name)
apps.get_app_config("django_celery_beat").verbose_name = "Schedules"

LAST = formats.moments("last_run_at", "last run")
WORK = ("tables", "months", "paths", "existing", "repeated", "columns", "airlines", "airports")
WHEN = ("frequency", "every", "unit", "weekdays", "day", "date", "time", "expression", "zone")


@admin.register(PeriodicTask)
class Schedules(ModelAdmin):
    """Schedules, with actions to pause, resume and run them."""

    form = ScheduleForm
    list_display = ["name", "sentence", "state", "next", LAST]
    list_display_links = ["name"]
    list_filter = ["enabled"]
    list_filter_submit = True
    search_fields = ["name", "description"]
    ordering = ["name"]
    list_select_related = ["interval", "crontab", "clocked", "solar"]
    readonly_fields = ["sentence", "next", LAST]
    actions = ["pause", "resume", "run"]
    actions_list = ["housekeeping"]
    actions_detail = ["run_now", "pause_now", "resume_now"]

    class Media:
        js = ["idiomorph/idiomorph.min.js", "admin-live.js"]

    def get_queryset(self, request: HttpRequest) -> "QuerySet[PeriodicTask]":
        """All schedules; the list has no housekeeping, which has a page of its own."""
        rows: QuerySet[PeriodicTask] = super().get_queryset(request)
        match = request.resolver_match
        is_list = match and str(match.url_name).endswith("_changelist")
        return rows.exclude(name__in=HOUSEKEEPING) if is_list else rows

    def get_fieldsets(self, request: HttpRequest, obj: PeriodicTask | None = None) -> Any:
        if _is_housekeeping(obj):
            return [(None, {"fields": ["name", "sentence", "next", LAST, "description"]})]
        summary = [(None, {"fields": ["sentence", "next", LAST]})] if obj else []
        return [
            *summary,
            ("What", {"fields": ["name", "task", *WORK]}),
            ("When", {"fields": [*WHEN, "enabled"]}),
            ("More", {"fields": ["start_time", "expires", "description"], "classes": ["collapse"]}),
        ]

    def get_form(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        return super().get_form(request, obj, **{**kwargs, "fields": ScheduleForm.Meta.fields})

    def save_model(self, request: HttpRequest, obj: PeriodicTask, form: Any, change: bool) -> None:
        """Save the time first. A changed time counts from now, so that no missed run is due."""
        before = schedule_fields.time_of(_row(obj.pk))
        if schedule_fields.are_same(before, form.time):
            form.set_time(before)
        else:
            form.set_time(schedule_fields.stored(form.time))
            obj.last_run_at = timezone.now() if change else None
        super().save_model(request, obj, form, change)
        text = f"{_sentence(obj)} Next run: {schedule_times.next_in_words(obj)}."
        self.message_user(request, text)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return not _is_housekeeping(obj) and bool(super().has_change_permission(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return not _is_housekeeping(obj) and bool(super().has_delete_permission(request, obj))

    def has_control_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return self.has_change_permission(request, _row(object_id))

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[UnfoldAction]:
        """Offer to pause an active schedule and to resume a paused one."""
        row = _row(object_id)
        impossible = "resume" if row and row.enabled else "pause"
        actions = super().get_actions_detail(request, object_id)
        return [action for action in actions if action.path != impossible]

    def get_urls(self) -> Any:
        view = self.admin_site.admin_view(self.housekeeping_page)
        return [path("housekeeping/", view, name="housekeeping"), *super().get_urls()]

    @action(description="Housekeeping", icon="cleaning_services")
    def housekeeping(self, request: HttpRequest) -> HttpResponse:
        return self.housekeeping_page(request)

    def housekeeping_page(self, request: HttpRequest) -> HttpResponse:
        """The tasks that the platform needs, read-only."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        rows = PeriodicTask.objects.filter(name__in=HOUSEKEEPING).select_related("interval")
        context = {
            **self.admin_site.each_context(request),
            **{"opts": self.opts, "title": "Housekeeping", "rows": list(map(_housekeeping, rows))},
        }
        return render(request, "admin/housekeeping.html", context)

    @admin.action(description="Pause", permissions=["change"])
    def pause(self, request: HttpRequest, queryset: "QuerySet[PeriodicTask]") -> None:
        self._switch(request, queryset, enabled=False)

    @admin.action(description="Resume", permissions=["change"])
    def resume(self, request: HttpRequest, queryset: "QuerySet[PeriodicTask]") -> None:
        self._switch(request, queryset, enabled=True)

    def _switch(
        self, request: HttpRequest, queryset: "QuerySet[PeriodicTask]", *, enabled: bool
    ) -> None:
        for row in queryset.exclude(name__in=HOUSEKEEPING).exclude(enabled=enabled):
            try:
                self.message_user(request, self._switched(request, row, enabled=enabled))
            except NothingToDo as error:
                self.message_user(request, str(error), messages.ERROR)

    def _switched(self, request: HttpRequest, row: PeriodicTask, *, enabled: bool) -> str:
        if row.enabled == enabled:
            raise NothingToDo(f"{row.name} is {'active' if enabled else 'paused'} already.")
        if row.clocked and row.clocked.clocked_time <= timezone.now():
            raise NothingToDo(f"The time of {row.name} is in the past. Choose another one.")
        row.enabled = enabled
        row.save()
        word = "Resumed" if enabled else "Paused"
        self.log_change(request, row, f"{word}.")
        return f"{word}: {row.name}. Next run: {schedule_times.next_in_words(row)}."

    @admin.action(description="Run now", permissions=["change"])
    def run(self, request: HttpRequest, queryset: "QuerySet[PeriodicTask]") -> None:
        for row in queryset:
            try:
                self.message_user(request, _run(row))
            except (ValueError, QueueDown) as error:
                self.message_user(request, f"{row.name}: {error}", messages.ERROR)

    @action(description="Run now", permissions=["control"], icon="play_arrow", url_path="run-now")
    def run_now(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = objects.find_or_404(self.get_queryset(request), pk=object_id)
        text = f"Now: {schedule_work.in_words(row)}. The next scheduled run does not change."
        return confirm(self, request, "Run now", lambda _: _run(row), text=text)

    @action(description="Pause", permissions=["control"], icon="pause", url_path="pause")
    def pause_now(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._confirm_switch(request, object_id, "Pause", enabled=False)

    @action(description="Resume", permissions=["control"], icon="resume", url_path="resume")
    def resume_now(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._confirm_switch(request, object_id, "Resume", enabled=True)

    def _confirm_switch(
        self, request: HttpRequest, object_id: str, title: str, *, enabled: bool
    ) -> HttpResponse:
        row = objects.find_or_404(self.get_queryset(request), pk=object_id)

        def act(_: dict[str, Any]) -> str:
            return self._switched(request, row, enabled=enabled)

        return confirm(self, request, title, act, text=_sentence(row))

    @display(description="what and when")
    def sentence(self, row: PeriodicTask) -> str:
        return _sentence(row)

    @display(
        description="state",
        label={"active": "success", "paused": "warning", "cannot run": "danger"},
    )
    def state(self, row: PeriodicTask) -> str:
        if schedules.problem(row):
            return "cannot run"
        return "active" if schedule_times.next_run(row) else "paused"

    @display(description="next run")
    def next(self, row: PeriodicTask) -> str:
        return schedules.problem(row) or _next(row)


def _next(row: PeriodicTask) -> str:
    """The next run, with the time until then."""
    text, due = schedule_times.next_in_words(row), schedule_times.next_run(row)
    return format_html("{} {}", text, formats.relative(due)) if due else text


def _sentence(row: PeriodicTask) -> str:
    return f"{schedule_times.in_words(row)}: {schedule_work.in_words(row)}."


def _run(row: PeriodicTask) -> str:
    """Send the task to a worker now; ValueError if it cannot run."""
    schedules.check(row)
    try:
        schedules.send(row)
    except OperationalError as error:
        raise QueueDown("The queue of tasks does not answer.", advice=str(error)) from error
    return f"Queued: {row.name}."


def _row(object_id: Any) -> PeriodicTask | None:
    return objects.find(PeriodicTask.objects.all(), pk=object_id) if object_id else None


def _is_housekeeping(row: PeriodicTask | None) -> bool:
    return row is not None and row.name in HOUSEKEEPING


def _housekeeping(row: PeriodicTask) -> dict[str, Any]:
    page = reverse("admin:django_celery_beat_periodictask_change", args=[row.pk])
    last = formats.moment(row.last_run_at)
    return {"name": row.name, "page": page, "when": schedule_times.in_words(row), "last": last}
