"""A table with a column of each supported type and its edge cases."""

import math
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
from django.db import models

from flights.mirror import LocalDateTimeField, Mirror, MirroredTable

type Column = tuple[pa.DataType, models.Field[Any, Any], list[Any]]

ASTRONAUT = "\U0001f469\u200d\U0001f680"
SMALLEST = 5e-324  # the smallest float above 0

# Each supported type as Arrow and Django have it, and its edge cases.
TYPES: dict[str, Column] = {
    "n": (pa.int64(), models.BigIntegerField(), [0, 1, 2**63 - 1, -(2**63)]),
    "tiny": (pa.int8(), models.SmallIntegerField(null=True), [None, 127, -128, 0]),
    "small": (pa.int16(), models.SmallIntegerField(), [0, 1, 32767, -32768]),
    "whole": (pa.int32(), models.IntegerField(null=True), [None, 0, 2**31 - 1, -(2**31)]),
    "single": (pa.float32(), models.FloatField(null=True), [0.1, math.nan, None, -math.inf]),
    "double": (pa.float64(), models.FloatField(), [math.nan, math.inf, -0.0, SMALLEST]),
    "large": (pa.float64(), models.FloatField(), [1.7976931348623157e308, -math.inf, 0.1, 1e-310]),
    "wide": (pa.float64(), models.FloatField(null=True), [1e308, -7e307, 1e200, None]),
    "price": (
        pa.decimal128(7, 2),
        models.DecimalField(max_digits=7, decimal_places=2, null=True),
        [None, Decimal("-99999.99"), Decimal("0.00"), Decimal("0.01")],
    ),
    "exact": (
        pa.decimal128(38, 10),
        models.DecimalField(max_digits=38, decimal_places=10),
        [Decimal("1E-10"), Decimal("9" * 28 + ".5"), Decimal("0E-10"), Decimal(-1)],
    ),
    "flag": (pa.bool_(), models.BooleanField(null=True), [None, True, False, True]),
    "text": (pa.string(), models.TextField(null=True), [None, "", ASTRONAUT, "m" * (1 << 20)]),
    "quotes": (pa.string(), models.TextField(), ['"', "a,\n'b'\\", "\\N", " NULL\r\t"]),
    "raw": (pa.binary(), models.BinaryField(null=True), [None, b"", b"\0\xff", b"\\x00"]),
    "day": (
        pa.date32(),
        models.DateField(null=True),
        [None, date(1, 1, 1), date(1582, 10, 10), date(9999, 12, 31)],
    ),
    "instant": (
        pa.timestamp("us", "UTC"),
        models.DateTimeField(),
        [
            datetime(1883, 11, 18, 12, 3, 58, 1, UTC),
            datetime(1969, 12, 31, 23, 59, 59, 999999, UTC),
            datetime(2024, 2, 29, tzinfo=UTC),
            datetime(9999, 12, 31, 23, 59, 59, 999999, UTC),
        ],
    ),
    "local": (
        pa.timestamp("us"),
        LocalDateTimeField(null=True),
        [None, datetime(1582, 10, 10), datetime(2024, 3, 10, 2, 30), datetime(1899, 12, 31)],
    ),
}


class EveryType(MirroredTable):
    for _name, (_, _field, _) in TYPES.items():
        locals()[_name] = _field
    del _name, _field

    mirror = Mirror(order=("n",))

    class Meta(MirroredTable.Meta):
        app_label = "flights"
        db_table = "every_type"


def table_of(columns: dict[str, Column]) -> pa.Table:
    return pa.table({name: pa.array(v, type_) for name, (type_, _, v) in columns.items()})
