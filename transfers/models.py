"""Transfers, warehouse jobs, and alerts with their deliveries."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from flights import claims
from flights.models import TableVersion
from flights.quality import BLOCK


class Transfer(models.Model):
    """A copy of one table from the warehouse into a new version: queued, running or ended."""

    class Status(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        SUCCEEDED = "succeeded"
        UNCHANGED = "unchanged"  # the warehouse has nothing new
        FAILED = "failed"
        CANCELLED = "cancelled"

    class Mode(models.TextChoices):
        SNAPSHOT = "snapshot"  # reads every row
        APPEND = "append"  # reads only new rows
        MERGE = "merge"  # reads only changed rows
        ROLLBACK = "rollback"  # reads nothing: publishes an older version again

    ACTIVE = (Status.QUEUED, Status.RUNNING)
    UNSUCCESSFUL = (Status.FAILED, Status.CANCELLED)
    ENDED = (Status.SUCCEEDED, Status.UNCHANGED, *UNSUCCESSFUL)
    WAITING = "waiting to be published"  # the phase before all tables are published

    table = models.TextField()
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.QUEUED)
    mode = models.CharField(max_length=8, choices=Mode.choices, default=Mode.SNAPSHOT)
    phase = models.TextField(blank=True, help_text="current step of a running transfer")
    rows_done = models.PositiveBigIntegerField(default=0)
    rows_total = models.PositiveBigIntegerField(null=True)
    bytes_done = models.PositiveBigIntegerField(
        default=0, db_default=0, help_text="size of the copied rows as CSV, in bytes"
    )
    asked_by = models.TextField(
        help_text='who requested it: a user name, "schedule: NAME" or "command"'
    )
    request_key = models.TextField(
        blank=True, help_text="idempotency key of the request; a repeated request has the same key"
    )
    later_request_keys = ArrayField(
        models.TextField(),
        default=list,
        db_default=[],
        help_text="idempotency keys of further requests, which got this transfer while it waited",
    )
    forced = models.BooleanField(default=False, help_text="even if the source is unchanged")
    asked_at = models.DateTimeField(db_default=Now(), editable=False)
    started_at = models.DateTimeField(null=True)
    heartbeat_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    attempt = models.PositiveSmallIntegerField(
        default=1, help_text="number of the current or last attempt"
    )
    claim = models.UUIDField(null=True, help_text="identifies the process that runs the transfer")
    seconds = models.JSONField(default=dict, help_text="seconds that each finished phase took")
    figures = models.JSONField(
        default=dict, help_text="count, sums, limits and hash; equal in source and copy"
    )
    source_version = models.TextField(blank=True)
    notes = models.JSONField(
        default=list, help_text="accepted differences between columns, and why faster modes failed"
    )
    checks = models.JSONField(
        null=True, help_text="results of the quality checks; null before they run"
    )
    override = models.JSONField(
        null=True,
        help_text="who publishes despite failed checks, with time and reason",
    )
    sources = models.JSONField(
        null=True, help_text="the ingested files that the flights were built from"
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
        # The dashboard reads those of the last week; rows are stored in the order of their time.
        indexes = [BrinIndex(fields=["asked_at"], name="transfers_by_time")]
        ordering = ["-pk"]
        permissions = [
            ("start_transfer", "Can start, retry and cancel transfers"),
            ("roll_back", "Can roll tables back"),
            ("override_checks", "Can publish despite failed checks"),
        ]

    def __str__(self) -> str:
        return f"transfer {self.pk} of {self.table}"

    @property
    def active(self) -> bool:
        return self.status in self.ACTIVE

    @property
    def blocked(self) -> bool:
        """Whether a check failed that blocks the publication."""
        return any(
            check["status"] == "failed" and check["severity"] == BLOCK
            for check in self.checks or []
        )

    @property
    def used_override(self) -> dict[str, str] | None:
        """The override, if there would have been no publication without it."""
        return self.override if self.blocked else None

    @property
    def unsuccessful(self) -> bool:
        return self.status in self.UNSUCCESSFUL

    @property
    def rows_per_second(self) -> int | None:
        return self._rate(self.rows_done)

    @property
    def bytes_per_second(self) -> int | None:
        return self._rate(self.bytes_done)

    @property
    def worked(self) -> float:
        """Seconds of work so far, without the wait for the other tables of its run."""
        if self.active:
            return claims.worked(self).total_seconds()
        return sum(float(s) for phase, s in self.seconds.items() if phase != self.WAITING)

    def _rate(self, amount: int) -> int | None:
        return round(amount / self.worked) if amount and self.worked else None


class WarehouseJob(models.Model):
    """Work in the warehouse that a user starts or a schedule: an ingest, a build, or both.

    A preview of transfers is one, too, but changes nothing.
    """

    class Kind(models.TextChoices):
        APPEND = "append", "add a file's records"
        MONTHS = "months", "put a file's records in the place of those of the same months"
        REPLACE = "replace", "put a file's records in the place of all others"
        BUILD = "build", "build the final tables"
        PUBLISH = "publish", "download and publish months"
        PREVIEW = "preview", "preview transfers of"

    class Status(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        SUCCEEDED = "succeeded"
        FAILED = "failed"

    ACTIVE = (Status.QUEUED, Status.RUNNING)

    kind = models.CharField(max_length=7, choices=Kind.choices)
    file = models.FileField(
        blank=True, upload_to="uploads", help_text="deleted after it is ingested"
    )
    name = models.TextField(blank=True, help_text="original name of the uploaded file")
    mapping = models.TextField(
        blank=True, db_default="", help_text="mapping file that assigns the columns"
    )
    arguments = models.JSONField(
        default=list,
        db_default=[],
        help_text="months to publish, files to ingest and how, or tables to preview",
    )
    options = models.JSONField(
        default=dict,
        db_default={},
        help_text="what to do with repeated flights; the names of lists of airlines and airports",
    )
    steps = models.JSONField(
        default=list, db_default=[], help_text="start, end and outcome of each step"
    )
    progress = models.JSONField(
        null=True, help_text="how much of a running step is done: its name, done, total and unit"
    )
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.QUEUED)
    asked_by = models.TextField()
    asked_at = models.DateTimeField(db_default=Now(), editable=False)
    started_at = models.DateTimeField(null=True)
    heartbeat_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    attempt = models.PositiveSmallIntegerField(
        default=1, db_default=1, help_text="number of the current or last attempt"
    )
    claim = models.UUIDField(null=True, help_text="identifies the process that runs the job")
    outcome = models.TextField(blank=True, help_text="result, one line for each file or table")
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

    @property
    def lines(self) -> list[str]:
        """What the steps did so far, a line each."""
        return [f"{step['name']}: {line}" for step in self.steps for line in step["outcome"]]


class RunLog(models.Model):
    """The last lines that were logged during a transfer or a warehouse job."""

    transfer = models.OneToOneField(Transfer, models.CASCADE, null=True, related_name="log")
    job = models.OneToOneField(WarehouseJob, models.CASCADE, null=True, related_name="log")
    text = models.TextField(blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        indexes = [BrinIndex(fields=["updated_at"], name="logs_by_time")]

    def __str__(self) -> str:
        return f"log of {self.transfer or self.job}"


class DownloadedMonth(models.Model):
    """A release of a month's flight records; a month has more than one if the DOT corrected it."""

    month = models.DateField(help_text="first day of the month")
    digest = models.CharField(max_length=64, help_text="SHA-256 of the file")
    url = models.TextField(help_text="address of the download")
    validator = models.TextField(
        blank=True, help_text="ETag or Last-Modified header of the response"
    )
    bytes = models.PositiveBigIntegerField(help_text="size of the file")
    rows = models.PositiveBigIntegerField(help_text="number of flights in the file")
    downloaded_at = models.DateTimeField(auto_now_add=True)
    checked_at = models.DateTimeField(
        default=timezone.now, help_text="last time the server offered this release"
    )
    built_at = models.DateTimeField(
        null=True, help_text="when the warehouse's tables were built from this release"
    )
    published_in = models.TextField(
        blank=True, help_text="first version of flight_delay_data that contains this release"
    )

    class Meta:
        ordering = ["-month", "-pk"]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}, release {self.digest[:12]}"


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
