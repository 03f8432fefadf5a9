"""`/days/2013-02-09/`: how punctual was a day, how many flights were cancelled, and where?"""

from datetime import date, timedelta

from flights import links
from flights.models.mirrored import PerformanceByDate
from flights.pages import formatting, table_rows
from flights.pages.charts import Bars, Columns, Figure, Value
from flights.pages.formatting import percent
from flights.pages.table_rows import TableRows

from . import known, outcomes
from .missing import NoSuchThing
from .outcomes import BY_SHARE, COUNT, SHARE, Row, figure, share_cell, shares, total, whole
from .page import LEAST, Cell, Fact, Link, Listing, Page

UNIT = "%"
AIRPORTS = 15  # in the figure, those with the most flights


def build(params: dict[str, str], day: str) -> Page:
    when = _read(day)
    rows = table_rows.read(PerformanceByDate, {"Flight_Date": when.isoformat()})
    if not rows.rows:
        raise _no_flights(when)
    row, where = rows.rows[0], {"Flight_Date": when.isoformat()}
    has_arrivals = row["On_Time_Percent"] is not None
    airlines = shares(where, "Airline_Code", "count:Arrival_Delay_Minutes", order_by="-count")
    return Page(
        kind="Day",
        above=("All days", "/days/"),
        title=f"{when:%A}, {when.day} {when:%B %Y}",
        answer=_answer(when, row),
        flights=row["Scheduled_Flights"],
        facts=_facts(row),
        figures=_figures(where, rows, airlines) if has_arrivals else (),
        listings=[_airlines(airlines)] if has_arrivals else (),
        related=_related(when),
        notes=outcomes.NOTES,
    )


def _read(text: str) -> date:
    days: list[Link] = [("All days", "/days/")]
    try:
        when = date.fromisoformat(text)
    except ValueError:
        raise NoSuchThing(f"{text[:20]} is not a day. Write it as 2013-02-09.", days) from None
    if text != when.isoformat():
        days.insert(0, (formatting.day(when), links.day(when)))
        raise NoSuchThing(f"Write the day as {when.isoformat()}.", days)
    return when


def _no_flights(when: date) -> NoSuchThing:
    first, last = known.period()
    near = min(max(when, first), last)
    return NoSuchThing(
        f"No flight of {formatting.day(when)} is in the published tables, which cover"
        f" {formatting.period(first, last)}.",
        [(formatting.day(near), links.day(near)), ("All days", "/days/")],
    )


def _answer(when: date, row: Row) -> str:
    flights = formatting.count(row["Scheduled_Flights"], "flight")
    begin = f"On {when:%A}, {formatting.day(when)},"
    if row["Cancelled_Flights"] is None or row["On_Time_Percent"] is None:
        return f"{begin} {flights} were scheduled; their source states no arrivals."
    return (
        f"{begin} {formatting.number(row['Cancelled_Flights'])} of {flights} were cancelled"
        f" ({percent(row['Cancelled_Percent'])}) and {percent(row['On_Time_Percent'])} arrived on"
        " time."
    )


def _facts(row: Row) -> list[Fact]:
    columns = {
        "On_Time_Percent": "on time",
        "Late_Percent": "15 minutes late or more",
        "Late_30_Percent": "30 minutes late or more",
        "Late_60_Percent": "60 minutes late or more",
        "Cancelled_Percent": "cancelled",
        "Diverted_Percent": "diverted",
    }
    median = outcomes.minutes(row["Median_Arrival_Delay"])
    return [
        *(Fact(name, percent(row[column])) for column, name in columns.items()),
        Fact("half of the arrivals", median, "or earlier"),
    ]


def _figures(where: dict[str, str], rows: TableRows, airlines: TableRows) -> list[Figure]:
    possible = [_hours(where), _outcomes(rows), _by_airline(airlines), _airports(where)]
    return [each for each in possible if each.rows]


def _hours(where: dict[str, str]) -> Figure:
    rows = shares(where, "Scheduled_Departure_Hour")
    timed = [row for row in rows.rows if row["Scheduled_Departure_Hour"] is not None]
    values = [_value(outcomes.hour(row["Scheduled_Departure_Hour"]), row) for row in timed]
    measure = f"{outcomes.ON_TIME}. At least {LEAST} flights an hour."
    chart = Columns(values, UNIT, "Scheduled hour of departure")
    return figure("hours", "On time by hour", measure, chart, rows, total(timed, BY_SHARE))


def _outcomes(rows: TableRows) -> Figure:
    row = rows.rows[0]
    columns = {
        "On_Time_Arrivals": "on time",
        "Late_Arrivals": "15+ minutes late",
        "Cancelled_Flights": "cancelled",
        "Diverted_Flights": "diverted",
    }
    bars = [Value(name, row[column]) for column, name in columns.items()]
    measure = "Number of scheduled flights by how they ended"
    chart = Bars(bars, "flights", "Outcome")
    return figure("outcomes", "How flights ended", measure, chart, rows, row["Scheduled_Flights"])


def _by_airline(rows: TableRows) -> Figure:
    enough = sorted((r for r in rows.rows if r[COUNT] >= LEAST), key=lambda row: -row[SHARE])
    values = [
        _value(known.airline_name(row["Airline_Code"]), row, links.airline(row["Airline_Code"]))
        for row in enough
        if row["Airline_Code"]
    ]
    measure = f"{outcomes.ON_TIME}. At least {LEAST} flights an airline."
    chart = Bars(values, UNIT, "Airline")
    return figure("airlines", "On time by airline", measure, chart, rows, total(enough, BY_SHARE))


def _airports(where: dict[str, str]) -> Figure:
    rows = shares(where, "Origin", order_by="-count", limit=str(AIRPORTS))
    enough = sorted((r for r in rows.rows if r[COUNT] >= LEAST), key=lambda row: -row[SHARE])
    values = [
        _value(known.airport_label(row["Origin"]), row, links.airport(row["Origin"]))
        for row in enough
        if row["Origin"]
    ]
    measure = (
        f"{outcomes.ON_TIME}, of flights from the {AIRPORTS} largest airports of departure."
        f" At least {LEAST} flights an airport."
    )
    chart = Bars(values, UNIT, "Airport of departure")
    return figure("airports", "On time by airport", measure, chart, rows, total(enough, BY_SHARE))


def _value(label: str, row: Row, url: str = "") -> Value:
    return Value(label, row[SHARE] if row[COUNT] >= LEAST else None, row[COUNT], url)


def _airlines(rows: TableRows) -> Listing:
    limits = [f"{limit}+ min late" for limit in outcomes.LIMITS]
    return Listing(
        "Airlines on this day",
        ["Airline", "Flights", "Did not arrive", "On time", *limits],
        [
            [
                Cell(known.airline_name(code), links.airline(code)),
                whole(row[COUNT]),
                whole(row[COUNT] - row["count_Arrival_Delay_Minutes"]),
                share_cell(row[SHARE]),
                *(share_cell(row[outcomes.late(limit)]) for limit in outcomes.LIMITS),
            ]
            for row in rows.rows
            if (code := row["Airline_Code"])
        ],
        rows.source,
        rows.url,
        "Did not arrive: cancelled or diverted.",
    )


def _related(when: date) -> list[Link]:
    first, last = known.period()
    beside = [day for day in (when - timedelta(1), when + timedelta(1)) if first <= day <= last]
    return [
        *((f"{day:%A}, {formatting.day(day)}", links.day(day)) for day in beside),
        ("All days", "/days/"),
    ]
