"""Translate between a schedule and the fields of its form."""

import json
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
)

from airsense import schedule_times, schedule_work
from transfers.exceptions import TransferError
from transfers.models import WarehouseJob
from transfers.warehouse_jobs import stored_files

type Time = IntervalSchedule | CrontabSchedule | ClockedSchedule
FILES = stored_files.FILES


def of_time(row: PeriodicTask) -> dict[str, Any]:
    """The form's fields that say when a schedule runs."""
    if row.interval:
        every, unit = schedule_times.interval(row.interval)
        return {"frequency": "interval", "every": every, "unit": unit}
    if row.clocked:
        at = row.clocked.clocked_time.astimezone(UTC)
        return {"frequency": "once", "date": at.date(), "time": f"{at:%H:%M}", "zone": "UTC"}
    return _of_crontab(row.crontab) if row.crontab else {}


def _of_crontab(crontab: CrontabSchedule) -> dict[str, Any]:
    fields = {"zone": str(crontab.timezone), "time": schedule_times.clock(crontab)}
    days, day = schedule_times.weekdays(crontab), crontab.day_of_month
    if fields["time"] and crontab.month_of_year == "*":
        if day == "*":
            return {**fields, "frequency": "daily", "weekdays": sorted(days)}
        if day.isdigit() and int(day) <= 28 and not days:  # as the form allows
            return {**fields, "frequency": "monthly", "day": int(day)}
    expression = schedule_times.expression(crontab)
    return {**fields, "frequency": "crontab", "expression": expression}


def time(data: dict[str, Any]) -> Time:
    """The unsaved row of django-celery-beat for the form's time; ValueError if it is wrong."""
    match data["frequency"]:
        case "interval":
            return IntervalSchedule(every=data["every"], period=data["unit"])
        case "once":
            at = datetime.combine(data["date"], data["time"], data["zone"])
            return ClockedSchedule(clocked_time=at.astimezone(UTC))
        case "daily":
            days = ",".join(data["weekdays"]) or "*"
            return _at(data["time"], data["zone"], day_of_week=days)
        case "monthly":
            return _at(data["time"], data["zone"], day_of_month=str(data["day"]))
    return _expression(data["expression"], data["zone"])


def _at(at: Any, zone: ZoneInfo, **days: str) -> CrontabSchedule:
    return CrontabSchedule(minute=str(at.minute), hour=str(at.hour), timezone=zone, **days)


def _expression(text: str, zone: ZoneInfo) -> CrontabSchedule:
    fields = text.split()
    if len(fields) != 5:
        raise ValueError("A cron expression has five fields, such as 0 6 * * 1-5.")
    minute, hour, day, month, weekday = fields
    return CrontabSchedule(
        minute=minute,
        hour=hour,
        day_of_month=day,
        month_of_year=month,
        day_of_week=weekday,
        timezone=zone,
    )


def are_same(before: Time | None, after: Time) -> bool:
    """Whether two rows mean the same times: 1 hour equals 60 minutes."""
    try:
        return before is not None and bool(before.schedule == after.schedule)
    except ValueError:  # an older release stored a time that never comes
        return False


def stored(time: Time) -> Time:
    """Find the row with the same values, or save this one: schedules share rows."""
    names = [field.name for field in time._meta.fields if not field.primary_key]
    values = {name: getattr(time, name) for name in names}
    existing: Time | None = type(time).objects.filter(**values).first()
    if not existing:
        time.save()
    return existing or time


def time_of(row: PeriodicTask | None) -> Time | None:
    """The row that says when a schedule runs; None for a new schedule."""
    return row and (row.interval or row.crontab or row.clocked)


def of_work(row: PeriodicTask) -> dict[str, Any]:
    """The form's fields that say what a schedule does; empty if its arguments are wrong."""
    arguments = json.loads(row.args or "[]")
    match row.task:
        case schedule_work.TRANSFER:
            return {"tables": arguments}
        case schedule_work.PUBLISH:
            return {"months": " ".join(arguments)}
        case schedule_work.INGEST:
            return _of_ingest(arguments)
    return {}


def _of_ingest(arguments: list[str]) -> dict[str, Any]:
    try:
        result = stored_files.read(arguments)
    except TransferError:
        return {}
    files = {name: getattr(result, name) or "" for name in FILES}
    fields = {"paths": "\n".join(result.names), "existing": result.kind}
    return {**fields, "repeated": result.repeated, **files}


def arguments(data: dict[str, Any]) -> list[str]:
    """The arguments of the task."""
    match data["task"]:
        case schedule_work.TRANSFER:
            return list(data["tables"])
        case schedule_work.PUBLISH:
            return str(data["months"]).split()
        case schedule_work.INGEST:
            return _ingest(data)
    return []


def _ingest(data: dict[str, Any]) -> list[str]:
    options = {kind: option for option, kind in stored_files.KINDS.items()}
    existing, repeated = data["existing"] or WarehouseJob.Kind.APPEND, data["repeated"] or "keep"
    arguments = [*data["paths"], options[existing], "--repeated", repeated]
    for name in FILES:
        arguments += [f"--{name}", data[name]] if data[name] else []
    return arguments
