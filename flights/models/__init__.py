"""The mirrored tables, what is published of them, and what people have here: keys and exports."""

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
    "all_scopes",  # for a migration
    "mirrored",
]
