"""Files of whole queries that workers make, and who asked for them."""

import uuid

from django.db import models
from django.db.models import Q
from django.db.models.functions import MD5
from django.utils import timezone

from .keys import ApiKey


class Export(models.Model):
    """A file of a query's rows that was asked for, and what became of it."""

    class Status(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"
        EXPIRED = "expired"  # the file is removed

    ACTIVE = (Status.QUEUED, Status.RUNNING)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    table = models.TextField()
    number = models.PositiveIntegerField("version", help_text="the one that is read")
    query = models.TextField(blank=True, help_text="parameters of the query API, by name")
    format = models.TextField()
    status = models.CharField(max_length=7, choices=Status.choices, default=Status.QUEUED)
    asked_at = models.DateTimeField(auto_now_add=True)
    due_at = models.DateTimeField(default=timezone.now, help_text="when it is made, or made again")
    attempts = models.PositiveSmallIntegerField(default=0)
    claim = models.UUIDField(null=True, help_text="which attempt makes or made the file")
    started_at = models.DateTimeField(null=True)
    heartbeat_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True, help_text="until when the file is kept")
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
        return self.status in self.ACTIVE

    @property
    def asked_by(self) -> str:
        """Everybody who asked for it, the first one first."""
        return ", ".join(map(str, self.askers.all()))

    @property
    def version(self) -> str:
        return f"{self.table}/{self.number}"

    @property
    def stored(self) -> str:
        """What the file is called where it is kept; each attempt writes a file of its own."""
        return f"{self.claim}.{self.format}"

    @property
    def filename(self) -> str:
        """What the file is called where it is downloaded to."""
        return f"{self.table}__v{self.number}.{self.format}"


class Asker(models.Model):
    """A user, or a key of the API, who asked for an export. The same export can have several."""

    export = models.ForeignKey(Export, models.CASCADE, related_name="askers")
    user = models.TextField(blank=True, help_text="name of the user; empty where it was a key")
    key = models.ForeignKey(ApiKey, models.CASCADE, null=True, related_name="+")

    class Meta:
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
        """All that are asked for by the same."""
        mine = Q(askers__key=self.key_id) if self.key_id else Q(askers__user=self.user)
        return Export.objects.filter(mine)
