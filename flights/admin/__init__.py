"""Mirrored tables, the exports of their rows and the keys of the API in the admin."""

from . import exports, keys, tables

__all__ = ["exports", "keys", "tables"]
