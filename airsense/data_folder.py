"""The data folder, which contains every file that AirSense writes on this machine.

StartError              AirSense cannot start because of its environment
├── HomeError           the data folder cannot be used
└── EmbeddedError       an embedded server cannot run (airsense.embedded)
"""

import os
import secrets
import tempfile
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent

# User id of the account `nobody`. PostgreSQL refuses to run as root, so root runs it as `nobody`.
NOBODY = 65534

# The secrets that AirSense generates in this folder unless the environment sets them.
SECRETS = ("secret_key", "metrics_token", "admin_password")


class StartError(Exception):
    """AirSense cannot start. The message is one line and says what to do."""


class HomeError(StartError):
    """The data folder, or a file in it, cannot be created, read or written."""


def folder() -> Path:
    """Return the absolute path of the data folder; create the folder if it is missing.

    It is `AIRSENSE_HOME`, or `.airsense` in the project. Raises HomeError if it cannot be created
    or written.
    """
    path = Path(os.environ.get("AIRSENSE_HOME") or PROJECT / ".airsense").resolve()
    try:
        if not path.is_dir():
            _make(path)
    except OSError as error:
        raise _unusable(path, error.strerror or str(error)) from error
    if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        raise _unusable(path, "this user may not read, write or enter it")
    return path


def secret(name: str, parent: Path | None = None) -> str:
    """Return the random secret `name`, 64 characters; generate it at the first call.

    It is stored in a file of the data folder, or of `parent`, that only its owner can read (0600).
    Raises HomeError if the file cannot be created or read.
    """
    path = (parent or folder()) / name
    try:
        if not path.exists():
            _create(path, secrets.token_urlsafe(48))
        return path.read_text()
    except OSError as error:
        reason = error.strerror or str(error)
        raise HomeError(
            f"the secret {path} cannot be used ({reason}): make this user its owner"
        ) from error


def _make(path: Path) -> None:
    """Create the folder, mode 0700. Root makes `nobody` its owner, so PostgreSQL can enter it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        return  # another process created it at the same time
    if os.geteuid() == 0:
        os.chown(path, NOBODY, NOBODY)


def _create(path: Path, text: str) -> None:
    """Create a file atomically; if another process creates it first, keep that file."""
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
    cure = "set AIRSENSE_HOME to a folder that this user can create and write"
    return HomeError(f"the data folder {path} cannot be used ({reason}): {cure}")
