"""Folders of flight records on this machine, which schedules may ingest: those in INGEST_FOLDER."""

from pathlib import Path

from django.conf import settings

from transfers.exceptions import BadInput

ADVICE = "Name a folder in INGEST_FOLDER, such as 2024, without a path above it."


def check(name: str) -> None:
    """Raise BadInput if a name leads out of INGEST_FOLDER."""
    if not name or Path(name).is_absolute() or ".." in Path(name).parts or "\0" in name:
        raise BadInput("it is not a folder in INGEST_FOLDER.", file=repr(name[:200]), advice=ADVICE)


def files(name: str) -> list[Path]:
    """Return the files of a folder, sorted; BadInput if there are none."""
    check(name)
    folder = settings.INGEST_FOLDER / name
    paths = sorted(path for path in folder.glob("*") if path.is_file() and path.name[0] != ".")
    if not paths:
        raise BadInput("there are no files.", file=str(folder), advice="Put files there.")
    return paths
