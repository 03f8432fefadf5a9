"""Folders of flight records on this machine, which schedules may ingest: those in INGEST_FOLDER."""

from pathlib import Path

from django.conf import settings

from transfers.exceptions import BadInput

ADVICE = "Name a folder in INGEST_FOLDER, such as 2024, without a path above it."


def check(name: str) -> None:
    """Raise BadInput if a name leads out of INGEST_FOLDER."""
    if not name or Path(name).is_absolute() or ".." in Path(name).parts or "\0" in name:
        raise BadInput("it is not a folder in INGEST_FOLDER.", file=repr(name[:200]), advice=ADVICE)


def path(name: str) -> Path:
    """Return the path of a folder; BadInput if there is none."""
    check(name)
    folder: Path = settings.INGEST_FOLDER / name
    if not folder.is_dir():
        raise BadInput("there is no such folder.", file=str(folder), advice=ADVICE)
    return folder
