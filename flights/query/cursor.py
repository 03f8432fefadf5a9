"""Pages that follow each other by the last row's values, however many rows are before it.

`cursor=` begins; the links of an answer go on. A cursor names its version, so that all pages are of
one version though others are published meanwhile; once that is pruned the answer is 410.
"""

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any

import orjson
from django.core.exceptions import ValidationError

from flights.errors import BadQuery

from .ordering import Direction

# Characters of a cursor: with a long query beside it, its link is still an address that is allowed.
LONGEST = 2_000
FOREIGN = "cursor is not one of this query. Follow an answer's links, or begin with cursor="


@dataclass(frozen=True)
class Position:
    """Beside a row of a version: what comes after it, or before it."""

    version: int
    backward: bool
    # Of the order's columns. Where those are long texts, only of the last, which numbers the rows.
    values: list[Any]

    def __str__(self) -> str:
        text = self._text(self.values)
        return text if len(text) <= LONGEST else self._text(self.values[-1:])

    def _text(self, values: list[Any]) -> str:
        state = json.dumps([self.version, self.backward, values], default=str)
        return base64.urlsafe_b64encode(state.encode()).decode().rstrip("=")


def read(text: str, order: list[Direction]) -> Position:
    """BadQuery for what no answer of this order has given."""
    try:
        decoded = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        version, backward, values = decoded
        named = order[-1:] if len(values) == 1 else order
        read = [_value(d, value) for d, value in zip(named, values, strict=True)]
        if type(version) is not int or not 0 < version < 2**31 or type(backward) is not bool:
            raise ValueError
    except (binascii.Error, ValueError, TypeError, OverflowError, ValidationError):
        raise BadQuery(FOREIGN) from None
    return Position(version, backward, read)


def _value(direction: Direction, value: Any) -> Any:
    if not isinstance(value, str | int | float | None) or "\0" in str(value):
        raise ValueError
    return direction.field.to_python(value)
