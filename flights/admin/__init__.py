"""Admin pages of the mirrored tables, exports and API keys."""

from . import exports, keys, tables

__all__ = ["exports", "keys", "tables"]
