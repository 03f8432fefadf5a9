"""Alerts on their way: each reaches each channel once, and is tried again for up to a day."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from transfers.exceptions import NotDelivered
from transfers.models import Alert, Delivery

from . import channels

TRIED_FOR = timedelta(days=1)
LONGEST_PAUSE = 3600.0  # seconds


def deliver() -> None:
    """Send what is due, oldest first. A channel that fails is left alone until the next time."""
    _prepare()
    for channel in channels.open_ones():
        while _deliver_next(channel):
            pass


def _prepare() -> None:
    """A delivery for every alert and channel that has none yet."""
    recent = Alert.objects.filter(happened_at__gt=timezone.now() - TRIED_FOR)
    for channel in channels.open_ones():
        new = recent.exclude(deliveries__channel=channel).order_by("pk")
        Delivery.objects.bulk_create(
            [Delivery(alert=alert, channel=channel, due_at=alert.happened_at) for alert in new],
            ignore_conflicts=True,
        )


def _deliver_next(channel: Delivery.Channel) -> bool:
    """Send one, which nobody else sends meanwhile; False where none is due or it was not taken."""
    now = timezone.now()
    due = Delivery.objects.filter(
        channel=channel, delivered_at=None, due_at__lte=now, alert__happened_at__gt=now - TRIED_FOR
    )
    with transaction.atomic():
        waiting = due.select_for_update(skip_locked=True, of=("self",)).select_related("alert")
        delivery = waiting.first()
        if delivery:
            _attempt(delivery)
    return bool(delivery and delivery.delivered_at)


def _attempt(delivery: Delivery) -> None:
    delivery.attempts += 1
    try:
        channels.send(delivery.alert, Delivery.Channel(delivery.channel))
    except NotDelivered as error:
        delivery.error = str(error)
        delivery.due_at = timezone.now() + _pause(delivery.attempts)
    else:
        delivery.delivered_at, delivery.error = timezone.now(), ""
    delivery.save()


def _pause(attempts: int) -> timedelta:
    """Twice as long after each attempt."""
    return timedelta(seconds=min(2.0**attempts, LONGEST_PAUSE))
