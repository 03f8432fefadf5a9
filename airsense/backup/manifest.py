"""The manifest of a backup: the release that made it, and what a restore must result in."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone

from . import BackupError, contents
from .contents import Version

NAME = "manifest.json"
FORMAT = 1


@dataclass(frozen=True)
class Manifest:
    """What a backup contains. `tables` maps each name to its number of rows and its hash."""

    made_at: str
    release: str
    postgresql: int
    migrations: list[str]
    tables: dict[str, list[Any]]
    versions: list[Version]
    published: dict[str, int]
    format: int = FORMAT

    @property
    def rows(self) -> int:
        """Number of rows of all tables and versions."""
        of_tables = [int(rows) for rows, _ in self.tables.values()]
        return sum(of_tables) + sum(version.rows for version in self.versions)

    def write(self, folder: Path) -> None:
        (folder / NAME).write_text(json.dumps(asdict(self), indent=1))

    def check(self) -> None:
        """Raise BackupError if this code or PostgreSQL is older than the backup."""
        own = {".".join(key) for key in MigrationLoader(connection).disk_migrations or ()}
        if unknown := [name for name in self.migrations if name not in own]:
            raise BackupError(
                f"The backup is of a newer release ({self.release}), whose database has the"
                f" migration {unknown[-1]}: restore it with that release or a newer one."
            )
        if (major := contents.server_version()) < self.postgresql:
            raise BackupError(
                f"The backup is of PostgreSQL {self.postgresql}, but this server is {major}:"
                " restore it into a server of that version or a newer one."
            )


def of_database() -> Manifest:
    """Describe the database as the current transaction sees it."""
    return Manifest(
        made_at=timezone.now().isoformat(timespec="seconds"),
        release=settings.VERSION,
        postgresql=contents.server_version(),
        migrations=contents.migrations(),
        tables=contents.tables(),
        versions=contents.versions(),
        published=contents.published(),
    )


def read(folder: Path) -> Manifest:
    """Read the manifest of a backup whose digests were checked."""
    values = json.loads((folder / NAME).read_text())
    if values.get("format") != FORMAT:
        raise BackupError(
            f"The backup has format {values.get('format')}, but this release reads format {FORMAT}:"
            f" restore it with the release that made it ({values.get('release')})."
        )
    return Manifest(**{**values, "versions": [Version(**v) for v in values["versions"]]})
