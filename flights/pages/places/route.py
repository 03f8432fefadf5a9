"""`/routes/EWR-MCO/`: how late are flights on a route, and with which airline, day and hour?

The ends may be several airports: `/routes/NYC-CHI/`, `/routes/JFK,LGA-ORD/`.
"""

from flights import links
from flights.models.mirrored import PerformanceByRoute
from flights.pages import formatting, table_rows
from flights.pages.formatting import percent

from . import ends, known, outcomes, route_figures, route_tables
from .ends import End
from .missing import NoSuchThing
from .outcomes import BY_SHARE, COUNT, SHARE, Row, late, shares
from .page import Link, Page
from .selection import Selection


def build(params: dict[str, str], origin: str, destination: str) -> Page:
    start, end = ends.read(origin), ends.read(destination)
    selection = Selection.read(params)
    where = start.where("Origin") | end.where("Destination")
    by_route = table_rows.read(PerformanceByRoute, {**where, "order_by": "-On_Time_Percent"})
    if not by_route.rows:
        raise _no_flights(start, end)
    where |= selection.where
    every = shares(where, more="disc50:Arrival_Delay_Minutes,disc90:Arrival_Delay_Minutes")
    airlines = shares(where, "Airline_Code,Destination" if end.several else "Airline_Code")
    row = every.rows[0]
    has_arrivals = any(r["On_Time_Percent"] is not None for r in by_route.rows)
    shown = row[COUNT] > 0 and has_arrivals
    title = f"{start.label} to {end.label}"
    return Page(
        kind="Route",
        above=("All routes", "/routes/"),
        title=f"{title}: flights{selection.words}" if selection.words else title,
        answer=_answer(title, end, row, airlines.rows, selection, shown),
        flights=row[COUNT],
        facts=outcomes.facts(row, *cancellations(where)) if shown else (),
        figures=route_figures.all_of(start, end, where, every, airlines, by_route) if shown else (),
        listings=route_tables.all_of(where, by_route) if shown else (),
        related=_related(start, end, by_route.rows),
        notes=outcomes.NOTES,
        choices=selection.choices(sorted({r["Airline_Code"] for r in by_route.rows})),
        indexed=selection == Selection(),
    )


def _answer(
    title: str, end: End, row: Row, airlines: list[Row], selection: Selection, shown: bool
) -> str:
    if not row[COUNT]:
        return f"No flight{selection.words} from {title} is in the published tables."
    if not shown:
        return f"The source of the flights from {title} states no arrivals."
    flights = formatting.count(row[COUNT], "flight")
    return (
        f"{percent(row[late(30)])} of {flights}{selection.words} from {title} arrived 30 or more"
        f" minutes late, {percent(row[SHARE])} arrived on time"
        f" ({formatting.period(*known.period())}){_airlines(end, airlines)}."
    )


def _airlines(end: End, rows: list[Row]) -> str:
    """`; the best is …, the worst …`, where airlines can be compared."""

    def name(row: Row) -> str:
        to = f" to {row['Destination']}" if end.several else ""
        return f"{known.airline_name(row['Airline_Code'])}{to}"

    compared = outcomes.best_and_worst(outcomes.ranked(rows, BY_SHARE), BY_SHARE, name)
    return compared and f"; {compared}"


def cancellations(where: dict[str, str]) -> tuple[int, int]:
    """The cancelled and the scheduled flights.

    Some sources have no flag; then a flight with neither delay was cancelled.
    """
    delays = "count:Departure_Delay_Minutes,count:Arrival_Delay_Minutes"
    groups = outcomes.counts(where, "Cancelled", f"count,{delays}").rows
    cancelled = sum(g[COUNT] for g in groups if g["Cancelled"])
    cancelled += sum(
        g[COUNT] - max(g["count_Departure_Delay_Minutes"], g["count_Arrival_Delay_Minutes"])
        for g in groups
        if g["Cancelled"] is None
    )
    return cancelled, sum(g[COUNT] for g in groups)


def _related(start: End, end: End, rows: list[Row]) -> list[Link]:
    whole = [(end_.whole_city or end_) for end_ in (start, end)]
    cities = (
        [(f"{whole[0].label} to {whole[1].label}", links.route(whole[0].code, whole[1].code))]
        if [w.code for w in whole] != [start.code, end.code]
        else []
    )
    pairs = dict.fromkeys((r["Origin"], r["Destination"]) for r in rows)
    single = [(f"{a} to {b}", links.route(a, b)) for a, b in pairs] if len(pairs) > 1 else []
    back = (f"{end.label} to {start.label}", links.route(end.code, start.code))
    return [
        *cities,
        *single,
        *([back] if _flies_back(start, end) else []),
        *ends.airport_links(start),
        *ends.airport_links(end),
        ("All routes", "/routes/"),
    ]


def _flies_back(start: End, end: End) -> bool:
    where = end.where("Origin") | start.where("Destination")
    return bool(table_rows.read(PerformanceByRoute, {**where, "limit": "1"}).rows)


def _no_flights(start: End, end: End) -> NoSuchThing:
    whole = [end_.whole_city or end_ for end_ in (start, end)]
    where = whole[0].where("Origin") | whole[1].where("Destination")
    other = table_rows.read(PerformanceByRoute, {**where, "limit": "1"}).rows
    city = [
        (f"{whole[0].label} to {whole[1].label}", links.route(whole[0].code, whole[1].code))
    ] * bool(other)
    back = [(f"{end.label} to {start.label}", links.route(end.code, start.code))]
    return NoSuchThing(
        f"No flight from {start.label} to {end.label} is in the published tables.",
        [
            *city,
            *(back * _flies_back(start, end)),
            *ends.airport_links(start),
            *ends.airport_links(end),
        ],
    )
