"""The content of a file that may be packed in .gz or .zip, read in bounded memory.

A packed file can unpack to a thousand times its size, so whoever reads one counts what comes out.
"""

import gzip
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from django.conf import settings

from transfers.exceptions import BadInput

READ = 1 << 20  # bytes that are unpacked at once
DIRECTORY = 8 << 20  # bytes of a zip's list of members: some 100,000 of them, in 60 MB of memory
# zipfile unpacks the other methods without a bound: 4 kB of bzip2 can be gigabytes.
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
ARCHIVE_ADVICE = "Give an archive of one CSV file, without a password."

type Content = IO[bytes] | gzip.GzipFile


class Unpacked:
    """Counts the bytes that come out of a file; BadInput where they are too many for its size."""

    def __init__(self, path: Path) -> None:
        self._path, self._size = path, 0
        by_ratio = path.stat().st_size * settings.INGEST_RATIO
        self._allowed = max(by_ratio, settings.INGEST_UNPACKED_BYTES)

    def add(self, size: int) -> None:
        self._size += size
        if self._size > self._allowed:
            free, ratio = settings.INGEST_UNPACKED_BYTES >> 20, settings.INGEST_RATIO
            raise BadInput(
                f"it unpacks to more than {free:,} MiB and more than {ratio:,} times its size.",
                file=str(self._path),
                advice="Split it, or raise INGEST_UNPACKED_MIB or INGEST_RATIO.",
            )


def chunks(path: Path, content: Content) -> Iterator[bytes]:
    unpacked = Unpacked(path)
    while chunk := content.read(READ):
        unpacked.add(len(chunk))
        yield chunk


@contextmanager
def opened(path: Path, file: IO[bytes]) -> Iterator[Content]:
    """What an open file holds, by the end of its name."""
    match path.suffix.lower():
        case ".gz":
            with gzip.GzipFile(fileobj=file) as unpacked:
                yield unpacked
        case ".zip":
            with (
                zipfile.ZipFile(_Archive(path, file)) as archive,
                _unpacked(path, archive, _member(path, archive)) as content,
            ):
                yield content
        case _:
            yield file


class _Archive:
    """A zip file whose list of members, which zipfile reads at once, has a limit."""

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        self._path, self._file = path, file

    def read(self, size: int = -1) -> bytes:
        if size > DIRECTORY:
            limit = f"{DIRECTORY >> 20} MiB"
            problem = f"its list of members has more than {limit}."
            raise BadInput(problem, file=str(self._path), advice=ARCHIVE_ADVICE)
        return self._file.read(size)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def _member(path: Path, archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    members = archive.infolist()
    csv = [member for member in members if member.filename.lower().endswith(".csv")]
    if len(csv) != 1 or csv[0].flag_bits & 1:  # the bit of encrypted ones
        names = [" ".join(member.filename.split())[:100] for member in members]
        more = f" and {len(names) - 5:,} more" if len(names) > 5 else ""
        holds = (", ".join(names[:5]) or "nothing") + more
        raise BadInput(f"it holds {holds}.", file=str(path), advice=ARCHIVE_ADVICE)
    if csv[0].compress_type not in METHODS:
        problem = f"{csv[0].filename} is packed by method {csv[0].compress_type}."
        raise BadInput(problem, file=str(path), advice="Pack it by the usual method, Deflate.")
    return csv[0]


@contextmanager
def _unpacked(path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[Content]:
    """A member's content; BadInput at its end where it is not as long as the archive says."""
    stated, member.file_size = member.file_size, sys.maxsize  # zipfile would end quietly there
    with archive.open(member) as content:
        yield content
        if not content.read(1) and content.tell() != stated:
            problem = f"{member.filename} has not the {stated:,} bytes that the archive states."
            raise BadInput(problem, file=str(path), advice="Make the archive anew.")
