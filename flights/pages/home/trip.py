"""`/my-flight?from=&to=&when=&airline=`: find the page of the route that a traveller enters.

A single route redirects to its page. Several routes, such as those of a city with several airports,
are listed with their figures.
"""

import re
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from flights import entities, links
from flights.access import throttles
from flights.entities import (
    Airline,
    Airport,
    Day,
    Entity,
    Mention,
    Route,
    directory,
    recognition,
)
from flights.entities.dates import MONTHS, WEEK
from flights.errors import BadQuery
from flights.errors.pages import page
from flights.pages import formatting, on_time
from flights.pages.places import outcomes
from flights.pages.places.outcomes import COUNT, SHARE
from flights.pages.places.selection import Selection
from flights.query.paging import Row
from flights.web import caching

LONGEST = 80  # characters of a field
CLOSE = 3  # suggestions in an error
MONTH = re.compile(rf"\b({'|'.join(MONTHS)})[a-z]*\b|\b\d{{4}}-(\d{{2}})(?!-)", re.IGNORECASE)
WEEKDAY = re.compile(rf"\b({'|'.join(day[:3] for day in WEEK)})[a-z]*\b", re.IGNORECASE)
FIELDS = ("from", "to", "when", "airline")


@dataclass(frozen=True)
class Trip:
    """The routes and the selection of flights that a traveller enters."""

    routes: list[Route]
    flights: Selection  # of these routes

    def url(self, route: Route) -> str:
        """The page of a route, limited to the airline, month and day of the week."""
        params = {
            "airline": self.flights.airline or None,
            "month": str(self.flights.month) if self.flights.month else None,
            "weekday": self.flights.weekday or None,
        }
        return links.address(route.url, params) if any(params.values()) else route.url


@page
@caching.while_current
def my_flight(request: HttpRequest) -> HttpResponse:
    throttles.charge(request.META, "query")
    fields = {name: request.GET.get(name, "").strip()[:LONGEST] for name in FIELDS}
    if not any(fields.values()):
        return render(request, "my_flight.html", {"fields": fields})
    try:
        trip = read(fields)
    except BadQuery as error:
        close = error.detail.get("allowed", [])  # type: ignore[union-attr]  # members by name
        context = {"fields": fields, "error": error.message, "close": close}
        return render(request, "my_flight.html", context, status=400)
    if len(trip.routes) == 1:
        return redirect(trip.url(trip.routes[0]))
    context = {"fields": fields, "trip": trip, "routes": _with_figures(trip)}
    return render(request, "my_flight.html", context)


def read(fields: dict[str, str]) -> Trip:
    """Read the trip from the form's fields. BadQuery names the wrong field and similar names."""
    origins, destinations = _airports(fields["from"], "from"), _airports(fields["to"], "to")
    airline = _airline(fields["airline"])
    known = directory.current()
    pairs = [(o.code, d.code) for o in origins for d in destinations]
    routes = [route for pair in pairs if (route := known.route(*pair))]
    if airline:
        routes = [
            r for r in routes if airline.code in known.routes[r.origin.code, r.destination.code]
        ]
    if not routes:
        by = f" by {airline.name}" if airline else ""
        raise BadQuery(f"No flight{by} from {fields['from']} to {fields['to']} is in the data.")
    month, weekday = _when(fields["when"])
    return Trip(routes, Selection(airline.code if airline else "", month, weekday or ""))


def _airports(text: str, field: str) -> tuple[Airport, ...]:
    if not text:
        raise BadQuery(f"Fill in {field}: an airport or a city, by name or code.")
    named = [airports for mention in entities.find(text) if (airports := _airports_of(mention))]
    if not named:
        raise _unknown(text, "airport or city", ("airport", "city"))
    return named[0]


def _airports_of(mention: Mention) -> tuple[Airport, ...]:
    """The airports of a place, and of its namesakes: Portland in Maine and in Oregon."""
    places = [mention.entity, *mention.namesakes]
    return tuple(dict.fromkeys(a for place in places for a in recognition.airports(place)))


def _airline(text: str) -> Airline | None:
    if not text:
        return None
    if airline := directory.current().airlines.get(text.upper()):
        return airline
    named = [m.entity for m in entities.find(text) if isinstance(m.entity, Airline)]
    if not named:
        raise _unknown(text, "airline", ("airline",))
    return named[0]


def _unknown(text: str, what: str, kinds: tuple[str, ...]) -> BadQuery:
    close: list[Entity] = entities.suggest(text, CLOSE, kinds)
    return BadQuery(
        f"The data contain no {what} called {text!r}.", [thing.label for thing in close]
    )


def _when(text: str) -> tuple[int | None, str | None]:
    """Read a date, a month or a day of the week as month and day of the week."""
    if not text:
        return None, None
    for mention in entities.find(text):
        if isinstance(mention.entity, Day):
            return mention.entity.date.month, f"{mention.entity.date:%A}"
    month, weekday = _month(MONTH.search(text)), _weekday(WEEKDAY.search(text))
    if not (month or weekday):
        raise BadQuery(
            f"{text!r} is not a date, month or day of the week. Write 2013-07-04, July or Friday.",
        )
    return month, weekday


def _month(match: re.Match[str] | None) -> int | None:
    if match is None:
        return None
    if match[2]:
        return int(match[2]) if 1 <= int(match[2]) <= 12 else None
    return MONTHS[match[1].lower()]


def _weekday(match: re.Match[str] | None) -> str | None:
    if match is None:
        return None
    return next(day for day in WEEK if day.startswith(match[1].title()))


def _with_figures(trip: Trip) -> list[tuple[Route, str, str]]:
    """Each route with its page and the percent on time of the selected flights, the best first."""
    ends = {
        "Origin__in": ",".join(sorted({route.origin.code for route in trip.routes})),
        "Destination__in": ",".join(sorted({route.destination.code for route in trip.routes})),
    }
    where, most = {**ends, **trip.flights.where}, {"limit": on_time.MOST}
    rows = outcomes.shares(where, "Origin,Destination", **most).rows
    by_route = {(row["Origin"], row["Destination"]): row for row in rows}
    figures = [(r, by_route.get((r.origin.code, r.destination.code))) for r in trip.routes]
    figures.sort(key=lambda pair: -((pair[1] and pair[1][SHARE]) or 0))
    return [(route, trip.url(route), _text(row, trip.flights)) for route, row in figures]


def _text(row: Row | None, chosen: Selection) -> str:
    """`75.87 % of 1,286 flights on Fridays arrived on time.`"""
    if row is None:
        return f"No flight{chosen.words} is in the data."
    flights = f"{formatting.count(row[COUNT], 'flight')}{chosen.words}"
    if row[SHARE] is None:
        return f"{flights}, whose arrivals the source does not state."
    return f"{formatting.percent(row[SHARE])} of {flights} arrived on time."
