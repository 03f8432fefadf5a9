"""Files of flight records on this machine that schedules may ingest: those in INGEST_FOLDER.

A schedule names files, folders and patterns, and options of `manage.py ingest`:
`["2024", "2025/*.zip", "--replace-months", "--repeated", "drop"]`. It reads nothing outside of the
folder, and no URL: users who may edit schedules must not be able to read every file of the server.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from django.conf import settings

from transfers.exceptions import BadInput
from transfers.ingest import plan
from transfers.ingest.plan import Plan
from transfers.ingest.raw_table import Treatment
from transfers.models import WarehouseJob

KINDS: dict[str, str] = {
    "--append": WarehouseJob.Kind.APPEND,
    "--replace-months": WarehouseJob.Kind.MONTHS,
    "--replace": WarehouseJob.Kind.REPLACE,
}
TREATMENTS = ("keep", "refuse", "drop")
FILES = ("columns", "airlines", "airports")
OPTIONS = [*KINDS, f"--repeated {'|'.join(TREATMENTS)}", *(f"--{name} FILE" for name in FILES)]
USAGE = f"Name files, folders or patterns such as 2024/*.zip; options are {', '.join(OPTIONS)}."
ADVICE = "Name files or folders in INGEST_FOLDER, such as 2024, without a path above it."
WILD = "*?["


@dataclass
class Arguments(argparse.Namespace):
    """Which files to ingest, and how."""

    names: tuple[str, ...] = ()
    kind: str = WarehouseJob.Kind.APPEND
    repeated: Treatment = "keep"
    columns: str | None = None
    airlines: str | None = None
    airports: str | None = None

    def plan(self) -> Plan:
        """Plan the ingest; BadInput if a file is missing or cannot be ingested."""
        paths = [path for name in self.names for path in _paths(name)]
        return plan.read(paths, *map(_file, (self.columns, self.airlines, self.airports)))


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise BadInput(f"{message[:300]}.", file="The arguments", advice=USAGE)


def read(arguments: Sequence[str]) -> Arguments:
    """Read the arguments of a schedule; BadInput if one of them is wrong.

    `["FOLDER", "MODE"]` is the form of earlier releases.
    """
    last = {kind: option for option, kind in KINDS.items()}.get(arguments[-1]) if arguments else ""
    if len(arguments) == 2 and last:
        arguments = [arguments[0], last]
    result = _parser().parse_intermixed_args(arguments, Arguments())
    files = (result.columns, result.airlines, result.airports)
    for name in (*result.names, *(name for name in files if name is not None)):
        _check(name)
    return result


def _parser() -> _Parser:
    parser = _Parser(add_help=False, allow_abbrev=False)
    parser.add_argument("names", nargs="+")
    modes = parser.add_mutually_exclusive_group()
    for option, kind in KINDS.items():
        modes.add_argument(option, dest="kind", action="store_const", const=kind)
    parser.add_argument("--repeated", choices=TREATMENTS)
    for name in FILES:
        parser.add_argument(f"--{name}")
    return parser


def _check(name: str) -> None:
    """Raise BadInput if a name leads out of INGEST_FOLDER."""
    if not name or Path(name).is_absolute() or ".." in Path(name).parts or "\0" in name:
        raise BadInput("it is not in INGEST_FOLDER.", file=repr(name[:200]), advice=ADVICE)


def _paths(name: str) -> list[Path]:
    """Return a file or folder, or the files and folders that a pattern matches."""
    folder: Path = settings.INGEST_FOLDER
    path = folder / name
    if path.exists():
        return [path]
    paths = sorted(folder.glob(name)) if any(sign in name for sign in WILD) else []
    if not paths:
        raise BadInput("there is no such file or folder.", file=str(path), advice=ADVICE)
    return paths


def _file(name: str | None) -> Path | None:
    if name is None:
        return None
    file: Path = settings.INGEST_FOLDER / name
    if not file.is_file():
        raise BadInput("there is no such file.", file=str(file), advice=ADVICE)
    return file
