"""The data folder and the database that a backup is restored into."""

import shutil
from pathlib import Path

from django.conf import settings

from airsense import data_folder
from transfers import warehouses

from . import SECRETS, WAREHOUSE, BackupError, contents


def check(source: Path) -> None:
    """Raise BackupError if the database has relations, or if files to restore exist already."""
    blockers = []
    if relations := contents.relations():
        name = ".".join(relations[0])
        blockers.append(f"the database has {name} and {len(relations) - 1} more relations")
    file = warehouses.file_of(settings.WAREHOUSE_URL)
    if file and file.exists() and (source / WAREHOUSE).exists():
        blockers.append(f"there is a warehouse, {file}")
    if (data_folder.folder() / "admin_password").exists():
        blockers.append(f"{data_folder.folder() / 'admin_password'} exists")
    if blockers:
        raise BackupError(
            f"A backup is restored into an empty database and data folder, but"
            f" {'; '.join(blockers)}. Set DATABASE_URL to an empty database, or AIRSENSE_HOME to a"
            " new folder."
        )


def fill(source: Path) -> bool:
    """Copy the secrets and the warehouse; False if the platform uses another warehouse.

    `secret_key` exists already, because each start generates it.
    """
    for name in data_folder.SECRETS:
        if (source / SECRETS / name).exists():
            _copy(source / SECRETS / name, data_folder.folder() / name)
    file = warehouses.file_of(settings.WAREHOUSE_URL)
    if (source / WAREHOUSE).exists() and file:
        file.parent.mkdir(parents=True, exist_ok=True)
        _copy(source / WAREHOUSE, file)
    return file is not None or not (source / WAREHOUSE).exists()


def _copy(source: Path, target: Path) -> None:
    """Copy a file, so that it is complete or absent."""
    new = target.with_name(f".{target.name}.restored")
    shutil.copyfile(source, new)
    new.chmod(0o600)
    new.replace(target)
