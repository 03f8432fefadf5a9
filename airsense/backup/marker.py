"""The file in the data folder that marks an unfinished restore."""

import json
import os
from pathlib import Path

from airsense import data_folder

from . import BackupError

LOADING, FINISHING = "loading", "finishing"


def write(source: Path, stage: str) -> None:
    """Record that the backup in the folder `source` is being restored, and how far it is."""
    file = _file()
    new = file.with_suffix(".new")
    new.write_text(json.dumps({"backup": str(source.absolute()), "stage": stage}))
    os.replace(new, file)


def begun(source: Path) -> bool:
    """Whether the restore of this backup has begun; BackupError if it is that of another one."""
    if not _file().exists():
        return False
    if (backup := _read()["backup"]) != str(source.absolute()):
        raise BackupError(
            f"The restore of {backup} has not ended: run it again, or begin with an empty"
            " database and data folder."
        )
    return True


def stage() -> str:
    """Return how far the unfinished restore is: LOADING or FINISHING."""
    return _read()["stage"]


def refuse_new_platform() -> None:
    """Raise BackupError if the database may still be empty, because a restore was interrupted."""
    if _file().exists() and stage() == LOADING:
        raise BackupError(
            f"A restore was interrupted: run manage.py restore {_read()['backup']} again. To begin"
            f" without that backup instead, delete {_file()}."
        )


def remove() -> None:
    """Record that the restore has ended."""
    _file().unlink()


def _read() -> dict[str, str]:
    return dict(json.loads(_file().read_text()))


def _file() -> Path:
    return data_folder.folder() / "restore.json"
