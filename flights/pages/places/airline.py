"""`/airlines/B6/`: how punctual is an airline, by month, airport and route?"""

from flights import links
from flights.models.mirrored import PerformanceByMonth, PerformanceByRoute
from flights.pages import formatting, on_time, table_rows
from flights.pages.charts import Bars, Figure, Lines, Map, Series, Value
from flights.pages.formatting import percent
from flights.pages.table_rows import TableRows

from . import known, outcomes
from .missing import NoSuchThing
from .outcomes import (
    BY_ROW,
    BY_SUM,
    PERCENT,
    SUM,
    Row,
    figure,
    ranked,
    share_cell,
    sums,
    total,
    values,
    whole,
)
from .page import LEAST, Cell, Fact, Link, Listing, Page

UNIT = "%"
ROUTES = 50  # in the table, those with the most flights
EXTREMES = 8  # best and worst routes
AIRPORTS = 15  # in the figure, those with the most flights


def build(params: dict[str, str], code: str) -> Page:
    name = known.airline(code)
    where = {"Airline_Code": code}
    airlines = sums(PerformanceByMonth, {}, "Airline_Code")
    row = next((r for r in airlines.rows if r["Airline_Code"] == code), None)
    if row is None:
        raise NoSuchThing(f"No flight of {name} ({code}) is in the published tables.")
    routes = sums(
        PerformanceByRoute, where, "Origin,Destination", order_by="-sum_Scheduled_Flights"
    )
    return Page(
        kind="Airline",
        above=("All airlines", "/airlines/"),
        title=f"{name} ({code})",
        answer=_answer(name, row, ranked(airlines.rows, BY_SUM)),
        flights=row[SUM],
        facts=facts(row),
        figures=[f for f in _figures(where, routes) if f.rows],
        listings=[_routes(routes)],
        related=_related(code, airlines.rows),
        notes=outcomes.NOTES,
    )


def _answer(name: str, row: Row, ranking: list[Row]) -> str:
    flights = formatting.count(row[SUM], "flight")
    place = next((n for n, r in enumerate(ranking, 1) if r is row), None)
    rank = f", rank {place} of {len(ranking)} airlines with {on_time.least()}" if place else ""
    period = formatting.period(*known.period())
    return f"{percent(row[PERCENT])} of {flights} of {name} arrived on time ({period}){rank}."


def facts(row: Row) -> list[Fact]:
    """The outcomes in a row of `sums`."""
    names = {
        "On_Time_Arrivals": "on time",
        "Late_Arrivals": "15 minutes late or more",
        "Cancelled_Flights": "cancelled",
        "Diverted_Flights": "diverted",
    }
    shares = [
        Fact(label, percent(row[f"percent_{part}_of_Scheduled_Flights"]))
        for part, label in names.items()
    ]
    return [*shares, Fact("scheduled flights", formatting.number(row[SUM]))]


def _figures(where: dict[str, str], routes: TableRows) -> list[Figure]:
    months = table_rows.read(PerformanceByMonth, where)
    return [*month_figures(months), _map(where), _airports(where), *_extremes(routes)]


def month_figures(months: TableRows) -> list[Figure]:
    """On time, and late by limits, from the rows of an airline's months."""
    if len(months.rows) < 2:
        return []
    flights = total(months.rows, BY_ROW)
    late = [
        Series(f"{limit} minutes or more", _months(months, column))
        for limit, column in LATE.items()
    ]
    chart = Lines([Series("", _months(months, "On_Time_Percent"))], UNIT, "Month")
    delays = Lines(late, UNIT, "Month", from_zero=True)
    measures = (outcomes.ON_TIME, "Percent of scheduled flights by delay at arrival")
    punctual, delayed = (f"{measure}. At least {LEAST} flights a month." for measure in measures)
    return [
        figure("months", "On time by month", punctual, chart, months, flights),
        figure("delays", "Long delays by month", delayed, delays, months, flights),
    ]


LATE = {15: "Late_Percent", 30: "Late_30_Percent", 60: "Late_60_Percent"}


def _months(months: TableRows, column: str) -> list[Value]:
    return [
        Value(outcomes.month(row["Month"]), row[column] if flights >= LEAST else None, flights)
        for row in months.rows
        for flights in [row["Scheduled_Flights"]]
    ]


def _map(where: dict[str, str]) -> Figure:
    rows = sums(PerformanceByRoute, where, "Destination")
    places = known.airports()
    drawn = [row for row in rows.rows if row["Destination"] in places]
    chart = Map(
        outcomes.airport_values(drawn, "Destination"),
        [places[row["Destination"]].spot for row in drawn],
        UNIT,
        "Airport",
        better="high",
    )
    flights = total(drawn, BY_SUM)
    return figure("map", "Where it flies", outcomes.map_measure(chart), chart, rows, flights)


def _airports(where: dict[str, str]) -> Figure:
    by = {"order_by": "-sum_Scheduled_Flights", "limit": str(AIRPORTS)}
    rows = sums(PerformanceByRoute, where, "Origin", **by)
    ranking = ranked(rows.rows, BY_SUM)
    chart = Bars(outcomes.airport_values(ranking, "Origin"), UNIT, "Airport of departure")
    measure = f"{outcomes.ON_TIME}, of flights from its {AIRPORTS} largest airports of departure"
    measure = f"{measure}. {outcomes.minimum()}"
    return figure("airports", "By airport", measure, chart, rows, total(ranking, BY_SUM))


def _extremes(routes: TableRows) -> list[Figure]:
    """The best and the worst routes; only the best of few."""
    ranking = ranked(routes.rows, BY_SUM)
    measure = f"{outcomes.ON_TIME}. {outcomes.minimum()}"
    lists = [("best", "Most punctual routes", ranking[:EXTREMES])]
    if len(ranking) > EXTREMES:
        lists += [("worst", "Least punctual routes", ranking[: -EXTREMES - 1 : -1])]
    return [
        figure(
            name,
            title,
            measure,
            Bars(_route_values(rows), UNIT, "Route"),
            routes,
            total(rows, BY_SUM),
        )
        for name, title, rows in lists
    ]


def _route_values(rows: list[Row]) -> list[Value]:
    return values(
        rows,
        lambda row: f"{row['Origin']} to {known.airport_label(row['Destination'])}",
        BY_SUM,
        lambda row: links.route(row["Origin"], row["Destination"]),
    )


def _routes(rows: TableRows) -> Listing:
    more = len(rows.rows) > ROUTES
    return Listing(
        "Routes",
        ["Route", "From", "To", "Flights", *outcomes.SUM_HEADS],
        [
            [
                Cell(f"{a}–{b}", links.route(a, b)),  # noqa: RUF001
                Cell(known.airport_label(a), links.airport(a)),
                Cell(known.airport_label(b), links.airport(b)),
                whole(row[SUM]),
                *(share_cell(row[column]) for column in outcomes.SUM_COLUMNS),
            ]
            for row in rows.rows[:ROUTES]
            for a, b in [(row["Origin"], row["Destination"])]
        ],
        rows.source,
        rows.url,
        f"The {ROUTES} with the most flights, of {len(rows.rows):,}." if more else "",
    )


def _related(code: str, rows: list[Row]) -> list[Link]:
    """A comparison with each of the largest other airlines."""
    others = sorted((row for row in rows if row["Airline_Code"] != code), key=lambda row: -row[SUM])
    compared = [
        (
            f"Compare with {known.airline_name(row['Airline_Code'])}",
            links.compare(links.airline(code), links.airline(row["Airline_Code"])),
        )
        for row in others[:5]
    ]
    return [*compared, ("All airlines", "/airlines/")]
