"""The figures of a route."""

from collections.abc import Sequence

from flights import links
from flights.entities.dates import WEEK
from flights.pages import on_time
from flights.pages.charts import Bars, Figure, Grid, Lines, Series, Value
from flights.pages.table_rows import TableRows

from . import known, outcomes
from .ends import End
from .outcomes import BY_SHARE, COUNT, LIMITS, Row, figure, late, ranked, shares, total, values
from .page import LEAST

UNIT = "%"


def all_of(
    start: End,
    end: End,
    where: dict[str, str],
    every: TableRows,
    airlines: TableRows,
    by_route: TableRows,
) -> list[Figure]:
    comparisons = [_ranking("airlines", "Airlines compared", airlines, end.several)]
    if start.several or end.several:
        comparisons.append(_pairs(shares(where, "Origin,Destination")))
    possible = [
        _chances(every),
        *(each for each in comparisons if len(each.rows) > 1),
        _hours(where),
        *_months(where),
        *_padding(by_route, where.get("Airline_Code", "")),
    ]
    return [each for each in possible if each.rows]


def _chances(every: TableRows) -> Figure:
    """The percentages of flights that are late by each of LIMITS, and that do not arrive."""
    row = every.rows[0]
    flights = row[COUNT]
    late_by = [Value(f"{n} or more minutes late", row[late(n)], flights) for n in LIMITS]
    return figure(
        "chances",
        "Chance of a delay",
        "Percent of scheduled flights by their delay at arrival",
        Bars(late_by, UNIT, "Delay"),
        every,
        flights,
    )


def _ranking(name: str, title: str, rows: TableRows, several: bool) -> Figure:
    def label(row: Row) -> str:
        airline = known.airline_name(row["Airline_Code"])
        return f"{airline} to {row['Destination']}" if several else airline

    def url(row: Row) -> str:
        return links.airline(row["Airline_Code"])

    ranking = ranked(rows.rows, BY_SHARE)
    bars = Bars(values(ranking, label, BY_SHARE, url), UNIT, "Airline")
    measure = f"{outcomes.ON_TIME}. {outcomes.minimum()}"
    return figure(name, title, measure, bars, rows, total(ranking, BY_SHARE))


def _pairs(rows: TableRows) -> Figure:
    ranking = ranked(rows.rows, BY_SHARE)
    bars = Bars(
        values(
            ranking,
            lambda row: f"{row['Origin']} to {row['Destination']}",
            BY_SHARE,
            lambda row: links.route(row["Origin"], row["Destination"]),
        ),
        UNIT,
        "Route",
    )
    measure = f"{outcomes.ON_TIME}. {outcomes.minimum()}"
    return figure("airports", "Airports compared", measure, bars, rows, total(ranking, BY_SHARE))


def _hours(where: dict[str, str]) -> Figure:
    """The map of days of the week by hours."""
    rows = shares(where, "Day_of_Week,Scheduled_Departure_Hour")
    timed = [r for r in rows.rows if r["Scheduled_Departure_Hour"] is not None]
    hours = sorted({row["Scheduled_Departure_Hour"] for row in timed})
    at = {(r["Day_of_Week"], r["Scheduled_Departure_Hour"]): r for r in timed}
    days = [day for day in WEEK if any(day == d for d, _ in at)]
    lines = [(day, [_cell(at.get((day, hour)), hour) for hour in hours]) for day in days]
    grid = Grid(lines, [str(h) for h in hours], UNIT, ("Day", "Hour of departure"))
    measure = f"{outcomes.LATE}, by scheduled hour of departure. At least {LEAST} flights a field."
    return figure("hours", "By day and hour", measure, grid, rows, total(timed, BY_SHARE))


def _cell(row: Row | None, hour: int) -> Value | None:
    if row is None or row[COUNT] < LEAST:
        return None
    return Value(outcomes.hour(hour), row[late(15)], row[COUNT])


def _months(where: dict[str, str]) -> list[Figure]:
    """The chances by month; nothing for a single month."""
    rows = shares(where, "month:Flight_Date")
    if len(rows.rows) < 2:
        return []
    lines = [
        Series(f"{limit} minutes or more", [_month_value(row, limit) for row in rows.rows])
        for limit in LIMITS
    ]
    measure = (
        f"Percent of scheduled flights by delay at arrival. {on_time.least().capitalize()} a month."
    )
    chart = Lines(lines, UNIT, "Month", from_zero=True)
    return [figure("months", "By month", measure, chart, rows, total(rows.rows, BY_SHARE))]


def _month_value(row: Row, limit: int) -> Value:
    enough = on_time.enough(row[COUNT])
    return Value(
        outcomes.month(row["month_Flight_Date"]), row[late(limit)] if enough else None, row[COUNT]
    )


def _padding(by_route: TableRows, airline: str) -> Sequence[Figure]:
    """How many minutes schedules have more than flights take."""
    rows = [r for r in by_route.rows if _padded(r) and airline in ("", r["Airline_Code"])]
    if not rows:
        return []
    pairs = {(r["Origin"], r["Destination"]) for r in rows}

    def label(row: Row) -> str:
        route = f" {row['Origin']}–{row['Destination']}" if len(pairs) > 1 else ""  # noqa: RUF001
        return f"{row['Airline_Name']}{route}"

    bars = [
        Value(
            label(r),
            round(r["Avg_Scheduled_Minutes"] - r["Avg_Elapsed_Minutes"], 2),
            r["Scheduled_Flights"],
            links.airline(r["Airline_Code"]),
        )
        for r in sorted(rows, key=lambda r: r["Avg_Elapsed_Minutes"] - r["Avg_Scheduled_Minutes"])
    ]
    measure = (
        "Scheduled minutes from gate to gate minus the minutes that flights take, on average over"
        f" all months and days. {outcomes.minimum()}"
    )
    chart = Bars(bars, "minutes", "Airline")
    flights = sum(r["Scheduled_Flights"] for r in rows)
    return [figure("padding", "Padding of the schedule", measure, chart, by_route, flights)]


def _padded(row: Row) -> bool:
    known_minutes = (row["Avg_Scheduled_Minutes"], row["Avg_Elapsed_Minutes"])
    return None not in known_minutes and on_time.enough(row["Scheduled_Flights"])
