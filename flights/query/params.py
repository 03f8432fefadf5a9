"""Parameters of a query: texts by name, each of which a client may send once."""

from collections.abc import Iterable

from flights.errors import BadQuery
from flights.mirror import RESERVED

from . import limits

LONGEST_NUMBER = 40  # digits; PostgreSQL's own row counts have 19


def read(lists: Iterable[tuple[str, list[str]]]) -> dict[str, str]:
    """The values of a table's query by name, with the API's own names in lower case.

    Raises BadQuery for a repeated parameter and for too many of them.
    """
    pairs = list(lists)
    limits.at_most(limits.PARAMETERS, len(pairs), "parameters")
    params: dict[str, str] = {}
    for name, values in pairs:
        known = canonical_name(name)
        if len(values) > 1 or known in params:
            raise repeated(known, max(len(values), 2))
        params[known] = str(values[0])
    return params


def canonical_name(name: str) -> str:
    """The name of a parameter: the API's own names may be written in any case."""
    return name.lower() if name.lower() in RESERVED else name


def repeated(name: str, times: int) -> BadQuery:
    return BadQuery(f"{name[:80]} appears {times} times. Send it once.")


def offset(params: dict[str, str]) -> int:
    number = whole_number(params, "offset", 0)
    limits.at_most(
        limits.SKIPPED, number, "rows of offset", "Add a filter, or page by cursor= instead."
    )
    return number


def whole_number(params: dict[str, str], name: str, default: int) -> int:
    """A number of 0 or more; the default if the parameter is missing or empty."""
    value = params.get(name)
    if not value:
        return default
    if not is_whole(value):
        raise BadQuery(f"{name}: {value[:40]!r} is not a whole number of 0 or more.")
    limits.at_most(LONGEST_NUMBER, len(value), f"digits of {name}")
    return int(value)


def is_whole(text: str) -> bool:
    """Whether a text has only the digits 0 to 9: `int` also reads `1_0`, ` 10` and `१०`."""
    return text.isascii() and text.isdigit()
