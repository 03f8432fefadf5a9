"""Exports: files with all rows of a query, which workers write, and their users."""

import uuid

from django.db import models
from django.db.models import Q
from django.db.models.functions import MD5, Now

from .keys import ApiKey


class Export(models.Model):
    """A requested file with all rows of a query, and its state."""

    class Status(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"
        EXPIRED = "expired"  # the file was removed

    ACTIVE = (Status.QUEUED, Status.RUNNING)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    table = models.TextField()
    number = models.PositiveIntegerField("version", help_text="version of the table")
    query = models.TextField(blank=True, help_text="query string, with parameters sorted by name")
    format = models.TextField()
    status = models.CharField(max_length=7, choices=Status.choices, default=Status.QUEUED)
    asked_at = models.DateTimeField("requested at", db_default=Now(), editable=False)
    due_at = models.DateTimeField(db_default=Now(), help_text="earliest time of the next attempt")
    attempts = models.PositiveSmallIntegerField(default=0)
    claim = models.UUIDField(null=True, help_text="id of the attempt that writes or wrote the file")
    started_at = models.DateTimeField(null=True)
    heartbeat_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True, help_text="when the file is removed")
    rows_done = models.PositiveBigIntegerField(default=0)
    rows_total = models.PositiveBigIntegerField(null=True)
    bytes = models.PositiveBigIntegerField(default=0)
    digest = models.TextField(blank=True, help_text="SHA-256 of the file, in hexadecimal")
    error = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                *("table", "number", MD5("query"), "format"),
                condition=Q(status__in=["queued", "running", "done"]),
                name="one_export_of_a_query",
            )
        ]
        ordering = ["-asked_at"]

    def __str__(self) -> str:
        return f"{self.version} as {self.format}"

    @property
    def active(self) -> bool:
        """Whether it is queued or running."""
        return self.status in self.ACTIVE

    @property
    def asked_by(self) -> str:
        """The users and API keys that requested it, the first one first."""
        return ", ".join(map(str, self.requesters.all()))

    @property
    def version(self) -> str:
        return f"{self.table}/{self.number}"

    @property
    def stored(self) -> str:
        """Name of the stored file; each attempt writes a file of its own."""
        return f"{self.claim}.{self.format}"

    @property
    def filename(self) -> str:
        """Name of the downloaded file."""
        return f"{self.table}__v{self.number}.{self.format}"


class Requester(models.Model):
    """A user or an API key that requested an export. Equal requests share one export."""

    export = models.ForeignKey(Export, models.CASCADE, related_name="requesters")
    user = models.TextField(blank=True, help_text="user name; empty for an API key")
    key = models.ForeignKey(ApiKey, models.CASCADE, null=True, related_name="+")

    class Meta:
        db_table = "flights_asker"  # its first name, which older code uses
        constraints = [
            models.CheckConstraint(
                condition=Q(user="", key__isnull=False) | Q(~Q(user=""), key=None),
                name="a_user_or_a_key_asks",
            ),
            models.UniqueConstraint(
                fields=["export", "user", "key"], nulls_distinct=False, name="asks_once"
            ),
        ]
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"key {self.key}" if self.key else self.user

    def exports(self) -> "models.QuerySet[Export]":
        """Return all exports that this user or key requested."""
        same = Q(requesters__key=self.key_id) if self.key_id else Q(requesters__user=self.user)
        return Export.objects.filter(same)
