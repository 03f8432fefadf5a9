"""When a schedule runs: in words, and the time of its next run, also when clocks change."""

from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from celery import schedules
from django.utils import timezone
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
WORKDAYS = {1, 2, 3, 4, 5}
UNITS = {"days": 86_400, "hours": 3_600, "minutes": 60, "seconds": 1}  # in seconds


@cache
def zones() -> list[str]:
    """The names of all time zones, such as "America/New_York"."""
    return sorted(available_timezones() - {"localtime"})


def zone(row: PeriodicTask) -> tzinfo:
    """The time zone of the schedule's times."""
    return row.crontab.timezone if row.crontab else UTC


def zone_in_words(zone: tzinfo) -> str:
    """Return "New York time" for America/New_York, and "UTC"."""
    name = str(zone)
    return f"{name.rpartition('/')[2].replace('_', ' ')} time" if "/" in name else name


def in_words(row: PeriodicTask) -> str:
    """Return, for example, "Every day at 06:00 New York time"."""
    if row.crontab:
        return f"{_crontab(row.crontab)} {zone_in_words(row.crontab.timezone)}"
    if row.interval:
        count, unit = interval(row.interval)
        return f"Every {unit.removesuffix('s')}" if count == 1 else f"Every {count:,} {unit}"
    return f"Once, on {_moment(row.clocked.clocked_time, UTC)}" if row.clocked else str(row.solar)


def interval(interval: IntervalSchedule) -> tuple[int, str]:
    """The number and the largest unit that express an interval: 1 "hours" for 3,600 seconds."""
    seconds = max(1, int(interval.schedule.run_every.total_seconds()))
    unit = next(unit for unit, size in UNITS.items() if seconds % size == 0)
    return seconds // UNITS[unit], unit


def _crontab(crontab: CrontabSchedule) -> str:
    at, days, day = clock(crontab), weekdays(crontab), crontab.day_of_month
    if at and crontab.month_of_year == "*":
        if day == "*":
            return f"{_days(days)} at {at}"
        if day.isdigit() and not days:
            return f"On day {day} of each month at {at}"
    return str(crontab.human_readable).removesuffix(f" {crontab.timezone}")


def _days(days: set[int]) -> str:
    if not days:
        return "Every day"
    if days == WORKDAYS:
        return "Monday to Friday"
    return "Every " + " and ".join(DAYS[day] for day in sorted(days, key=lambda day: day or 7))


def clock(crontab: CrontabSchedule) -> str:
    """Return "06:00" if the schedule runs at one time of the day, else an empty text."""
    if not (crontab.hour.isdigit() and crontab.minute.isdigit()):
        return ""
    return f"{int(crontab.hour):02}:{int(crontab.minute):02}"


def weekdays(crontab: CrontabSchedule) -> set[int]:
    """The days of the week, Sunday as 0; empty for all days."""
    days = set(schedules.crontab(day_of_week=crontab.day_of_week).day_of_week)
    return set() if len(days) == len(DAYS) else days


def expression(crontab: CrontabSchedule) -> str:
    """The five fields of cron."""
    fields = ("minute", "hour", "day_of_month", "month_of_year", "day_of_week")
    return " ".join(getattr(crontab, field).replace(" ", "") for field in fields)


def next_run(row: PeriodicTask) -> datetime | None:
    """When the schedule runs next; None if it is paused or over. A missed run is due now."""
    if not row.enabled or (row.one_off and row.total_run_count):
        return None
    now = timezone.now()
    last = min(row.last_run_at or row.date_changed or now, now)  # like `schedules.Entry`
    due = max(due_after(row, last), now)
    if row.start_time and row.start_time > due:
        due = max(due_after(row, row.start_time - timedelta(seconds=1)), row.start_time)
    return None if row.expires and due >= row.expires else due


def due_after(row: PeriodicTask, last: datetime) -> datetime:
    """When the run after `last` is due: as django-celery-beat computes it."""
    if row.crontab:
        start, step, _ = row.crontab.schedule.remaining_delta(last.astimezone(zone(row)))
        due: datetime = (start + step).astimezone(UTC)
        return due
    if row.interval:
        return last + timedelta(seconds=row.interval.schedule.run_every.total_seconds())
    return last + timedelta(seconds=row.schedule.remaining_estimate(last).total_seconds())


def next_in_words(row: PeriodicTask) -> str:
    """Return "28 Nov 2026, 06:00 New York time (11:00 UTC)", or that there is no next run."""
    due = next_run(row)
    if not due:
        return "none: it is over" if row.enabled else "none: it is paused"
    if due <= timezone.now():
        return "now"
    local = _moment(due, zone(row))
    if zone(row) == UTC or due.astimezone(zone(row)).utcoffset() == timedelta(0):
        return local
    utc = _moment(due, UTC)
    same_day = due.astimezone(zone(row)).date() == due.astimezone(UTC).date()
    return f"{local} ({utc.rpartition(', ')[2] if same_day else utc})"


def _moment(at: datetime, zone: tzinfo) -> str:
    at = at.astimezone(zone)
    return f"{at.day} {at:%b %Y}, {at:%H:%M} {zone_in_words(zone)}"


def find_zone(text: str) -> ZoneInfo | None:
    """Find a zone by its name or by its city: "America/New_York" or "new york"."""
    name = text.strip().replace(" ", "_").casefold()
    matches = [zone for zone in zones() if zone.casefold() == name] or [
        zone for zone in zones() if zone.casefold().endswith(f"/{name}")
    ]
    return ZoneInfo(min(matches, key=len)) if name and matches else None
