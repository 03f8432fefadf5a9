"""`/routes/`, `/airlines/` and `/airports/`: all things of a kind, ranked by punctuality."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.conf import settings

from flights import links
from flights.errors import BadQuery
from flights.models.mirrored import PerformanceByAirport, PerformanceByMonth, PerformanceByRoute
from flights.pages import formatting, on_time, table_rows
from flights.pages.charts import Bars, Figure, Map, Value
from flights.pages.table_rows import TableRows

from . import known, outcomes
from .outcomes import (
    BY_ROW,
    BY_SUM,
    Measured,
    Name,
    Row,
    figure,
    share_cell,
    sums,
    total,
    whole,
)
from .page import Cell, Choice, Listing, Page
from .ranking import ORDERS, Ranking

UNIT = "%"
BARS = 20  # of a figure
EVERY = "10000"  # rows; a country has about 6,000 routes


@dataclass(frozen=True)
class Kind:
    """The things of a list: how they are called, and which columns of their rows are shown."""

    title: str  # "Routes"
    thing: str  # "route"
    by: Measured
    name: Name
    url: Name
    heads: Sequence[str]
    columns: Sequence[str]  # of percentages


ROUTES = Kind(
    "Routes",
    "route",
    BY_SUM,
    lambda row: (
        f"{known.airport_label(row['Origin'])} to {known.airport_label(row['Destination'])}"
    ),
    lambda row: links.route(row["Origin"], row["Destination"]),
    outcomes.SUM_HEADS,
    outcomes.SUM_COLUMNS,
)
AIRLINES = Kind(
    "Airlines",
    "airline",
    BY_SUM,
    lambda row: known.airline_name(row["Airline_Code"]),
    lambda row: links.airline(row["Airline_Code"]),
    outcomes.SUM_HEADS,
    outcomes.SUM_COLUMNS,
)
AIRPORTS = Kind(
    "Airports",
    "airport",
    BY_ROW,
    lambda row: known.airport_label(row["Airport"]),
    lambda row: links.airport(row["Airport"]),
    ("On time", "15+ min late", "30+ min late", "60+ min late", "Cancelled", "Diverted"),
    (
        *("On_Time_Percent", "Late_Percent", "Late_30_Percent", "Late_60_Percent"),
        *("Cancelled_Percent", "Diverted_Percent"),
    ),
)


def routes(params: dict[str, str]) -> Page:
    enough = f"{BY_SUM.flights}__gte:{settings.FLIGHTS_TO_RANK}"
    rows = sums(PerformanceByRoute, {}, "Origin,Destination", having=enough, limit=EVERY)
    return _page(ROUTES, Ranking.read(params, rows.rows, BY_SUM), rows)


def airlines(params: dict[str, str]) -> Page:
    rows = sums(PerformanceByMonth, {}, "Airline_Code", limit=EVERY)
    return _page(AIRLINES, Ranking.read(params, rows.rows, BY_SUM), rows)


def airports(params: dict[str, str]) -> Page:
    every = table_rows.read(PerformanceByAirport, {"limit": EVERY})
    way = _direction(params, every.rows)
    rows = table_rows.read(PerformanceByAirport, {"Direction": way, "limit": EVERY})
    ranking = Ranking.read(params, rows.rows, BY_ROW)
    choice = Choice("direction", "Flights", way, [(d, f"{d} flights") for d in DIRECTIONS])
    kind = replace(AIRPORTS, title=f"Airports, {way} flights")
    return _page(kind, ranking, rows, [choice], [_map(ranking, rows)])


DIRECTIONS = ("departing", "arriving")


def _direction(params: dict[str, str], rows: Sequence[Row]) -> str:
    """The direction of the flights; without a parameter the one with more airports."""
    way = params.get("direction", "")
    if way and way not in DIRECTIONS:
        raise BadQuery(f"direction: {way[:40]!r} is unknown.", list(DIRECTIONS))
    return way or max(DIRECTIONS, key=lambda d: sum(row["Direction"] == d for row in rows))


def _map(ranking: Ranking, rows: TableRows) -> Figure:
    places = known.airports()
    drawn = [row for row in ranking.rows if row["Airport"] in places]
    values = [
        Value(
            places[row["Airport"]].label,
            row["On_Time_Percent"],
            row["Scheduled_Flights"],
            links.airport(row["Airport"]),
        )
        for row in drawn
    ]
    spots = [places[row["Airport"]].spot for row in drawn]
    chart = Map(values, spots, UNIT, "Airport", better="high")
    measure = f"{outcomes.map_measure(chart)}. {outcomes.minimum()}"
    return figure("map", "Punctuality of airports", measure, chart, rows, total(drawn, BY_ROW))


def _page(
    kind: Kind,
    ranking: Ranking,
    rows: TableRows,
    choices: Sequence[Choice] = (),
    figures: Sequence[Figure] = (),
) -> Page:
    choices = [*choices, ranking.choice]
    return Page(
        kind=kind.title,
        above=("Home", "/"),
        title=kind.title,
        answer=_answer(kind, ranking),
        flights=None,
        figures=[*figures, _bars(kind, ranking, rows)],
        listings=[_listing(kind, ranking, rows)],
        choices=choices,
        pager=ranking.pager({choice.name: choice.value for choice in choices}),
        notes=outcomes.NOTES,
        indexed=ranking.page == 1 and ranking.order == "best",
    )


def _bars(kind: Kind, ranking: Ranking, rows: TableRows) -> Figure:
    shown = ranking.shown[:BARS]
    values = outcomes.values(shown, kind.name, kind.by, kind.url)
    title = f"{kind.title}, {ORDERS[ranking.order]}"
    measure = f"{outcomes.ON_TIME}. {outcomes.minimum()}"
    chart = Bars(values, UNIT, kind.thing.capitalize())
    return figure("ranking", title, measure, chart, rows, total(shown, kind.by))


def _listing(kind: Kind, ranking: Ranking, rows: TableRows) -> Listing:
    return Listing(
        f"All {kind.title.lower()}",
        ["Place", kind.thing.capitalize(), "Flights", *kind.heads],
        [
            [
                Cell(str(place), number=True),
                Cell(kind.name(row), kind.url(row)),
                whole(row[kind.by.flights]),
                *(share_cell(row[column]) for column in kind.columns),
            ]
            for place, row in enumerate(ranking.shown, ranking.first_place)
        ],
        rows.source,
        rows.url,
        ranking.note,
    )


def _answer(kind: Kind, ranking: Ranking) -> str:
    punctual = sorted(ranking.rows, key=lambda row: -row[kind.by.percent])
    if not punctual:
        return f"No {kind.thing} has {on_time.least()} with figures about arrivals."
    period = formatting.period(*known.period())
    compared = outcomes.best_and_worst(punctual, kind.by, kind.name)
    if not compared:
        only = kind.name(punctual[0])
        return f"Only one {kind.thing} had {on_time.least()} ({period}): {only}."
    things = formatting.count(len(punctual), kind.thing)
    return f"Of {things} with {on_time.least()} ({period}) {compared}."
