"""Database models: mirrored tables, their versions, API keys, exports and citations."""

from . import mirrored
from .citations import Citation
from .exports import Export, Requester
from .keys import SCOPES, ApiKey, all_scopes
from .versions import PublishedTable, TableVersion

__all__ = [
    "SCOPES",
    "ApiKey",
    "Citation",
    "Export",
    "PublishedTable",
    "Requester",
    "TableVersion",
    "all_scopes",  # used by a migration
    "mirrored",
]
