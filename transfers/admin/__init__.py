"""Admin pages for transfers, versions, alerts, warehouse jobs and downloads."""

from . import alerts, jobs, months, transfers, versions

__all__ = ["alerts", "jobs", "months", "transfers", "versions"]
