"""Choose the account that runs PostgreSQL, which refuses to run as root."""

import functools
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from airsense.data_folder import NOBODY

from .folders import EmbeddedError


class Account(NamedTuple):
    """`owner`: user id that must own PostgreSQL's folders. `become`: switches the new process."""

    owner: int
    become: Callable[[], None]


def choose(binary: Path, folder: Path) -> Account:
    """Choose the account for a data folder. Raises EmbeddedError if root finds none that works.

    An ordinary user stays the same. Root switches to the folder's owner or to `nobody`. If that
    account cannot reach the folder or the program (for example below /root), the second choice is a
    user namespace (user_namespaces(7)): there root appears as `nobody`, while its files still
    belong to root. Many containers forbid user namespaces.
    """
    if os.geteuid() != 0:
        return Account(os.geteuid(), _stay)
    owner = folder.stat().st_uid
    other = Account(owner or NOBODY, functools.partial(_switch_to, owner or NOBODY))
    if _can_run(other, binary, folder):
        return other
    is_nobodys = owner == NOBODY  # airsense.data_folder made it so, so root may take it back
    namespaced = Account(0, _enter_namespace)
    if _can_run(namespaced, binary, folder.parent if is_nobodys else folder):
        if is_nobodys:
            os.chown(folder, 0, 0)
        return namespaced
    raise EmbeddedError(
        "PostgreSQL refuses to run as root, and no other account can enter "
        f"{folder} and run {binary}: run AirSense as an ordinary user, or move both below folders "
        "that every user may enter"
    )


def change_owner(folder: Path, owner: int) -> None:
    """Change the owner of a folder and its contents.

    The folder itself comes last, so that the next start repeats an interrupted change.
    """
    if folder.stat().st_uid == owner:
        return
    for parent, folders, files in os.walk(folder, topdown=False):
        for name in (*folders, *files):
            os.chown(os.path.join(parent, name), owner, owner, follow_symlinks=False)
    os.chown(folder, owner, owner)


def _can_run(account: Account, binary: Path, folder: Path) -> bool:
    def enter() -> None:
        account.become()
        os.chdir(folder)

    try:
        command = [str(binary), "--version"]
        subprocess.run(command, preexec_fn=enter, check=True, capture_output=True, cwd="/")
    except (OSError, subprocess.SubprocessError):
        return False
    return True


def _stay() -> None:
    """Keep the account of an ordinary user."""


def _switch_to(user: int) -> None:
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(user)


def _enter_namespace() -> None:
    """Become `nobody` in a new user namespace, without root's privileges outside of it."""
    os.unshare(os.CLONE_NEWUSER)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{NOBODY} 0 1")
    Path("/proc/self/gid_map").write_text(f"{NOBODY} 0 1")
