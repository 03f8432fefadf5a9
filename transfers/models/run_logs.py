"""The logs of transfers and warehouse jobs."""

from django.contrib.postgres.indexes import BrinIndex
from django.db import models

from .transfers import Transfer
from .warehouse_jobs import WarehouseJob


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
