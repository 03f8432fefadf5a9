"""Alerts and their deliveries."""

import uuid

from django.db import models
from django.db.models import Q

from .transfers import Transfer


class Alert(models.Model):
    """A problem that people should know of, or the end of a problem."""

    class About(models.TextChoices):
        TABLE = "table"
        JOB = "job", "change of the warehouse"
        SCHEDULE = "schedule"
        EXPORT = "export"

    class Kind(models.TextChoices):
        FAILED = "failed"  # a run failed, and the run before it had not
        RECOVERED = "recovered"  # the first success after that
        STALE = "stale"  # not verified against its source for too long
        FRESH = "fresh"  # the end of `stale`

    # Each problem, and the kind of alert that ends it.
    ENDS = {Kind.FAILED: Kind.RECOVERED, Kind.STALE: Kind.FRESH}

    key = models.UUIDField(
        default=uuid.uuid4, unique=True, help_text="identifies the alert to its receivers"
    )
    about = models.CharField(
        max_length=8, choices=About.choices, default=About.TABLE, db_default=About.TABLE
    )
    # The column keeps its old name, because older code may run at the same time.
    subject = models.TextField(db_column="table", help_text="name of the table, job or schedule")
    kind = models.CharField(max_length=9, choices=Kind.choices)
    text = models.TextField()
    advice = models.TextField(blank=True)
    happened_at = models.DateTimeField()
    transfer = models.ForeignKey(Transfer, models.SET_NULL, null=True)
    ended_at = models.DateTimeField(null=True, help_text="when the problem ended")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["about", "subject", "kind"],
                condition=Q(kind__in=["failed", "stale"], ended_at=None),
                name="one_open_alert_of_a_kind",
            )
        ]
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.what} {self.kind}"

    @property
    def what(self) -> str:
        """The subject, with its type unless it is a table: "delays_by_day", "schedule nightly"."""
        return self.subject if self.about == self.About.TABLE else f"{self.about} {self.subject}"


class Delivery(models.Model):
    """The delivery of one alert through one channel."""

    class Channel(models.TextChoices):
        MAIL = "mail"
        WEBHOOK = "webhook"

    alert = models.ForeignKey(Alert, models.CASCADE, related_name="deliveries")
    channel = models.CharField(max_length=7, choices=Channel.choices)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(help_text="time of the first or next attempt")
    delivered_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True, help_text="error of the last attempt")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["alert", "channel"], name="one_delivery_of_an_alert")
        ]
        ordering = ["pk"]

    def __str__(self) -> str:
        done = f"{self.delivered_at:%Y-%m-%d %H:%M} UTC" if self.delivered_at else "waits"
        tried = f", {self.attempts} attempts, {self.error}" if self.error else ""
        return f"{self.channel}: {done}{tried}"
