"""Admin pages for transfers, versions, alerts and warehouse jobs."""

from . import alerts, jobs, transfers, versions

__all__ = ["alerts", "jobs", "transfers", "versions"]
