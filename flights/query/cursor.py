"""Cursors: page by the values of the last row, so that every page takes the same time.

An empty `cursor=` gives the first page; its links lead to the next. A cursor names its version, so
that all pages show one version even if another is published. The response is 410 once the version
has been pruned.
"""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from django.core.exceptions import ValidationError

from flights.errors import BadQuery

from .ordering import Direction

# Characters of a cursor. With a long query its link still fits into the longest allowed address.
LONGEST = 2_000
FOREIGN = "The cursor is of another query. Follow the links of a response, or start with cursor="


@dataclass(frozen=True)
class Position:
    """A place in the rows of a version: after a row, or before it."""

    version: int
    backward: bool
    # Values of the order's columns; only the last, the row number, if the others are too long.
    values: list[Any]

    def __str__(self) -> str:
        text = self._text(self.values)
        return text if len(text) <= LONGEST else self._text(self.values[-1:])

    def _text(self, values: list[Any]) -> str:
        state = json.dumps([self.version, self.backward, values], default=str)
        return base64.urlsafe_b64encode(state.encode()).decode().rstrip("=")


def read(text: str, order: Sequence[Direction]) -> Position:
    """Decode a cursor. Raises BadQuery if it is invalid or belongs to another order."""
    try:
        decoded = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        version, backward, values = decoded
        columns = order[-1:] if len(values) == 1 else order
        decoded_values = [_value(d, value) for d, value in zip(columns, values, strict=True)]
        if type(version) is not int or not 0 < version < 2**31 or type(backward) is not bool:
            raise ValueError
    except (binascii.Error, ValueError, TypeError, OverflowError, ValidationError):
        raise BadQuery(FOREIGN) from None
    return Position(version, backward, decoded_values)


def _value(direction: Direction, value: Any) -> Any:
    if not isinstance(value, str | int | float | None) or "\0" in str(value):
        raise ValueError
    return direction.field.to_python(value)
