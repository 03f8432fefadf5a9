"""Which Arrow types ingest accepts, and which type the raw table stores each as.

Parquet's types arrive as Arrow's. A value is converted exactly, with its unit (a duration becomes
minutes), or the whole column is refused by name. Ingest never reads a value as the bare integer
that represents it in the file.

The types: https://arrow.apache.org/docs/python/api/datatypes.html
"""

from collections.abc import Callable

import pyarrow as pa
from pyarrow import types

type TypeTest = Callable[[pa.DataType], bool]


def is_text(type_: pa.DataType) -> bool:
    return type_ in (pa.string(), pa.large_string(), pa.string_view())


def is_bytes(type_: pa.DataType) -> bool:
    return type_ in (pa.binary(), pa.large_binary(), pa.binary_view())


def _is_local_time(type_: pa.DataType) -> bool:
    return types.is_timestamp(type_) and type_.tz is None


NUMBERS: tuple[TypeTest, ...] = (types.is_integer, types.is_floating, types.is_decimal)

# For each kind of column of the raw table: tests for the types that convert to it, and a
# description of these types. A timestamp with a time zone is refused for a date, because which day
# it falls on depends on the zone.
ACCEPTED: dict[str, tuple[tuple[TypeTest, ...], str]] = {
    "date": (
        (is_text, types.is_date, _is_local_time),
        "a date, a timestamp without a time zone, or text",
    ),
    "date part": ((is_text, *NUMBERS), "a whole number, or text"),
    "name": ((is_text,), "text"),
    "code": ((is_text, *NUMBERS), "text, or a whole number"),
    "time": ((is_text, *NUMBERS, types.is_time), "a time, a whole number such as 659, or text"),
    "flag": ((is_text, *NUMBERS, types.is_boolean), "a boolean, 0 or 1, or text"),
    "number": ((is_text, *NUMBERS), "a number without a fraction, or text"),
    "minutes": (
        (is_text, *NUMBERS, types.is_duration),
        "a whole, floating-point or decimal number of minutes, a duration, or text",
    ),
}

# For optional columns: the type that the raw table stores each type as. Only types that every
# supported warehouse has.
CONVERSIONS: list[tuple[TypeTest, Callable[[pa.DataType], pa.DataType]]] = [
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
    (types.is_time, lambda _: pa.string()),  # Databricks has no type for a time of day
    (types.is_timestamp, lambda type_: pa.timestamp("us", "UTC" if type_.tz else None)),
    (
        lambda type_: types.is_decimal(type_) and type_.precision <= 38,
        lambda type_: pa.decimal128(type_.precision, type_.scale),
    ),
]
STORABLE = (
    "text, bytes, booleans, numbers (decimals of up to 38 digits), dates, times and timestamps"
)

# One minute in each unit of a duration.
MINUTE = {"s": 60, "ms": 60_000, "us": 60_000_000, "ns": 60_000_000_000}


def value_type(type_: pa.DataType) -> pa.DataType:
    """Return the type of a dictionary's values; other types unchanged."""
    return type_.value_type if types.is_dictionary(type_) else type_


def is_accepted(type_: pa.DataType, kind: str) -> bool:
    """Whether a column of `type_` can become one of this kind; one of nulls always can."""
    tests = (*ACCEPTED[kind][0], types.is_null)
    return any(matches(value_type(type_)) for matches in tests)


def stored_type(type_: pa.DataType) -> pa.DataType | None:
    """Return the raw table's type for an optional column; None if no warehouse can store it."""
    values = value_type(type_)
    return next((convert(values) for matches, convert in CONVERSIONS if matches(values)), None)
