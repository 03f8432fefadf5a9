"""Transfers, versions and changes of the warehouse in the admin."""

from . import jobs, transfers, versions

__all__ = ["jobs", "transfers", "versions"]
