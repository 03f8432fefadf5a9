"""Every mirrored table, in the order in which people see them."""

from collections.abc import Iterable

from .mirror import MirroredTable
from .models import mirrored

TABLES: list[type[MirroredTable]] = [
    mirrored.AirlinePerformance,
    mirrored.BusiestAirportsByDelays,
    mirrored.DelaysByDay,
    mirrored.FlightDelayData,
]

NAMES = [model._meta.db_table for model in TABLES]


class UnknownName(LookupError):
    """There is no table of that name; the message says which there are."""


def by_name(name: str) -> type[MirroredTable]:
    """The table of a public name, whatever its case."""
    try:
        return dict(zip(NAMES, TABLES, strict=True))[name.strip().lower()]
    except KeyError:
        tables = ", ".join(NAMES)
        raise UnknownName(f"There is no table {name[:80]!r}. There are: {tables}.") from None


def by_names(names: Iterable[str]) -> list[type[MirroredTable]]:
    """The tables of some names, each once; UnknownName where none is named, too."""
    found = list(dict.fromkeys(by_name(name) for name in names))
    if not found:
        raise UnknownName(f"Name a table: {', '.join(NAMES)}.")
    return found
