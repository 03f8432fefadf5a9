"""The account PostgreSQL runs as. It refuses root, so root has to find it another one."""

import functools
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from airsense.data_folder import NOBODY

from .folders import EmbeddedError


class Account(NamedTuple):
    """`owner` is the user id that must own PostgreSQL's folders; `become` runs in its process."""

    owner: int
    become: Callable[[], None]


def choose(binary: Path, folder: Path) -> Account:
    """The account for a data folder. Raises EmbeddedError when root finds none that can work.

    Root drops to the folder's owner, or to nobody. Where that account cannot come to the folder or
    the program (a parent such as /root is closed), root stays itself outside, yet has no power and
    another number in a user namespace, which containers often forbid: so it is the second choice.
    """
    if os.geteuid() != 0:
        return Account(os.geteuid(), _stay)
    owner = folder.stat().st_uid
    dropped = Account(owner or NOBODY, functools.partial(_drop, owner or NOBODY))
    if _reaches(dropped, binary, folder):
        return dropped
    given_away = owner == NOBODY  # by airsense.data_folder, so it may be taken back
    hidden = Account(0, _hide)
    if _reaches(hidden, binary, folder.parent if given_away else folder):
        if given_away:
            os.chown(folder, 0, 0)
        return hidden
    raise EmbeddedError(
        "PostgreSQL refuses to run as root, and no other account can enter "
        f"{folder} and run {binary}: run AirSense as an ordinary user, or put both below folders "
        "that everybody may enter"
    )


def give(folder: Path, owner: int) -> None:
    """Let the account own a folder and all in it; the folder last, so that a kill is made good."""
    if folder.stat().st_uid == owner:
        return
    for parent, folders, files in os.walk(folder, topdown=False):
        for name in (*folders, *files):
            os.chown(os.path.join(parent, name), owner, owner, follow_symlinks=False)
    os.chown(folder, owner, owner)


def _reaches(account: Account, binary: Path, folder: Path) -> bool:
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
    """An ordinary user needs no other account."""


def _drop(user: int) -> None:
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(user)


def _hide() -> None:
    """Be nobody in a user namespace of one user; outside, files see root without its powers."""
    os.unshare(os.CLONE_NEWUSER)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{NOBODY} 0 1")
    Path("/proc/self/gid_map").write_text(f"{NOBODY} 0 1")
