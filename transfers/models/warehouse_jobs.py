"""Warehouse jobs: ingests, builds and previews."""

from django.db import models
from django.db.models.functions import Now


class WarehouseJob(models.Model):
    """Work in the warehouse that a user or a schedule starts: an ingest, a build, or both.

    A preview of transfers is a job, too, but changes nothing.
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
