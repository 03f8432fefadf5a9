"""A part of a test's values every day, and all of them in `make test-deep`."""

from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32


@dataclass
class Sample:
    """The values of the test `name`: one of several parts of them, or all of them."""

    name: str
    is_whole: bool

    def of[T](self, values: Sequence[T], parts: int = 3) -> Sequence[T]:
        """Return every value, or each `parts`-th; tests of other names begin at other values."""
        return values if self.is_whole else values[crc32(self.name.encode()) % parts :: parts]
