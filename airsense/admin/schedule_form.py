"""The form of a schedule: what to do, and when, by fields that people can fill in."""

import json
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.html import format_html, format_html_join
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminSingleDateWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from airsense import schedule_times, schedules
from airsense.schedule_work import BUILD, INGEST, PUBLISH, TRANSFER
from flights import tables
from transfers.admin.upload_forms import KINDS, TREATMENTS

from . import schedule_fields, schedule_limits

WORK = [
    (TRANSFER, "Transfer tables whose source has changed"),
    (PUBLISH, "The whole pipeline: download new months, ingest, build and transfer all tables"),
    (BUILD, "Build the final tables in the warehouse"),
    (INGEST, "Ingest new files of the inbox folder"),
]
FREQUENCIES = [
    ("interval", "Every so many minutes, hours or days"),
    ("daily", "Every day, or on days of the week"),
    ("monthly", "Once a month"),
    ("once", "Once"),
    ("crontab", "By a cron expression (for experts)"),
]
# The fields that each choice needs.
NEEDS = {
    "interval": ("every", "unit"),
    "daily": ("time", "zone"),
    "monthly": ("day", "time", "zone"),
    "once": ("date", "time", "zone"),
    "crontab": ("expression", "zone"),
}
WORK_FIELDS = {TRANSFER: "tables", PUBLISH: "months", INGEST: "paths"}
TIMES = {
    "interval": IntervalSchedule,
    "crontab": CrontabSchedule,
    "clocked": ClockedSchedule,
    "solar": SolarSchedule,
}


class ZoneInput(UnfoldAdminTextInputWidget):
    """A text field that suggests time zones while people type."""

    def render(self, name: str, value: Any, *args: Any, **kwargs: Any) -> str:
        text = super().render(name, value, *args, **kwargs)
        options = format_html_join(
            "", '<option value="{}">', ((z,) for z in schedule_times.zones())
        )
        return format_html('{}<datalist id="zones">{}</datalist>', text, options)


def _text(label: str, help_text: str = "", **options: Any) -> forms.CharField:
    options.setdefault("widget", UnfoldAdminTextInputWidget)
    return forms.CharField(label=label, help_text=help_text, required=False, **options)


def _choice(label: str, choices: Any, widget: Any, **options: Any) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, choices=choices, widget=widget, **options)


class ScheduleForm(forms.ModelForm):  # type: ignore[type-arg]
    """A schedule; `time` is the unsaved row of django-celery-beat that says when."""

    task = _choice("What to do", WORK, UnfoldAdminRadioSelectWidget, initial=TRANSFER)
    tables = forms.MultipleChoiceField(
        choices=[(name, name) for name in tables.NAMES],
        required=False,
        help_text="None checked: all tables.",
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )
    months = _text("Months", "2024-01 or 2024-01..2024-12; empty: the new months of the last year")
    paths = _text(
        "Files",
        "Files, folders or patterns in the inbox folder, such as 2025/*.zip; one in a line.",
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
    )
    existing = _choice(
        "Existing records", KINDS, UnfoldAdminSelectWidget, initial=KINDS[0][0], required=False
    )
    repeated = _choice(
        "Repeated flights", TREATMENTS, UnfoldAdminSelectWidget, initial="keep", required=False
    )
    columns = _text("Mapping file", "a TOML file in the inbox folder that assigns the columns")
    airlines = _text("List of airlines", "a lookup table of the DOT in the inbox folder")
    airports = _text("List of airports", "a lookup table of the DOT in the inbox folder")

    frequency = _choice("How often", FREQUENCIES, UnfoldAdminRadioSelectWidget, initial="daily")
    every = forms.IntegerField(
        min_value=1,
        max_value=10_000,
        required=False,
        initial=1,
        widget=UnfoldAdminIntegerFieldWidget,
    )
    unit = _choice(
        "Unit",
        [(unit, unit) for unit in schedule_times.UNITS],
        UnfoldAdminSelectWidget,
        initial="hours",
        required=False,
    )
    weekdays = forms.MultipleChoiceField(
        label="On",
        choices=[(str(n % 7), schedule_times.DAYS[n % 7]) for n in range(1, 8)],
        required=False,
        help_text="None checked: every day.",
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )
    day = forms.IntegerField(
        label="On day",
        min_value=1,
        max_value=28,  # every month has these days
        required=False,
        initial=1,
        help_text="1 to 28 of the month",
        widget=UnfoldAdminIntegerFieldWidget,
    )
    date = forms.DateField(required=False, widget=UnfoldAdminSingleDateWidget)
    time = forms.TimeField(
        label="At",
        required=False,
        initial="06:00",
        help_text="in the time zone below, 24 hours: 06:00",
        widget=UnfoldAdminTextInputWidget,
    )
    expression = _text("Cron expression", "minute hour day month weekday, such as 0 6 * * 1-5")
    zone = _text(
        "Time zone",
        "Type a city, such as New York. When clocks change there, the schedule follows.",
        initial="America/New_York",
        widget=ZoneInput(attrs={"list": "zones", "autocomplete": "off"}),
    )

    class Meta:
        model = PeriodicTask
        fields = ["name", "task", "enabled", "description", "start_time", "expires"]
        labels = {
            "enabled": "Active",
            "start_time": "Not before, UTC",
            "expires": "Not after, UTC",
        }
        help_texts = {
            "name": "shown in the list and in alerts",
            "enabled": "A schedule that is not active is paused.",
            "description": "a note for others",
            "start_time": "empty: from now on",
            "expires": "empty: without end",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            row = self.instance
            self.initial.update(schedule_fields.of_time(row) | schedule_fields.of_work(row))

    def clean_paths(self) -> list[str]:
        names = [line.strip() for line in self.cleaned_data["paths"].splitlines() if line.strip()]
        if wrong := [name for name in names if name.startswith("-")]:
            raise ValidationError(f"Not the name of a file or folder: {wrong[0][:200]}")
        return names

    def clean_zone(self) -> Any:
        text = self.cleaned_data["zone"]
        zone = schedule_times.find_zone(text)
        if text and not zone:
            raise ValidationError(f"There is no time zone {text[:100]!r}. Choose one of the list.")
        return zone

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        for name in NEEDS.get(data.get("frequency", ""), ()):
            if data.get(name) in (None, "") and name not in self.errors:
                self.add_error(name, "This field is required.")
        if not self.errors:
            self._check(data)
        return data

    def _check(self, data: dict[str, Any]) -> None:
        """Set the instance's task and time, and add an error if it cannot run."""
        try:
            time = schedule_fields.time(data)
            time.full_clean(validate_unique=False)
            schedule_limits.check(time, schedule_fields.time_of(self.instance))
        except ValidationError as error:
            self.add_error(NEEDS[data["frequency"]][0], "; ".join(error.messages))
            return
        except ValueError as error:
            self.add_error(NEEDS[data["frequency"]][0], str(error))
            return
        self.time, row = time, self.instance
        self.set_time(time)
        row.task, row.args = data["task"], json.dumps(schedule_fields.arguments(data))
        row.one_off = data["frequency"] == "once"
        try:
            schedules.check(row)
        except schedules.WrongArguments as error:
            self.add_error(WORK_FIELDS.get(data["task"], "task"), str(error))
        except ValueError as error:
            self.add_error("frequency", str(error))

    def set_time(self, time: schedule_fields.Time) -> None:
        """Let the schedule run by this row, and by no row of another type."""
        for name, model in TIMES.items():
            setattr(self.instance, name, time if isinstance(time, model) else None)
