"""Admin pages of the mirrored tables, exports, citations and API keys."""

from . import citations, exports, keys, tables

__all__ = ["citations", "exports", "keys", "tables"]
