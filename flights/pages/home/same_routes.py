"""Compare airlines that fly different routes: each only on routes that other airlines fly, too.

On each route, the difference is the airline's percent on time minus that of all other airlines
together. An airline's difference is the mean of its routes', weighted by its own flights.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from flights import links, versions
from flights.models import TableVersion
from flights.models.mirrored import PerformanceByRoute
from flights.pages import formatting, on_time, table_rows
from flights.pages.charts import Bars, Figure, Value
from flights.query import cost


class Flown(NamedTuple):
    """An airline's flights on a route."""

    route: tuple[str, str]
    code: str
    name: str
    flights: int
    on_time: int


class Difference(NamedTuple):
    """Percentage points between an airline and the others on the routes that it shares."""

    code: str
    name: str
    points: float
    flights: int  # of the airline on these routes


def figure() -> Figure:
    version, flown = versions.read(PerformanceByRoute, lambda v: (v, _flown(v)))
    rows = [row for row in differences(flown) if on_time.enough(row.flights)]
    rows.sort(key=lambda row: -row.points)
    values = [Value(r.name, round(r.points, 2), r.flights, links.airline(r.code)) for r in rows]
    measure = (
        "Percentage points on time above or below the other airlines on the same routes, weighted"
        f" by the airline's own flights there; airlines with {on_time.least()} on shared routes"
    )
    return Figure(
        *("same-routes", "Airlines on the same routes", measure),
        Bars(values, "points", "Airline", better="high"),
        *(table_rows.source(version), sum(row.flights for row in rows)),
        data=links.rows(version.table, {"limit": "1000"}),
        sentence=_sentence(rows),
    )


def _sentence(rows: list[Difference]) -> str:
    """`On the same routes, A is on time 11.38 points more often (714 flights) than ..., B ...`"""
    if len(rows) < 2:
        return ""
    best, worst = rows[0], rows[-1]
    return (
        f"On the same routes, {best.name} is on time {_points(best)} than other airlines,"
        f" and {worst.name} {_points(worst)}."
    )


def _points(row: Difference) -> str:
    """`11.38 points more often (714 flights)`"""
    often = "more" if row.points >= 0 else "less"
    flights = formatting.count(row.flights, "flight")
    return f"{formatting.figure(abs(row.points))} points {often} often ({flights})"


def differences(flown: Iterable[Flown]) -> Iterator[Difference]:
    """The difference of each airline that shares a route with another airline."""
    routes: dict[tuple[str, str], list[Flown]] = defaultdict(list)
    for row in flown:
        routes[row.route].append(row)
    sums: dict[str, tuple[float, int]] = defaultdict(lambda: (0.0, 0))
    names = {}
    for row, others in _shared(routes.values()):
        points = 100 * (row.on_time / row.flights - _share(others))
        total, flights = sums[row.code]
        sums[row.code] = total + points * row.flights, flights + row.flights
        names[row.code] = row.name
    for code, (total, flights) in sums.items():
        yield Difference(code, names[code], total / flights, flights)


def _shared(routes: Iterable[list[Flown]]) -> Iterator[tuple[Flown, list[Flown]]]:
    """Each airline on each route, with the other airlines of the route."""
    for airlines in routes:
        for row in airlines:
            if others := [other for other in airlines if other is not row]:
                yield row, others


def _share(flown: list[Flown]) -> float:
    return sum(row.on_time for row in flown) / sum(row.flights for row in flown)


def _flown(version: TableVersion) -> list[Flown]:
    rows = versions.rows(PerformanceByRoute, version).filter(on_time_arrivals__isnull=False)
    names = ("origin", "destination", "airline_code", "airline_name")
    counts = ("scheduled_flights", "on_time_arrivals")
    fetched = cost.fetch(rows.order_by().values_list(*names, *counts), version)
    return [Flown((row[0], row[1]), *row[2:]) for row in fetched]
