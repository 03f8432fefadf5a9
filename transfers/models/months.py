"""The months of flight records that were downloaded."""

from django.db import models
from django.utils import timezone


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
