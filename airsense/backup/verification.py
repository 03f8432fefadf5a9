"""Compare a restored database with the manifest of its backup."""

from collections.abc import Iterator

from transfers.load import columns, verification

from . import BackupError, contents
from .contents import Version
from .manifest import Manifest


def compare_tables(content: Manifest) -> None:
    """Raise BackupError if rows or hash of a table differ; call it before anything changes them."""
    restored = contents.tables()
    names = sorted(content.tables.keys() | restored.keys())
    wrong = [name for name in names if restored.get(name) != content.tables.get(name)]
    if wrong:
        raise BackupError(
            f"The database differs from the backup in {', '.join(wrong[:5])}: empty the database,"
            " and restore again."
        )


def verify_versions(content: Manifest) -> Iterator[Version]:
    """Yield each version after counting and hashing its rows anew; BackupError if they differ."""
    for version in content.versions:
        stored = version.stored()
        rows, digest = verification.rows_and_hash(stored, columns.stored(stored))
        if (rows, digest) != (version.rows, version.digest):
            raise BackupError(
                f"{version.table}/{version.number} has {rows:,} rows and the hash {digest}, not"
                f" {version.rows:,} and {version.digest}: empty the database, and restore again."
            )
        yield version
