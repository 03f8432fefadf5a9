"""Database models: mirrored tables, their versions, API keys and exports."""

from . import mirrored
from .exports import Asker, Export
from .keys import SCOPES, ApiKey, all_scopes
from .versions import PublishedTable, TableVersion

__all__ = [
    "SCOPES",
    "ApiKey",
    "Asker",
    "Export",
    "PublishedTable",
    "TableVersion",
    "all_scopes",  # used by a migration
    "mirrored",
]
