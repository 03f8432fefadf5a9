"""What becomes of each Arrow type, and so of each type of Parquet.

A value is converted exactly, with its unit, or the column is refused by name: nothing is read as
the bare digits that happen to store it.
"""

from collections.abc import Callable

import pyarrow as pa
from pyarrow import types

type Is = Callable[[pa.DataType], bool]


def is_text(type_: pa.DataType) -> bool:
    return type_ in (pa.string(), pa.large_string(), pa.string_view())


def is_bytes(type_: pa.DataType) -> bool:
    return type_ in (pa.binary(), pa.large_binary(), pa.binary_view())


def _is_local_time(type_: pa.DataType) -> bool:
    return types.is_timestamp(type_) and type_.tz is None


# For each type of the columns that every file has: what it is read from, and that in words. A
# timestamp with a time zone is an instant, whose day depends on where one is.
REQUIRED_FROM: dict[pa.DataType, tuple[tuple[Is, ...], str]] = {
    pa.date32(): (
        (is_text, types.is_date, _is_local_time),
        "a date, a timestamp without a time zone, or text",
    ),
    pa.string(): ((is_text,), "text"),
    pa.int32(): (
        (is_text, types.is_integer, types.is_floating, types.is_decimal, types.is_duration),
        "a whole, floating-point or decimal number of minutes, a duration, or text",
    ),
}

# What further columns become: types that every warehouse has.
KEPT: list[tuple[Is, Callable[[pa.DataType], pa.DataType]]] = [
    (types.is_null, lambda _: pa.string()),
    (is_text, lambda _: pa.string()),
    (is_bytes, lambda _: pa.binary()),
    (types.is_boolean, lambda type_: type_),
    (types.is_signed_integer, lambda type_: type_),
    (types.is_uint8, lambda _: pa.int16()),
    (types.is_uint16, lambda _: pa.int32()),
    (types.is_uint32, lambda _: pa.int64()),
    (types.is_uint64, lambda _: pa.decimal128(20, 0)),
    (types.is_float16, lambda _: pa.float32()),
    (types.is_floating, lambda type_: type_),
    (types.is_date, lambda _: pa.date32()),
    (types.is_time, lambda _: pa.string()),  # Databricks has no time of day
    (types.is_timestamp, lambda type_: pa.timestamp("us", "UTC" if type_.tz else None)),
    (
        lambda type_: types.is_decimal(type_) and type_.precision <= 38,
        lambda type_: pa.decimal128(type_.precision, type_.scale),
    ),
]
KEPT_WORDS = (
    "text, bytes, booleans, numbers (decimals of up to 38 digits), dates, times and timestamps"
)

MINUTE = {"s": 60, "ms": 60_000, "us": 60_000_000, "ns": 60_000_000_000}  # in a duration's unit


def plain(type_: pa.DataType) -> pa.DataType:
    """A dictionary's type is that of its values."""
    return type_.value_type if types.is_dictionary(type_) else type_


def is_readable(type_: pa.DataType, required: pa.DataType) -> bool:
    kinds = (*REQUIRED_FROM[required][0], types.is_null)
    return any(is_kind(plain(type_)) for is_kind in kinds)


def kept(type_: pa.DataType) -> pa.DataType | None:
    """What the raw table makes of a further column's type; None where no table can hold it."""
    return next((becomes(plain(type_)) for is_kind, becomes in KEPT if is_kind(plain(type_))), None)
