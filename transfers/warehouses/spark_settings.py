"""The settings that a session of Databricks or Spark must have, and a query that checks them.

With another time zone, times without one would be read as other instants. Without ANSI mode,
overflows give wrong values instead of errors, and decimals are written as 0E-10.
"""

import hashlib
import math
import struct
from collections.abc import Mapping

import pyarrow as pa

from transfers.exceptions import WarehouseError

from .spark_figures import DIALECT

DATABRICKS = {"ANSI_MODE": "true", "TIMEZONE": "UTC"}
UTC = {"UTC", "Etc/UTC", "Z", "GMT", "+00:00", "Etc/GMT"}
ZERO = "0.0000000000"

# Values for which inexact powers of two or logarithms give a wrong hash.
FLOATS = [
    near
    for exponent in (-1074, -1023, -1022, -537, -1, 0, 1, 52, 537, 1022, 1023)
    for power in (2.0**exponent,)
    for near in (math.nextafter(power, 0), -power, math.nextafter(power, math.inf))
    if near
]
_values = ", ".join(f"({value!r}D)" for value in FLOATS)
_hash_query = DIALECT.hash_query(
    pa.schema([("f", pa.float64())]), ["f"], f"(VALUES {_values}) AS t(f)"
)
QUERY = (
    "SELECT current_timezone() AS zone, CAST(CAST(0 AS DECIMAL(38, 10)) AS STRING) AS zero,"  # noqa: S608
    f" floats.f1 AS hash FROM ({_hash_query}) AS floats"
)


def check(row: Mapping[str, str]) -> None:
    """Check the row of `QUERY`; WarehouseError names the setting that is wrong."""
    if row["zone"] not in UTC:
        raise WarehouseError(
            f"The warehouse's sessions are in the time zone {row['zone']}, although AirSense asks"
            " for UTC.",
            advice="Remove what sets TIMEZONE (spark.sql.session.timeZone) in the warehouse.",
        )
    if row["zero"] != ZERO:
        raise WarehouseError(
            "The warehouse's sessions are not in ANSI mode, although AirSense asks for it.",
            advice="Remove what sets ANSI_MODE (spark.sql.ansi.enabled) in the warehouse.",
        )
    if row["hash"] != str(sum(map(_hash, FLOATS))):
        raise WarehouseError(
            "The warehouse does not compute powers of two exactly, so copies of its floats cannot"
            " be verified.",
            advice="Use another SQL warehouse, and report this one's version and settings.",
        )


def _hash(value: float) -> int:
    """The hash of a row with one float, as docs/verification.md defines it."""
    bits = f"{int.from_bytes(struct.pack('>d', value)):064b}"
    return int(hashlib.md5(bits.encode(), usedforsecurity=False).hexdigest()[:15], 16)
