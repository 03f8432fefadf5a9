"""Transfers: one row for each run that copies a table."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

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
