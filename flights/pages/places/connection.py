"""`/connections/?from=LGA&via=ORD&to=LAX&minutes=45`: does a traveller make a connection?"""

from flights import links
from flights.errors import BadQuery
from flights.models.mirrored import PerformanceByRoute
from flights.pages import table_rows
from flights.pages.charts import Figure
from flights.query.params import whole_number

from . import connecting, delays, known
from .connecting import Connection
from .known import Airport
from .missing import NoSuchThing
from .page import Choice, Fact, Link, Page

WALK = 30  # minutes from gate to gate, by default
MINUTES = 60  # between the flights, by default
MOST = 24 * 60  # minutes between the flights


def build(params: dict[str, str]) -> Page:
    minutes, walk = _number(params, "minutes", MINUTES), _number(params, "walk", WALK)
    names = {name: params.get(name, "").strip() for name in ("from", "via", "to")}
    choices = [
        Choice("from", "From (airport)", names["from"]),
        Choice("via", "Change at", names["via"]),
        Choice("to", "To", names["to"]),
        Choice("minutes", "Minutes between the flights", str(minutes), number=True),
        Choice("walk", "Minutes from gate to gate", str(walk), number=True),
    ]
    if not (names["from"] and names["via"]):
        return _page("Connections", QUESTION, None, choices)
    start, via = known.airport_called(names["from"]), known.airport_called(names["via"])
    end = known.airport_called(names["to"]) if names["to"] else None
    first = delays.of("Arrival_Delay_Minutes", start.code, via.code)
    if not first.flights:
        raise _no_flights(start, via)
    if not first.numbers:
        raise NoSuchThing(f"No arrival of a flight from {start.label} to {via.label} is known.")
    onward = delays.of("Departure_Delay_Minutes", via.code, end.code) if end else None
    flies = onward if onward and onward.flights else None
    return _answered(Connection(start, via, end, first, flies, minutes, walk), choices)


QUESTION = (
    "Enter two airports of a first flight, the one to which you fly on, and the minutes between"
    " the flights: this page says how often the connection would have been made."
)
NOTES = (
    "Minutes between the flights: from the scheduled arrival of the first to the scheduled"
    " departure of the second.",
    "Minutes from gate to gate: what you need to leave the aircraft, to walk, and to be at the gate"
    " before it closes. The connection is made if the first flight arrives so early that this time"
    " remains before the second leaves.",
    "A first flight that is cancelled or diverted, and a second that is cancelled, count as a"
    " missed connection.",
    "With both flights: every delay of the first is combined with every delay of the second, as if"
    " they were independent. In truth weather delays both together, which makes some connections"
    " and breaks others; airlines also hold flights or rebook passengers. AirSense knows nothing of"
    " tickets.",
    "The first flights are all flights of the route, at all hours and of all airlines.",
)


def _number(params: dict[str, str], name: str, default: int) -> int:
    number = whole_number(params, name, default)
    if number > MOST:
        raise BadQuery(f"{name}: {number} is more than {MOST:,} minutes, a day.")
    return number


def _answered(trip: Connection, choices: list[Choice]) -> Page:
    to = trip.end.label if trip.end else "another flight"
    return _page(
        f"{trip.start.label} to {to} via {trip.via.label} with {trip.minutes} minutes",
        connecting.answer(trip),
        trip.first.flights,
        choices,
        facts=connecting.facts(trip),
        figures=connecting.figures(trip),
        related=_related(trip),
    )


def _related(trip: Connection) -> list[Link]:
    onward = [(trip.via, trip.end)] if trip.onward and trip.end else []
    legs = [(trip.start, trip.via), *onward]
    return [
        *((f"{a.label} to {b.label}", links.route(a.code, b.code)) for a, b in legs),
        *((each.label, links.airport(each.code)) for each in (trip.start, trip.via)),
    ]


def _no_flights(start: Airport, via: Airport) -> NoSuchThing:
    """NoSuchThing with the connections to the airports that flights from the start reach."""
    by = {"group_by": "Destination", "aggregate": "sum:Scheduled_Flights"}
    most = {"order_by": "-sum_Scheduled_Flights", "limit": "5"}
    rows = table_rows.read(PerformanceByRoute, {"Origin": start.code, **by, **most}).rows
    label = known.airport_label
    return NoSuchThing(
        f"No flight from {start.label} to {via.label} is in the published tables.",
        [
            *(
                (
                    f"{start.label} to {label(row['Destination'])}",
                    links.route(start.code, row["Destination"]),
                )
                for row in rows
            ),
            (start.label, links.airport(start.code)),
            (via.label, links.airport(via.code)),
        ],
    )


def _page(
    title: str,
    answer: str,
    flights: int | None,
    choices: list[Choice],
    facts: list[Fact] | tuple[()] = (),
    figures: list[Figure] | tuple[()] = (),
    related: list[Link] | tuple[()] = (),
) -> Page:
    return Page(
        kind="Connection",
        above=("All routes", "/routes/"),
        title=title,
        answer=answer,
        flights=flights,
        choices=choices,
        submit="Answer",
        facts=facts,
        figures=figures,
        related=related,
        notes=NOTES,
        indexed=flights is None,
    )
