"""When a schedule may run: in the future, and not too often."""

from celery.schedules import crontab
from django.core.exceptions import ValidationError
from django.utils import timezone
from django_celery_beat.models import ClockedSchedule, IntervalSchedule

from .schedule_fields import Time, are_same

SHORTEST = 5  # minutes between two runs; housekeeping alone runs more often


def check(time: Time, before: Time | None) -> None:
    """Raise ValidationError for a new time in the past, or two runs less than SHORTEST apart."""
    if isinstance(time, ClockedSchedule):
        if time.clocked_time <= timezone.now() and not are_same(before, time):
            raise ValidationError("This time is in the past.")
        return
    if isinstance(time, IntervalSchedule):
        pause = time.schedule.run_every.total_seconds() / 60
    else:
        pause = _shortest_pause(time.schedule)
    if pause < SHORTEST:
        raise ValidationError(f"At least {SHORTEST} minutes must be between two runs.")


def _shortest_pause(cron: crontab) -> int:
    """The shortest pause in minutes between two runs within two hours."""
    minutes: list[int] = sorted(cron.minute)
    following = [*minutes[1:], minutes[0] + 60]
    return min(later - earlier for earlier, later in zip(minutes, following, strict=True))
