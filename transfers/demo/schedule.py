"""Dates and times of the demo's flights, and the minutes between two local times."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from transfers import reference

DAY = 24 * 60  # minutes
DAYS = 1 << 20  # more than the days since 1970


def dates(flights: pa.Table) -> pa.ChunkedArray:
    parts = [flights[name].cast(pa.string()) for name in ("year", "month", "day")]
    padded = [pc.utf8_lpad(part, 2, "0") for part in parts]
    return pc.binary_join_element_wise(*padded, "-").cast(pa.date32())


def clock(hhmm: pa.ChunkedArray) -> pa.ChunkedArray:
    """Convert 659 to "06:59"."""
    digits = pc.utf8_lpad(hhmm.cast(pa.string()), 4, "0")
    return pc.utf8_replace_slice(digits, 2, 2, ":")


def minutes(flights: pa.Table) -> pa.ChunkedArray:
    """Return the minutes from scheduled departure to scheduled arrival, across time zones.

    The records state local times only. A flight arrives within a day of its departure.
    """
    day = pc.multiply(dates(flights).cast(pa.int32()), DAY)
    departure = pc.add(day, _of_day(flights["sched_dep_time"]))
    arrival = pc.add(day, _of_day(flights["sched_arr_time"]))
    start = pc.subtract(departure, _offsets(flights["origin"], departure))
    same_day = pc.subtract(arrival, _offsets(flights["dest"], arrival))
    arrival = pc.if_else(pc.greater(same_day, start), arrival, pc.add(arrival, DAY))
    end = pc.subtract(arrival, _offsets(flights["dest"], arrival))
    return pc.subtract(end, start).cast(pa.int32())


def _of_day(hhmm: pa.ChunkedArray) -> pa.ChunkedArray:
    hours = pc.divide(hhmm, 100)
    return pc.subtract(hhmm, pc.multiply(hours, 40))


def _offsets(airports: pa.ChunkedArray, local: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return how many minutes each airport's clock is ahead of UTC at a local time.

    In the United States clocks change at 2:00, so an offset holds from then until 2:00 of the
    next day.
    """
    listed = reference.airports()
    zones = pc.unique(listed["Time_Zone"])
    zone = pc.index_in(listed["Time_Zone"], zones).take(pc.index_in(airports, listed["Code"]))
    keys = pc.add(pc.multiply(zone, DAYS), pc.divide(pc.subtract(local, 120), DAY))
    unique = pc.unique(keys)
    pairs = (divmod(key, DAYS) for key in unique.to_pylist())
    offsets = [_offset(zones[zone].as_py(), day) for zone, day in pairs]
    return pa.chunked_array([pa.array(offsets, pa.int32())]).take(pc.index_in(keys, unique))


def _offset(zone: str, day: int) -> int:
    """Return the minutes that a zone is ahead of UTC at noon of a day; days count from 1970."""
    noon = datetime(1970, 1, 1, 12, tzinfo=ZoneInfo(zone)) + timedelta(days=day)
    offset = noon.utcoffset()
    assert offset is not None
    return int(offset.total_seconds()) // 60
