"""Format times, durations and sizes for the admin: sizes with units, times with their zone."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.contrib.humanize.templatetags.humanize import naturaltime
from django.db import models
from django.template.defaultfilters import filesizeformat
from django.utils.html import format_html
from unfold.decorators import display

NONE = "-"  # django-unfold shows this for a missing value
LONG = 120  # seconds from which a duration is shown in minutes


def moment(at: datetime | None) -> str:
    """Format "27 Nov 2026, 02:17 UTC (5 minutes ago)"; the hover text has the seconds."""
    if at is None:
        return NONE
    at = at.astimezone(UTC)
    return format_html(
        '<time datetime="{}" title="{}"><span class="whitespace-nowrap">{}</span> {}</time>',
        at.isoformat(timespec="seconds"),
        f"{day(at)}, {at:%H:%M:%S} UTC",
        minute(at),
        relative(at),
    )


def relative(at: datetime) -> str:
    """Format "(5 minutes ago)" or "(3 hours from now)"."""
    return format_html('<span class="whitespace-nowrap">({})</span>', naturaltime(at))


def minute(at: datetime) -> str:
    """Format "27 Nov 2026, 02:17 UTC"."""
    at = at.astimezone(UTC)
    return f"{day(at)}, {at:%H:%M} UTC"


def day(day: date) -> str:
    """Format "27 Nov 2026"."""
    return f"{day.day} {day:%b %Y}"


def moments(name: str, description: str) -> Callable[[Any], str]:
    """Return a sortable column of an admin page that shows the time in the field `name`."""

    def column(row: models.Model) -> str:
        return moment(getattr(row, name))

    return titled(column, description, name)


def columns(**titles: str) -> list[Callable[[Any], str]]:
    """Return a column for each field with a time: its name and the title."""
    return [moments(name, title) for name, title in titles.items()]


def titled[T](column: Callable[[T], str], title: str, field: str) -> Callable[[T], str]:
    """Give a column of an admin page its title and the field by which it is sorted."""
    decorated: Callable[[T], str] = display(description=title, ordering=field)(column)
    return decorated


def seconds(duration: float) -> str:
    """Format "1.7 s", "95 s", "12 min" or "3 h 5 min"."""
    if duration < LONG:
        return f"{duration:.{0 if duration == int(duration) or duration >= 10 else 1}f} s"
    hours, minutes = divmod(round(duration / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def between(start: datetime | None, end: datetime | None) -> str:
    return seconds((end - start).total_seconds()) if start and end else NONE


def time_left(done: float, total: float | None, elapsed: timedelta) -> str:
    """Format ", about 12 s left" by the rate so far; empty while the rate is unknown."""
    if not (done and total and total > done and elapsed.total_seconds() >= 1):
        return ""
    return about(elapsed.total_seconds() * (total - done) / done)


def about(duration: float) -> str:
    return f", about {seconds(max(1, round(duration)))} left"


def size(count: float) -> str:
    """Format "52.5 MB"."""
    return filesizeformat(count)


def rate(rows: float | None, size_: float | None) -> str:
    """Format "44,559 rows/s, 6.9 MB/s" of the rows and bytes in a second."""
    # A no-break space keeps a number and its unit together.
    return f"{rows:,}\xa0rows/s, {size(size_)}/s" if rows and size_ else NONE
