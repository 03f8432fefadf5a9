"""Pages that follow each other by the last row's values, however many rows are before it.

`cursor=` begins; the links of an answer go on. A cursor names its version, so that all pages are of
one version though others are published meanwhile; once that is pruned the answer is 410.
"""

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError

from .errors import BadQuery
from .ordering import Direction


@dataclass(frozen=True)
class Position:
    """Beside a row of a version: what comes after it, or before it."""

    version: int
    backward: bool
    values: list[Any]  # of the order's columns

    def __str__(self) -> str:
        said = json.dumps([self.version, self.backward, self.values], default=str)
        return base64.urlsafe_b64encode(said.encode()).decode().rstrip("=")


def read(text: str, order: list[Direction]) -> Position:
    """BadQuery for what no answer of this order has given."""
    try:
        decoded = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        version, backward, values = decoded
        read = [_value(d, value) for d, value in zip(order, values, strict=True)]
        if type(version) is not int or not 0 < version < 2**31 or type(backward) is not bool:
            raise ValueError
    except (binascii.Error, ValueError, TypeError, OverflowError, RecursionError, ValidationError):
        raise BadQuery(
            "cursor is not one of this query. Follow an answer's links, or begin with cursor="
        ) from None
    return Position(version, backward, read)


def _value(direction: Direction, value: Any) -> Any:
    if not isinstance(value, str | int | float | None) or "\0" in str(value).encode().decode():
        raise ValueError
    return direction.field.to_python(value)
