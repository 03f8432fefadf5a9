"""Admin pages of schedules: those of administrators can be edited, housekeeping is read-only."""

import json
from typing import Any

from celery import current_app
from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django_celery_beat import admin as beat
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)
from kombu.exceptions import OperationalError
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from airsense import schedules
from airsense.schedules import HOUSEKEEPING, SCHEDULABLE

# Solar schedules need a library that is not installed, so they are not registered again.
for model in (PeriodicTask, CrontabSchedule, IntervalSchedule, ClockedSchedule, SolarSchedule):
    admin.site.unregister(model)

TIMES = ["interval", "crontab", "clocked"]


class ScheduleForm(forms.ModelForm):  # type: ignore[type-arg]
    """A schedule of a transfer or a job; checks that it can run."""

    task = forms.ChoiceField(
        choices=[(task, kind.what) for task, kind in SCHEDULABLE.items()],
        widget=UnfoldAdminSelectWidget,
    )
    args = forms.CharField(
        label="arguments",
        initial="[]",
        empty_value="[]",
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text="A JSON list. "
        + "; ".join(f"To {kind.what}: {kind.arguments}" for kind in SCHEDULABLE.values()),
    )

    class Meta:
        model = PeriodicTask
        fields = [
            *("name", "task", "args", "enabled", "description"),
            *(*TIMES, "start_time", "expires", "one_off"),
        ]

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors and any(data[time] for time in TIMES):
            row = PeriodicTask(**{name: data[name] for name in ("task", "args", *TIMES)})
            try:
                schedules.check(row)
            except schedules.WrongArguments as error:
                self.add_error("args", str(error))
            except ValueError as error:
                self.add_error(None, str(error))
        return data


@admin.register(PeriodicTask)
class Schedules(beat.PeriodicTaskAdmin, ModelAdmin):
    """Schedules, with actions to enable, disable and run them."""

    form = ScheduleForm
    change_form_template = "admin/change_form.html"  # the package's contains an inline script
    list_display = ["name", "when", "enabled", "last_run_at", "total_run_count"]
    list_filter = ["enabled"]
    date_hierarchy = None
    readonly_fields = ["last_run_at"]
    actions = ["enable", "disable", "run"]
    fieldsets = [
        (None, {"fields": ["name", "task", "args", "enabled", "description"]}),
        ("When", {"fields": [*TIMES, "start_time", "expires", "one_off", "last_run_at"]}),
    ]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return not _is_housekeeping(obj) and bool(super().has_change_permission(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return not _is_housekeeping(obj) and bool(super().has_delete_permission(request, obj))

    @admin.action(description="Enable", permissions=["change"])
    def enable(self, request: HttpRequest, queryset: "QuerySet[PeriodicTask]") -> None:
        self._switch(request, queryset, enabled=True)

    @admin.action(description="Disable", permissions=["change"])
    def disable(self, request: HttpRequest, queryset: "QuerySet[PeriodicTask]") -> None:
        self._switch(request, queryset, enabled=False)

    def _switch(
        self, request: HttpRequest, queryset: "QuerySet[PeriodicTask]", *, enabled: bool
    ) -> None:
        if count := queryset.filter(name__in=HOUSEKEEPING).count():
            text = f"The platform needs its housekeeping: {count} schedules stay enabled."
            self.message_user(request, text, messages.WARNING)
        for row in queryset.exclude(name__in=HOUSEKEEPING).exclude(enabled=enabled):
            row.enabled = enabled
            row.save()
            word = "Enabled" if enabled else "Disabled"
            self.log_change(request, row, f"{word}.")
            self.message_user(request, f"{word}: {row.name}.")

    @admin.action(description="Run now", permissions=["change"])
    def run(self, request: HttpRequest, queryset: "QuerySet[PeriodicTask]") -> None:
        for row in queryset:
            try:
                schedules.check(row)
                headers = {"periodic_task_name": row.name}
                current_app.send_task(row.task, json.loads(row.args or "[]"), headers=headers)
            except (ValueError, OperationalError) as error:
                self.message_user(request, f"{row.name}: {error}", messages.ERROR)
            else:
                self.message_user(request, f"Queued: {row.name}.")

    @display(description="when")
    def when(self, task: PeriodicTask) -> str:
        """The times in words, such as "every 2 hours" or "At 05:30 AM, only on Monday UTC"."""
        if task.crontab:
            return str(task.crontab.human_readable)
        return _every(task.interval) if task.interval else str(task.clocked or task.solar)


class Times(ModelAdmin):
    """Intervals and times that schedules share; those of the housekeeping are read-only."""

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return not _used_by_housekeeping(obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return not _used_by_housekeeping(obj) and super().has_delete_permission(request, obj)


@admin.register(CrontabSchedule)
class Crontabs(Times, beat.CrontabScheduleAdmin):
    pass


admin.site.register([IntervalSchedule, ClockedSchedule], Times)


def _is_housekeeping(row: PeriodicTask | None) -> bool:
    return row is not None and row.name in HOUSEKEEPING


def _used_by_housekeeping(time: Any) -> bool:
    """Whether a housekeeping schedule uses this interval or time."""
    return bool(time and time.periodictask_set.filter(name__in=HOUSEKEEPING).exists())


def _every(interval: IntervalSchedule) -> str:
    """The interval in the largest fitting unit: "every hour" for 3,600 seconds."""
    for unit, seconds in {"day": 86_400, "hour": 3_600, "minute": 60}.items():
        count, rest = divmod(interval.every, seconds)
        if interval.period == interval.SECONDS and count and not rest:
            return f"every {unit}" if count == 1 else f"every {count} {unit}s"
    return str(interval)
