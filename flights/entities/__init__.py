"""Airlines, airports, cities, routes, flights and days: recognised in texts and suggested.

    find("JetBlue from JFK to Orlando on 9 Feb 2013")   # what a text names, and where
    suggest("new", kinds=("airport",))                  # what a prefix may become
    close("orlnado 9999", mentions)                     # what it may mean instead
    directory.current()                                 # everything that the flights name

Only things of the published tables exist: an airline without a flight is not recognised.
"""

from .closeness import close
from .recognition import Mention, airports, find, routes
from .suggestions import suggest
from .things import KINDS, Airline, Airport, City, Day, Entity, Flight, Route

__all__ = [
    "KINDS",
    "Airline",
    "Airport",
    "City",
    "Day",
    "Entity",
    "Flight",
    "Mention",
    "Route",
    "airports",
    "close",
    "find",
    "routes",
    "suggest",
]
