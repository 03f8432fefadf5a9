"""Convert the values of a file's columns to those of the raw table, or refuse the first wrong one.

The same rules hold for CSV and Parquet; docs/data-sources.md lists them. A rule runs once for each
distinct value of a batch, because flights repeat few values.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import cache

import pyarrow as pa
import pyarrow.compute as pc

from . import arrow_types, date_formats
from .bad_values import BadValue, cast, fits, refuse

# Texts that stand for a missing value.
MISSING = ["", "NA", "NaN", "null", "NULL", r"\N"]
MINUTES = r"^(?P<value>-?\d+)(?:\.0+)?$"
CODE = r"^(?P<value>\d+)\.0+$"
NUMBER = r"^0*(?P<value>\d+)(?:\.0+)?$"
HHMM = r"^(?P<hour>\d{0,2}?)(?P<minute>\d{1,2})(?:\.0+)?$"
CLOCK = r"^(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::00(?:\.0+)?)?$"
TIME = r"^(?:[01]\d|2[0-3]):[0-5]\d$"
FLAGS = {
    **dict.fromkeys(["1", "1.0", "1.00", "true", "t", "yes", "y"], True),
    **dict.fromkeys(["0", "0.0", "0.00", "false", "f", "no", "n"], False),
}
REASONS = {
    **dict.fromkeys(["a", "carrier"], "carrier"),
    **dict.fromkeys(["b", "weather"], "weather"),
    **dict.fromkeys(["c", "national aviation system", "nas"], "national aviation system"),
    **dict.fromkeys(["d", "security"], "security"),
}

TEXT_ADVICE = "Every record needs an airline and both cities."
MINUTES_ADVICE = "Write whole minutes, or leave it empty (or NA) for a cancelled flight."
TIME_ADVICE = "Write it as hhmm, such as 0659, or as HH:MM."
FLAG_ADVICE = "Write 1 or true, 0 or false, or leave it empty."
REASON_ADVICE = "Write A (carrier), B (weather), C (national aviation system) or D (security)."
MILES_ADVICE = "Write whole miles, or leave it empty."

type Rule = Callable[[pa.Array, str], pa.Array]  # of values and their header


def each(column: pa.Array, header: str, rule: Rule) -> pa.Array:
    """Apply a rule to the distinct values of a column; nulls stay nulls."""
    coded = column.dictionary_encode()
    try:
        values = rule(coded.dictionary, header)
    except BadValue as error:  # Arrow numbers values by their first appearance
        error.row = pc.index(coded.indices, error.row).as_py()
        raise
    return values.take(coded.indices)


def names(column: pa.Array, header: str) -> pa.Array:
    """Read texts that no record may lack."""
    refuse(column, pc.is_null(column), header, "is empty", TEXT_ADVICE)
    return each(column.cast(pa.string()), header, _names)


def dates(column: pa.Array, header: str, formats: Iterable[str]) -> pa.Array:
    """Read dates in any of the formats."""
    formats = list(formats)
    text = column.cast(pa.string())
    refuse(text, pc.is_null(text), header, "is not a date", _date_advice(formats))
    return each(text, header, lambda values, name: _dates(values, name, formats))


def texts(column: pa.Array, header: str) -> pa.Array:
    """Read codes: text, or whole numbers as text."""
    return each(column.cast(pa.string()), header, _codes)


def numbers(column: pa.Array, header: str) -> pa.Array:
    """Read codes; those that are whole numbers lose leading zeros."""
    return each(column.cast(pa.string()), header, _numbers)


def times(column: pa.Array, header: str) -> pa.Array:
    """Read local times of day as "HH:MM"; 2400 is 00:00."""
    return each(column.cast(pa.string()), header, _times)


def flags(column: pa.Array, header: str) -> pa.Array:
    return each(column.cast(pa.string()), header, _flags)


def reasons(column: pa.Array, header: str) -> pa.Array:
    """Read reasons of cancellation."""
    return each(column.cast(pa.string()), header, _reasons)


def minutes(column: pa.Array, header: str) -> pa.Array:
    """Read whole numbers of minutes; durations are converted to minutes."""
    return each(_whole_minutes(column, header).cast(pa.string()), header, _minutes)


def miles(column: pa.Array, header: str) -> pa.Array:
    return each(column.cast(pa.string()), header, _miles)


def nfc(text: pa.Array) -> pa.Array:
    """Normalize texts to Unicode's composed form (NFC), so that texts that look equal are equal."""
    return text if pc.all(pc.string_is_ascii(text)).as_py() else pc.utf8_normalize(text, "NFC")


def _names(values: pa.Array, header: str) -> pa.Array:
    text = nfc(pc.utf8_trim_whitespace(values))
    refuse(values, pc.equal(text, ""), header, "is empty", TEXT_ADVICE)
    return _without_nul(text, header)


