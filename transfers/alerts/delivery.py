"""Send alerts: each reaches each channel once, and is retried for up to a day."""

from datetime import timedelta

from django.db.models.functions import Now

from flights import claims
from transfers.exceptions import NotDelivered
from transfers.models import Alert, Delivery

from . import channels

RETRIED_FOR = timedelta(days=1)
LONGEST_PAUSE = 3600.0  # seconds


def deliver() -> None:
    """Send due alerts, oldest first. After a failure, skip the channel until the next call."""
    _prepare()
    for channel in channels.configured():
        while _deliver_next(channel):
            pass


def _prepare() -> None:
    """Create a delivery for each recent alert and each configured channel."""
    recent = Alert.objects.filter(happened_at__gt=Now() - RETRIED_FOR)
    for channel in channels.configured():
        new = recent.exclude(deliveries__channel=channel).order_by("pk")
        Delivery.objects.bulk_create(
            [Delivery(alert=alert, channel=channel, due_at=alert.happened_at) for alert in new],
            ignore_conflicts=True,
        )


def _deliver_next(channel: Delivery.Channel) -> bool:
    """Send the next due alert of a channel; False if none is due, or if sending failed.

    The row stays locked while the alert is sent, so no other process sends it too.
    """
    due = Delivery.objects.select_related("alert").filter(
        channel=channel,
        delivered_at=None,
        due_at__lte=Now(),
        alert__happened_at__gt=Now() - RETRIED_FOR,
    )
    with claims.lock_next(due) as delivery:
        if delivery:
            _attempt(delivery)
    return bool(delivery and delivery.delivered_at)


def _attempt(delivery: Delivery) -> None:
    delivery.attempts += 1
    try:
        channels.send(delivery.alert, Delivery.Channel(delivery.channel))
    except NotDelivered as error:
        delivery.error = str(error)
        delivery.due_at = Now() + _pause(delivery.attempts)
    else:
        delivery.delivered_at, delivery.error = Now(), ""
    delivery.save()


def _pause(attempts: int) -> timedelta:
    """Double the pause after each attempt."""
    return timedelta(seconds=min(2.0**attempts, LONGEST_PAUSE))
