"""Every transfer and every change of the warehouse that was asked for, and how it went."""

from django.db import models
from django.db.models import Q

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

    table = models.TextField()
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.QUEUED)
    mode = models.CharField(max_length=8, choices=Mode.choices, default=Mode.SNAPSHOT)
    phase = models.TextField(blank=True, help_text="what a running transfer does now")
    rows_done = models.PositiveBigIntegerField(default=0)
    rows_total = models.PositiveBigIntegerField(null=True)
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

    kind = models.CharField(max_length=7, choices=Kind.choices)
    file = models.FileField(blank=True, upload_to="uploads", help_text="kept until it is ingested")
    name = models.TextField(blank=True, help_text="the file's name where it came from")
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.QUEUED)
    asked_by = models.TextField()
    asked_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    outcome = models.TextField(blank=True, help_text="what it did, a line for each file or table")
    error = models.TextField(blank=True)
    advice = models.TextField(blank=True)

    class Meta:
        ordering = ["-pk"]
        permissions = [("run_warehousejob", "Can ingest files and build the final tables")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.name}".strip()