def _without_nul(text: pa.Array, header: str) -> pa.Array:
    nul = pc.match_substring(text, "\0")
    refuse(text, nul, header, "contains a NUL character", "Remove it.")
    return text


def _dates(values: pa.Array, header: str, formats: list[str]) -> pa.Array:
    trimmed, result = pc.utf8_trim_whitespace(values), pa.nulls(len(values), pa.string())
    for format_ in formats:
        parts = pc.extract_regex(trimmed, date_formats.pattern(format_))
        padded = [
            pc.utf8_lpad(pc.struct_field(parts, part), 2, "0") for part in ("year", "month", "day")
        ]
        result = pc.coalesce(result, pc.binary_join_element_wise(*padded, "-"))
    advice = _date_advice(formats)
    refuse(values, pc.is_null(result), header, "is not a date", advice)
    bad = pa.array([not fits(day, pa.date32()) for day in result], pa.bool_())
    refuse(values, bad, header, "is not in the calendar", advice)
    return result.cast(pa.date32())


def _date_advice(formats: Iterable[str]) -> str:
    return f"Write it as {' or '.join(formats)}."


def _trimmed(values: pa.Array) -> pa.Array:
    """Trim texts, and make those that stand for a missing value null."""
    trimmed = pc.utf8_trim_whitespace(values)
    return pc.if_else(pc.is_in(trimmed, _missing()), None, trimmed)


@cache
def _missing() -> pa.Array:
    """Return MISSING as an array. Not a constant: the first Arrow array imports pandas (40 MB)."""
    return pa.array(MISSING)


def _first(values: pa.Array, pattern: str) -> pa.Array:
    return pc.struct_field(pc.extract_regex(values, pattern), "value")


def _codes(values: pa.Array, header: str) -> pa.Array:
    text = nfc(_trimmed(values))
    return _without_nul(pc.coalesce(_first(text, CODE), text), header)


def _numbers(values: pa.Array, header: str) -> pa.Array:
    text = nfc(_trimmed(values))
    return _without_nul(pc.coalesce(_first(text, NUMBER), text), header)


def _times(values: pa.Array, header: str) -> pa.Array:
    text = _trimmed(values)
    time = pc.coalesce(*(_clock(pc.extract_regex(text, pattern)) for pattern in (HHMM, CLOCK)))
    midnight = pc.if_else(pc.equal(time, "24:00"), "00:00", time)
    bad = pc.invert(pc.match_substring_regex(midnight, TIME))
    wrong = pc.and_(pc.is_valid(text), pc.fill_null(bad, True))
    refuse(values, wrong, header, "is not a time of day", TIME_ADVICE)
    return midnight


def _clock(parts: pa.Array) -> pa.Array:
    padded = [pc.utf8_lpad(pc.struct_field(parts, part), 2, "0") for part in ("hour", "minute")]
    return pc.binary_join_element_wise(*padded, ":")


def _flags(values: pa.Array, header: str) -> pa.Array:
    return _lookup(values, FLAGS, pa.bool_(), header, "is not a flag", FLAG_ADVICE)


def _reasons(values: pa.Array, header: str) -> pa.Array:
    problem = "is not a reason of cancellation"
    return _lookup(values, REASONS, pa.string(), header, problem, REASON_ADVICE)


def _lookup(
    values: pa.Array, meanings: Mapping[str, object], type_: pa.DataType, header: str, *words: str
) -> pa.Array:
    text = pc.utf8_lower(_trimmed(values))
    places = pc.index_in(text, pa.array(meanings))
    refuse(values, pc.and_(pc.is_valid(text), pc.is_null(places)), header, *words)
    return pa.array(meanings.values(), type_).take(places)


def _minutes(values: pa.Array, header: str) -> pa.Array:
    return _whole(values, header, "is not a number of minutes", MINUTES_ADVICE)


def _miles(values: pa.Array, header: str) -> pa.Array:
    return _whole(values, header, "is not a number of miles", MILES_ADVICE)


def _whole(values: pa.Array, header: str, problem: str, advice: str) -> pa.Array:
    text = _trimmed(values)
    whole = _first(text, MINUTES)
    refuse(values, pc.and_(pc.is_valid(text), pc.is_null(whole)), header, problem, advice)
    return cast(whole, pa.int32(), header, "is out of range", advice)


def _whole_minutes(column: pa.Array, header: str) -> pa.Array:
    """Convert durations to minutes; return other columns unchanged, as they are in minutes."""
    if not pa.types.is_duration(column.type):
        return column
    ticks, minute = column.cast(pa.int64()), arrow_types.MINUTE[column.type.unit]
    whole = pc.divide(ticks, minute)
    bad = pc.not_equal(pc.multiply(whole, minute), ticks)
    problem = f"{column.type.unit} is not a whole number of minutes"
    refuse(ticks, bad, header, problem, MINUTES_ADVICE)
    return whole
