"""The data folder: everything that AirSense keeps on this machine is below it.

StartError              something outside the program keeps it from starting
├── HomeError           the data folder cannot be used
└── EmbeddedError       an embedded server cannot run (airsense.embedded)
"""

import os
import secrets
import tempfile
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent

# The account that PostgreSQL gets where root starts it, as it refuses to run as root.
NOBODY = 65534


class StartError(Exception):
    """What keeps AirSense from starting, in one line that says what to do."""


class HomeError(StartError):
    """The data folder, or a file in it, cannot be made, read or written."""


def folder() -> Path:
    """The data folder, absolute: `AIRSENSE_HOME`, or `.airsense` in the project. Made if missing.

    Raises HomeError when it cannot be made or written.
    """
    path = Path(os.environ.get("AIRSENSE_HOME") or PROJECT / ".airsense").resolve()
    try:
        if not path.is_dir():
            _make(path)
    except OSError as error:
        raise _unusable(path, error.strerror or str(error)) from error
    if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        raise _unusable(path, "this user may not write it")
    return path


def secret(name: str, where: Path | None = None) -> str:
    """The random secret of this name: made once, kept in a file that only its owner reads (0600).

    It is in the data folder unless `where` names another. Raises HomeError when the file cannot be
    made or read.
    """
    path = (where or folder()) / name
    try:
        if not path.exists():
            _publish(path, secrets.token_urlsafe(48))
        return path.read_text()
    except OSError as error:
        reason = error.strerror or str(error)
        raise HomeError(
            f"the secret {path} cannot be used ({reason}): let this user own it"
        ) from error


def _make(path: Path) -> None:
    """A folder for its owner alone. Root gives it away while new: PostgreSQL must enter it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        return  # another process was first
    if os.geteuid() == 0:
        os.chown(path, NOBODY, NOBODY)


def _publish(path: Path, text: str) -> None:
    """Write a file that is whole as soon as it has its name; who is first decides its text."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(descriptor)
        os.link(temporary, path)
    except FileExistsError:
        return
    finally:
        os.unlink(temporary)


def _unusable(path: Path, reason: str) -> HomeError:
    cure = "set AIRSENSE_HOME to a folder that this user can make and write"
    return HomeError(f"the data folder {path} cannot be used ({reason}): {cure}")
