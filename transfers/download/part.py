"""The part of a file that has been downloaded so far.

Its name contains the validator (RFC 9110) of the release of the file: a strong ETag or a
Last-Modified date. So a part is never continued with bytes of another release, and a killed process
leaves one file that the next download continues.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import quote, unquote

from requests.structures import CaseInsensitiveDict

LONGEST_NAME = 200  # bytes of a quoted validator; file names have at most 255


@dataclass(frozen=True)
class Part:
    """The first bytes of a release of a file; without a validator it cannot be continued."""

    path: Path
    validator: str

    @classmethod
    def begin(cls, folder: Path, name: str, validator: str) -> Self:
        """Begin a part with no bytes, and remove all other parts of the file."""
        remove(folder, name)
        path = folder / f"{name}.{quote(validator, safe='')}.part"
        path.touch()
        return cls(path, validator)

    @classmethod
    def find(cls, folder: Path, name: str) -> Self | None:
        """Return the part that an earlier download left, if it can be continued."""
        for path in _paths(folder, name):
            validator = unquote(path.name.removeprefix(f"{name}.").removesuffix(".part"))
            if validator and path.stat().st_size:
                return cls(path, validator)
        return None

    @property
    def size(self) -> int:
        return self.path.stat().st_size


def validator_of(headers: CaseInsensitiveDict[str]) -> str:
    """Return the validator of a response: its strong ETag, else its Last-Modified, else ""."""
    etag = headers.get("ETag", "")
    validator = etag if etag.startswith('"') else headers.get("Last-Modified", "")
    return validator if len(quote(validator, safe="")) <= LONGEST_NAME else ""


def remove(folder: Path, name: str) -> None:
    """Remove all parts of a file."""
    for path in _paths(folder, name):
        path.unlink(missing_ok=True)


def _paths(folder: Path, name: str) -> Iterable[Path]:
    return folder.glob(f"{name}.*.part")
