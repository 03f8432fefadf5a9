"""Transfers, versions, alerts and changes of the warehouse in the admin."""

from . import alerts, jobs, transfers, versions

__all__ = ["alerts", "jobs", "transfers", "versions"]
