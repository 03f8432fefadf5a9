"""The files that `ingest` reads: each path may be a file, a .zip with several CSVs, or a folder."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from transfers.exceptions import BadInput

SUFFIXES = (".csv", ".gz", ".zip", ".parquet")


@dataclass(frozen=True)
class Part:
    """A file of records, or one CSV in a zip."""

    path: Path
    member: str = ""

    def __str__(self) -> str:
        """Return the name for errors and reports."""
        return self._with_member(str(self.path))

    @property
    def name(self) -> str:
        """The name without its folder."""
        return self._with_member(self.path.name)

    def _with_member(self, file: str) -> str:
        member = " ".join(self.member.split())
        return f"{file}, {member}" if member else file


def files(paths: Sequence[Path]) -> list[Path]:
    """Replace each folder by its files, and leave out repeated paths.

    BadInput if a folder has no file that can be read, or if a file is neither CSV nor Parquet.
    """
    return list(dict.fromkeys(_regular(file) for path in paths for file in _files(path)))


def _regular(path: Path) -> Path:
    """Return the path; BadInput for a pipe or device: opening a pipe would wait for a writer."""
    if path.exists() and not path.is_file():
        advice = "Write its content to a file first."
        raise BadInput("not a regular file.", file=str(path), advice=advice)
    return path


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        if path.suffix.lower() not in SUFFIXES:
            advice = f"Use a file whose name ends in {', '.join(SUFFIXES)}."
            raise BadInput("neither CSV nor Parquet.", file=str(path), advice=advice)
        return [path]
    if files := sorted(_walk(path)):
        return files
    advice = f"Use a folder with files whose names end in {', '.join(SUFFIXES)}."
    raise BadInput("the folder has no CSV or Parquet file.", file=str(path), advice=advice)


def _walk(folder: Path) -> Iterator[Path]:
    """Yield the files of a folder and of those in it, except hidden ones."""
    for root, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith((".", "__MACOSX"))]
        for name in names:
            if not name.startswith(".") and name.lower().endswith(SUFFIXES):
                yield Path(root, name)
