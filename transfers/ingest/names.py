"""The names of airlines and the cities of airports, by their codes in flight records.

They are in the lists of `transfers.reference`, and in users' files in the form of the DOT's lookup
tables, which take precedence. A code that no list has is used as the name.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from transfers import reference

from . import lookup_files

EXAMPLES = 5  # unknown codes in a report
MOST = 1_000  # different unknown codes whose records are counted

type Periods = list[tuple[date, date, str]]  # the first and last date of a code's airline


@dataclass(frozen=True)
class Lists:
    """The airlines and cities by code, and the codes of airports by the DOT's numbers."""

    airlines: dict[str, Periods]
    cities: dict[str, str]
    airports: dict[str, str]
    own: tuple[str, ...] = ()  # a line of the report for each list of the user

    @classmethod
    def of(cls, airlines: Path | None = None, airports: Path | None = None) -> "Lists":
        """Return the project's lists, updated by the user's; BadInput if a file breaks a rule."""
        periods: dict[str, Periods] = {}
        for row in reference.airlines().to_pylist():
            dates = row["First_Date"] or date.min, row["Last_Date"] or date.max
            periods.setdefault(row["Code"], []).append((*dates, row["Name"]))
        listed = reference.airports().select(["Code", "City"]).to_pylist()
        cities = {row["Code"]: row["City"] for row in listed if row["City"]}
        ids = {str(row["Id"]): row["Code"] for row in reference.airport_ids().to_pylist()}
        own_periods = lookup_files.airlines(airlines) if airlines else {}
        own_cities = lookup_files.cities(airports) if airports else {}
        own = [
            *_about("airlines", airlines, {code: rows[0][2] for code, rows in own_periods.items()}),
            *_about("airports", airports, own_cities),
        ]
        return cls(periods | own_periods, cities | own_cities, ids, tuple(own))

    def airline(self, code: str, day: date) -> str | None:
        """Return the airline that had a code on a date."""
        periods = self.airlines.get(code, ())
        return next((name for first, last, name in periods if first <= day <= last), None)


@dataclass
class Namer:
    """Looks codes up, and counts the records of each unknown code of a file."""

    lists: Lists
    unknown: dict[str, Counter[str]] = field(default_factory=dict)

    def airports(self, codes: pa.Array) -> pa.Array:
        """Replace the DOT's numbers of airports by codes."""
        coded = codes.dictionary_encode()
        airports = self.lists.airports
        values = [airports.get(code, code) for code in coded.dictionary.to_pylist()]
        return pa.array(values, pa.string()).take(coded.indices)

    def cities(self, codes: pa.Array) -> pa.Array:
        """Return the cities of airports."""
        return self._look_up("airport", codes, lambda code: (code, self.lists.cities.get(code)))

    def airlines(self, codes: pa.Array, dates: pa.Array) -> pa.Array:
        """Return the names of the airlines that had the codes on the dates."""

        def look_up(flight: str) -> tuple[str, str | None]:
            code, _, day = flight.rpartition(" ")
            return code, self.lists.airline(code, date.fromisoformat(day))

        flights = pc.binary_join_element_wise(codes, _texts(dates), " ")
        return self._look_up("airline", flights, look_up)

    def warnings(self, file: str) -> tuple[str, ...]:
        """Return one line for each kind of code, airport or airline, that has unknown codes."""
        return tuple(
            f"{file}: {codes.total():,} records with unknown {kind} codes:"
            f" {_some(codes)}. The code is stored as the name;"
            f" give the names with --{kind}s FILE."
            for kind, codes in self.unknown.items()
        )

    def _look_up(
        self, kind: str, column: pa.Array, look_up: Callable[[str], tuple[str, str | None]]
    ) -> pa.Array:
        """Replace each value by its name, else its code; `look_up` returns both."""
        coded = column.dictionary_encode()
        pairs = [look_up(value) for value in coded.dictionary.to_pylist()]
        unknown = {index: code for index, (code, name) in enumerate(pairs) if not name}
        for index, code in unknown.items():
            counter = self.unknown.setdefault(kind, Counter())
            if code in counter or len(counter) < MOST:
                counter[code] += pc.sum(pc.equal(coded.indices, index)).as_py()
        return pa.array([name or code for code, name in pairs], pa.string()).take(coded.indices)


def _about(kind: str, path: Path | None, names: dict[str, str]) -> Iterator[str]:
    """Yield a line about a list of the user, with an example that shows a wrong list."""
    for code, name in list(names.items())[:1]:
        assert path
        some = f"{len(names):,} codes of {kind}, such as {code}: {name}"
        yield f"{path.name}: {some}. They take precedence over the project's list."


def _texts(dates: pa.Array) -> pa.Array:
    coded = dates.dictionary_encode()
    return coded.dictionary.cast(pa.string()).take(coded.indices)


def _some(codes: Counter[str]) -> str:
    words = [f"{code} ({rows:,})" for code, rows in codes.most_common(EXAMPLES)]
    more = f" and {len(codes) - EXAMPLES:,} more" if len(codes) > EXAMPLES else ""
    return ", ".join(words) + more
