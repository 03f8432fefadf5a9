"""Which columns of a table name an airline, a place, a flight number or a day.

A field of the same name has the same meaning in every table.
"""

from collections.abc import Iterable
from typing import Any

from django.db import models

from flights.entities import Airline, Airport, City, Day, Entity, Flight
from flights.mirror import Field, MirroredTable

CODES = ("airport", "origin", "destination")
CITIES = ("city", "origin_city", "destination_city")

type Values = dict[int, list[str]]  # texts by the position of their column


def equal(model: type[MirroredTable], things: list[Entity], end: str = "") -> list[Values]:
    """Conditions that select the rows about any of some things, which are all of one kind.

    A row must meet each condition: one of its columns has one of the texts. An empty condition
    means that the table does not name such things. `end` is `origin` or `destination` for a place
    that is only this end of a flight.
    """
    match things[0]:
        case Airline():
            return [_airlines(model, things)]
        case Airport() | City():
            return [_places(model, things, end)]
        case Flight():
            airlines = [t.airline.code for t in things if isinstance(t, Flight)]
            numbers = [t.number for t in things if isinstance(t, Flight)]
            parts = [("airline_code", airlines), ("flight_number", numbers)]
            return [_columns(model, (name,), texts) for name, texts in parts]
        case _:
            return [_days(model, [t.date.isoformat() for t in things if isinstance(t, Day)])]


def _airlines(model: type[MirroredTable], things: list[Entity]) -> Values:
    """By code; in a table without codes, by name."""
    airlines = [thing for thing in things if isinstance(thing, Airline)]
    codes = _columns(model, ("airline_code",), (airline.code for airline in airlines))
    return codes or _columns(model, ("airline_name",), (airline.name for airline in airlines))


def _places(model: type[MirroredTable], things: list[Entity], end: str) -> Values:
    """An airport by its code; a city by its name, or by the codes of its airports."""
    cities = [thing for thing in things if isinstance(thing, City)]
    named = _columns(model, CITIES, (name for city in cities for name in city.names), end)
    codes = [thing.code for thing in things if isinstance(thing, Airport)]
    codes += [airport.code for city in cities for airport in city.airports]
    return named if named and cities else _columns(model, CODES, codes, end)


def _days(model: type[MirroredTable], days: list[str]) -> Values:
    return _columns(model, [field.name for field in model.columns() if _is_day(field)], days)


def _is_day(field: Field) -> bool:
    return isinstance(field, models.DateField) and not isinstance(field, models.DateTimeField)


def _columns(
    model: type[MirroredTable], names: Iterable[str], texts: Iterable[Any], end: str = ""
) -> Values:
    """The texts for each of the columns that the table has; of an end, if it has such columns."""
    places = {field.name: place for place, field in enumerate(model.columns())}
    named = [name for name in names if name in places]
    ends = [name for name in named if name.startswith(end)]
    values = list(dict.fromkeys(texts))
    return {places[name]: values for name in ends or named}
