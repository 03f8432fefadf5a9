"""Read plain, .gz and .zip files in bounded memory.

A small compressed file can decompress to a thousand times its size (a "zip bomb"), so every reader
counts the decompressed bytes and stops at a limit.

Formats: gzip is RFC 1952; zip is PKWARE's APPNOTE.
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

READ_BYTES = 1 << 20  # decompressed at a time
# The longest list of members of a zip: about 100,000 members, which take 60 MB of memory.
MAX_DIRECTORY_BYTES = 8 << 20
# zipfile decompresses the other methods without a limit: 4 kB of bzip2 can become gigabytes.
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
ARCHIVE_ADVICE = "Use an archive with exactly one CSV file and no password."

type Content = IO[bytes] | gzip.GzipFile


class UnpackLimit:
    """Count a file's decompressed bytes, and stop when there are too many for its size.

    The limit is the larger of INGEST_RATIO times the file's size and INGEST_UNPACKED_MIB.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._unpacked = path, 0
        by_ratio = path.stat().st_size * settings.INGEST_RATIO
        self._limit = max(by_ratio, settings.INGEST_UNPACKED_BYTES)

    def add(self, size: int) -> None:
        """Count `size` more bytes; BadInput if the file exceeds its limit."""
        self._unpacked += size
        if self._unpacked > self._limit:
            free, ratio = settings.INGEST_UNPACKED_BYTES >> 20, settings.INGEST_RATIO
            raise BadInput(
                f"it unpacks to more than {free:,} MiB and more than {ratio:,} times its size.",
                file=str(self._path),
                advice="Split it, or raise INGEST_UNPACKED_MIB or INGEST_RATIO.",
            )


def chunks(path: Path, content: Content) -> Iterator[bytes]:
    """Yield the decompressed content, `READ_BYTES` at a time; BadInput at the limit."""
    limit = UnpackLimit(path)
    while chunk := content.read(READ_BYTES):
        limit.add(len(chunk))
        yield chunk


@contextmanager
def open_content(path: Path, file: IO[bytes]) -> Iterator[Content]:
    """Open the decompressed content of `file`; the suffix of `path` says how it is compressed."""
    match path.suffix.lower():
        case ".gz":
            with gzip.GzipFile(fileobj=file) as content:
                yield content
        case ".zip":
            with (
                zipfile.ZipFile(_Archive(path, file)) as archive,
                _open_member(path, archive, _find_csv(path, archive)) as content,
            ):
                yield content
        case _:
            yield file


class _Archive:
    """A zip file whose list of members is limited, because zipfile reads it in one piece."""

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        self._path, self._file = path, file

    def read(self, size: int = -1) -> bytes:
        if size > MAX_DIRECTORY_BYTES:
            limit = f"{MAX_DIRECTORY_BYTES >> 20} MiB"
            problem = f"its list of members has more than {limit}."
            raise BadInput(problem, file=str(self._path), advice=ARCHIVE_ADVICE)
        return self._file.read(size)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def _find_csv(path: Path, archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    """Return the archive's only CSV file; BadInput if there is not exactly one that is readable."""
    members = archive.infolist()
    csv = [member for member in members if member.filename.lower().endswith(".csv")]
    if len(csv) != 1 or csv[0].flag_bits & 1:  # bit 0: encrypted
        names = [" ".join(member.filename.split())[:100] for member in members]
        more = f" and {len(names) - 5:,} more" if len(names) > 5 else ""
        contents = (", ".join(names[:5]) or "nothing") + more
        raise BadInput(f"it contains {contents}.", file=str(path), advice=ARCHIVE_ADVICE)
    if csv[0].compress_type not in METHODS:
        problem = f"{csv[0].filename} uses compression method {csv[0].compress_type}."
        raise BadInput(problem, file=str(path), advice="Compress it with Deflate, the default.")
    return csv[0]


@contextmanager
def _open_member(
    path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo
) -> Iterator[Content]:
    """Open a member; BadInput at its end if its length is not the one that the archive declares."""
    # zipfile silently stops reading at the declared length, so the declared length is raised here.
    declared, member.file_size = member.file_size, sys.maxsize
    with archive.open(member) as content:
        yield content
        if not content.read(1) and content.tell() != declared:
            problem = f"{member.filename} is not {declared:,} bytes long, as the archive declares."
            raise BadInput(problem, file=str(path), advice="Create the archive again.")
