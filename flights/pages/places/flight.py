"""`/flights/B6-583/`: how punctual is a flight number, on which days and in which months?"""

from flights import links
from flights.models.mirrored import FlightDelayData, PerformanceByFlight
from flights.pages import formatting, table_rows
from flights.pages.formatting import percent
from flights.pages.table_rows import TableRows

from . import flight_figures, known, outcomes
from .missing import NoSuchThing, close
from .outcomes import COUNT, SHARE, Row, late, share_cell, shares, text, whole
from .page import Cell, Fact, Link, Listing, Page

LAST = 30  # flights in the list of the last ones


def build(params: dict[str, str], airline: str, number: str) -> Page:
    name = known.airline(airline)
    where = {"Airline_Code": airline, "Flight_Number": number}
    legs = table_rows.read(PerformanceByFlight, {**where, "order_by": "-Scheduled_Flights"})
    if not legs.rows:
        raise _unknown(airline, name, number)
    percentiles = "disc50:Arrival_Delay_Minutes,disc90:Arrival_Delay_Minutes"
    every = shares(where, more=percentiles)
    has_arrivals = any(leg["On_Time_Percent"] is not None for leg in legs.rows)
    last = table_rows.read(
        FlightDelayData, {**where, "order_by": "-Flight_Date", "limit": str(LAST)}
    )
    return Page(
        kind="Flight",
        above=(name, links.airline(airline)),
        title=f"{airline} {number}, {name}",
        answer=_answer(airline, number, every.rows[0], legs.rows, has_arrivals),
        flights=every.rows[0][COUNT],
        facts=_facts(every.rows[0], legs.rows) if has_arrivals else (),
        figures=flight_figures.all_of(where) if has_arrivals else (),
        listings=[_legs(legs), _last(last)],
        related=_related(airline, name, legs.rows),
        notes=(*outcomes.NOTES, NOTE),
    )


NOTE = (
    "Airlines change what a flight number stands for: look at the routes and the times of"
    " departure above."
)


def _answer(airline: str, number: str, row: Row, legs: list[Row], has_arrivals: bool) -> str:
    route = f"from {legs[0]['Origin']} to {legs[0]['Destination']}"
    more = f" and on {len(legs) - 1} more routes" if len(legs) > 2 else ""
    more = " and on another route" if len(legs) == 2 else more
    flights = f"{formatting.count(row[COUNT], 'flight')} {airline} {number} {route}{more}"
    if not has_arrivals:
        return f"The source of the {flights} states no arrivals."
    period = formatting.period(*known.period())
    return (
        f"{percent(row[SHARE])} of {flights} arrived on time and {percent(row[late(30)])}"
        f" 30 or more minutes late ({period})."
    )


def _facts(row: Row, legs: list[Row]) -> list[Fact]:
    cancelled = sum(leg["Cancelled_Flights"] or 0 for leg in legs)
    return outcomes.facts(row, cancelled, row[COUNT])


def _legs(legs: TableRows) -> Listing:
    return Listing(
        "Routes of this flight number",
        ["Route", "From", "To", "Flights", "On time", "30+ min late", "60+ min late", "Cancelled"],
        [
            [
                Cell(f"{a}–{b}", links.route(a, b)),  # noqa: RUF001
                Cell(known.airport_label(a), links.airport(a)),
                Cell(known.airport_label(b), links.airport(b)),
                whole(row["Scheduled_Flights"]),
                *(share_cell(row[f"{part}_Percent"]) for part in PARTS),
            ]
            for row in legs.rows
            for a, b in [(row["Origin"], row["Destination"])]
        ],
        legs.source,
        legs.url,
    )


PARTS = ("On_Time", "Late_30", "Late_60", "Cancelled")


def _last(rows: TableRows) -> Listing:
    return Listing(
        f"The last {len(rows.rows)} flights",
        ["Day", "Route", "Departs", "Departure delay", "Arrival delay", "Aircraft"],
        [
            [
                Cell(formatting.day(row["Flight_Date"]), links.day(row["Flight_Date"])),
                text(f"{row['Origin']}–{row['Destination']}"),  # noqa: RUF001
                text(row["Scheduled_Departure"]),
                whole(row["Departure_Delay_Minutes"]),
                whole(row["Arrival_Delay_Minutes"]),
                text(row["Tail_Number"]),
            ]
            for row in rows.rows
        ],
        rows.source,
        rows.url,
        "Delays in minutes; negative is early. A flight without delays was cancelled; one without"
        " an arrival delay was cancelled or diverted.",
    )


def _related(airline: str, name: str, legs: list[Row]) -> list[Link]:
    pairs = [(leg["Origin"], leg["Destination"]) for leg in legs[:5]]
    return [
        *((f"All flights {a} to {b}", links.route(a, b)) for a, b in pairs),
        (name, links.airline(airline)),
    ]


def _unknown(airline: str, name: str, number: str) -> NoSuchThing:
    """NoSuchThing with the airline's numbers that resemble one."""
    grouping = {"group_by": "Flight_Number", "aggregate": "sum:Scheduled_Flights"}
    rows = table_rows.read(PerformanceByFlight, {"Airline_Code": airline, **grouping})
    similar = close(number, (row["Flight_Number"] for row in rows.rows))
    flights = [(f"{airline} {n}", links.flight(airline, n)) for n in similar]
    return NoSuchThing(
        f"No flight {airline} {number[:10]} is in the published tables.",
        [*flights, (name, links.airline(airline))],
    )
