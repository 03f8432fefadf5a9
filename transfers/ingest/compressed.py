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

from .inputs import Part

READ_BYTES = 1 << 20  # decompressed at a time
# The longest list of members of a zip: about 100,000 members, which take 60 MB of memory.
MAX_DIRECTORY_BYTES = 8 << 20
# zipfile decompresses the other methods without a limit: 4 kB of bzip2 can become gigabytes.
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
MAX_MEMBERS = 1_000  # CSV files in a zip
ARCHIVE_ADVICE = "Use an archive with CSV files and no password."

type Content = IO[bytes] | gzip.GzipFile


class UnpackLimit:
    """Count a file's decompressed bytes, and stop when there are too many for its size.

    The limit is the larger of INGEST_RATIO times the file's size and INGEST_UNPACKED_MIB. The CSVs
    of a zip share it, because the same few bytes of a zip can be in all of them.
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


def chunks(content: Content, limit: UnpackLimit) -> Iterator[bytes]:
    """Yield the decompressed content, `READ_BYTES` at a time; BadInput at the limit."""
    while chunk := content.read(READ_BYTES):
        limit.add(len(chunk))
        yield chunk


def parts(path: Path) -> list[Part]:
    """Return a file as one part, or the CSVs of a zip if it has several."""
    if path.suffix.lower() != ".zip":
        return [Part(path)]
    with path.open("rb") as file, open_zip(path, file) as archive:
        names = [member.filename for member in _csv_files(path, archive)]
    return [Part(path)] if len(names) == 1 else [Part(path, name) for name in sorted(names)]


@contextmanager
def open_content(part: Part, file: IO[bytes]) -> Iterator[Content]:
    """Open the decompressed content of `file`; the suffix of the path says how it is compressed."""
    match part.path.suffix.lower():
        case ".gz":
            with gzip.GzipFile(fileobj=file) as content:
                yield content
        case ".zip":
            with open_zip(part.path, file) as archive:
                members = _csv_files(part.path, archive)
                member = next(m for m in members if part.member in ("", m.filename))
                with _open_member(part.path, archive, member) as content:
                    yield content
        case _:
            yield file


def open_zip(path: Path, file: IO[bytes]) -> zipfile.ZipFile:
    """Open a zip; BadInput if its list of members would fill the memory."""
    return zipfile.ZipFile(_Archive(path, file))


def check_method(path: Path, member: zipfile.ZipInfo) -> None:
    """Raise BadInput if a member of a zip cannot be read in bounded memory."""
    if member.compress_type not in METHODS:
        problem = f"{_name(member)} uses compression method {member.compress_type}."
        raise BadInput(problem, file=str(path), advice="Compress it with Deflate, the default.")


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


def _csv_files(path: Path, archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """Return the archive's CSV files; BadInput if it has none, too many, or one is unreadable."""
    members = archive.infolist()
    csv = [member for member in members if _is_csv(member.filename)]
    if not csv or any(member.flag_bits & 1 for member in csv):  # bit 0: encrypted
        names = [_name(member) for member in members]
        more = f" and {len(names) - 5:,} more" if len(names) > 5 else ""
        contents = (", ".join(names[:5]) or "nothing") + more
        raise BadInput(f"it contains {contents}.", file=str(path), advice=ARCHIVE_ADVICE)
    if len(csv) > MAX_MEMBERS or len({member.filename for member in csv}) < len(csv):
        problem = f"it contains more than {MAX_MEMBERS:,} CSV files, or two of the same name."
        raise BadInput(problem, file=str(path), advice="Split it, or unpack it into a folder.")
    for member in csv:
        check_method(path, member)
    return csv


def _name(member: zipfile.ZipInfo) -> str:
    """The name of a member in one line of an error."""
    return " ".join(member.filename.split())[:100]


def _is_csv(name: str) -> bool:
    """Whether a member is a CSV file; macOS adds hidden files that are not."""
    *folders, file = name.split("/")
    return file.lower().endswith(".csv") and not file.startswith(".") and "__MACOSX" not in folders


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
            problem = f"{_name(member)} is not {declared:,} bytes long, as the archive declares."
            raise BadInput(problem, file=str(path), advice="Create the archive again.")
