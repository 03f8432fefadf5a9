"""The figures of the home page: when, with whom and where flights are on time."""

from collections.abc import Callable, Sequence

from flights import links
from flights.entities.dates import WEEK
from flights.models.mirrored import (
    DelaysByDay,
    PerformanceByAirport,
    PerformanceByHour,
    PerformanceByMonth,
)
from flights.pages import on_time, table_rows
from flights.pages.charts import Bars, Columns, Figure, Lines, Series
from flights.pages.charts.chart import Value
from flights.pages.on_time import MEASURE
from flights.query.paging import Row

ENDS = 5  # rows of the best and of the worst, where a ranking is long


def months() -> Figure:
    table = on_time.by(PerformanceByMonth, "Month")
    values = [on_time.value(row, lambda row: f"{row['Month']:%b %Y}") for row in table.rows]
    ranked = on_time.ranked(table.rows)
    return Figure(
        *("months", "On time by month", f"{MEASURE}, by month"),
        Lines([Series("", values)], "%", "Month"),
        *(table.source, on_time.flights(table.rows), table.url),
        sentence=_best_and_worst(ranked, lambda row: f"{row['Month']:%B %Y}"),
    )


def airlines() -> Figure:
    table = on_time.by(PerformanceByMonth, "Airline_Code", "Airline_Name")
    ranked = on_time.ranked(table.rows)
    return Figure(
        *("airlines", "Airlines", f"{MEASURE}; airlines with {on_time.least()}"),
        Bars([on_time.value(row, _airline, _airline_page) for row in ranked], "%", "Airline"),
        *(table.source, on_time.flights(ranked), table.url),
        sentence=_best_and_worst(ranked, _airline),
    )


def airports(direction: str) -> Figure:
    """The best and the worst airports; `direction` is "departing" or "arriving"."""
    table = on_time.by(PerformanceByAirport, "Airport", "City", Direction=direction)
    ranked = on_time.ranked(table.rows)
    ends, which = _ends(ranked)
    flights = "departing from" if direction == "departing" else "arriving at"
    measure = f"{MEASURE}, flights {flights} each airport; {which} with {on_time.least()}"
    return Figure(
        *(direction, f"Airports, {direction} flights", measure),
        Bars([on_time.value(row, _airport, _airport_page) for row in ends], "%", "Airport"),
        *(table.source, on_time.flights(ends), table.url),
        sentence=_best_and_worst(ranked, _airport),
    )


def hours() -> Figure:
    table = on_time.by(PerformanceByHour, "Scheduled_Departure_Hour")
    known = [row for row in table.rows if row["Scheduled_Departure_Hour"] is not None]
    values = [on_time.value(row, lambda row: str(row["Scheduled_Departure_Hour"])) for row in known]
    ranked = on_time.ranked(known)
    return Figure(
        *("hours", "Hours of departure", f"{MEASURE}, by hour of scheduled departure"),
        Columns(values, "%", "Hour of scheduled departure, local time"),
        *(table.source, on_time.flights(known), table.url),
        sentence=_best_and_worst(ranked, _hour),
    )


def weekdays() -> Figure:
    """The days of the week, by the original's table of averages."""
    table = table_rows.read(DelaysByDay, {"limit": "10"})
    known = [row for row in table.rows if row["Day_of_Week"] in WEEK]
    rows = sorted(known, key=lambda row: WEEK.index(row["Day_of_Week"]))
    values = [
        Value(row["Day_of_Week"][:3], row["Avg_Arrival_Delay"], row["Total_Flights"])
        for row in rows
    ]
    return Figure(
        *("weekdays", "Days of the week", "Average arrival delay in minutes; early flights count"),
        Columns(values, "minutes", "Day of the week", better="low"),
        *(table.source, sum(row["Total_Flights"] for row in rows), table.url),
    )


def _best_and_worst(ranked: Sequence[Row], name: Callable[[Row], str]) -> str:
    """`On time most often: A (83.13 % of 32,729 flights). Least often: …`"""
    if len(ranked) < 2:
        return f"{name(ranked[0])}: {on_time.text(ranked[0])}." if ranked else ""
    best, worst = ranked[0], ranked[-1]
    return (
        f"On time most often: {name(best)} ({on_time.text(best)})."
        f" Least often: {name(worst)} ({on_time.text(worst)})."
    )


def _ends(ranked: list[Row]) -> tuple[list[Row], str]:
    if len(ranked) <= 2 * ENDS:
        return ranked, "airports"
    return [*ranked[:ENDS], *ranked[-ENDS:]], f"the best and the worst {ENDS} of {len(ranked)}"


def _airline(row: Row) -> str:
    return str(row["Airline_Name"] or row["Airline_Code"])


def _airline_page(row: Row) -> str:
    return links.airline(row["Airline_Code"])


def _airport(row: Row) -> str:
    return f"{row['City'] or row['Airport']} ({row['Airport']})"


def _airport_page(row: Row) -> str:
    return links.airport(row["Airport"])


def _hour(row: Row) -> str:
    """`at 6:00 to 6:59`"""
    hour = row["Scheduled_Departure_Hour"]
    return f"{hour}:00 to {hour}:59"
