"""The figures of an airport."""

from collections.abc import Iterator

from flights import links
from flights.errors import BadQuery, Unavailable
from flights.models.mirrored import PerformanceByRoute
from flights.pages import on_time
from flights.pages.charts import Bars, Columns, Figure, Lines, Map, Series, Value
from flights.pages.table_rows import TableRows

from . import known, outcomes
from .known import Airport
from .outcomes import BY_ROW, BY_SHARE, BY_SUM, COUNT, SHARE, figure, ranked, shares, sums, total

UNIT = "%"
CAUSES = {
    "Air_Carrier_Percent": "the airline",
    "Late_Aircraft_Percent": "a late aircraft before",
    "National_Aviation_System_Percent": "air traffic, airports, weather",
    "Extreme_Weather_Percent": "extreme weather",
    "Security_Percent": "security",
}


def months(code: str) -> TableRows | None:
    """The months of the flights from an airport; None if they are too costly to read now.

    Only the largest airports of national data need one of the few slots for costly queries.
    """
    try:
        return shares({"Origin": code}, "month:Flight_Date")
    except (BadQuery, Unavailable):
        return None


def all_of(
    airport: Airport,
    routes: TableRows,
    both: TableRows,
    hours: TableRows,
    by_month: TableRows | None,
    other_end: str,
) -> list[Figure]:
    possible = [
        _map(airport, routes, other_end),
        *(_months(by_month) if by_month else ()),
        _hours(hours),
        *_airlines(airport),
        *_causes(both),
    ]
    return [each for each in possible if each.rows]


def _map(airport: Airport, routes: TableRows, other_end: str) -> Figure:
    places = known.airports()
    drawn = [row for row in routes.rows if row[other_end] in places]
    spots = [places[row[other_end]].spot for row in drawn]
    values = outcomes.airport_values(drawn, other_end)
    chart = Map(values, spots, UNIT, "Airport", airport.spot, "high")
    title = f"Routes {'from' if other_end == 'Destination' else 'to'} {airport.code}"
    measure = outcomes.map_measure(chart)
    return figure("map", title, measure, chart, routes, total(drawn, BY_SUM))


def _months(rows: TableRows) -> Iterator[Figure]:
    if len(rows.rows) < 2:
        return
    values = [
        Value(
            outcomes.month(row["month_Flight_Date"]),
            row[SHARE] if on_time.enough(row[COUNT]) else None,
            row[COUNT],
        )
        for row in rows.rows
    ]
    measure = f"{outcomes.ON_TIME}, of departing flights. {on_time.least().capitalize()} a month."
    chart = Lines([Series("", values)], UNIT, "Month")
    yield figure("months", "On time by month", measure, chart, rows, total(rows.rows, BY_SHARE))


def _hours(rows: TableRows) -> Figure:
    values = [
        Value(
            outcomes.hour(row["Scheduled_Departure_Hour"]),
            row["On_Time_Percent"] if on_time.enough(row["Scheduled_Flights"]) else None,
            row["Scheduled_Flights"],
        )
        for row in rows.rows
    ]
    measure = f"{outcomes.ON_TIME}, of departing flights. {on_time.least().capitalize()} an hour."
    chart = Columns(values, UNIT, "Scheduled hour of departure")
    return figure("hours", "On time by hour", measure, chart, rows, total(rows.rows, BY_ROW))


def _airlines(airport: Airport) -> Iterator[Figure]:
    for column, name, title in (
        ("Origin", "departing", f"Airlines from {airport.code}"),
        ("Destination", "arriving", f"Airlines to {airport.code}"),
    ):
        rows = sums(PerformanceByRoute, {column: airport.code}, "Airline_Code")
        ranking = ranked(rows.rows, BY_SUM)
        bars = outcomes.values(
            ranking,
            lambda row: known.airline_name(row["Airline_Code"]),
            BY_SUM,
            lambda row: links.airline(row["Airline_Code"]),
        )
        measure = f"{outcomes.ON_TIME}. {outcomes.minimum()}"
        chart = Bars(bars, UNIT, "Airline")
        yield figure(name, title, measure, chart, rows, total(ranking, BY_SUM))


def _causes(both: TableRows) -> Iterator[Figure]:
    """Why flights were late, where the source says so."""
    for row in both.rows:
        flights = row["Scheduled_Flights"]
        values = [Value(name, row[column], flights) for column, name in CAUSES.items()]
        if all(value.number is None for value in values):
            continue
        way = row["Direction"]
        measure = "Percent of scheduled flights that are late for this reason"
        chart = Bars(values, UNIT, "Cause")
        yield figure(f"causes-{way}", f"Causes of delays, {way}", measure, chart, both, flights)
