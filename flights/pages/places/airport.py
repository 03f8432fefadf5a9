"""`/airports/JFK/`: the punctuality of an airport's flights, by month, hour and route."""

from flights import links
from flights.models.mirrored import PerformanceByAirport, PerformanceByHour, PerformanceByRoute
from flights.pages import formatting, on_time, table_rows
from flights.pages.formatting import percent
from flights.pages.table_rows import TableRows

from . import airport_figures, known, outcomes
from .known import Airport
from .missing import NoSuchThing
from .outcomes import BY_ROW, SUM, Row, ranked, share_cell, sums, whole
from .page import Cell, Fact, Link, Listing, Page

ROUTES = 60  # the table lists those with the most flights


def build(params: dict[str, str], code: str) -> Page:
    airport = known.airport(code)
    both = table_rows.read(PerformanceByAirport, {"Airport": code})
    rows = {row["Direction"]: row for row in both.rows}
    if not rows:
        raise NoSuchThing(f"No flight of {airport.label} is in the published tables.")
    leaves = "departing" in rows
    own_end, other_end = ("Origin", "Destination") if leaves else ("Destination", "Origin")
    by = {"order_by": "-sum_Scheduled_Flights"}
    routes = sums(PerformanceByRoute, {own_end: code}, other_end, **by)
    hours = table_rows.read(PerformanceByHour, {"Airport": code})
    months = airport_figures.months(code) if leaves else None
    enough = {way: row for way, row in rows.items() if on_time.enough(row["Scheduled_Flights"])}
    return Page(
        kind="Airport",
        above=("All airports", "/airports/"),
        title=f"{airport.name} ({code}), {airport.city}",
        answer=_answer(airport, enough or rows, hours, months.rows if months else []),
        flights=sum(row["Scheduled_Flights"] for row in rows.values()),
        facts=_facts(enough),
        figures=airport_figures.all_of(airport, routes, both, hours, months, other_end),
        listings=[_routes(code, routes, other_end)],
        related=_related(airport),
        notes=outcomes.NOTES,
    )


def _answer(airport: Airport, rows: dict[str, Row], hours: TableRows, months: list[Row]) -> str:
    parts = [_part(airport, way, row) for way, row in sorted(rows.items(), reverse=True)]
    worst = [*_worst(months, outcomes.BY_SHARE, _month), *_worst(hours.rows, BY_ROW, _hour)]
    worst_of_all = f"; the worst {' and the worst '.join(worst)}" if worst else ""
    period = formatting.period(*known.period())
    return f"{' and '.join(parts)} arrived on time ({period}){worst_of_all}."


def _part(airport: Airport, way: str, row: Row) -> str:
    """`74.26 % of 104,662 flights from New York (LGA)`"""
    figure = formatting.percent_of(row["On_Time_Percent"], row["Scheduled_Flights"])
    return f"{figure} {'from' if way == 'departing' else 'to'} {airport.label}"


def _worst(rows: list[Row], by: outcomes.Measured, name: outcomes.Name) -> list[str]:
    """`month is Jul 2013 (65.80 % of 8,927 flights)`"""
    ranking = ranked(rows, by)
    if len(ranking) < 2:
        return []
    row = ranking[-1]
    flights = formatting.count(row[by.flights], "flight")
    return [f"{name(row)} ({percent(row[by.percent])} of {flights})"]


def _month(row: Row) -> str:
    return f"month is {outcomes.month(row['month_Flight_Date'])}"


def _hour(row: Row) -> str:
    return f"hour of departure is {outcomes.hour(row['Scheduled_Departure_Hour'])}"


def _facts(rows: dict[str, Row]) -> list[Fact]:
    columns = {
        "On_Time_Percent": "on time",
        "Late_30_Percent": "30+ minutes late",
        "Late_60_Percent": "60+ minutes late",
        "Cancelled_Percent": "cancelled",
    }
    return [
        Fact(f"{name}, {direction}", percent(row[column]))
        for direction, row in sorted(rows.items(), reverse=True)
        for column, name in columns.items()
    ]


def _routes(code: str, rows: TableRows, other_end: str) -> Listing:
    to, more = other_end == "Destination", len(rows.rows) > ROUTES

    def route(other: str) -> Cell:
        ends = (code, other) if to else (other, code)
        return Cell("–".join(ends), links.route(*ends))  # noqa: RUF001

    return Listing(
        f"Routes {'from' if to else 'to'} {code}",
        ["Route", "Airport", "Flights", *outcomes.SUM_HEADS],
        [
            [
                route(row[other_end]),
                Cell(known.airport_label(row[other_end]), links.airport(row[other_end])),
                whole(row[SUM]),
                *(share_cell(row[column]) for column in outcomes.SUM_COLUMNS),
            ]
            for row in rows.rows[:ROUTES]
        ],
        rows.source,
        rows.url,
        f"The {ROUTES} with the most flights, of {len(rows.rows):,}." if more else "",
    )


def _related(airport: Airport) -> list[Link]:
    others = [other for other in known.city(airport.market) if other != airport]
    compared = [
        (
            f"Compare with {o.label}",
            links.compare(links.airport(airport.code), links.airport(o.code)),
        )
        for o in others
    ]
    return [
        *((other.label, links.airport(other.code)) for other in others),
        *compared,
        ("All airports", "/airports/"),
    ]
