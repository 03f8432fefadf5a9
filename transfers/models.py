"""Every transfer and every change of the warehouse that was asked for, how it went, and alerts."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone

from flights.models import TableVersion


class Transfer(models.Model):
    """One run that copies one table from the warehouse into a new version."""

    class Status(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        SUCCEEDED = "succeeded"
        UNCHANGED = "unchanged"  # the warehouse has nothing new
        FAILED = "failed"
        CANCELLED = "cancelled"

    class Mode(models.TextChoices):
        SNAPSHOT = "snapshot"  # every row was read
        APPEND = "append"  # the rows that came since
        MERGE = "merge"  # the rows that changed since
        ROLLBACK = "rollback"  # none: a version that is kept was published again

    ACTIVE = (Status.QUEUED, Status.RUNNING)
    WAITING = "waiting to be published"  # the phase after which tables are seen together

    table = models.TextField()
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.QUEUED)
    mode = models.CharField(max_length=8, choices=Mode.choices, default=Mode.SNAPSHOT)
    phase = models.TextField(blank=True, help_text="what a running transfer does now")
    rows_done = models.PositiveBigIntegerField(default=0)
    rows_total = models.PositiveBigIntegerField(null=True)
    bytes_done = models.PositiveBigIntegerField(
        default=0, db_default=0, help_text="of the rows, as PostgreSQL was sent them (CSV)"
    )
    asked_by = models.TextField(help_text="a user's name, a schedule or a command")
    request_key = models.TextField(blank=True, help_text="the caller's name of its request")
    forced = models.BooleanField(default=False, help_text="also when the source is unchanged")
    asked_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    heartbeat_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    attempt = models.PositiveSmallIntegerField(default=1, help_text="the one that runs or ran last")
    claim = models.UUIDField(null=True, help_text="which process runs it")
    seconds = models.JSONField(default=dict, help_text="seconds of each phase that ended")
    figures = models.JSONField(default=dict, help_text="what source and copy agreed on")
    source_version = models.TextField(blank=True)
    notes = models.JSONField(
        default=list, help_text="differences that were accepted; why a mode was not possible"
    )
    version = models.ForeignKey(TableVersion, models.SET_NULL, null=True)
    error = models.TextField(blank=True)
    advice = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["table"], condition=Q(status="running"), name="one_runs_a_table_at_a_time"
            ),
            models.UniqueConstraint(
                fields=["table"], condition=Q(status="queued"), name="one_waits_a_table_at_a_time"
            ),
        ]
        ordering = ["-pk"]
        permissions = [
            ("start_transfer", "Can start, retry and cancel transfers"),
            ("roll_back", "Can roll tables back"),
        ]

    def __str__(self) -> str:
        return f"transfer {self.pk} of {self.table}"

    @property
    def active(self) -> bool:
        return self.status in self.ACTIVE

    @property
    def rows_per_second(self) -> int | None:
        return self._rate(self.rows_done)

    @property
    def bytes_per_second(self) -> int | None:
        return self._rate(self.bytes_done)

    @property
    def worked(self) -> float:
        """Seconds that it took or takes, without those that it waited for other tables."""
        if self.active and self.started_at:
            return (timezone.now() - self.started_at).total_seconds()
        return sum(float(s) for phase, s in self.seconds.items() if phase != self.WAITING)

    def _rate(self, amount: int) -> int | None:
        return round(amount / self.worked) if amount and self.worked else None


class WarehouseJob(models.Model):
    """An ingest of a file, or a build of the final tables, that was asked for in the admin."""

    class Kind(models.TextChoices):
        APPEND = "append", "add a file's records"
        REPLACE = "replace", "put a file's records in the place of all others"
        BUILD = "build", "build the final tables"

    class Status(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        SUCCEEDED = "succeeded"
        FAILED = "failed"

    ACTIVE = (Status.QUEUED, Status.RUNNING)

    kind = models.CharField(max_length=7, choices=Kind.choices)
    file = models.FileField(blank=True, upload_to="uploads", help_text="kept until it is ingested")
    name = models.TextField(blank=True, help_text="the file's name where it came from")
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.QUEUED)
    asked_by = models.TextField()
    asked_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    heartbeat_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    attempt = models.PositiveSmallIntegerField(
        default=1, db_default=1, help_text="the one that runs or ran last"
    )
    claim = models.UUIDField(null=True, help_text="which process does it")
    outcome = models.TextField(blank=True, help_text="what it did, a line for each file or table")
    error = models.TextField(blank=True)
    advice = models.TextField(blank=True)

    class Meta:
        ordering = ["-pk"]
        permissions = [("run_warehousejob", "Can ingest files and build the final tables")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.name}".strip()

    @property
    def active(self) -> bool:
        return self.status in self.ACTIVE


class Alert(models.Model):
    """Something that people should hear of: a trouble, or its end."""

    class About(models.TextChoices):
        TABLE = "table"
        JOB = "job", "change of the warehouse"
        SCHEDULE = "schedule"
        EXPORT = "export"

    class Kind(models.TextChoices):
        FAILED = "failed"  # a run failed where the one before had not
        RECOVERED = "recovered"  # the first success after that
        STALE = "stale"  # not found equal to its source for too long
        FRESH = "fresh"  # the end of that

    # Each trouble, and the alert that says it is over.
    ENDS = {Kind.FAILED: Kind.RECOVERED, Kind.STALE: Kind.FRESH}

    key = models.UUIDField(default=uuid.uuid4, unique=True, help_text="what receivers know it by")
    about = models.CharField(
        max_length=8, choices=About.choices, default=About.TABLE, db_default=About.TABLE
    )
    # Older code, which may run beside this one, knows the column by its first name.
    subject = models.TextField(db_column="table", help_text="which table, job or schedule")
    kind = models.CharField(max_length=9, choices=Kind.choices)
    text = models.TextField()
    advice = models.TextField(blank=True)
    happened_at = models.DateTimeField()
    transfer = models.ForeignKey(Transfer, models.SET_NULL, null=True)
    ended_at = models.DateTimeField(null=True, help_text="when a trouble was over")

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
        """Such as "delays_by_day", or "schedule nightly"."""
        return self.subject if self.about == self.About.TABLE else f"{self.about} {self.subject}"


class Delivery(models.Model):
    """One alert's way through one channel."""

    class Channel(models.TextChoices):
        MAIL = "mail"
        WEBHOOK = "webhook"

    alert = models.ForeignKey(Alert, models.CASCADE, related_name="deliveries")
    channel = models.CharField(max_length=7, choices=Channel.choices)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(help_text="when it is tried, or tried again")
    delivered_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True, help_text="why the last attempt failed")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["alert", "channel"], name="one_delivery_of_an_alert")
        ]
        ordering = ["pk"]

    def __str__(self) -> str:
        done = f"{self.delivered_at:%Y-%m-%d %H:%M} UTC" if self.delivered_at else "waits"
        tried = f", {self.attempts} attempts, {self.error}" if self.error else ""
        return f"{self.channel}: {done}{tried}"
