"""A part of a test's values every day, and all of them in `make test-deep`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import pytest


@dataclass
class Sample:
    """The values of the test `name`: one of several parts of them, or all of them."""

    name: str
    is_whole: bool

    def of[T](self, values: Sequence[T], parts: int = 3) -> Sequence[T]:
        """Return every value, or each `parts`-th; tests of other names begin at other values."""
        return values if self.is_whole else values[crc32(self.name.encode()) % parts :: parts]


EVERY = Sample("", is_whole=True)  # for deep tests


def daily(parameters: Sequence[Any], parts: int = 3) -> list[Any]:
    """Mark all but each `parts`-th of the parameters of a test as deep; tuples have several."""
    values = [value if isinstance(value, tuple) else (value,) for value in parameters]
    return [
        pytest.param(*value, marks=pytest.mark.deep if number % parts else ())
        for number, value in enumerate(values)
    ]
