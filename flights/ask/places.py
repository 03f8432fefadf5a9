"""The airports of departure and arrival that a question names."""

from flights.entities import Airport, City, directory, recognition

from .constituents import Constituent
from .refusals import Refused

type Codes = tuple[str, ...]

TENTH = 10


def read(parts: list[Constituent]) -> tuple[Codes, Codes]:
    """The codes of the airports of departure and of arrival."""
    ends: dict[str, list[str]] = {"origin": [], "destination": []}
    for part in parts:
        if part.rule in ends:
            ends[part.rule] += codes(part.values("PLACE"))
        elif part.rule == "route":
            first, *others = part.values("PLACE")
            ends["origin"] += codes([first])
            ends["destination"] += codes(others)
    _assign([part for part in parts if part.rule == "places"], _are_joined(parts), ends)
    return tuple(sorted(set(ends["origin"]))), tuple(sorted(set(ends["destination"])))


def _are_joined(parts: list[Constituent]) -> bool:
    """Whether places without a preposition are alternatives: "is Newark worse than JFK"."""
    bare = [number for number, part in enumerate(parts) if part.rule == "places"]
    if not bare:
        return False
    between = parts[bare[0] : bare[-1] + 1]
    return any(part.has("OR", "AND") and part.rule in ("places", "word") for part in between)


def _assign(bare: list[Constituent], joined: bool, ends: dict[str, list[str]]) -> None:
    """Places without a preposition: "JFK LAX" is a route; "at JFK" is where most flights leave."""
    places = [place for part in bare for place in part.values("PLACE")]
    if len(places) == 2 and not joined and not any(ends.values()):
        ends["origin"], ends["destination"] = codes(places[:1]), codes(places[1:])
        return
    if len(places) > 1 and not joined:
        raise Refused("Name one airport of departure and one of arrival: from JFK to Orlando.")
    known = "origin" if ends["origin"] else "destination" if ends["destination"] else ""
    for place in places:
        end = {"origin": "destination", "destination": "origin"}.get(known) or _end(codes([place]))
        ends[end] += codes([place])


def codes(places: list[Airport | City]) -> list[str]:
    """The codes of the airports of some places."""
    return [airport.code for place in places for airport in recognition.airports(place)]


def _end(airports: list[str]) -> str:
    """What "at" an airport means: departures, unless nearly all of its flights arrive."""
    known = directory.current().destinations
    leaving = sum(sum(known[code].values()) for code in airports if code in known)
    arriving = sum(n for to in known.values() for code, n in to.items() if code in airports)
    return "origin" if leaving * TENTH >= arriving else "destination"


def several(parts: list[Constituent], airports: Codes) -> bool:
    """Whether the question names several places with these airports, not one city."""
    named = [set(codes([place])) for part in parts for place in part.values("PLACE")]
    return len([place for place in named if place <= set(airports)]) > 1
